package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGeneratedDocumentsAreFresh(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	for path, write := range documents {
		want, err := write(root)
		require.NoError(t, err, path)
		have, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err, "%s is missing: run `make generate`", path)
		require.Equal(t, want, string(have), "%s is stale: run `make generate`", path)
	}
}
