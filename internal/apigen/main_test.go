package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGeneratedFilesAreFresh(t *testing.T) {
	t.Parallel()
	files, err := generate()
	require.NoError(t, err)
	for name, want := range files {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(text), "go run ./internal/apigen")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"id": "ID", "expires_at": "ExpiresAt", "stack_id": "StackID", "createStack": "CreateStack", "max_ttl": "MaxTTL", "url": "URL", "getTTL": "GetTTL",
	} {
		require.Equal(t, want, goName(name))
	}
}
