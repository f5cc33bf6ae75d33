package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// addAudit adds an entry behind the newest one.
func addAudit(tx backend.Tx, principal string) error {
	last, err := tx.LastAudit()
	if err != nil && !errors.Is(err, backend.ErrNotFound) {
		return err
	}
	hash := sha256.Sum256(last.Hash)
	return tx.AppendAudit(backend.AuditEntry{
		Sequence: last.Sequence + 1, At: tx.Now(), Principal: principal, Action: "stack.create",
		Previous: last.Hash, Hash: hash[:],
	})
}

// requireChain requires so many entries, each behind the one before.
func requireChain(t testing.TB, s backend.Store, n int) {
	t.Helper()
	entries := got(t, s, func(tx backend.Tx) ([]backend.AuditEntry, error) { return tx.Audit(0, 0) })
	require.Len(t, entries, n)
	var before backend.AuditEntry
	for i, e := range entries {
		require.Equal(t, int64(i+1), e.Sequence)
		require.Equal(t, before.Hash, e.Previous)
		require.False(t, e.At.Before(before.At), "entry %d is older than the one before", e.Sequence)
		before = e
	}
}

var auditTests = []test{
	{"the audit log is a chain in order", func(t *testing.T, s backend.Store) {
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { _, err := tx.LastAudit(); return err })
		full := backend.AuditEntry{
			Sequence: 1, At: at(1), Principal: "alice", Token: "tok_1", Action: "stack.create", Target: "acme/shop/ünï",
			Denied: true, Detail: map[string]string{"why": "no \x00 grant"}, Previous: []byte{1}, Hash: []byte{2},
		}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.AppendAudit(full))
			require.NoError(t, tx.AppendAudit(backend.AuditEntry{Sequence: 2}))
			require.ErrorIs(t, tx.AppendAudit(backend.AuditEntry{Sequence: 2}), backend.ErrExists)
			last, err := tx.LastAudit()
			require.NoError(t, err)
			require.Equal(t, backend.AuditEntry{Sequence: 2}, last)
		})
		entries := func(after int64, limit int) []backend.AuditEntry {
			return got(t, s, func(tx backend.Tx) ([]backend.AuditEntry, error) { return tx.Audit(after, limit) })
		}
		require.Equal(t, []backend.AuditEntry{full, {Sequence: 2}}, entries(0, 10))
		require.Equal(t, []backend.AuditEntry{full}, entries(0, 1))
		require.Equal(t, []backend.AuditEntry{{Sequence: 2}}, entries(1, 10))
		require.Empty(t, entries(2, 10))
	}},
	{"the newest audit entry can be read in a view", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) { require.NoError(t, addAudit(tx, "alice")) })
		require.Equal(t, int64(1), got(t, s, backend.Tx.LastAudit).Sequence)
	}},
	{"settings are replaced", func(t *testing.T, s backend.Store) {
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { _, err := tx.Setting("id"); return err })
		for _, want := range [][]byte{[]byte("one"), {0, 255}, nil} {
			update(t, s, func(tx backend.Tx) { require.NoError(t, tx.PutSetting("id", want)) })
			require.Equal(t, want, got(t, s, func(tx backend.Tx) ([]byte, error) { return tx.Setting("id") }))
		}
	}},
}
