package monitoring_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

const metricFilter = "aws:cloudwatch/logMetricFilter:LogMetricFilter"

func groups() map[monitoring.LogSource]pulumi.StringInput {
	return map[monitoring.LogSource]pulumi.StringInput{
		monitoring.TrailLog: pulumi.String("/redoubt-dev/trail"), monitoring.ApplicationLog: pulumi.String("/app/dev/app"),
		monitoring.FlowLog: pulumi.String("/redoubt-dev/vpc-flow-logs"), monitoring.APIAccessLog: pulumi.String("/redoubt-dev/api"),
		monitoring.WAFLog: pulumi.String("aws-waf-logs-redoubt-dev"),
	}
}

// everything is a workload that has all that can be watched.
func everything() monitoring.Workload {
	return monitoring.Workload{
		LoadBalancer: pulumi.String("app/redoubt-dev/0123456789abcdef"), TargetGroup: pulumi.String("targetgroup/redoubt-dev-3000/0123456789abcdef"),
		WebACLMetric: pulumi.String("redoubt-dev-waf"), Database: pulumi.String("redoubt-dev-db"), Search: pulumi.String("redoubt-dev-search"),
		Cluster: pulumi.String("redoubt-dev"), Service: pulumi.String("app"), API: pulumi.String("redoubt-dev"), APIStage: pulumi.String("v1"),
		Functions:   map[string]pulumi.StringInput{"rotate": pulumi.String("redoubt-dev-rotate"), "map": pulumi.String("redoubt-dev-map")},
		NATGateways: map[string]pulumi.StringInput{"a": pulumi.String("nat-0a"), "b": pulumi.String("nat-0b")},
		Replication: &monitoring.Replication{SourceBucket: pulumi.String("s"), DestinationBucket: pulumi.String("d"), RuleID: pulumi.String("everything")},
		Copies: map[string]monitoring.Replication{
			"audit": {SourceBucket: pulumi.String("redoubt-dev-audit"), DestinationBucket: pulumi.String("redoubt-dev-audit-replica"), RuleID: pulumi.String("everything")},
		},
		Protected: pulumi.String("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/redoubt-dev/0123456789abcdef"),
	}
}

func buildFilters(change func(*monitoring.MetricFiltersArgs)) pulumi.RunFunc {
	return withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		args := &monitoring.MetricFiltersArgs{Prefix: prefix, Scope: scope, Topics: topics, Groups: groups()}
		change(args)
		_, err := monitoring.NewMetricFilters(ctx, "filters", args)
		return err
	})
}

func TestFiltersCountAndAlarm(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildFilters(func(a *monitoring.MetricFiltersArgs) { a.Thresholds = map[string]float64{"unauthorized-api-calls": 50} }))
	failures := g.One(metricFilter, "filters-console-signin-failures")
	require.Equal(t, "/redoubt-dev/trail", failures.Input("logGroupName"))
	require.Equal(t, "Redoubt/redoubt-dev", failures.Input("metricTransformation.namespace"))
	require.Equal(t, "0", failures.Input("metricTransformation.defaultValue"))
	alarm := g.One(metricAlarm, "filters-console-signin-failures")
	require.Equal(t, failures.Input("metricTransformation.name"), alarm.Input("metricName"))
	require.Equal(t, failures.Input("metricTransformation.namespace"), alarm.Input("namespace"))
	require.EqualValues(t, 3, alarm.Input("threshold"), "not each mistyped password")
	require.Equal(t, "notBreaching", alarm.Input("treatMissingData"))
	require.Equal(t, "alerts-medium", g.Refers(alarm.Input("alarmActions[0]")).Name)
	require.EqualValues(t, 50, g.One(metricAlarm, "filters-unauthorized-api-calls").Input("threshold"))
	require.Equal(t, "/redoubt-dev/vpc-flow-logs", g.One(metricFilter, "filters-rejected-traffic").Input("logGroupName"))
	for _, a := range g.ByType(metricAlarm) {
		require.NotEqual(t, "filters-rejected-traffic", a.Name, "what is refused is judged by what is usual")
	}
}

func TestFiltersReadTheLogsThatThereAre(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildFilters(func(a *monitoring.MetricFiltersArgs) {
		a.Groups = map[monitoring.LogSource]pulumi.StringInput{monitoring.ApplicationLog: pulumi.String("/app/dev/app")}
	}))
	require.Len(t, g.ByType(metricFilter), 3)
	for _, f := range g.ByType(metricFilter) {
		require.Equal(t, "/app/dev/app", f.Input("logGroupName"))
	}
}

func TestFiltersReportEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(buildFilters(func(a *monitoring.MetricFiltersArgs) {
		*a = monitoring.MetricFiltersArgs{
			Groups:     map[monitoring.LogSource]pulumi.StringInput{"syslog": pulumi.String("x"), monitoring.TrailLog: nil},
			Thresholds: map[string]float64{"root-usage": 0, "rejected-traffic": 5},
		}
	}))
	for _, want := range []string{"prefix:", "topics:", "groups[syslog]:", "groups[trail]: missing", `thresholds["root-usage"]: 0`, `thresholds["rejected-traffic"]: no alarm`} {
		require.ErrorContains(t, err, want)
	}
}

func buildAlarms(change func(*monitoring.WorkloadAlarmsArgs)) pulumi.RunFunc {
	return withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		args := &monitoring.WorkloadAlarmsArgs{Prefix: prefix, Scope: scope, Topics: topics, Workload: everything(), FlowLogsCounted: true}
		change(args)
		_, err := monitoring.NewWorkloadAlarms(ctx, "app", args)
		return err
	})
}

func TestWorkloadAlarmsWatchWhatThereIs(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlarms(func(a *monitoring.WorkloadAlarmsArgs) {
		a.Thresholds = map[string]float64{"latency": 0.4, "requests-unusual": 5}
	}))
	latency := g.One(metricAlarm, "app-latency")
	require.Equal(t, "p95", latency.Input("extendedStatistic"))
	require.False(t, latency.Has("statistic"), "AWS takes one of the two")
	require.EqualValues(t, 0.4, latency.Input("threshold"))
	require.Equal(t, "app/redoubt-dev/0123456789abcdef", latency.Input("dimensions.LoadBalancer"))
	require.NotEmpty(t, latency.Input("okActions"))

	errors := g.One(metricAlarm, "app-target-errors")
	require.Len(t, errors.Input("metricQueries"), 3)
	require.Equal(t, true, errors.Input("metricQueries[0].returnData"))
	require.Equal(t, false, errors.Input("metricQueries[1].returnData"))
	require.False(t, errors.Has("metricName"), "AWS takes a metric or queries")

	unusual := g.One(metricAlarm, "app-requests-unusual")
	require.Equal(t, "GreaterThanUpperThreshold", unusual.Input("comparisonOperator"))
	require.Equal(t, "usual", unusual.Input("thresholdMetricId"))
	require.Equal(t, "ANOMALY_DETECTION_BAND(seen, 5)", unusual.Input("metricQueries[1].expression"))
	require.False(t, unusual.Has("threshold"))

	require.Equal(t, map[string]any{"WebACL": "redoubt-dev-waf", "Region": "eu-central-1", "Rule": "ALL"}, g.One(metricAlarm, "app-waf-blocks").Input("dimensions"))
	require.Equal(t, "nat-0b", g.One(metricAlarm, "app-outbound-unusual-b").Input("metricQueries[0].metric.dimensions.NatGatewayId"))
	require.Equal(t, "Redoubt/redoubt-dev", g.One(metricAlarm, "app-rejected-traffic-unusual").Input("metricQueries[0].metric.namespace"))
	require.Len(t, g.One(metricAlarm, "app-function-errors-map").Input("metricQueries"), 3)
	require.Equal(t, "breaching", g.One(metricAlarm, "app-no-healthy-target").Input("treatMissingData"))
}

func TestOneAlarmPages(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlarms(func(*monitoring.WorkloadAlarmsArgs) {}))
	page := g.Only("aws:cloudwatch/compositeAlarm:CompositeAlarm")
	require.Equal(t, `((ALARM("redoubt-dev-target-errors") OR ALARM("redoubt-dev-balancer-errors")) AND ALARM("redoubt-dev-latency")) OR ALARM("redoubt-dev-no-healthy-target")`, page.Input("alarmRule"))
	require.Equal(t, "alerts-high", g.Refers(page.Input("alarmActions[0]")).Name)
	require.True(t, g.Depends(page, g.One(metricAlarm, "app-latency")), "AWS refuses a rule with an alarm that does not exist")
}

func TestWorkloadAlarmsLeaveOutWhatThereIsNot(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildAlarms(func(a *monitoring.WorkloadAlarmsArgs) {
		a.Workload, a.FlowLogsCounted = monitoring.Workload{Database: pulumi.String("redoubt-dev-db")}, false
	}))
	var names []string
	for _, a := range g.ByType(metricAlarm) {
		names = append(names, a.Name)
	}
	require.Equal(t, []string{"app-database-capacity", "app-database-latency"}, names)
	require.Empty(t, g.ByType("aws:cloudwatch/compositeAlarm:CompositeAlarm"))
}

func TestWorkloadAlarmsReportEveryFinding(t *testing.T) {
	t.Parallel()
	x := pulumi.String("x")
	_, err := graphtest.Build(buildAlarms(func(a *monitoring.WorkloadAlarmsArgs) {
		*a = monitoring.WorkloadAlarmsArgs{
			Workload:   monitoring.Workload{TargetGroup: x, Cluster: x, APIStage: x, Replication: &monitoring.Replication{SourceBucket: x}, Copies: map[string]monitoring.Replication{"audit": {RuleID: x}}},
			Thresholds: map[string]float64{"latencies": 1, "latency": -1},
		}
	}))
	for _, want := range []string{
		"prefix:", "topics:", "workload.loadBalancer:", "workload.cluster, workload.service:", "workload.api, workload.apiStage:",
		"workload.replication:", `workload.copies["audit"]:`, `thresholds["latencies"]: no alarm`, `thresholds["latency"]: -1`,
	} {
		require.ErrorContains(t, err, want)
	}
}
