package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/engine"
	"redoubt/automation/keyfile"
	"redoubt/automation/pulumiapi"
	"redoubt/automation/sql"
	"redoubt/automation/transfer"
)

// service is a backend to move stacks into.
func service(t *testing.T) (url, token string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	folder := t.TempDir()
	store, err := sql.Open(ctx, folder)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	ring, err := keyfile.Open(filepath.Join(folder, "keys.json"))
	require.NoError(t, err)
	s := backend.New(store, ring, backend.Options{})
	token, err = s.Bootstrap(ctx, "acme")
	require.NoError(t, err)
	key, err := s.SigningKey(ctx)
	require.NoError(t, err)
	server := httptest.NewServer(pulumiapi.New(s, pulumiapi.Options{SignKey: key}))
	t.Cleanup(server.Close)
	return server.URL, token
}

// stock runs the Pulumi CLI against a folder of states.
func stock(t *testing.T, states string, args ...string) string {
	t.Helper()
	found, err := engine.FindCLI()
	require.NoError(t, err)
	exe := filepath.Join(found.Folder, "pulumi")
	if found.Folder == "" {
		exe = "pulumi"
	}
	cmd := exec.Command(exe, append([]string{"--non-interactive"}, args...)...)
	cmd.Dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "Pulumi.yaml"), []byte("name: shop\nruntime: yaml\n"), 0o600))
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "PULUMI_") }),
		"PULUMI_HOME="+t.TempDir(), "PULUMI_BACKEND_URL=file://"+states, "PULUMI_CONFIG_PASSPHRASE=phrase", "PULUMI_SKIP_UPDATE_CHECK=true")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// Stacks come in by the command line, and go out again.
func TestState(t *testing.T) {
	url, token := service(t)
	t.Setenv("PULUMI_HOME", t.TempDir())
	t.Setenv("PULUMI_ACCESS_TOKEN", "")
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "phrase")
	t.Setenv("REDOUBT_URL", "")
	t.Setenv("REDOUBT_TOKEN", token)
	from, to := t.TempDir(), t.TempDir()
	stock(t, from, "stack", "init", "dev")
	stock(t, from, "stack", "init", "prod")

	code, _, stderr := redoubt(t, "state", "import", "--from", "file://"+from, "--all")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "which Redoubt?")
	t.Setenv("REDOUBT_URL", url)

	code, stdout, stderr := redoubt(t, "state", "import", "--from", "file://"+from, "--all", "--dry-run")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "acme/shop/dev")
	require.Contains(t, stdout, "2 of 2 stacks are well")
	require.Contains(t, stdout, "nothing was written")

	code, stdout, stderr = redoubt(t, "state", "import", "--from", "file://"+from, "--stack", "dev", "--stack", "shop/prod", "--rename", "prod=live", "--json")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stderr, "[2/2]")
	var report transfer.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Equal(t, 2, report.Count(transfer.Moved))
	require.Equal(t, "acme/shop/live", report.Stacks[1].Target)

	code, stdout, stderr = redoubt(t, "state", "import", "--from", "file://"+from, "--stack", "dev", "--config-dir", t.TempDir())
	require.Equal(t, exitFailed, code, stderr)
	require.Contains(t, stdout, "already there and equal")
	require.Contains(t, stdout, "its configuration file was left alone")

	code, stdout, stderr = redoubt(t, "state", "export", "--to", "file://"+to, "--all")
	require.Equal(t, exitOK, code, stderr+stdout)
	require.Contains(t, stock(t, to, "stack", "ls"), "live")

	code, _, stderr = redoubt(t, "state", "export", "--to", "file://"+to, "--all", "--rename", "nonsense")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "old=new")
}
