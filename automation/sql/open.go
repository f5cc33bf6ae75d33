package sql

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"redoubt/automation/backend"
)

// fileName is the database's in a data folder.
const fileName = "redoubt.db"

type options struct{ connections int }

// Option changes how a Store is opened.
type Option func(*options)

// WithConnections says how many connections to PostgreSQL, or readers of SQLite,
// there are at most; 16 where nobody says. Keep the sum over all processes below
// the server's max_connections.
func WithConnections(n int) Option {
	return func(o *options) { o.connections = max(n, minConnections) }
}

const (
	defaultConnections = 16
	// minConnections is what a migration needs: one holds its lock, one works.
	minConnections = 2
)

// Open opens the database of a URL and brings its schema up to date. The URL is
// one of:
//
//	/var/lib/redoubt                              a folder, for redoubt.db of SQLite
//	sqlite:///var/lib/redoubt/redoubt.db          a file
//	postgres://user:password@host:5432/database   PostgreSQL, see libpq's parameters
//
// Errors say what is wrong, where, and how to fix it, and never hold the password.
func Open(ctx context.Context, address string, opts ...Option) (backend.Store, error) {
	o := options{connections: defaultConnections}
	for _, opt := range opts {
		opt(&o)
	}
	scheme, _, found := strings.Cut(address, "://")
	switch {
	case address == "":
		return nil, invalid(nil, "no database is given: give a folder (/var/lib/redoubt), sqlite:///path/to/file.db or postgres://user:password@host:5432/database")
	case !found && (strings.HasPrefix(address, "postgres") || strings.Contains(address, "host=") || strings.Contains(address, "dbname=")):
		return nil, invalid(nil, "the database is given in a form that is not supported: write a URL, postgres://user:password@host:5432/database")
	case !found:
		return openFolder(ctx, address, o)
	case scheme == "sqlite":
		return openFile(ctx, address, o)
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(ctx, address, o)
	}
	return nil, invalid(nil, "databases of the kind %q are not supported: give a folder, sqlite:///path/to/file.db or postgres://user:password@host:5432/database", scheme)
}

func openFolder(ctx context.Context, folder string, o options) (backend.Store, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, invalid(err, "the data folder cannot be found: %v", err)
	}
	if about, err := os.Stat(folder); err == nil && !about.IsDir() {
		return nil, invalid(nil, "%s is a file, not a folder: for a file write sqlite://%s", folder, folder)
	}
	return openSQLite(ctx, filepath.Join(folder, fileName), o)
}

func openFile(ctx context.Context, address string, o options) (backend.Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, invalid(nil, "the URL of the database file cannot be read: write sqlite:// and the file's whole path, sqlite:///var/lib/redoubt/redoubt.db")
	}
	if u.Host != "" || u.RawQuery != "" || !filepath.IsAbs(u.Path) || strings.HasSuffix(u.Path, "/") {
		return nil, invalid(nil, "%s names no file: write sqlite:// and the file's whole path, with three slashes in a row and without parameters: sqlite:///var/lib/redoubt/redoubt.db", u.Redacted())
	}
	path := filepath.Clean(u.Path)
	if about, err := os.Stat(path); err == nil && about.IsDir() {
		return nil, invalid(nil, "%s is a folder: give the file in it, sqlite://%s, or the folder alone without sqlite://", path, filepath.Join(path, fileName))
	}
	return openSQLite(ctx, path, o)
}
