package sql

import (
	"context"
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

// Explain is how the database finds what the statements of do ask for.
func Explain(t backend.Tx, explain string, do func()) ([]string, error) {
	in := t.(*tx)
	spy := &spyConn{conn: in.conn}
	in.conn = spy
	do()
	in.conn = spy.conn
	var plan []string
	for _, s := range spy.seen {
		err := in.each(func(r row) error {
			names, err := r.(*sql.Rows).Columns()
			if err != nil {
				return err
			}
			line, into := "", make([]any, len(names))
			for i := range into {
				into[i] = new(any)
			}
			into[len(into)-1] = &line
			if err := r.Scan(into...); err != nil {
				return err
			}
			plan = append(plan, line)
			return nil
		}, explain+" "+s.query, s.args...)
		if err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// spyConn remembers what was asked.
type spyConn struct {
	conn
	seen []asked
}

type asked struct {
	query string
	args  []any
}

// QueryContext implements conn.
func (s *spyConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s.seen = append(s.seen, asked{query, args})
	return s.conn.QueryContext(ctx, query, args...)
}

// ExecContext implements conn.
func (s *spyConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s.seen = append(s.seen, asked{query, args})
	return s.conn.ExecContext(ctx, query, args...)
}
