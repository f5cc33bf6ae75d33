package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/archive"
)

// A function that pack forgets is one that pulumi up cannot find.
func TestEveryFunctionIsPacked(t *testing.T) {
	t.Parallel()
	programs, err := filepath.Glob("../*/main.go")
	require.NoError(t, err)
	var found []string
	for _, p := range programs {
		if name := filepath.Base(filepath.Dir(p)); name != "pack" {
			found = append(found, name)
		}
	}
	require.ElementsMatch(t, functions, found)
}

func TestRunWritesWhatReadFinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, run(t.Context(), "../../../..", dir))
	for _, name := range functions {
		a, err := archive.Read(dir, name)
		require.NoError(t, err)
		info, err := os.Stat(a.Path)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(20<<20), "Lambda starts small archives faster")
	}
}
