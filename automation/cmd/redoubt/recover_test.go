package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/postgrestest"
)

func (p *process) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitOK, p.end(t), p.err)
}

func TestRecoverALostToken(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p, _ := serve(t, nil, "--data", data)
	lost := tokenForm.FindString(p.out.String())

	code, stdout, stderr := ask(t, nil, "token", "recover", "--data", data)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "while the server is stopped")
	require.Contains(t, stderr, data+" is in use by another process")
	require.Empty(t, stdout)

	p.stop(t)
	code, stdout, stderr = ask(t, []string{"REDOUBT_DATA=" + data}, "token", "recover")
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, tokenForm.FindString(stdout)+"\n", stdout, "the token alone, for $(…)")
	require.Contains(t, stderr, "0 other token(s) were revoked. It is shown this once")
	found := strings.TrimSpace(stdout)
	p, url := serve(t, nil, "--data", data)
	for _, token := range []string{lost, found} {
		must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + token}, "org", "create", strings.ToLower(token[8:20]))
	}
	env := []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + found}
	require.Contains(t, must(t, env, "audit", "export"), `"action":"token.recovered"`)
	require.Contains(t, must(t, env, "audit", "verify"), "entries 1 to")
	p.stop(t)

	// After a theft.
	config := filepath.Join(t.TempDir(), "redoubt.yaml")
	require.NoError(t, os.WriteFile(config, []byte("data: "+data+"\n"), 0o600))
	var made struct {
		Credential string
		Revoked    []string
	}
	require.NoError(t, json.Unmarshal([]byte(must(t, nil, "token", "recover", "--config", config, "--revoke-others", "--json")), &made))
	require.Len(t, made.Revoked, 2)
	_, url = serve(t, nil, "--data", data)
	code, _, stderr = ask(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + found}, "org", "list")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "was revoked")
	must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + made.Credential}, "token", "list")
}

func TestRecoverMakesNoInstallation(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	code, _, stderr := ask(t, nil, "token", "recover", "--data", empty)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "there is no database "+filepath.Join(empty, "redoubt.db"))
	left, err := os.ReadDir(empty)
	require.NoError(t, err)
	require.Empty(t, left)

	data := filepath.Join(t.TempDir(), "data")
	p, _ := serve(t, nil, "--data", data)
	p.stop(t)
	keys := filepath.Join(data, "keys.json")
	require.NoError(t, os.Rename(keys, keys+".away"))
	code, _, stderr = ask(t, nil, "token", "recover", "--data", data)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "there is no key file "+keys)
	require.NoFileExists(t, keys)
}

func TestRecoverOnPostgreSQL(t *testing.T) {
	t.Parallel()
	address, folder := postgrestest.Database(t), t.TempDir()
	_, url := serve(t, nil, "--data", folder, "--database", address)

	// The database alone is no proof, and another installation's key is none.
	code, _, stderr := ask(t, nil, "token", "recover", "--data", t.TempDir(), "--database", address)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "without the operator's key nobody recovers a token")
	p, _ := serve(t, nil, "--data", filepath.Join(t.TempDir(), "other"))
	_, other, _ := strings.Cut(p.out.String(), "(data in ")
	other, _, _ = strings.Cut(other, ")")
	code, _, stderr = ask(t, nil, "token", "recover", "--data", other, "--database", address)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "every process on a database needs the same keys")

	// The server need not be stopped.
	found := strings.TrimSpace(must(t, []string{"REDOUBT_DATABASE_URL=" + address}, "token", "recover", "--data", folder))
	require.Contains(t, must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + found}, "org", "list"), "main")
}
