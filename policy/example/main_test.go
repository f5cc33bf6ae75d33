package main

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

func TestRules(t *testing.T) {
	fixture.Test(t, "testdata", own)
}

// The pack has both, with the levels that it wants.
func TestThePackHasTheCatalogueToo(t *testing.T) {
	t.Parallel()
	info, err := fixture.Serve(t, options()).GetAnalyzerInfo(t.Context())
	require.NoError(t, err)
	levels := map[string]rule.Level{}
	for _, p := range info.Policies {
		levels[p.Name] = p.EnforcementLevel
	}
	for _, r := range append(rules.All(), own...) {
		require.Contains(t, levels, r.Name)
	}
	require.Equal(t, rule.Mandatory, levels["log-group-forwarded"])
	require.Equal(t, rule.Disabled, levels["cost-anomaly-alerts"])
	require.Equal(t, rule.Mandatory, levels["iam-role-permissions-boundary"])

	project, err := workspace.LoadPolicyPack("PulumiPolicy.yaml")
	require.NoError(t, err)
	require.Equal(t, "go", project.Runtime.Name())
}
