package built

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProgramIsBuiltOnce(t *testing.T) {
	t.Setenv(FolderVariable, "")
	first, err := program("redoubt-policy", "redoubt/policy")
	require.NoError(t, err)
	before, err := os.Stat(first)
	require.NoError(t, err)
	second, err := program("redoubt-policy", "redoubt/policy")
	require.NoError(t, err)
	require.Equal(t, first, second)
	after, err := os.Stat(second)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "it was not linked again")
}

func TestProgramsThatWereBuiltJustNow(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(FolderVariable, folder)
	_, err := program("redoubt-policy", "redoubt/policy")
	require.ErrorContains(t, err, filepath.Join(folder, "redoubt-policy"))
	require.ErrorContains(t, err, "make build")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "redoubt-policy"), nil, 0o700)) //nolint:gosec // it stands for a program
	path, err := program("redoubt-policy", "redoubt/policy")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(folder, "redoubt-policy"), path)
}
