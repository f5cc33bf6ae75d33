package speed

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
	"redoubt/internal/rehearsal"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// BenchmarkPackPreview previews a new stack with the stock CLI and engine, without a
// pack, with the empty one and with all rules, in turns: what counts is the ratio
// of those that followed each other.
func BenchmarkPackPreview(b *testing.B) {
	for _, tried := range []struct{ size, rounds int }{{100, 5}, {1000, 5}, {5000, 2}} {
		b.Run(fmt.Sprintf("resources=%d", tried.size), func(b *testing.B) {
			open := workspace(b, stackOf(b, tried.size))
			turns := []*engine.Scratch{open(""), open(named(empty).program(b)[0]), open(named(redoubt).program(b)[0])}
			var took, cpu [3][]time.Duration
			var ratios, cpuRatios []float64
			for round := range b.N * tried.rounds {
				for i, s := range turns {
					begun, before := time.Now(), spent()
					out, err := s.Preview(b.Context(), &engine.Recorder{})
					require.NoError(b, err)
					require.Equal(b, tried.size, out.Counts["create"]-1, "the stack itself is one more")
					took[i], cpu[i] = append(took[i], time.Since(begun)), append(cpu[i], spent()-before)
				}
				ratios = append(ratios, took[2][round].Seconds()/took[1][round].Seconds())
				cpuRatios = append(cpuRatios, cpu[2][round].Seconds()/cpu[1][round].Seconds())
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took[0]).Seconds(), "alone-s")
			b.ReportMetric(median(took[1]).Seconds(), "empty-s")
			b.ReportMetric(median(took[2]).Seconds(), "redoubt-s")
			b.ReportMetric(median(ratios), "redoubt/empty")
			b.ReportMetric(median(cpu[1]).Seconds(), "empty-cpu-s")
			b.ReportMetric(median(cpuRatios), "redoubt/empty-cpu")
		})
	}
}

// What the engine says that a resource passed are rules about its type.
func TestTheEngineSaysWhatWasChecked(t *testing.T) {
	t.Parallel()
	about := map[string][]string{}
	for _, r := range rules.All() {
		for _, typ := range r.Types {
			about[r.Name] = append(about[r.Name], rule.Canonical(typ))
		}
	}
	checked, wrong := 0, []string{}
	_, err := workspace(t, stackOf(t, 100))(named(redoubt).program(t)[0]).Preview(t.Context(), &engine.Recorder{OnEvent: func(e apitype.EngineEvent) {
		if s := e.PolicyAnalyzeSummaryEvent; s != nil {
			for _, name := range slices.Concat(s.Passed, s.Failed) {
				checked++
				if !slices.Contains(about[name], rule.Canonical(string(resource.URN(s.ResourceURN).Type()))) {
					wrong = append(wrong, name+" on "+s.ResourceURN)
				}
			}
		}
		if s := e.PolicyRemediateSummaryEvent; s != nil && len(s.Passed) > 0 {
			wrong = append(wrong, "a repair of "+s.ResourceURN)
		}
	}})
	require.NoError(t, err)
	require.Empty(t, wrong)
	require.Greater(t, checked, 100)
}

// workspace opens stacks of the case's program, each with a policy pack or without.
func workspace(t testing.TB, c fixture.Case) func(policy string) *engine.Scratch {
	t.Helper()
	project, program, env := t.TempDir(), declares(c), maps.Clone(engine.WithoutAWS)
	env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d", account(t))
	// What is found must not end the preview: all of it is to be seen.
	advisory := filepath.Join(project, "advisory.json")
	for path, text := range map[string]string{
		filepath.Join(project, "Pulumi.yaml"):     "name: speed\nruntime: go\n",
		filepath.Join(project, "Pulumi.dev.yaml"): "config: {}\n",
		advisory: `{"all":"advisory"}`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return func(policy string) *engine.Scratch {
		opts := engine.ScratchOptions{
			Project: project, Stack: "dev", Program: func([]string) pulumi.RunFunc { return program }, Env: env, Policy: policy,
		}
		if policy != "" {
			opts.PolicyConfig = advisory
		}
		s, err := engine.NewScratch(t.Context(), opts)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
}

// account serves a simulated account for as long as the test takes.
func account(t testing.TB) (port int) {
	t.Helper()
	a, err := rehearsal.Open("")
	require.NoError(t, err)
	s, err := rehearsal.Serve(t.Context(), a, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, a.Close())
	})
	return s.Port()
}
