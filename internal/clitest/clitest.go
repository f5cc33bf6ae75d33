// Package clitest is the stock Pulumi CLI as tests run it.
package clitest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/engine"
)

// Path is the executable of the CLI that Redoubt itself uses.
func Path(t testing.TB) string {
	t.Helper()
	found, err := engine.FindCLI()
	require.NoError(t, err)
	if found.Folder != "" {
		return filepath.Join(found.Folder, "pulumi")
	}
	path, err := exec.LookPath("pulumi")
	require.NoError(t, err)
	return path
}

// Environment is this process's without what is set for a CLI in it, and with what
// keeps one from the network and in a home of its own.
func Environment(home string, more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "PULUMI_") })
	env = append(env, "PULUMI_HOME="+home, "PULUMI_SKIP_UPDATE_CHECK=true", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true")
	return append(env, more...)
}
