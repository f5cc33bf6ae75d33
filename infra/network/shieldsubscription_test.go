package network_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/network"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

const (
	subscriptionType = "aws:shield/subscription:Subscription"
	drtRoleType      = "aws:shield/drtAccessRoleArnAssociation:DrtAccessRoleArnAssociation"
	drtBucketType    = "aws:shield/drtAccessLogBucketAssociation:DrtAccessLogBucketAssociation"
	engagementType   = "aws:shield/proactiveEngagement:ProactiveEngagement"
	roleAttachType   = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

type subscriptionChange func(*network.ShieldSubscriptionArgs)

func subscriptionArgs(changes ...subscriptionChange) *network.ShieldSubscriptionArgs {
	args := &network.ShieldSubscriptionArgs{
		Prefix: "redoubt-dev", Scope: scope, Subscription: singleton.Singleton{Mode: singleton.Manage},
		AcknowledgeAnnualCommitment: network.ShieldCommitment, Tags: ownerTags,
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

func withResponseTeam(a *network.ShieldSubscriptionArgs) {
	a.SupportPlan, a.ResponseTeamAccess, a.LogBuckets = network.SupportEnterprise, true, []string{"redoubt-dev-access-logs"}
	a.EmergencyContacts = []network.EmergencyContact{{Email: "security@example.org", Phone: "+4930123456", Notes: "Day and night"}}
}

func adopted(a *network.ShieldSubscriptionArgs) {
	a.Subscription, a.AcknowledgeAnnualCommitment = singleton.Singleton{Mode: singleton.Adopt}, ""
}

func subscriptionProgram(changes ...subscriptionChange) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := network.NewShieldSubscription(ctx, "account", subscriptionArgs(changes...))
		return err
	}
}

func TestSubscriptionIsBoughtForGood(t *testing.T) {
	t.Parallel()
	subscription := graphtest.Run(t, subscriptionProgram()).Only(subscriptionType)
	require.Equal(t, "ENABLED", subscription.Input("autoRenew"))
	require.Equal(t, true, subscription.Input("skipDestroy"))
	require.True(t, subscription.Protect)
	require.True(t, subscription.RetainOnDelete)
}

// A subscription bought by mistake costs 36,000 dollars and stays for the year.
func TestNobodySubscribesByMistake(t *testing.T) {
	t.Parallel()
	for _, acknowledged := range []string{"", "yes", "USD-3000-per-month", "usd-3000-per-month-12-months"} {
		g, err := graphtest.Build(subscriptionProgram(func(a *network.ShieldSubscriptionArgs) { a.AcknowledgeAnnualCommitment = acknowledged }))
		require.ErrorContains(t, err, "acknowledgeAnnualCommitment:", acknowledged)
		require.ErrorContains(t, err, "write USD-3000-per-month-12-months")
		require.Empty(t, g.Resources)
	}
	require.Empty(t, graphtest.Run(t, subscriptionProgram(adopted)).ByType(subscriptionType))
	require.Empty(t, graphtest.Run(t, shieldProgram()).ByType(subscriptionType), "protection alone buys nothing")
}

func TestProtectionWaitsForTheSubscription(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change []subscriptionChange
		waits  bool
	}{{"bought here", nil, true}, {"adopted", []subscriptionChange{adopted}, false}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := graphtest.Run(t, func(ctx *pulumi.Context) error {
				subscription, err := network.NewShieldSubscription(ctx, "account", subscriptionArgs(tc.change...))
				if err != nil {
					return err
				}
				_, err = newBalancer(ctx, func(a *network.LoadBalancerArgs) { a.ShieldProtect, a.ShieldSubscription = true, subscription })
				return err
			})
			bought := g.ByType(subscriptionType)
			require.Equal(t, tc.waits, len(bought) == 1 && g.Depends(g.Only(shieldType), bought[0]))
			require.Len(t, g.ByType(shieldType), 1)
		})
	}
}

func TestResponseTeamGetsItsRole(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, subscriptionProgram(withResponseTeam))
	role, access := g.Only(roleType), g.Only(drtRoleType)
	require.Equal(t, "redoubt-dev-shield-response", role.Input("name"))
	require.Contains(t, role.Input("assumeRolePolicy"), "drt.shield.amazonaws.com")
	attached := g.Only(roleAttachType)
	require.Equal(t, "arn:aws:iam::aws:policy/service-role/AWSShieldDRTAccessPolicy", attached.Input("policyArn"))
	require.Same(t, role, g.Refers(access.Input("roleArn")))
	require.True(t, g.Depends(access, attached), "Shield refuses a role without the policy")
	require.True(t, g.Depends(access, g.Only(subscriptionType)))
	bucket := g.Only(drtBucketType)
	require.Equal(t, "redoubt-dev-access-logs", bucket.Input("logBucket"))
	require.Same(t, access, g.Refers(bucket.Input("roleArnAssociationId")))
	require.Empty(t, graphtest.Run(t, subscriptionProgram()).ByType(roleType))
}

func TestResponseTeamCalls(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, subscriptionProgram(withResponseTeam, func(a *network.ShieldSubscriptionArgs) {
		a.EmergencyContacts = append(a.EmergencyContacts, network.EmergencyContact{Email: "platform@example.org"})
	}))
	engagement := g.Only(engagementType)
	require.Equal(t, true, engagement.Input("enabled"))
	require.Equal(t, []any{
		map[string]any{"emailAddress": "security@example.org", "phoneNumber": "+4930123456", "contactNotes": "Day and night"},
		map[string]any{"emailAddress": "platform@example.org"},
	}, engagement.Input("emergencyContacts"))
	require.True(t, g.Depends(engagement, g.Only(subscriptionType)))
	require.Empty(t, graphtest.Run(t, subscriptionProgram()).ByType(engagementType))
}

// Shield writes this statement into the bucket's policy by itself; ours must be
// the same, or each update would take it out.
func TestResponseTeamStatementIsShields(t *testing.T) {
	t.Parallel()
	text, err := identity.Document{network.ResponseTeamStatement(scope, "redoubt-dev-access-logs")}.JSON(identity.BucketPolicy)
	require.NoError(t, err)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"AWSDDoSResponseTeamAccessS3Bucket","Effect":"Allow",
		"Principal":{"Service":"drt.shield.amazonaws.com"},"Action":["s3:GetBucketLocation","s3:GetObject","s3:ListBucket"],
		"Resource":["arn:aws:s3:::redoubt-dev-access-logs","arn:aws:s3:::redoubt-dev-access-logs/*"]}]}`, text)
}

func TestSubscriptionReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change subscriptionChange
		want   []string
	}{
		{
			"all at once", func(a *network.ShieldSubscriptionArgs) { *a = network.ShieldSubscriptionArgs{SupportPlan: "gold"} },
			[]string{"prefix:", "scope.region:", "subscription: mode", `supportPlan: "gold"`},
		},
		{"off", func(a *network.ShieldSubscriptionArgs) { a.Subscription.Mode = singleton.Off }, []string{"subscription.mode: off"}},
		{"an id", func(a *network.ShieldSubscriptionArgs) { adopted(a); a.Subscription.ID = "123456789012" }, []string{"subscription.id:"}},
		{
			"a team without support", func(a *network.ShieldSubscriptionArgs) { withResponseTeam(a); a.SupportPlan = network.SupportNone },
			[]string{"responseTeamAccess: the Shield Response Team works for", "emergencyContacts: proactive engagement is for"},
		},
		{"buckets for nobody", func(a *network.ShieldSubscriptionArgs) { a.LogBuckets = []string{"logs"} }, []string{"logBuckets: nobody reads them"}},
		{"an ARN", func(a *network.ShieldSubscriptionArgs) {
			withResponseTeam(a)
			a.LogBuckets = []string{"arn:aws:s3:::logs", "logs", "logs"}
		}, []string{"logBuckets[0]:", "logBuckets[2]: logs is named twice"}},
		{"eleven buckets", func(a *network.ShieldSubscriptionArgs) {
			withResponseTeam(a)
			for i := range 10 {
				a.LogBuckets = append(a.LogBuckets, fmt.Sprint("logs-", i))
			}
		}, []string{"logBuckets: 11 buckets (at most 10)"}},
		{"nobody to call", func(a *network.ShieldSubscriptionArgs) {
			withResponseTeam(a)
			a.EmergencyContacts = []network.EmergencyContact{{Email: "security"}}
		}, []string{"emergencyContacts[0].email:", "emergencyContacts: nobody has a phone"}},
		{
			"a national number", func(a *network.ShieldSubscriptionArgs) {
				withResponseTeam(a)
				a.EmergencyContacts[0].Phone = "030 123456"
			},
			[]string{"emergencyContacts[0].phone:"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(subscriptionProgram(tc.change))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewShieldSubscription(ctx, "account", nil)
		return err
	})
	require.ErrorContains(t, err, "args: missing")
}
