package rehearse

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/internal/built"
	"redoubt/internal/rehearsal"
)

// What a preview of the whole stack costs, in one run: with the simulated
// account and the policy pack, against the engine alone on the same program.
func BenchmarkPreview(b *testing.B) {
	pack, err := built.Pack()
	require.NoError(b, err)
	account, err := rehearsal.Open("")
	require.NoError(b, err)
	server, err := rehearsal.Serve(b.Context(), account, "127.0.0.1:0")
	require.NoError(b, err)
	port, stop, err := serveEcho(account.Provider(), nil)
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, server.Close())
		require.NoError(b, stop())
		require.NoError(b, account.Close())
	})
	scratch := func(port int, policy string) *engine.Scratch {
		s, err := engine.NewScratch(b.Context(), engine.ScratchOptions{
			Project: "../..", Stack: "prod", Program: blueprint.DefenseInDepth.Program, Folders: blueprint.DefenseInDepth.Folders, Env: environment(port), Policy: policy,
		})
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, s.Close()) })
		return s
	}
	alone, simulated, enforced := scratch(port, ""), scratch(server.Port(), ""), scratch(server.Port(), pack)
	var floor, simulation, policy time.Duration
	resources := 0
	measure := func(s *engine.Scratch, total *time.Duration) {
		start := time.Now()
		out, err := s.Preview(b.Context(), &engine.Recorder{})
		require.NoError(b, err)
		*total += time.Since(start)
		resources = out.Counts["create"]
	}
	for b.Loop() {
		measure(alone, &floor)
		measure(simulated, &simulation)
		measure(enforced, &policy)
	}
	b.ReportMetric(float64(resources), "resources")
	b.ReportMetric(floor.Seconds()/float64(b.N), "engine-alone-s/op")
	b.ReportMetric(float64(simulation)/float64(floor), "account/engine")
	b.ReportMetric(float64(policy)/float64(floor), "account+policy/engine")
}
