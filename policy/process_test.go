package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/built"
	"redoubt/policy/fixture"
	"redoubt/policy/rules"
)

// TestTheCompiledPackServes holds the compiled pack to the catalogue's examples.
func TestTheCompiledPackServes(t *testing.T) {
	t.Parallel()
	exe, err := built.Pack()
	require.NoError(t, err)
	fixture.TestBuilt(t, exe, "rules/testdata", rules.All())
}

// The stock CLI links the folder anew on each run, so that the pack must not
// grow the AWS SDK or the program that it judges. The grammars of patterns it
// shares with the program: they import the standard library only.
func TestThePackImportsNeitherTheProgramNorTheProvider(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "redoubt/policy/rules")
	shared := []string{"redoubt/internal/eventpattern", "redoubt/internal/filterpattern"}
	for _, d := range deps {
		if slices.Contains(shared, d) {
			continue
		}
		for _, not := range []string{"redoubt/infra", "redoubt/automation", "redoubt/internal", "github.com/pulumi/pulumi-aws", "github.com/aws/", "github.com/pulumi/pulumi/pkg"} {
			require.False(t, strings.HasPrefix(d, not), "policy imports %s", d)
		}
	}
}
