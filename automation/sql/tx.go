package sql

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"redoubt/automation/backend"
)

// conn is where a transaction's statements go.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tx implements backend.Tx.
type tx struct {
	// caller's context is looked at before each statement; statements run in ctx.
	// They differ in SQLite, where a statement that is interrupted undoes the
	// transaction, and with it the work of others.
	caller, ctx context.Context
	conn        conn
	in          *dialect
	// failed is the first thing that the database refused. A transaction with it
	// is not committed, whatever its function says: PostgreSQL would not let it,
	// and SQLite is held to the same.
	failed error
	// raced says that it will not when tried again.
	raced bool
	// at is what Now says until the next lock, which may have waited.
	at time.Time
}

var _ backend.Tx = (*tx)(nil)

// errOver is what a Tx says that somebody kept.
var errOver = errors.New("the transaction is over: a Tx may not be used outside of its function")

// end makes the Tx useless.
func (t *tx) end() { t.failed = errOver }

// fail remembers an error of the database.
func (t *tx) fail(err error) error {
	t.raced = t.raced || t.in.raced != nil && t.in.raced(err)
	if gone := t.caller.Err(); gone != nil {
		err = gone // and the driver's error is about that
	} else {
		err = t.in.classify(err)
	}
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// ready says whether a statement may run with the arguments.
func (t *tx) ready(args []any) error {
	if t.failed != nil {
		return t.failed
	}
	if err := t.caller.Err(); err != nil {
		return err
	}
	return checkTexts(args)
}

// checkTexts refuses what PostgreSQL cannot keep as text, in both databases.
func checkTexts(args []any) error {
	for _, arg := range args {
		if s, ok := arg.(string); ok && (!utf8.ValidString(s) || strings.ContainsRune(s, 0)) {
			return backend.Fail(backend.CodeInvalid, "%.80q cannot be kept as text: it is not UTF-8 or has a zero byte", s)
		}
	}
	return nil
}

// exec runs a statement and returns how many rows it touched.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.ready(args); err != nil {
		return 0, err
	}
	result, err := t.conn.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, t.fail(err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, t.fail(err)
	}
	return n, nil
}

// insert runs an INSERT … ON CONFLICT DO NOTHING.
func (t *tx) insert(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return backend.ErrExists
	}
	return err
}

// change runs a statement that must touch a row.
func (t *tx) change(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return backend.ErrNotFound
	}
	return err
}

// row is what a scan function reads from.
type row interface{ Scan(into ...any) error }

// each calls do for every row of a query. do must not use the Tx.
func (t *tx) each(do func(row) error, query string, args ...any) error {
	if err := t.ready(args); err != nil {
		return err
	}
	rows, err := t.conn.QueryContext(t.ctx, query, args...)
	if err != nil {
		return t.fail(err)
	}
	defer rows.Close() //nolint:errcheck // an error of reading shows in rows.Err
	for rows.Next() {
		if err := do(rows); err != nil {
			return t.fail(err)
		}
	}
	if err := rows.Err(); err != nil {
		return t.fail(err)
	}
	return nil
}

// all are the rows of a query.
func all[T any](t *tx, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	var found []T
	err := t.each(func(r row) error {
		one, err := scan(r)
		found = append(found, one)
		return err
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

// one is the first row of a query, or ErrNotFound.
func one[T any](t *tx, scan func(row) (T, error), query string, args ...any) (T, error) {
	var none T
	found, err := all(t, scan, query, args...)
	switch {
	case err != nil:
		return none, err
	case len(found) == 0:
		return none, backend.ErrNotFound
	}
	return found[0], nil
}

// value scans a row of one column.
func value[T any](r row) (T, error) {
	var v T
	err := r.Scan(&v)
	return v, err
}

// Now implements backend.Tx.
func (t *tx) Now() time.Time {
	if t.at.IsZero() {
		now, err := t.in.now(t)
		if err != nil {
			// The transaction has failed by now; the time does not matter.
			return time.Now().UTC().Truncate(time.Microsecond)
		}
		t.at = now
	}
	return t.at
}
