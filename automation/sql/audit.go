package sql

import (
	"time"

	"redoubt/automation/backend"
)

var auditColumns = columns{"sequence", "at", "principal", "token", "action", "target", "denied", "detail", "previous", "hash"}

var (
	insertAudit = auditColumns.insert("audit")
	selectAudit = "SELECT " + auditColumns.list() + " FROM audit"
)

func scanAudit(r row) (e backend.AuditEntry, err error) {
	err = r.Scan(&e.Sequence, moment{&e.At}, &e.Principal, &e.Token, &e.Action, &e.Target, &e.Denied, jsonOf{&e.Detail},
		bytesOf{&e.Previous}, bytesOf{&e.Hash})
	return e, err
}

// LastAudit implements backend.Tx. To lock the newest entry itself would not do:
// who waited for it would get it although it is the newest no more, and before
// the first there is none to lock.
func (t *tx) LastAudit() (backend.AuditEntry, error) {
	if t.in.lockAudit != "" {
		t.at = time.Time{}
		if _, err := t.exec(t.in.lockAudit); err != nil {
			return backend.AuditEntry{}, err
		}
	}
	return one(t, scanAudit, selectAudit+" ORDER BY sequence DESC LIMIT 1")
}

// AppendAudit implements backend.Tx.
func (t *tx) AppendAudit(e backend.AuditEntry) error {
	return t.insert(insertAudit, e.Sequence, micros(e.At), e.Principal, e.Token, e.Action, e.Target, e.Denied, asJSON(e.Detail),
		blob(e.Previous), blob(e.Hash))
}

// Audit implements backend.Tx.
func (t *tx) Audit(after int64, limit int) ([]backend.AuditEntry, error) {
	return all(t, scanAudit, selectAudit+" WHERE sequence > $1 ORDER BY sequence LIMIT $2", after, atMost(limit))
}
