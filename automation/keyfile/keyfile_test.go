package keyfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/keyfile"
)

func TestKeysOutliveTheProcessAndARotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	first, err := keyfile.Open(path)
	require.NoError(t, err)
	wrapped, by, err := first.Wrap(t.Context(), []byte("a key of a stack"), "stk_1")
	require.NoError(t, err)
	require.NotContains(t, string(wrapped), "stack")

	id, err := keyfile.Rotate(path)
	require.NoError(t, err)
	second, err := keyfile.Open(path)
	require.NoError(t, err)
	require.Equal(t, id, second.Current())
	require.NotEqual(t, by, id)
	plain, err := second.Unwrap(t.Context(), wrapped, by, "stk_1")
	require.NoError(t, err)
	require.Equal(t, "a key of a stack", string(plain))

	for name, unwrap := range map[string]func() ([]byte, error){
		"another label": func() ([]byte, error) { return second.Unwrap(t.Context(), wrapped, by, "stk_2") },
		"another key":   func() ([]byte, error) { return second.Unwrap(t.Context(), wrapped, id, "stk_1") },
		"a lost key":    func() ([]byte, error) { return second.Unwrap(t.Context(), wrapped, "file:gone", "stk_1") },
		"a changed one": func() ([]byte, error) { return second.Unwrap(t.Context(), append(wrapped[1:], 0), by, "stk_1") },
	} {
		_, err := unwrap()
		require.Error(t, err, name)
	}
}

func TestFileIsRefused(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(t *testing.T, path string){
		"others may read it": func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o640)) },
		"not the JSON":       func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte("{"), 0o600)) },
		"is not in it": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(`{"current":"x"}`), 0o600))
		},
		"not 32": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(`{"current":"x","keys":[{"id":"x","key":"AAAA"}]}`), 0o600))
		},
	} {
		path := filepath.Join(t.TempDir(), "keys.json")
		_, err := keyfile.Open(path)
		require.NoError(t, err)
		spoil(t, path)
		_, err = keyfile.Open(path)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path)
	}
}
