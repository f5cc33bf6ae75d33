package rules_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

// send sends a stack as the engine does, without a configuration.
func send(
	t *testing.T, client plugin.Analyzer, inputs []plugin.AnalyzerResource, stack []plugin.AnalyzerStackResource,
) []plugin.AnalyzeDiagnostic {
	t.Helper()
	var out []plugin.AnalyzeDiagnostic
	for _, in := range inputs {
		res, err := client.Analyze(t.Context(), in)
		require.NoError(t, err)
		out = append(out, res.Diagnostics...)
	}
	res, err := client.AnalyzeStack(t.Context(), stack)
	require.NoError(t, err)
	return append(out, res.Diagnostics...)
}

func messages(diags []plugin.AnalyzeDiagnostic) []string {
	out := make([]string, len(diags))
	for i, d := range diags {
		out[i] = d.Message
	}
	return out
}
