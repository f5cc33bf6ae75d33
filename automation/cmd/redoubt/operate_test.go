package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/runner"
	"redoubt/automation/server"
	"redoubt/internal/rehearsal"
)

// serveHere starts a server, and an account instead of AWS, and puts both into the
// environment as a person would.
func serveHere(t *testing.T) (url string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	config := server.Defaults()
	config.Listen, config.Data, config.Organization = "127.0.0.1:0", filepath.Join(t.TempDir(), "data"), "acme"
	s, err := server.Open(ctx, config)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, s.Close())
	})
	token, err := s.Bootstrap(ctx)
	require.NoError(t, err)
	account, err := rehearsal.Open("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, account.Close()) })
	provider, err := rehearsal.Serve(ctx, account, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, provider.Close()) })
	t.Setenv(attachedProviders, fmt.Sprintf("aws:%d", provider.Port()))
	t.Setenv("REDOUBT_TOKEN", token)
	t.Setenv("REDOUBT_URL", s.URL())
	t.Setenv("PULUMI_HOME", t.TempDir())
	t.Setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
	return s.URL()
}

// answers makes the process's standard input say lines, and then end.
func answers(t *testing.T, lines string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stdin")
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o600))
	stdin, err := os.Open(file)
	require.NoError(t, err)
	before := os.Stdin
	os.Stdin = stdin
	t.Cleanup(func() {
		os.Stdin = before
		require.NoError(t, stdin.Close())
	})
}

// A stack's life from the command line: nothing happens that nobody wants.
func TestOperations(t *testing.T) {
	url := serveHere(t)
	operation := func(want int, args ...string) (report, string) {
		t.Helper()
		args = append(args, "--stack", "dev", "--project", root, "--policy-pack", pack, "--json")
		code, stdout, stderr := redoubt(t, args...)
		require.Equal(t, want, code, "%s\n%s", stdout, stderr)
		var r report
		if stdout != "" {
			require.NoError(t, json.Unmarshal([]byte(stdout), &r), stdout)
		}
		return r, stderr
	}
	answers(t, "")
	r, _ := operation(exitError, "preview")
	require.Equal(t, runner.CodeMissing, r.Error.Code)
	require.Contains(t, r.Error.Message, "--create")
	require.Contains(t, r.Error.Message, url)

	answers(t, "no\n")
	_, stderr := operation(exitFailed, "up", "--create")
	require.Contains(t, stderr, "Only yes does it")
	require.Contains(t, stderr, "Nothing was changed")
	shown := map[string]int{}
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "  + ") {
			shown[line]++
			require.Equal(t, 1, shown[line], "a resource is shown once: %s", line)
		}
	}
	require.Contains(t, shown, "  +  redoubt:data:Key redoubt-dev-app\n")

	answers(t, "yes\n")
	r, stderr = operation(exitOK, "up")
	require.True(t, r.OK)
	require.Equal(t, runner.Up, r.Result.Kind)
	require.Greater(t, r.Result.Counts["create"], 100)
	require.NotEmpty(t, r.Result.Outputs)
	require.Contains(t, stderr, "+  aws:kms/key:Key redoubt-dev")
	require.NotContains(t, stderr, "\033", "no colour where there is no terminal")

	r, _ = operation(exitOK, "preview")
	require.Zero(t, r.Result.Changed(), "%v", r.Result.Changes)
	operation(exitOK, "refresh")
	answers(t, "")
	_, stderr = operation(exitError, "destroy")
	require.Contains(t, stderr, "--yes")
}

// What people get wrong, before anything runs.
func TestBadOperations(t *testing.T) {
	t.Setenv("PULUMI_HOME", t.TempDir())
	for _, name := range []string{"REDOUBT_URL", "REDOUBT_TOKEN", "PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"} {
		t.Setenv(name, "")
	}
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"no stack":      {[]string{"up"}, "--stack"},
		"a flag":        {[]string{"up", "--stack=--help", "--project", root}, "cannot be a name"},
		"another place": {[]string{"up", "--stack", "../dev", "--project", root}, "cannot be a name"},
		"no file":       {[]string{"up", "--stack", "qa", "--project", root}, "Pulumi.qa.yaml"},
		"no server":     {[]string{"up", "--stack", "dev", "--project", root}, "which server?"},
		"no such kind":  {[]string{"up", "--stack", "dev", "--project", root, "--url", "file:///tmp"}, "is no address of a server"},
		"no token":      {[]string{"up", "--stack", "dev", "--project", root, "--url", "https://redoubt.invalid"}, "set REDOUBT_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := redoubt(t, row.args...)
			require.Equal(t, exitError, code, stderr)
			require.Contains(t, stderr, row.want)
		})
	}
}
