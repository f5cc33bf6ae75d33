package sql

import (
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"

	"redoubt/automation/backend"
)

// Ask is the answer of the database to a query of one value, such as a PRAGMA.
func Ask(t backend.Tx, query string) (any, error) {
	return one(t.(*tx), value[any], query)
}

// Groups is how many transactions the writer of a SQLite store has begun.
func Groups(s backend.Store) int64 { return s.(*sqliteStore).writer.groups.Load() }

// ClockAt is what a clock says at once that started at a time of the wall's.
func ClockAt(wall time.Time) time.Time { return clock{wall: wall, start: time.Now()}.now() }

// SQLiteSource is the driver's name of a file.
func SQLiteSource(path string) string { return sqliteSource(path) }

// Schemas are the migrations of a database of a kind, "sqlite" or "postgres".
func Schemas(db *sql.DB, kind string) (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if kind == "postgres" {
		dialect = goose.DialectPostgres
	}
	return schemas(db, dialect, kind)
}
