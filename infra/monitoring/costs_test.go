package monitoring_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/monitoring"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

const monitorARN = "arn:aws:ce::123456789012:anomalymonitor/11111111-2222-4333-8444-555555555555"

func buildCosts(change func(*monitoring.CostsArgs)) pulumi.RunFunc {
	return withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		args := &monitoring.CostsArgs{Prefix: prefix, Scope: scope, Topics: topics, Monitor: manage, AnomalyUSD: 100, MonthlyUSD: 150.5, Protect: true}
		change(args)
		_, err := monitoring.NewCosts(ctx, "costs", args)
		return err
	})
}

func TestCostsTellTheLowTopic(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildCosts(func(*monitoring.CostsArgs) {}))
	monitor := g.Only("aws:costexplorer/anomalyMonitor:AnomalyMonitor")
	require.True(t, monitor.Protect)
	require.Equal(t, "SERVICE", monitor.Input("monitorDimension"))
	told := g.Only("aws:costexplorer/anomalySubscription:AnomalySubscription")
	require.Equal(t, "IMMEDIATE", told.Input("frequency"))
	require.Equal(t, "alerts-low", g.Refers(told.Input("subscribers[0].address")).Name)
	require.Equal(t, []any{"100"}, told.Input("thresholdExpression.dimension.values"))
	require.Same(t, monitor, g.Refers(told.Input("monitorArnLists[0]")))
	budget := g.Only("aws:budgets/budget:Budget")
	require.Equal(t, "150.5", budget.Input("limitAmount"))
	require.Len(t, budget.Input("notifications"), 3)
	require.Equal(t, "FORECASTED", budget.Input("notifications[2].notificationType"))
}

func TestCostsWithTheAccountsOwnMonitor(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildCosts(func(a *monitoring.CostsArgs) {
		a.Monitor, a.MonthlyUSD = singleton.Singleton{Mode: singleton.Adopt, ID: monitorARN}, 0
	}))
	require.Empty(t, g.ByType("aws:costexplorer/anomalyMonitor:AnomalyMonitor"))
	require.Empty(t, g.ByType("aws:budgets/budget:Budget"))
	require.Equal(t, []any{monitorARN}, g.Only("aws:costexplorer/anomalySubscription:AnomalySubscription").Input("monitorArnLists"))
}

func TestCostsWithoutAMonitor(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, buildCosts(func(a *monitoring.CostsArgs) { a.Monitor, a.AnomalyUSD = off, 0 }))
	require.Empty(t, g.ByType("aws:costexplorer/anomalySubscription:AnomalySubscription"))
	require.Len(t, g.ByType("aws:budgets/budget:Budget"), 1)
}

func TestCostsReportEveryFinding(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(buildCosts(func(a *monitoring.CostsArgs) {
		*a = monitoring.CostsArgs{Monitor: singleton.Singleton{Mode: singleton.Adopt}, MonthlyUSD: -1}
	}))
	for _, want := range []string{"prefix:", "topics:", "monitor.id:", "anomalyUsd: 0", "monthlyUsd: -1"} {
		require.ErrorContains(t, err, want)
	}
}
