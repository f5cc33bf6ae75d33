package sql

import (
	"time"

	"redoubt/automation/backend"
)

var checkpointColumns = columns{"update_id", "sequence", "sealed"}

var (
	replaceCheckpoint = checkpointColumns.replace("checkpoints", "update_id")
	selectCheckpoint  = "SELECT " + checkpointColumns.list() + " FROM checkpoints WHERE update_id = $1"
)

func scanCheckpoint(r row) (c backend.Checkpoint, err error) {
	err = r.Scan(&c.UpdateID, &c.Sequence, bytesOf{&c.Sealed})
	return c, err
}

// PutCheckpoint implements backend.Tx.
func (t *tx) PutCheckpoint(c backend.Checkpoint) error {
	_, err := t.exec(replaceCheckpoint, c.UpdateID, c.Sequence, blob(c.Sealed))
	return err
}

// Checkpoint implements backend.Tx.
func (t *tx) Checkpoint(updateID string) (backend.Checkpoint, error) {
	return one(t, scanCheckpoint, selectCheckpoint, updateID)
}

// PruneCheckpoints implements backend.Tx.
func (t *tx) PruneCheckpoints(before time.Time, limit int) (int64, error) {
	return t.prune("checkpoints", "update_id", foldedBefore, before, limit)
}
