package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const (
	orgPolicyType  = "aws:organizations/policy:Policy"
	attachmentType = "aws:organizations/policyAttachment:PolicyAttachment"
)

// The organization that graphtest's account answers with.
func organizationArgs() *identity.OrganizationArgs {
	return &identity.OrganizationArgs{
		Scope: scope, Management: true, OrgID: "o-a1b2c3d4e5", Prefix: "redoubt",
		Targets:        []string{"ou-ab12-workload1", "111111111111"},
		AllowedRegions: []string{"eu-west-1", "eu-central-1", "us-east-1"},
		Custodians:     []string{"arn:aws:iam::*:role/deploy-account"},
		Perimeter:      true, TrustedAccounts: []string{"888888888888"}, RootAccess: manage,
	}
}

func organization(args *identity.OrganizationArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := identity.NewOrganization(ctx, "org", args)
		return err
	}
}

func TestOrganizationAttachesItsPolicies(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, organization(organizationArgs()), graphtest.Preview())
	require.Len(t, g.ByType(orgPolicyType), 5)
	require.Len(t, g.ByType(attachmentType), 10)
	for _, policy := range g.ByType(orgPolicyType) {
		text, ok := policy.Input("content").(string)
		require.True(t, ok)
		require.LessOrEqual(t, identity.Size(text), 5120, policy.Name)
		want := "SERVICE_CONTROL_POLICY"
		if policy.Name == "org-perimeter" {
			want = "RESOURCE_CONTROL_POLICY"
		}
		require.Equal(t, want, policy.Input("type"), policy.Name)
		for _, s := range document(t, policy, "content") {
			require.Equal(t, identity.Deny, s.Effect, "%s: a guardrail gives nothing", s.Sid)
		}
	}
	one := g.One(attachmentType, "org-detection-111111111111")
	require.Equal(t, "111111111111", one.Input("targetId"))
	require.True(t, g.Depends(one, g.One(orgPolicyType, "org-detection")))
	require.Equal(t, []any{"RootCredentialsManagement", "RootSessions"},
		g.Only("aws:iam/organizationsFeatures:OrganizationsFeatures").Input("enabledFeatures"))
}

func TestGuardrailsSayNo(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, organization(organizationArgs()), graphtest.Preview())
	find := func(policy, sid string) identity.Statement {
		return statement(t, document(t, g.One(orgPolicyType, "org-"+policy), "content"), sid)
	}
	require.Equal(t, []string{"organizations:LeaveOrganization"}, find("foundation", "StayInOrganization").Actions)
	root := find("foundation", "NoRootUser")
	require.Equal(t, []string{"*"}, root.Actions)
	require.ElementsMatch(t, []identity.Condition{
		{Test: "ArnLike", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::*:root"}},
		{Test: "BoolIfExists", Key: "aws:AssumedRoot", Values: []string{"false"}},
	}, root.Conditions)
	custodians := []identity.Condition{{
		Test: "ArnNotLike", Key: "aws:PrincipalArn",
		Values: []string{"arn:aws:iam::*:role/security-*", "arn:aws:iam::*:role/deploy-account"},
	}}
	require.Equal(t, custodians, find("foundation", "KeepSecurityRoles").Conditions)
	require.Contains(t, find("foundation", "KeepAccountGuards").Actions, "s3:PutAccountPublicAccessBlock")
	detection := find("detection", "KeepDetection")
	require.Equal(t, custodians, detection.Conditions)
	for _, service := range []string{"cloudtrail:", "guardduty:", "config:", "securityhub:"} {
		require.True(t, slices.ContainsFunc(detection.Actions, func(a string) bool { return strings.HasPrefix(a, service) }), service)
	}
	regions := find("regions", "AllowedRegionsOnly")
	require.Equal(t, []string{"eu-central-1", "eu-west-1", "us-east-1"}, regions.Conditions[0].Values)
	require.Subset(t, regions.NotActions, []string{"iam:*", "organizations:*", "route53:*", "cloudfront:*", "sts:*", "support:*"})
	require.NotContains(t, regions.NotActions, "kms:*", "data stays where it is allowed")
	require.Equal(t, []string{"2.0"}, find("instances", "CredentialsWithTokens").Conditions[0].Values)
	require.Equal(t, "ec2:MetadataHttpTokens", find("instances", "LaunchWithTokens").Conditions[0].Key)
}

func TestPerimeterLetsServicesAndPartnersIn(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, organization(organizationArgs()), graphtest.Preview())
	doc := document(t, g.One(orgPolicyType, "org-perimeter"), "content")
	for _, s := range doc {
		require.True(t, s.Principals.Any, "an RCP speaks of everyone: %s", s.Sid)
		require.Empty(t, s.NotActions, "an RCP knows no NotAction: %s", s.Sid)
		require.NotContains(t, s.Actions, "*", "an RCP names its services: %s", s.Sid)
		require.NotEmpty(t, s.Conditions, "without a condition everybody is locked out: %s", s.Sid)
	}
	require.ElementsMatch(t, []identity.Condition{
		{Test: "StringNotEqualsIfExists", Key: "aws:PrincipalOrgID", Values: []string{"o-a1b2c3d4e5"}},
		{Test: "BoolIfExists", Key: "aws:PrincipalIsAWSService", Values: []string{"false"}},
		{Test: "StringNotEqualsIfExists", Key: "aws:PrincipalAccount", Values: []string{"888888888888"}},
	}, statement(t, doc, "OrganizationOnly").Conditions)
	require.NotContains(t, statement(t, doc, "OrganizationOnly").Actions, "sts:*", "federated sign-in has no organization")
}

func TestOrganizationTakesSomeGuardrails(t *testing.T) {
	t.Parallel()
	args := organizationArgs()
	args.Guardrails, args.Perimeter, args.RootAccess = []identity.Guardrail{identity.GuardrailDetection}, false, off
	args.AllowedRegions, args.Protect = nil, true
	g := graphtest.Run(t, organization(args))
	require.Equal(t, "redoubt-detection", g.Only(orgPolicyType).Input("name"))
	require.True(t, g.Only(orgPolicyType).Protect)
	require.Empty(t, g.ByType("aws:iam/organizationsFeatures:OrganizationsFeatures"))
}

func TestOrganizationFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*identity.OrganizationArgs)
		want   []string
	}{
		"elsewhere":   {func(a *identity.OrganizationArgs) { a.Management = false }, []string{"management: false"}},
		"another org": {func(a *identity.OrganizationArgs) { a.OrgID = "o-zzzzzzzzzz" }, []string{`orgId: "o-zzzzzzzzzz", but the account is in "o-a1b2c3d4e5"`}},
		"another account": {
			func(a *identity.OrganizationArgs) { a.Scope.AccountID = "222222222222" },
			[]string{"management: account 222222222222 is not the management account, which is 123456789012"},
		},
		"too many": {func(a *identity.OrganizationArgs) { a.Attached = 2 }, []string{"targets: 6 policies of type SERVICE_CONTROL_POLICY"}},
		"own region": {
			func(a *identity.OrganizationArgs) { a.AllowedRegions = []string{"us-east-1"} },
			[]string{`allowedRegions: "eu-central-1" is not among them`},
		},
		"forms": {func(a *identity.OrganizationArgs) {
			a.Targets, a.OrgID = []string{"everything", "111111111111", "111111111111"}, "o-1"
			a.Custodians, a.Guardrails = []string{"arn:aws:iam::*:role/*"}, []identity.Guardrail{"moat"}
		}, []string{`targets[0]: "everything"`, `targets[2]: "111111111111" twice`, "orgId:", "custodians[0]:", `guardrails[0]: "moat"`}},
		"nowhere": {func(a *identity.OrganizationArgs) { a.Targets = nil }, []string{"targets: empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := organizationArgs()
			c.change(args)
			g, err := graphtest.Build(organization(args))
			require.Empty(t, g.ByType(orgPolicyType))
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestOrganizationSaysWhenAPolicyIsTooLong(t *testing.T) {
	t.Parallel()
	args := organizationArgs()
	for i := range 150 {
		args.Custodians = append(args.Custodians, "arn:aws:iam::*:role/team-"+strings.Repeat("x", i%9)+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	_, err := graphtest.Build(organization(args))
	require.ErrorContains(t, err, "service control policy holds 5120")
}
