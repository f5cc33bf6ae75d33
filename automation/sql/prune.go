package sql

import (
	"fmt"
	"time"
)

// prune deletes the rows of a table that a condition on $1, a time, is true of: at
// most limit of them, so that others need not wait for long. key are the columns of
// the primary key.
func (t *tx) prune(table, key, condition string, before time.Time, limit int) (int64, error) {
	return t.exec(fmt.Sprintf("DELETE FROM %[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM %[1]s WHERE %[3]s LIMIT $2)", table, key, condition),
		micros(before), atMost(limit))
}
