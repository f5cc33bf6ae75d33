package sql

import (
	"fmt"
	"strings"
	"time"

	"redoubt/automation/backend"
)

const selectEvents = "SELECT sequence, sealed FROM events WHERE update_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"

// PutEvents implements backend.Tx.
func (t *tx) PutEvents(updateID string, rows []backend.EventRow) error {
	for start := 0; start < len(rows); start += chunk {
		part := rows[start:min(start+chunk, len(rows))]
		values := make([]string, len(part))
		args := make([]any, 0, 1+2*len(part))
		args = append(args, updateID)
		for i, r := range part {
			values[i] = fmt.Sprintf("($1, $%d, $%d)", 2*i+2, 2*i+3)
			args = append(args, r.Sequence, blob(r.Sealed))
		}
		if _, err := t.exec("INSERT INTO events (update_id, sequence, sealed) VALUES "+strings.Join(values, ", ")+" ON CONFLICT DO NOTHING", args...); err != nil {
			return err
		}
	}
	return nil
}

func scanEvent(r row) (e backend.EventRow, err error) {
	err = r.Scan(&e.Sequence, bytesOf{&e.Sealed})
	return e, err
}

// Events implements backend.Tx.
func (t *tx) Events(updateID string, after int64, limit int) ([]backend.EventRow, error) {
	return all(t, scanEvent, selectEvents, updateID, after, atMost(limit))
}

// PruneEvents implements backend.Tx.
func (t *tx) PruneEvents(before time.Time, limit int) (int64, error) {
	return t.prune("events", "update_id, sequence", completedBefore, before, limit)
}
