package network_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	shieldGroupType = "aws:shield/protectionGroup:ProtectionGroup"
	responseType    = "aws:shield/applicationLayerAutomaticResponse:ApplicationLayerAutomaticResponse"
	healthAssocType = "aws:shield/protectionHealthCheckAssociation:ProtectionHealthCheckAssociation"
	healthCheckType = "aws:route53/healthCheck:HealthCheck"
	alarmType       = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

func withShieldResponse(a *network.WebAclArgs) { a.ShieldResponse = true }

// shieldProgram makes a protected load balancer and what watches it.
func shieldProgram(change ...func(*network.ShieldArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		balancer, err := newBalancer(ctx, func(a *network.LoadBalancerArgs) { a.ShieldProtect = true })
		if err != nil {
			return err
		}
		args := &network.ShieldArgs{Prefix: "redoubt-dev", Scope: scope, LoadBalancer: balancer, Tags: ownerTags}
		for _, f := range change {
			f(args)
		}
		_, err = network.NewShield(ctx, "shield", args)
		return err
	}
}

func TestShieldJudgesByTheApplicationsHealth(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, shieldProgram())
	whole := g.One(healthCheckType, "shield-health")
	require.Equal(t, "CALCULATED", whole.Input("type"))
	alarms := g.ByType(alarmType)
	require.Len(t, alarms, 4)
	require.EqualValues(t, len(alarms), whole.Input("childHealthThreshold"), "one unhealthy signal is enough")
	require.Len(t, whole.Input("childHealthchecks"), len(alarms))
	for _, alarm := range alarms {
		check := g.One(healthCheckType, alarm.Name)
		require.Contains(t, whole.Input("childHealthchecks"), check.ID)
		require.Equal(t, "CLOUDWATCH_METRIC", check.Input("type"))
		require.Equal(t, alarm.Input("name"), check.Input("cloudwatchAlarmName"))
		require.Equal(t, "eu-central-1", check.Input("cloudwatchAlarmRegion"))
		require.Equal(t, "AWS/ApplicationELB", alarm.Input("namespace"))
		require.True(t, g.Depends(alarm, g.Only(albType)), alarm.Name)
		require.False(t, alarm.Has("alarmActions[0]"), "monitoring has alarms of its own")
	}
	association := g.Only(healthAssocType)
	require.Equal(t, whole.Output("arn"), association.Input("healthCheckArn"))
	require.Same(t, g.Only(shieldType), g.Refers(association.Input("shieldProtectionId")))

	g = graphtest.Run(t, shieldProgram(func(a *network.ShieldArgs) {
		a.AlarmTopicArn = pulumi.String("arn:aws:sns:eu-central-1:123456789012:high")
	}))
	for _, alarm := range g.ByType(alarmType) {
		require.Equal(t, []any{"arn:aws:sns:eu-central-1:123456789012:high"}, alarm.Input("alarmActions"))
	}
}

func TestShieldJudgesTheEdgeAsOne(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, shieldProgram())
	group := g.Only(shieldGroupType)
	require.Equal(t, "redoubt-dev-edge", group.Input("protectionGroupId"))
	require.Equal(t, "ARBITRARY", group.Input("pattern"))
	require.Same(t, g.Only(albType), g.Refers(group.Input("members[0]")))
	require.True(t, g.Depends(group, g.Only(shieldType)), "members must be protected")
}

func TestShieldRespondsThroughTheWebAcl(t *testing.T) {
	t.Parallel()
	require.Empty(t, graphtest.Run(t, shieldProgram()).ByType(responseType))
	for response, want := range map[network.ShieldResponse]string{
		network.ShieldResponseCount: "COUNT", network.ShieldResponseBlock: "BLOCK",
	} {
		g := graphtest.Run(t, shieldProgram(func(a *network.ShieldArgs) { a.Response = response }))
		automatic := g.Only(responseType)
		require.Equal(t, want, automatic.Input("action"))
		require.Same(t, g.Only(albType), g.Refers(automatic.Input("resourceArn")))
		require.True(t, g.Depends(automatic, g.Only(wafAssocType)), "it writes into the web ACL")
		require.True(t, g.Depends(automatic, g.Only(shieldType)))
	}
}

func TestShieldReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		run  pulumi.RunFunc
		want []string
	}{
		{"nothing", func(ctx *pulumi.Context) error { _, err := network.NewShield(ctx, "shield", nil); return err }, []string{"args: missing"}},
		{
			"all at once", shieldProgram(func(a *network.ShieldArgs) { *a = network.ShieldArgs{Response: "ban"} }),
			[]string{"prefix:", "scope.region:", "loadBalancer: missing", `response: "ban"`},
		},
		{"no room in the web ACL", func(ctx *pulumi.Context) error {
			acl, err := network.NewWebAcl(ctx, "small", aclArgs())
			if err != nil {
				return err
			}
			balancer, err := newBalancer(ctx, func(a *network.LoadBalancerArgs) { a.ShieldProtect, a.WebAcl = true, acl })
			if err != nil {
				return err
			}
			_, err = network.NewShield(ctx, "shield", &network.ShieldArgs{
				Prefix: "redoubt-dev", Scope: scope, LoadBalancer: balancer, Response: network.ShieldResponseBlock,
			})
			return err
		}, []string{"response: the web ACL has no capacity reserved for Shield's rules (set its shieldResponse)"}},
		{"an unprotected load balancer", func(ctx *pulumi.Context) error {
			balancer, err := newBalancer(ctx)
			if err != nil {
				return err
			}
			_, err = network.NewShield(ctx, "shield", &network.ShieldArgs{Prefix: "redoubt-dev", Scope: scope, LoadBalancer: balancer})
			return err
		}, []string{"loadBalancer: is not registered with Shield Advanced (set its shieldProtect)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(tc.run)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
