package main

import (
	"os"
	"path/filepath"
	"testing"

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

func load(t *testing.T, path string) map[string]plugin.AnalyzerPolicyConfig {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	config, err := analyzer.ParseConfig(text)
	require.NoError(t, err)
	return config
}
