package monitoring_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

const (
	eventRule   = "aws:cloudwatch/eventRule:EventRule"
	eventTarget = "aws:cloudwatch/eventTarget:EventTarget"
	metricAlarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
	deployRole  = "arn:aws:iam::123456789012:role/ci/deploy"
)

func withTopics(build func(*pulumi.Context, *monitoring.Topics) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		topics, err := monitoring.NewTopics(ctx, "alerts", topicsArgs())
		if err != nil {
			return err
		}
		return build(ctx, topics)
	}
}

func buildAlerts(deployRoles ...string) pulumi.RunFunc {
	return withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		_, err := monitoring.NewAlerts(ctx, "events", &monitoring.AlertsArgs{Prefix: prefix, Scope: scope, Topics: topics, DeployRoleARNs: deployRoles})
		return err
	})
}

func TestAlertsReachTheTopicOfTheirLevel(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlerts())
	require.Len(t, g.ByType(eventTarget), len(g.ByType(eventRule)))
	for name, level := range map[string]monitoring.Level{
		"security-group-changes": monitoring.High, "root-usage-api": monitoring.High, "s3-public-access": monitoring.Medium,
		"guardduty-medium": monitoring.Medium, "secret-age": monitoring.Medium, "tag-change": monitoring.Low, "self-test": monitoring.Low,
	} {
		target := g.One(eventTarget, "events-"+name)
		require.Equal(t, "redoubt-dev-"+name, target.Input("rule"))
		require.Equal(t, "alerts-"+string(level), g.Refers(target.Input("arn")).Name)
		require.Equal(t, "alerts-dead-letters", g.Refers(target.Input("deadLetterConfig.arn")).Name)
		require.EqualValues(t, 86400, target.Input("retryPolicy.maximumEventAgeInSeconds"))
		require.True(t, strings.HasPrefix(target.Input("inputTransformer.inputTemplate").(string), `"[`+strings.ToUpper(string(level))+" redoubt-dev] "))
	}
	require.Equal(t, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", g.One(eventRule, "events-root-usage-api").Input("state"),
		"EventBridge hides read-only calls from other rules, and the root user mostly reads")
	require.Equal(t, "ENABLED", g.One(eventRule, "events-security-group-changes").Input("state"))
	for _, r := range g.ByType(eventRule) {
		require.LessOrEqual(t, len(r.Input("name").(string)), 64, r.Name)
	}
}

func TestPatternsAreKnownAtPreview(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlerts(deployRole), graphtest.Preview())
	require.Contains(t, g.One(eventRule, "events-security-group-changes").Input("eventPattern"), `[{"anything-but":["`+deployRole+`"]},{"exists":false}]`)
	require.NotContains(t, g.One(eventRule, "events-kms-key-deletion").Input("eventPattern"), "anything-but")
}

func TestDeliveryIsWatched(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlerts())
	letters := g.One(metricAlarm, "events-alert-dead-letters")
	require.Equal(t, "redoubt-dev-alert-dead-letters", letters.Input("dimensions.QueueName"))
	require.Equal(t, "GreaterThanOrEqualToThreshold", letters.Input("comparisonOperator"))

	silent := g.One(metricAlarm, "events-alert-self-test")
	require.Equal(t, "redoubt-dev-self-test", silent.Input("dimensions.RuleName"))
	require.Equal(t, "breaching", silent.Input("treatMissingData"), "a rule that never matches has no metric")
	require.Equal(t, "LessThanThreshold", silent.Input("comparisonOperator"))

	require.Equal(t, "alerts-medium", g.Refers(g.One(metricAlarm, "events-alert-undelivered-high").Input("alarmActions[0]")).Name,
		"a topic that fails cannot tell of itself")

	watched := 0
	for _, a := range g.ByType(metricAlarm) {
		if strings.Contains(a.Name, "alert-rules-failed") {
			queries := a.Input("metricQueries").([]any)
			require.LessOrEqual(t, len(queries)-1, 10)
			watched += len(queries) - 1
		}
	}
	require.Equal(t, len(g.ByType(eventRule)), watched, "each rule's failed invocations")
}

func TestSelfTestIsSentAndHeard(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlerts())
	schedule := g.Only("aws:scheduler/schedule:Schedule")
	require.Equal(t, "arn:aws:events:eu-central-1:123456789012:event-bus/default", schedule.Input("target.arn"))
	pattern := g.One(eventRule, "events-self-test").Input("eventPattern")
	require.Contains(t, pattern, schedule.Input("target.eventbridgeParameters.source"))
	require.Contains(t, pattern, schedule.Input("target.eventbridgeParameters.detailType"))
	require.Contains(t, g.Only("aws:iam/rolePolicy:RolePolicy").Input("policy"), `"events:source":"redoubt.self-test"`)
}

func TestAlertsReportEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewAlerts(ctx, "events", &monitoring.AlertsArgs{DeployRoleARNs: []string{"arn:aws:iam::123456789012:role/*"}})
		return err
	})
	for _, want := range []string{"prefix:", "scope.region:", "topics:", "deployRoleArns[0]:"} {
		require.ErrorContains(t, err, want)
	}
}
