package main

import (
	"testing"

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
	require.Len(t, info.Policies, len(options().Rules)+3, "the rules, exemptions, profile and unknowns")

	project, err := workspace.LoadPolicyPack("PulumiPolicy.yaml")
	require.NoError(t, err)
	require.Equal(t, "go", project.Runtime.Name())
	require.Empty(t, project.Version, "a version there would hide the program's own")
}
