package analyzer

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"
)

type configs = map[string]plugin.AnalyzerPolicyConfig

func TestConfigureSetsLevels(t *testing.T) {
	t.Parallel()
	a := newPack(t, rotation, explicit)
	require.NoError(t, a.Configure(t.Context(), configs{
		"all": {EnforcementLevel: apitype.Advisory}, "rotates": {EnforcementLevel: apitype.Disabled},
	}))
	res, err := a.Analyze(t.Context(), key("app", off()))
	require.NoError(t, err)
	require.Empty(t, res.Diagnostics, "rotates is disabled")
	res, err = a.AnalyzeStack(t.Context(), stackOf(key("app", off())))
	require.NoError(t, err)
	require.Equal(t, apitype.Advisory, res.Diagnostics[0].EnforcementLevel)
}

func TestConfigureReportsEveryErrorAndChangesNothing(t *testing.T) {
	t.Parallel()
	a := newPack(t, rotation, explicit)
	err := a.Configure(t.Context(), configs{
		"all":        {Properties: map[string]any{"x": 1}},
		"rotates":    {EnforcementLevel: "fatal", Properties: map[string]any{"days": 5, "hours": 1}},
		"rotate":     {EnforcementLevel: apitype.Advisory},
		"zzz":        {EnforcementLevel: apitype.Advisory},
		"unknowns":   {Properties: map[string]any{"mode": "loud"}},
		"exemptions": {Properties: map[string]any{"entries": "all of them"}},
		"has-alias":  {EnforcementLevel: apitype.Disabled},
	})
	for _, want := range []string{
		"all: it takes only enforcementLevel",
		`rotates: enforcementLevel must be one of advisory, mandatory, remediate, disabled, not "fatal"`,
		"rotates: days must be between 7 and 30, not 5",
		"rotates: hours is not a setting: this policy has days",
		"rotate: there is no such policy: did you mean rotates?",
		"zzz: there is no such policy",
		`unknowns: mode must be one of summary, list, fail, not "loud"`,
		"exemptions: entries must be a list",
	} {
		require.ErrorContains(t, err, want)
	}
	res, err := a.AnalyzeStack(t.Context(), stackOf(key("app", off())))
	require.NoError(t, err)
	require.NotEmpty(t, res.Diagnostics, "has-alias is still on")
}
