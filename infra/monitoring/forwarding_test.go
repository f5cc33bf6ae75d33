package monitoring_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

func buildForwarding(args monitoring.ForwardingArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := monitoring.NewForwarding(ctx, "global", &args)
		return err
	}
}

func TestGlobalEventsComeHome(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildForwarding(monitoring.ForwardingArgs{
		Prefix: prefix, Scope: scope, FromRegion: "us-east-1", Sources: []monitoring.Source{monitoring.Global}, DeployRoleARNs: []string{deployRole},
	}))
	for _, name := range []string{"iam-policy-changes", "iam-credential-changes", "root-usage-api", "root-usage-signin", "audit-tampering", "cost-anomaly"} {
		target := g.One(eventTarget, "global-"+name)
		require.Equal(t, "arn:aws:events:eu-central-1:123456789012:event-bus/default", target.Input("arn"))
		require.Equal(t, "aws:iam/role:Role", g.Refers(target.Input("roleArn")).Type, "another region's bus needs a role")
		require.False(t, target.Has("inputTransformer"), "the rules at home read the event as it was")
	}
	for _, r := range g.ByType(eventRule) {
		require.NotContains(t, []string{"global-security-group-changes", "global-kms-key-deletion"}, r.Name, "regional events are heard where they are")
	}
	require.Equal(t, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", g.One(eventRule, "global-root-usage-api").Input("state"))
	role := g.Only("aws:iam/role:Role")
	require.Contains(t, role.Input("assumeRolePolicy"), "arn:aws:events:us-east-1:123456789012:rule/redoubt-dev-*")
	require.Contains(t, g.Only("aws:sqs/queuePolicy:QueuePolicy").Input("policy"), "arn:aws:sqs:us-east-1:123456789012:redoubt-dev-us-east-1-forwarding-dead-letters")
	alarm := g.Only(metricAlarm)
	require.Equal(t, "redoubt-dev-us-east-1-forwarding-dead-letters", alarm.Input("name"))
	require.False(t, alarm.Has("alarmActions"), "its change of state is forwarded and heard by the rule forwarding-failed")
	require.NotNil(t, g.One(eventRule, "global-forwarding-failed"))
}

func TestTheReplicasRegionIsHeardToo(t *testing.T) {
	t.Parallel()
	names := func(sources ...monitoring.Source) []string {
		region := "eu-west-1"
		if len(sources) > 1 {
			region = "us-east-1"
		}
		var out []string
		for _, r := range graphtest.Run(t, buildForwarding(monitoring.ForwardingArgs{Prefix: prefix, Scope: scope, FromRegion: region, Sources: sources})).ByType(eventRule) {
			out = append(out, r.Name)
		}
		return out
	}
	replica := names(monitoring.Replica)
	require.ElementsMatch(t, []string{"global-forwarding-failed", "global-kms-key-deleted", "global-kms-key-deletion", "global-s3-public-access"}, replica)
	require.Subset(t, names(monitoring.Global, monitoring.Replica), replica)
}

func TestForwardingReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args monitoring.ForwardingArgs
		want []string
	}{
		{"empty", monitoring.ForwardingArgs{}, []string{"prefix:", "fromRegion: missing", "sources: empty"}},
		{
			"round and round",
			monitoring.ForwardingArgs{Prefix: prefix, Scope: scope, FromRegion: scope.Region, Sources: []monitoring.Source{monitoring.Replica}},
			[]string{"events would go round for ever"},
		},
		{
			"global elsewhere",
			monitoring.ForwardingArgs{Prefix: prefix, Scope: scope, FromRegion: "eu-west-1", Sources: []monitoring.Source{monitoring.Global, monitoring.Home}},
			[]string{"global events do not appear in eu-west-1", `sources[1]: "home" is not another region`},
		},
		{
			"no role",
			monitoring.ForwardingArgs{Prefix: prefix, Scope: scope, FromRegion: "us-east-1", Sources: []monitoring.Source{monitoring.Global}, DeployRoleARNs: []string{"deploy"}},
			[]string{"deployRoleArns[0]:"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(buildForwarding(tc.args))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
