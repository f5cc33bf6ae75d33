package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"redoubt/automation/backend"
)

// observedStore counts what is committed. Everything that happens leaves an
// entry in the audit log, in its own transaction: so the log is what is counted,
// and the domain need not know of metrics.
type observedStore struct {
	backend.Store
	metrics *metrics
}

// Update implements backend.Store.
func (s *observedStore) Update(ctx context.Context, write func(backend.Tx) error) error {
	var seen *observedTx
	start := time.Now()
	err := s.Store.Update(ctx, func(tx backend.Tx) error {
		seen = &observedTx{Tx: tx} // anew: write may be called more than once
		return write(seen)
	})
	if err == nil && seen != nil {
		seen.count(s.metrics, time.Since(start))
	}
	return err
}

type observedTx struct {
	backend.Tx
	entries int
	audit   []backend.AuditEntry
}

// AppendJournal implements backend.Tx.
func (t *observedTx) AppendJournal(updateID string, rows []backend.JournalRow) error {
	t.entries += len(rows)
	return t.Tx.AppendJournal(updateID, rows)
}

// AppendAudit implements backend.Tx.
func (t *observedTx) AppendAudit(e backend.AuditEntry) error {
	t.audit = append(t.audit, e)
	return t.Tx.AppendAudit(e)
}

func (t *observedTx) count(m *metrics, took time.Duration) {
	if t.entries > 0 {
		m.entries.Add(float64(t.entries))
		m.append.Observe(took.Seconds())
	}
	for _, e := range t.audit {
		m.audit.WithLabelValues(e.Action, fmt.Sprint(e.Denied)).Inc()
		if e.Denied {
			continue
		}
		switch e.Action {
		case "update.start":
			m.started.WithLabelValues(e.Detail["kind"]).Inc()
		case "update.end":
			m.ended.WithLabelValues(e.Detail["status"]).Inc()
		case "secrets.decrypt":
			n, _ := strconv.Atoi(e.Detail["secrets"]) // the domain's own number
			m.decrypted.Add(float64(n))
		case "token.create", "token.bootstrap", "token.recovered":
			m.tokens.WithLabelValues("created").Inc()
		case "token.revoke":
			m.tokens.WithLabelValues("revoked").Inc()
		}
	}
}
