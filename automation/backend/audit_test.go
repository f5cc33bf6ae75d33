package backend_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var auditTests = []test{
	{"each change leaves an entry, in a chain", func(t *testing.T, w *world) {
		by := w.admin
		by.Address = "192.0.2.1"
		name := backend.StackName{Org: org, Project: "shop", Stack: "dev"}
		_, err := w.CreateStack(t.Context(), by, backend.NewStack{Name: name})
		require.NoError(t, err)
		require.NoError(t, w.Protect(t.Context(), by, name, true))
		require.NoError(t, w.Protect(t.Context(), by, name, false))
		w.update(t, name, "a")
		_, err = w.Import(t.Context(), by, name, stateOf("b"))
		require.NoError(t, err)
		require.NoError(t, w.SetTags(t.Context(), by, name, nil))
		require.NoError(t, w.RotateKey(t.Context(), by, name))
		require.NoError(t, w.RenameStack(t.Context(), by, name, "", "next"))
		name.Stack = "next"
		require.NoError(t, w.DeleteStack(t.Context(), by, name, true))
		require.NoError(t, w.CreateOrganization(t.Context(), by, "another"))
		entries := w.entries(t)
		var actions []string
		for i, e := range entries {
			require.EqualValues(t, i+1, e.Sequence)
			require.Equal(t, "admin", e.Principal)
			require.NotContains(t, e.Detail, "secret")
			actions = append(actions, e.Action)
		}
		require.Equal(t, []string{
			"token.bootstrap", "stack.create", "stack.protect", "stack.unprotect", "update.start", "update.end", "stack.import",
			"stack.tag", "key.rotate", "stack.rename", "stack.delete", "org.create",
		}, actions)
		require.Equal(t, "192.0.2.1", entries[1].Detail["address"])
		last, err := backend.VerifyAudit(backend.AuditEntry{}, entries)
		require.NoError(t, err)
		require.Equal(t, entries[len(entries)-1], last)
		half, err := backend.VerifyAudit(backend.AuditEntry{}, entries[:5])
		require.NoError(t, err)
		_, err = backend.VerifyAudit(half, entries[5:])
		require.NoError(t, err, "it can be followed in parts")
	}},
	{"what is changed in the log is found", func(t *testing.T, w *world) {
		w.stack(t, "dev")
		w.stack(t, "prod")
		for what, change := range map[string]func(*backend.AuditEntry){
			"who":     func(e *backend.AuditEntry) { e.Principal = "mallory" },
			"token":   func(e *backend.AuditEntry) { e.Token = "" },
			"what":    func(e *backend.AuditEntry) { e.Action += "x" },
			"to what": func(e *backend.AuditEntry) { e.Target = "acme/shop/other" },
			"when":    func(e *backend.AuditEntry) { e.At = e.At.Add(1000) },
			"whether": func(e *backend.AuditEntry) { e.Denied = !e.Denied },
			"detail":  func(e *backend.AuditEntry) { e.Detail = map[string]string{"id": "x"} },
			"number":  func(e *backend.AuditEntry) { e.Sequence++ },
			"hash":    func(e *backend.AuditEntry) { e.Hash = append([]byte{0}, e.Hash[1:]...) },
			"moved":   func(e *backend.AuditEntry) { e.Action, e.Target = e.Action+e.Target[:1], e.Target[1:] },
		} {
			entries := w.entries(t)
			change(&entries[1])
			_, err := backend.VerifyAudit(backend.AuditEntry{}, entries)
			fails(t, err, backend.CodeConflict, "broken at entry")
			require.Error(t, err, what)
		}
		entries := w.entries(t)
		_, err := backend.VerifyAudit(backend.AuditEntry{}, append(entries[:1:1], entries[2:]...))
		fails(t, err, backend.CodeConflict, "broken at entry 3", "missing before it")
		_, err = backend.VerifyAudit(backend.AuditEntry{}, entries[1:])
		fails(t, err, backend.CodeConflict)
	}},
	{"many write the log at once and it stays a chain", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		var all sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			all.Go(func() { errs[i] = w.RecordDecryption(t.Context(), w.admin, name, i, "") })
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		entries := w.entries(t)
		require.Len(t, entries, 2+len(errs))
		_, err := backend.VerifyAudit(backend.AuditEntry{}, entries)
		require.NoError(t, err)
		page, err := w.Audit(t.Context(), w.admin, 5, 3)
		require.NoError(t, err)
		require.Len(t, page, 3)
		require.EqualValues(t, 6, page[0].Sequence)
	}},
	{"a change without its entry does not happen", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.store.wrap = func(tx backend.Tx) backend.Tx { return unrecorded{tx} }
		require.ErrorIs(t, w.Protect(t.Context(), w.admin, name, true), errCut)
		require.ErrorIs(t, w.DeleteStack(t.Context(), w.admin, name, true), errCut)
		w.store.wrap = nil
		stack, _, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.False(t, stack.Protected)
	}},
}

// unrecorded is a transaction in which nothing can be recorded.
type unrecorded struct{ backend.Tx }

func (unrecorded) AppendAudit(backend.AuditEntry) error { return errCut }

// Somebody with the database's file changes history.
func TestAChangedFileIsFound(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	w := newWorld(t, folder)
	w.stack(t, "dev")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "redoubt.db"))
	require.NoError(t, err)
	_, err = db.ExecContext(context.WithoutCancel(t.Context()), "UPDATE audit SET principal = 'mallory' WHERE sequence = 2")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = backend.VerifyAudit(backend.AuditEntry{}, w.entries(t))
	fails(t, err, backend.CodeConflict, "broken at entry 2")
}
