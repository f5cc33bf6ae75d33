package postgres_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/functions/rotate/postgres"
)

func TestAuthoritiesComeFromTextThenFileThenSystem(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pool, err := postgres.Authorities("", folder)
	require.NoError(t, err)
	require.Nil(t, pool, "the system's")
	pool, err = postgres.Authorities("", "")
	require.NoError(t, err)
	require.Nil(t, pool)

	require.NoError(t, os.WriteFile(filepath.Join(folder, postgres.AuthoritiesFile), []byte("not PEM"), 0o600))
	_, err = postgres.Authorities("", folder)
	require.ErrorContains(t, err, "no certificate", "a broken file must not mean the system's")
	_, err = postgres.Authorities("not PEM either", "")
	require.ErrorContains(t, err, "no certificate")
}
