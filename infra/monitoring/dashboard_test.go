package monitoring_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

// board is a dashboard's body.
type board struct {
	Widgets []struct {
		Type                string
		X, Y, Width, Height int
		Properties          struct {
			Title, Region string
			Alarms        []string
			Metrics       [][]any
		}
	}
}

func buildDashboard(t *testing.T, args monitoring.DashboardArgs) board {
	t.Helper()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		d, err := monitoring.NewDashboard(ctx, "dash", &args)
		if err != nil {
			return err
		}
		require.Equal(t, "https://console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/redoubt-dev", d.URL)
		return nil
	})
	var b board
	require.NoError(t, json.Unmarshal([]byte(g.Only("aws:cloudwatch/dashboard:Dashboard").Input("dashboardBody").(string)), &b))
	return b
}

func TestDashboardShowsTheGuidesMetrics(t *testing.T) {
	t.Parallel()
	b := buildDashboard(t, monitoring.DashboardArgs{Prefix: prefix, Scope: scope, Workload: everything(), AlarmNames: []string{"redoubt-dev-latency"}})
	require.Equal(t, []string{"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:redoubt-dev-latency"}, b.Widgets[0].Properties.Alarms)
	titles := map[string]int{}
	for i, w := range b.Widgets {
		titles[w.Properties.Title] = i
		require.LessOrEqual(t, w.X+w.Width, 24, "the grid is 24 wide")
		for _, other := range b.Widgets[:i] {
			apart := w.X >= other.X+other.Width || other.X >= w.X+w.Width || w.Y >= other.Y+other.Height || other.Y >= w.Y+w.Height
			require.True(t, apart, "%s over %s", w.Properties.Title, other.Properties.Title)
		}
	}
	for _, title := range []string{"Requests and errors", "Latency (s)", "Authentication failures", "Authorization failures", "Web ACL"} {
		require.Contains(t, titles, title)
	}
	latency := b.Widgets[titles["Latency (s)"]].Properties
	require.Equal(t, []any{
		"AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", "app/redoubt-dev/0123456789abcdef",
		map[string]any{"stat": "p95", "label": "TargetResponseTime p95"},
	}, latency.Metrics[1])
}

func TestDashboardLeavesOutWhatThereIsNot(t *testing.T) {
	t.Parallel()
	b := buildDashboard(t, monitoring.DashboardArgs{Prefix: prefix, Scope: scope})
	var titles []string
	for _, w := range b.Widgets {
		titles = append(titles, w.Properties.Title)
	}
	require.Equal(t, []string{"Authentication failures", "Authorization failures", "Refused packets"}, titles)
	require.Zero(t, b.Widgets[0].Y)
}

func TestDashboardReportsEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewDashboard(ctx, "dash", &monitoring.DashboardArgs{
			Workload: monitoring.Workload{Cluster: pulumi.String("x")}, AlarmNames: make([]string, 101),
		})
		return err
	})
	for _, want := range []string{"prefix:", "scope.partition:", "workload.cluster, workload.service:", "alarmNames: 101"} {
		require.ErrorContains(t, err, want)
	}
}

func TestQueriesReadTheirLogs(t *testing.T) {
	t.Parallel()
	const definition = "aws:cloudwatch/queryDefinition:QueryDefinition"
	build := func(groups map[monitoring.LogSource]pulumi.StringInput) *graphtest.Graph {
		return graphtest.Run(t, func(ctx *pulumi.Context) error {
			_, err := monitoring.NewQueries(ctx, "ask", &monitoring.QueriesArgs{Prefix: prefix, Scope: scope, Groups: groups})
			return err
		})
	}
	g := build(groups())
	q := g.One(definition, "ask-bytes-out-by-destination")
	require.Equal(t, "redoubt-dev/bytes out by destination", q.Input("name"))
	require.Equal(t, []any{"/redoubt-dev/vpc-flow-logs"}, q.Input("logGroupNames"))
	require.Contains(t, q.Input("queryString"), "as version, account, interface, source, destination")
	require.Greater(t, len(g.ByType(definition)), 15)
	some := build(map[monitoring.LogSource]pulumi.StringInput{monitoring.WAFLog: pulumi.String("aws-waf-logs-redoubt-dev")})
	require.Equal(t, "ask-blocked-requests", some.Only(definition).Name)
}

func TestQueriesReportEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewQueries(ctx, "ask", &monitoring.QueriesArgs{})
		return err
	})
	for _, want := range []string{"prefix:", "groups: empty"} {
		require.ErrorContains(t, err, want)
	}
}
