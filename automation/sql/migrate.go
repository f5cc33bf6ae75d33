package sql

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"redoubt/automation/backend"
)

// The schemas, a folder for each database. A file that was released is not
// changed: what comes later is in a file of its own, and there is no way back.
//
//go:embed migrations
var migrations embed.FS

func migrateSQLite(ctx context.Context, db *sql.DB) error {
	return migrate(ctx, db, goose.DialectSQLite3, "sqlite")
}

// migratePostgres migrates while no other process does.
func migratePostgres(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	err = migrate(ctx, db, goose.DialectPostgres, "postgres")
	// Also where the caller has left; the end of the connection would do it too.
	if _, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(migrationLock)); err == nil {
		err = unlock
	}
	return err
}

// schemas are the migrations of a database.
func schemas(db *sql.DB, dialect goose.Dialect, folder string) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, files, goose.WithTableName("redoubt_schema"), goose.WithDisableGlobalRegistry(true))
}

// migrate brings the schema to the newest version.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	provider, err := schemas(db, dialect, folder)
	if err != nil {
		return err
	}
	at, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("the version of its schema cannot be read: %w", err)
	}
	if at > newest {
		return backend.Fail(backend.CodeConflict, "the database has schema %d, and this redoubt knows schemas up to %d: a newer redoubt used it; run that version or a later one", at, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("its schema cannot be brought from version %d to %d: %w", at, newest, err)
	}
	return nil
}
