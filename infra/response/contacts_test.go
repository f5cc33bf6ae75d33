package response_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/response"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

const (
	contactType = "aws:account/alternativeContact:AlternativeContact"
	roleType    = "aws:iam/role:Role"
)

func contactArgs(change ...func(*response.ContactsArgs)) *response.ContactsArgs {
	person := func(name string) response.Person {
		return response.Person{Name: name, Title: "Lead", Email: name + "@corp.test", Phone: "+49 30 901820"}
	}
	people := []string{"arn:aws:iam::123456789012:role/security"}
	a := &response.ContactsArgs{
		Scope: scope, Prefix: "redoubt-prod", Production: true, Alternate: singleton.Singleton{Mode: singleton.Manage},
		Security: person("security"), Operations: person("operations"), Billing: person("billing"),
		Readers: []response.Partner{
			{Name: "soc", AccountID: "210987654321", ExternalID: "agreed-with-soc-2026"}, {Name: "mssp", AccountID: "310987654321", ExternalID: "agreed-with-mssp-2026"},
		},
		Forensics:       &response.Partner{Name: "forensics", AccountID: "410987654321", ExternalID: "agreed-with-forensics"},
		LegalPrincipals: people, SupportPrincipals: people,
		EvidenceBucket: &data.Bucket{PhysicalName: evidence, Scope: scope}, EvidenceKeyAlias: "alias/redoubt-prod-audit",
		Slack:     &response.Slack{TeamID: "T01234567", ChannelID: "C01234567", TopicArns: pulumi.StringArray{pulumi.String("arn:topic")}},
		PagerDuty: &response.PagerDuty{RoutingKey: pulumi.String("hunter2"), MachineArn: "arn:aws:states:eu-central-1:123456789012:stateMachine:m", DeadLetterArn: pulumi.String("arn:dlq")},
		Tags:      map[string]string{"owner": "security"},
	}
	for _, f := range change {
		f(a)
	}
	return a
}

func contactGraph(t *testing.T, a *response.ContactsArgs) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := response.NewContacts(ctx, "contacts", a)
		return err
	})
}

func TestAlternateContactsAreASingleton(t *testing.T) {
	t.Parallel()
	g := contactGraph(t, contactArgs(func(a *response.ContactsArgs) { a.Protect = true }))
	for name, kind := range map[string]string{"contacts-security": "SECURITY", "contacts-operations": "OPERATIONS", "contacts-billing": "BILLING"} {
		c := g.One(contactType, name)
		require.Equal(t, kind, c.Input("alternateContactType"))
		require.Equal(t, "+49 30 901820", c.Input("phoneNumber"))
		require.True(t, c.Protect)
		require.True(t, c.RetainOnDelete)
	}
	for _, mode := range []singleton.Mode{singleton.Adopt, singleton.Off} {
		g := contactGraph(t, contactArgs(func(a *response.ContactsArgs) { a.Alternate.Mode = mode }))
		require.Empty(t, g.ByType(contactType), "another's contacts are left alone")
	}
}

func TestPartnersNeedTheirExternalID(t *testing.T) {
	t.Parallel()
	g := contactGraph(t, contactArgs())
	for name, id := range map[string]string{"soc": "agreed-with-soc-2026", "mssp": "agreed-with-mssp-2026", "forensics": "agreed-with-forensics"} {
		trust, _ := g.One(roleType, "contacts-"+name+"-role").Input("assumeRolePolicy").(string)
		require.Contains(t, trust, `"Condition":{"StringEquals":{"sts:ExternalId":"`+id+`"}}`)
	}
	require.Equal(t, "arn:aws:iam::aws:policy/SecurityAudit", g.One("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "contacts-soc-SecurityAudit").Input("policyArn"))
	require.Equal(t, "arn:aws:iam::aws:policy/AWSSupportAccess", g.One("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "contacts-support-AWSSupportAccess").Input("policyArn"))
}

func TestPeopleNeedASecondFactor(t *testing.T) {
	t.Parallel()
	g := contactGraph(t, contactArgs())
	for _, name := range []string{"legal", "support"} {
		require.Contains(t, g.One(roleType, "contacts-"+name+"-role").Input("assumeRolePolicy"), `"aws:MultiFactorAuthPresent":"true"`)
	}
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"HoldEvidence","Effect":"Allow","Action":["s3:GetObjectLegalHold","s3:PutObjectLegalHold"],
		"Resource":"arn:aws:s3:::redoubt-dev-evidence/incidents/*"}]}`, g.One(policyType, "contacts-legal-hold-evidence").Input("policy").(string))
	for _, role := range []string{"legal", "forensics"} {
		require.NotContains(t, g.One(policyType, "contacts-"+role+"-read-evidence").Input("policy"), "Delete")
	}
}

func TestSlackCanOnlyRead(t *testing.T) {
	t.Parallel()
	s := contactGraph(t, contactArgs()).Only("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration")
	require.Equal(t, []any{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, s.Input("guardrailPolicyArns"))
	require.Equal(t, true, s.Input("userAuthorizationRequired"))
	require.Equal(t, []any{"arn:topic"}, s.Input("snsTopicArns"))
}

func TestThePagersKeyStaysSecret(t *testing.T) {
	t.Parallel()
	g := contactGraph(t, contactArgs())
	connection := g.Only("aws:cloudwatch/eventConnection:EventConnection")
	require.True(t, connection.Secret("authParameters.apiKey.value"))
	require.True(t, connection.Secret("authParameters.invocationHttpParameters.bodies[0].value"))
	require.Equal(t, "https://events.pagerduty.com/v2/enqueue", g.Only("aws:cloudwatch/eventApiDestination:EventApiDestination").Input("invocationEndpoint"))
	require.NotContains(t, string(g.JSON()), "hunter2")
	targets := g.ByType(targetType)
	require.Len(t, targets, 2)
	for _, target := range targets {
		require.Equal(t, "arn:dlq", target.Input("deadLetterConfig.arn"))
		require.Contains(t, target.Input("inputTransformer.inputTemplate"), `"event_action":"trigger"`)
	}
}

func TestContactsAreOptional(t *testing.T) {
	t.Parallel()
	g := contactGraph(t, &response.ContactsArgs{Scope: scope, Prefix: "redoubt-dev", Alternate: singleton.Singleton{Mode: singleton.Off}})
	require.Len(t, g.Resources, 1)
}

func TestContactsReportEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args *response.ContactsArgs
		want []string
	}{
		{"nothing", nil, []string{"args: nil"}},
		{"all at once", &response.ContactsArgs{Alternate: singleton.Singleton{Mode: "on"}}, []string{"prefix:", "scope:", `alternate: mode "on"`}},
		{"the guide's placeholders", contactArgs(func(a *response.ContactsArgs) {
			a.Security.Email, a.Operations.Phone = "security@example.com", "1-800-xxx-xxxx"
		}), []string{"security: security@example.com", "operations: operations@corp.test, 1-800-xxx-xxxx"}},
		{"nobody", contactArgs(func(a *response.ContactsArgs) { a.Billing = response.Person{} }), []string{"billing: name", "billing.email", "billing.phone"}},
		{"partners", contactArgs(func(a *response.ContactsArgs) {
			a.Readers = []response.Partner{{Name: "legal", AccountID: "123456789012", ExternalID: "short"}, {Name: "SOC"}}
		}), []string{"name is taken", `accountId "123456789012"`, "externalId: 5 signs", `partner "SOC": name`}},
		{"principals", contactArgs(func(a *response.ContactsArgs) { a.LegalPrincipals, a.SupportPrincipals = []string{"x"}, []string{"y"} }), []string{"legalPrincipals[0]", "supportPrincipals[0]"}},
		{"evidence", contactArgs(func(a *response.ContactsArgs) { a.EvidenceBucket, a.EvidenceKeyAlias = nil, "" }), []string{"evidenceBucket:", "evidenceKeyAlias:"}},
		{"channels", contactArgs(func(a *response.ContactsArgs) {
			a.Slack, a.PagerDuty = &response.Slack{TeamID: "corp", ChannelID: "#security-team"}, &response.PagerDuty{}
		}), []string{"slack.teamId", "slack.channelId", "slack.topicArns", "pagerDuty.routingKey", "pagerDuty.deadLetterArn", "pagerDuty.machineArn"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := response.NewContacts(ctx, "contacts", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	contactGraph(t, contactArgs(func(a *response.ContactsArgs) {
		a.Production, a.Security.Email, a.Security.Phone = false, "security@example.com", "1-800-xxx-xxxx"
	}))
}
