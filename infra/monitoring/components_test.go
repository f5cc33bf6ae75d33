package monitoring_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

func TestComponentsNameBulletsOfTheGuide(t *testing.T) {
	t.Parallel()
	tokens := map[string]bool{}
	for _, c := range monitoring.Components {
		require.False(t, tokens[c.Token], c.Token)
		tokens[c.Token] = true
		require.True(t, strings.HasPrefix(c.Token, "redoubt:monitoring:"), c.Token)
		require.NotEmpty(t, c.Serves, c.Token)
		seen := map[guide.ID]bool{}
		for _, id := range c.Serves {
			_, ok := guide.Lookup(id)
			require.True(t, ok && !seen[id], "%s: %s", c.Token, id)
			seen[id] = true
		}
	}
}

// The guide's section on operations is this layer's, but for the logs that
// others write.
func TestOperationsAreServed(t *testing.T) {
	t.Parallel()
	elsewhere := []guide.ID{
		guide.OperationsLogsApplicationLogs, guide.OperationsLogsAccessLogs, guide.OperationsLogsWAFLogs, guide.OperationsLogsVPCFlowLogs,
	}
	served := map[guide.ID]bool{}
	for _, c := range monitoring.Components {
		for _, id := range c.Serves {
			served[id] = true
		}
	}
	for _, b := range guide.All() {
		if strings.HasPrefix(string(b.ID), "operations.") || strings.HasPrefix(string(b.ID), "response.detection.") {
			require.NotEqual(t, served[b.ID], slices.Contains(elsewhere, b.ID), string(b.ID))
		}
	}
}

// A component without arguments says so instead of panicking.
func TestNoArguments(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(*pulumi.Context) error{
		"trail":      func(ctx *pulumi.Context) error { _, err := monitoring.NewTrail(ctx, "x", nil); return err },
		"detector":   func(ctx *pulumi.Context) error { _, err := monitoring.NewDetector(ctx, "x", nil); return err },
		"malware":    func(ctx *pulumi.Context) error { _, err := monitoring.NewMalwareScan(ctx, "x", nil); return err },
		"recorder":   func(ctx *pulumi.Context) error { _, err := monitoring.NewRecorder(ctx, "x", nil); return err },
		"hub":        func(ctx *pulumi.Context) error { _, err := monitoring.NewSecurityHub(ctx, "x", nil); return err },
		"topics":     func(ctx *pulumi.Context) error { _, err := monitoring.NewTopics(ctx, "x", nil); return err },
		"alerts":     func(ctx *pulumi.Context) error { _, err := monitoring.NewAlerts(ctx, "x", nil); return err },
		"forwarding": func(ctx *pulumi.Context) error { _, err := monitoring.NewForwarding(ctx, "x", nil); return err },
		"filters":    func(ctx *pulumi.Context) error { _, err := monitoring.NewMetricFilters(ctx, "x", nil); return err },
		"alarms":     func(ctx *pulumi.Context) error { _, err := monitoring.NewWorkloadAlarms(ctx, "x", nil); return err },
		"costs":      func(ctx *pulumi.Context) error { _, err := monitoring.NewCosts(ctx, "x", nil); return err },
		"dashboard":  func(ctx *pulumi.Context) error { _, err := monitoring.NewDashboard(ctx, "x", nil); return err },
		"queries":    func(ctx *pulumi.Context) error { _, err := monitoring.NewQueries(ctx, "x", nil); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(build)
			require.ErrorContains(t, err, "args: missing")
		})
	}
}
