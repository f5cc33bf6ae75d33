package sql

import "time"

// dialect is what the two databases say differently.
type dialect struct {
	// where names the database in messages, without its password.
	where string
	// forUpdate ends a SELECT that locks the row.
	forUpdate string
	// forShare ends a SELECT that keeps others from locking the row.
	forShare string
	// forReference ends a SELECT that keeps others from deleting the row.
	forReference string
	// textRows is a table of the keys and values of a column that is a map.
	textRows func(column string) string
	// lockAudit is a statement that makes writers of the audit log come one after
	// the other; empty where they do anyhow.
	lockAudit string
	// now asks for the time; see backend.Tx.
	now func(*tx) (time.Time, error)
	// nowColumn is the time in microseconds as part of a SELECT; 0 where only the
	// process knows it.
	nowColumn string
	// classify turns an error of the driver into one of the contract.
	classify func(error) error
	// raced says that what failed will not when tried again; nil where nothing is.
	raced func(error) bool
}
