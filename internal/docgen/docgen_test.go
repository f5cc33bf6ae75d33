package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGeneratedDocumentsAreFresh(t *testing.T) {
	t.Parallel()
	for path, write := range documents {
		want, err := write(root)
		require.NoError(t, err, path)
		have, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err, "%s is missing: run `make generate`", path)
		line, same := firstDifference(want, string(have))
		require.True(t, same, "%s is stale from line %d on: run `make generate`", path, line)
	}
}

// firstDifference is the number of the first line in which two texts differ.
func firstDifference(a, b string) (line int, same bool) {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			return i + 1, false
		}
	}
	return 0, true
}
