package sql

import (
	"time"

	"redoubt/automation/provision"
)

var replaceSession = columns{"hash", "expires_at", "doc"}.replace("sessions", "hash")

// PutSession implements provision.Tx.
func (t *tx) PutSession(s provision.Session) error {
	_, err := t.exec(replaceSession, blob(s.Hash), micros(s.ExpiresAt), asJSON(s))
	return err
}

// Session implements provision.Tx. It finds those that have ended too, until they
// are pruned.
func (t *tx) Session(hash []byte) (provision.Session, error) {
	return one(t, func(r row) (s provision.Session, err error) {
		err = r.Scan(docOf{&s}, bytesOf{&s.Hash}, moment{&s.ExpiresAt})
		return s, err
	}, "SELECT doc, hash, expires_at FROM sessions WHERE hash = $1", blob(hash))
}

// DeleteSession implements provision.Tx.
func (t *tx) DeleteSession(hash []byte) error {
	return t.change("DELETE FROM sessions WHERE hash = $1", blob(hash))
}

// PruneSessions implements provision.Tx: those that ended before a time.
func (t *tx) PruneSessions(before time.Time, limit int) (int64, error) {
	return t.prune("sessions", "hash", "expires_at < $1", before, limit)
}
