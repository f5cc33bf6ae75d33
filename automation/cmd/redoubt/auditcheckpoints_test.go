package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/client"
)

// The log and its checkpoints are exported, and verified without a server.
func TestAuditCheckpoints(t *testing.T) {
	t.Parallel()
	o, folder := openOffice(t), t.TempDir()
	code, stdout, stderr := o.as(t, "alice", "", "audit", "checkpoints")
	require.Equal(t, exitOK, code, stderr)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "no checkpoint yet")
	for _, project := range []string{"shop", "bank"} {
		o.does(t, "alice", "project", "create", "acme/"+project)
		made, err := o.service.CheckpointAudit(t.Context(), true)
		require.NoError(t, err)
		require.NotNil(t, made)
	}
	o.does(t, "alice", "project", "create", "acme/after")
	key := strings.TrimSpace(o.does(t, "alice", "audit", "checkpoints", "--key"))
	public, _ := o.service.AuditKey()
	require.Equal(t, hex.EncodeToString(public), key)
	save := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	signed := o.does(t, "alice", "audit", "checkpoints")
	lines := strings.SplitAfter(strings.TrimSpace(signed), "\n")
	require.Len(t, lines, 2)
	checkpoints := save("checkpoints.jsonl", signed)
	var entries bytes.Buffer
	encoder := json.NewEncoder(&entries)
	encoder.SetEscapeHTML(false)
	exported, err := (&client.Client{URL: o.url, Token: "alice"}).ListAudit(t.Context(), client.ListAuditParams{Limit: pageSize})
	require.NoError(t, err)
	for _, e := range exported.Items {
		require.NoError(t, encoder.Encode(e))
	}
	log := strings.SplitAfter(strings.TrimSpace(entries.String()), "\n")
	whole := save("audit.jsonl", entries.String())

	verify := func(file string, args ...string) (int, string, string) {
		return ask(t, nil, append([]string{"audit", "verify", file}, args...)...)
	}
	code, stdout, stderr = verify(whole, "--checkpoints", checkpoints, "--key", key)
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "2 of 2 checkpoint(s) are of its entries, and their signatures are good.")
	require.NotContains(t, stdout, "give --key")
	code, stdout, _ = verify(whole, "--checkpoints", checkpoints)
	require.Equal(t, exitOK, code)
	require.Contains(t, stdout, "give --key to trust nothing of that")
	code, stdout, _ = verify(save("late.jsonl", strings.Join(log[1:], "")), "--checkpoints", checkpoints, "--key", key)
	require.Equal(t, exitOK, code, "what came before is not in it")
	require.Contains(t, stdout, "begins with entry 2")

	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	last := len(log) - 2 // signed by the second checkpoint
	for name, row := range map[string]struct {
		log, checkpoints, key, want string
	}{
		"cut off":                {whole + ".short", checkpoints, key, "it was cut off"},
		"a changed checkpoint":   {whole, save("changed", strings.Replace(signed, `"sequence":`, `"sequence":1`, 1)), key, "signature"},
		"another key":            {whole, checkpoints, hex.EncodeToString(other), "not among those that are trusted"},
		"only what is not there": {save("tail", log[len(log)-1]), checkpoints, key, "say nothing of it"},
	} {
		if strings.HasSuffix(row.log, ".short") {
			save("audit.jsonl.short", strings.Join(log[:last], ""))
		}
		code, stdout, stderr := verify(row.log, "--checkpoints", row.checkpoints, "--key", row.key, "--json")
		require.Equal(t, exitFailed, code, "%s: %s", name, stderr)
		require.Contains(t, stdout, `"ok": false`, name)
		require.Contains(t, stdout, row.want, name)
	}
	for want, args := range map[string][]string{
		"no public key": {"--checkpoints", checkpoints, "--key", "abc"}, "--key is for --checkpoints": {"--key", key},
		"has no checkpoints": {"--checkpoints", save("none", "")},
	} {
		code, _, stderr := verify(whole, args...)
		require.Equal(t, exitError, code)
		require.Contains(t, stderr, want)
	}
}
