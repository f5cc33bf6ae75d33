package sql

import (
	"sync/atomic"
	"time"
)

// dialect is what the two databases say differently.
type dialect struct {
	// where names the database in messages, without its password.
	where string
	// kind is which of the two it is: "sqlite" or "postgresql".
	kind string
	// size is a SELECT of how large the database is, in bytes.
	size string
	// docMicros is a time of the column doc in microseconds, null where it has none.
	docMicros func(field string) string
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
	// busy counts what failed because somebody else had the database, or the rows.
	busy atomic.Int64
}

// counted is classify with the count of those that busy is true of.
func (d *dialect) counted(busy func(error) bool, classify func(string, error) error) func(error) error {
	return func(err error) error {
		if busy(err) {
			d.busy.Add(1)
		}
		return classify(d.where, err)
	}
}
