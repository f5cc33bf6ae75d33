package rules_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// allowed reads a table of exceptions: by rule what is excepted, and why.
func allowed(t *testing.T, file string) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "allowed", file))
	require.NoError(t, err)
	out := map[string]map[string]string{}
	require.NoError(t, yaml.Unmarshal(text, &out))
	for name, entries := range out {
		for of, reason := range entries {
			require.NotEmpty(t, reason, "%s: %s: %s needs a reason", file, name, of)
		}
	}
	return out
}
