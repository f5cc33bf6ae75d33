package rules_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
	"redoubt/policy/rule"
)

// What a repair could only guess stays as it is, a violation.
func TestRepairLeavesAloneWhatItWouldGuess(t *testing.T) {
	t.Parallel()
	failing(t, func(t *testing.T, r rule.Rule, c fixture.Case) {
		if !c.Unrepairable {
			return
		}
		require.NotNil(t, r.Remediate)
		client := pack(t, []rule.Rule{r}, nil)
		require.NoError(t, client.Configure(t.Context(), map[string]plugin.AnalyzerPolicyConfig{
			r.Name: {EnforcementLevel: apitype.Remediate, Properties: c.Config},
		}))
		_, inputs, err := c.Stack(fixture.Preview)
		require.NoError(t, err)
		for _, in := range inputs {
			res, err := client.Remediate(t.Context(), in)
			require.NoError(t, err)
			require.Empty(t, res.Remediations)
		}
	})
}
