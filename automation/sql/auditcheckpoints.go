package sql

import "redoubt/automation/provision"

var auditCheckpointColumns = columns{"sequence", "hash", "at", "key_id", "signature"}

var (
	insertAuditCheckpoint  = auditCheckpointColumns.insert("audit_checkpoints")
	selectAuditCheckpoints = "SELECT " + auditCheckpointColumns.list() + " FROM audit_checkpoints"
)

func scanAuditCheckpoint(r row) (c provision.AuditCheckpoint, err error) {
	err = r.Scan(&c.Sequence, bytesOf{&c.Hash}, moment{&c.At}, &c.KeyID, bytesOf{&c.Signature})
	return c, err
}

// AddAuditCheckpoint implements provision.Tx.
func (t *tx) AddAuditCheckpoint(c provision.AuditCheckpoint) error {
	return t.insert(insertAuditCheckpoint, c.Sequence, blob(c.Hash), micros(c.At), c.KeyID, blob(c.Signature))
}

// AuditCheckpoints implements provision.Tx.
func (t *tx) AuditCheckpoints(after int64, limit int) ([]provision.AuditCheckpoint, error) {
	return all(t, scanAuditCheckpoint, selectAuditCheckpoints+" WHERE sequence > $1 ORDER BY sequence LIMIT $2", after, atMost(limit))
}

// LastAuditCheckpoint implements provision.Tx.
func (t *tx) LastAuditCheckpoint() (provision.AuditCheckpoint, error) {
	return one(t, scanAuditCheckpoint, selectAuditCheckpoints+" ORDER BY sequence DESC LIMIT 1")
}
