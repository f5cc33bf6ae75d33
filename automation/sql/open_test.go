package sql_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/sql"
	"redoubt/internal/postgrestest"
)

// open opens a store that ends with the test.
func open(t testing.TB, address string, opts ...sql.Option) backend.Store {
	t.Helper()
	store, err := sql.Open(context.Background(), address, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// openFile opens a new SQLite database.
func openFile(t testing.TB) backend.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "data"))
}

// openDatabase opens a new PostgreSQL database.
func openDatabase(t testing.TB, server *postgrestest.Server) backend.Store {
	t.Helper()
	return open(t, server.Database(t), sql.WithConnections(4))
}

func TestErrorsOfOpenSayWhatToDoAndKeepThePassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2/secret"
	escaped := url.QueryEscape(password)
	folder := t.TempDir()
	for _, c := range []struct{ name, address, want string }{
		{"nothing", "", "no database is given"},
		{"another database", "mysql://root:" + escaped + "@host/db", `"mysql" are not supported`},
		{"no whole path", "sqlite://data/redoubt.db", "three slashes"},
		{"with a password", "sqlite://me:" + escaped + "@data/redoubt.db", "three slashes"},
		{"parameters", "sqlite:///data/redoubt.db?mode=ro", "without parameters"},
		{"a folder as a file", "sqlite://" + folder, "is a folder"},
		{"keywords", "host=db password=" + password, "write a URL"},
		{"an opaque URL", "postgres:me:" + password + "@host/db", "write a URL"},
		{"a password with a slash", "postgres://me:" + password + "@host:5432/db", "%2F"},
		{"a wrong port", "postgres://me:" + escaped + "@host:port/db", "cannot be read"},
		{"nobody there", "postgres://me:" + escaped + "@127.0.0.1:1/db?sslmode=disable", "the database db of PostgreSQL at 127.0.0.1:1 does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := sql.Open(context.Background(), c.address)
			require.ErrorContains(t, err, c.want)
			require.NotEmpty(t, backend.CodeOf(err))
			for _, secret := range []string{password, escaped, "hunter2"} {
				require.NotContains(t, err.Error(), secret)
				require.NotContains(t, fmt.Sprint(errors.Unwrap(err)), secret)
			}
		})
	}
}
