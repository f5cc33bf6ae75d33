package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
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

// observedRecords is the same for what provisioning writes.
type observedRecords struct {
	provision.Store
	metrics *metrics
}

// Update implements provision.Store.
func (s *observedRecords) Update(ctx context.Context, write func(provision.Tx) error) error {
	var seen *observedRecordsTx
	start := time.Now()
	err := s.Store.Update(ctx, func(tx provision.Tx) error {
		seen = &observedRecordsTx{Tx: tx, entries: &observedTx{Tx: tx}, locked: map[string]provision.Operation{}}
		return write(seen)
	})
	if err == nil && seen != nil {
		seen.entries.count(s.metrics, time.Since(start))
		for _, t := range seen.moved {
			t.count(s.metrics)
		}
	}
	return err
}

// observedRecordsTx sees operations move: each is locked before, and saved after.
type observedRecordsTx struct {
	provision.Tx
	entries *observedTx
	locked  map[string]provision.Operation
	moved   []transition
}

// AppendAudit implements backend.Tx.
func (t *observedRecordsTx) AppendAudit(e backend.AuditEntry) error { return t.entries.AppendAudit(e) }

// LockOperation implements provision.Tx.
func (t *observedRecordsTx) LockOperation(id string) (provision.Operation, error) {
	o, err := t.Tx.LockOperation(id)
	if err == nil {
		t.locked[id] = o
	}
	return o, err
}

// CreateOperation implements provision.Tx.
func (t *observedRecordsTx) CreateOperation(o provision.Operation) error {
	t.see(transition{to: o})
	return t.Tx.CreateOperation(o)
}

// SaveOperation implements provision.Tx.
func (t *observedRecordsTx) SaveOperation(o *provision.Operation) error {
	if from, ok := t.locked[o.ID]; ok && from.State != o.State {
		t.see(transition{from, *o})
	}
	return t.Tx.SaveOperation(o)
}

func (t *observedRecordsTx) see(moved transition) {
	t.locked[moved.to.ID] = moved.to
	t.moved = append(t.moved, moved)
}

// transition is an operation before and after; the zero value before for a new one.
type transition struct{ from, to provision.Operation }

func (t transition) count(m *metrics) {
	kind := string(t.to.Kind)
	m.operations.WithLabelValues(kind, t.to.Blueprint.Name, string(t.to.State)).Inc()
	if t.from.State != "" {
		m.inState.WithLabelValues(kind, string(t.from.State)).Observe(t.to.UpdatedAt.Sub(t.from.UpdatedAt).Seconds())
	}
	if t.from.State == provision.Approved && t.to.State == provision.AwaitingApproval {
		m.stale.Inc()
	}
	if t.to.State == provision.NeedsRecovery && t.to.Failure != nil {
		m.pending.Add(float64(len(t.to.Failure.Pending)))
	}
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
