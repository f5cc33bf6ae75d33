package sql

import (
	"context"
	"database/sql"

	"redoubt/automation/backend"
)

// view runs a function in a transaction that is not kept.
func view(ctx context.Context, began *sql.Tx, in *dialect, read func(backend.Tx) error) error {
	defer began.Rollback() //nolint:errcheck // there is nothing to lose
	t := &tx{caller: ctx, ctx: ctx, conn: began, in: in}
	defer t.end()
	if err := read(t); err != nil && t.failed == nil {
		return err
	}
	return t.failed
}

// answer is the error of a statement that is no method's: the caller's own where
// the caller has left.
func answer(ctx context.Context, in *dialect, err error) error {
	if gone := ctx.Err(); gone != nil {
		return gone
	}
	return in.classify(err)
}
