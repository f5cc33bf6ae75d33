package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Stacks of a restored database are marked while no server runs on it.
func TestStackRestored(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p, _ := serve(t, nil, "--data", data)
	token := tokenForm.FindString(p.out.String())
	code, _, stderr := ask(t, nil, "stack", "restored", "--data", data)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "stacks are marked as restored while the server is stopped")
	p.stop(t)
	require.Equal(t, "0 stack(s) take nothing but a refresh, until one has succeeded.\n", must(t, nil, "stack", "restored", "--data", data))
	require.JSONEq(t, `{"stacks":[]}`, must(t, []string{"REDOUBT_DATA=" + data}, "stack", "restored", "--json"))
	_, url := serve(t, nil, "--data", data)
	require.Contains(t, must(t, []string{"REDOUBT_URL=" + url, "REDOUBT_TOKEN=" + token}, "audit", "verify"), "entries 1 to")

	code, _, stderr = ask(t, nil, "stack", "restored", "--data", filepath.Join(data, "none"))
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "there is no database")
}
