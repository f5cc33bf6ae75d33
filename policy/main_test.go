package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
)

func TestThePackIsValid(t *testing.T) {
	t.Parallel()
	a, err := analyzer.New(options())
	require.NoError(t, err)
	info, err := a.GetAnalyzerInfo(t.Context())
	require.NoError(t, err)
	require.Len(t, info.Policies, len(options().Rules)+2, "the rules, exemptions and unknowns")

	project, err := workspace.LoadPolicyPack("PulumiPolicy.yaml")
	require.NoError(t, err)
	require.Equal(t, "go", project.Runtime.Name())
	require.Empty(t, project.Version, "a version there would hide the program's own")
}

// Every profile is a configuration that the pack accepts.
func TestProfilesAreAccepted(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("profiles/*.json")
	require.NoError(t, err)
	require.Len(t, paths, 2)
	for _, path := range paths {
		a, err := analyzer.New(options())
		require.NoError(t, err)
		require.NoError(t, a.Configure(t.Context(), load(t, path)), path)
	}
}

// load reads a --policy-pack-config file as the CLI does: a policy has a level,
// or an object with enforcementLevel beside its settings.
func load(t *testing.T, path string) map[string]plugin.AnalyzerPolicyConfig {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var raw map[string]any
	require.NoError(t, json.Unmarshal(text, &raw))
	out := map[string]plugin.AnalyzerPolicyConfig{}
	for name, v := range raw {
		var c plugin.AnalyzerPolicyConfig
		switch v := v.(type) {
		case string:
			c.EnforcementLevel = apitype.EnforcementLevel(v)
		case map[string]any:
			level, _ := v["enforcementLevel"].(string)
			c.EnforcementLevel = apitype.EnforcementLevel(level)
			delete(v, "enforcementLevel")
			c.Properties = v
		default:
			require.Fail(t, "a policy has a level or an object", "%s: %s", path, name)
		}
		out[name] = c
	}
	return out
}
