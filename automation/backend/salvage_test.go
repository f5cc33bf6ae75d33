package backend_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// nowhere is an entry that names a resource that no base has.
var nowhere = json.RawMessage(`{"version":1,"kind":1,"sequenceID":7,"operationID":7,"removeOld":999}`)

// damage stores a row that no key opens, as a bad disk would leave it.
func (w *world) damage(t testing.TB, ref backend.UpdateRef, sequence int64) {
	t.Helper()
	require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) error {
		return tx.AppendJournal(ref.ID, []backend.JournalRow{{Sequence: sequence, Digest: []byte{1}, Sealed: []byte("\x01\x00\x00\x00\x01 what a bad disk left of it")}})
	}))
}

// locked is a stack with a resource a, whose update made b, was making c, and
// cannot be closed.
func (w *world) locked(t testing.TB) (backend.StackName, backend.UpdateRef) {
	t.Helper()
	name := w.stack(t, "dev")
	w.update(t, name, "a")
	ref := w.begin(t, name)
	w.appended(t, ref, creating(1, 1, "b"), created(2, 1, "b"), creating(3, 2, "c"), nowhere)
	w.damage(t, ref, 4)
	return name, ref
}

var salvageTests = []test{
	{"a stack that no update can leave is salvaged", func(t *testing.T, w *world) {
		name, ref := w.locked(t)
		fails(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed), backend.CodeConflict, "journal entry 4", "redoubt stack salvage acme/shop/dev --reason")
		fails(t, w.CancelUpdate(t.Context(), w.admin, name, ref.ID), backend.CodeConflict, "redoubt stack salvage acme/shop/dev --reason")
		fails(t, w.DeleteStack(t.Context(), w.admin, name, true), backend.CodeConflict, "pulumi cancel")
		w.pass(lease + time.Second)
		closed, err := w.Sweep(t.Context())
		fails(t, err, backend.CodeConflict, "redoubt stack salvage")
		require.Zero(t, closed)
		fails(t, w.DeleteStack(t.Context(), w.admin, name, true), backend.CodeConflict, "lease ended", "redoubt stack salvage acme/shop/dev --reason")

		audit := len(w.entries(t))
		plan, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{DryRun: true})
		require.NoError(t, err)
		require.Len(t, w.entries(t), audit, "a dry run changes nothing")
		require.Equal(t, backend.StatusRunning, w.updated(t, ref).Status)
		require.Equal(t, []string{"a"}, w.resources(t, name))

		done, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.NoError(t, err)
		require.Equal(t, plan.LeftOut, done.LeftOut)
		require.Equal(t, plan.Pending, done.Pending)
		require.Equal(t, plan.Resources, done.Resources)
		require.EqualValues(t, 2, done.Resources)
		require.Equal(t, []backend.PendingStep{{Type: "creating", URN: urn("c")}}, done.Pending)
		require.Len(t, done.LeftOut, 2)
		require.Equal(t, int64(4), done.LeftOut[0].Sequence)
		require.Contains(t, done.LeftOut[0].Reason, "cannot be decrypted")
		require.False(t, done.LeftOut[0].Partly)
		require.Equal(t, int64(7), done.LeftOut[1].Sequence)
		require.True(t, done.LeftOut[1].Partly)

		require.Equal(t, backend.StatusInterrupted, done.Update.Status)
		require.Equal(t, 2, done.Update.LeftOut)
		require.ElementsMatch(t, []string{"a", "b"}, w.resources(t, name))
		entries := w.entries(t)
		require.Equal(t, "update.end", entries[len(entries)-2].Action)
		last := entries[len(entries)-1]
		require.Equal(t, "stack.salvage", last.Action)
		require.Equal(t, "acme/shop/dev", last.Target)
		require.Equal(t, "ticket 7", last.Detail["reason"])
		require.Equal(t, "4 7", last.Detail["entries"])

		// The stack asks for recovery, and goes on after a refresh.
		_, _, err = w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		fails(t, err, backend.CodeConflict, "needs recovery", "pulumi refresh --clear-pending-creates", "redoubt stack journal")
		refresh := w.start(t, name, backend.NewUpdate{Kind: backend.KindRefresh}, false)
		require.NoError(t, w.PutCheckpoint(t.Context(), refresh, 1, stateOf("a", "b")))
		require.NoError(t, w.CompleteUpdate(t.Context(), refresh, backend.StatusFailed))
		_, _, err = w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		fails(t, err, backend.CodeConflict, "created 2 resource(s)")
		refresh = w.start(t, name, backend.NewUpdate{Kind: backend.KindRefresh}, false)
		require.NoError(t, w.PutCheckpoint(t.Context(), refresh, 1, stateOf("a", "b")))
		require.NoError(t, w.CompleteUpdate(t.Context(), refresh, backend.StatusSucceeded))
		w.update(t, name, "d")

		_, err = w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "again"})
		fails(t, err, backend.CodeConflict, "no update holds stack")
	}},
	{"what a salvage left out is kept for as long as the stack is", func(t *testing.T, w *world) {
		name, ref := w.locked(t)
		w.pass(lease + time.Second)
		_, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.NoError(t, err)
		w.pass(365 * 24 * time.Hour)
		require.NoError(t, w.Prune(t.Context()))
		journal, err := w.Journal(t.Context(), w.admin, name, ref.ID)
		require.NoError(t, err)
		require.Len(t, journal, 5)
		require.Equal(t, creating(1, 1, "b"), journal[0].Entry)
		require.Nil(t, journal[3].Entry)
		require.Contains(t, string(journal[3].Sealed), "what a bad disk left")
		require.Contains(t, journal[3].Problem, "cannot be decrypted")
		require.Equal(t, nowhere, journal[4].Entry)
		alice := w.person(t, "alice", "acme/*/*", backend.Apply)
		_, err = w.Journal(t.Context(), alice, name, ref.ID)
		fails(t, err, backend.CodeForbidden)
		_, err = w.Journal(t.Context(), w.admin, name, "upd_nobody")
		fails(t, err, backend.CodeNotFound)
	}},
	{"without a pending create the stack asks for recovery all the same", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		ref := w.begin(t, name)
		w.appended(t, ref, nowhere)
		w.pass(lease + time.Second)
		done, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.NoError(t, err)
		require.Empty(t, done.Pending)
		_, _, err = w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindDestroy})
		fails(t, err, backend.CodeConflict, "needs recovery")
		_, err = w.Import(t.Context(), w.admin, name, stateOf("a"))
		require.NoError(t, err, "a person may put a state in its place")
		w.update(t, name, "b")
	}},
	{"a whole state that is damaged leaves the one before it", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 3, stateOf("a", "b")))
		require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) error {
			return tx.PutCheckpoint(backend.Checkpoint{UpdateID: ref.ID, Sequence: 3, Sealed: []byte("\x01\x00\x00\x00\x09 a version that no key has")})
		}))
		fails(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded), backend.CodeConflict, "redoubt stack salvage")
		w.pass(lease + time.Second)
		done, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.NoError(t, err)
		require.Len(t, done.LeftOut, 1)
		require.EqualValues(t, 3, done.LeftOut[0].Sequence)
		require.Equal(t, []string{"a"}, w.resources(t, name))
		journal, err := w.Journal(t.Context(), w.admin, name, ref.ID)
		require.NoError(t, err)
		require.Len(t, journal, 1)
		require.NotEmpty(t, journal[0].Sealed)
	}},
	{"a salvage is refused while the update lives, or can be closed", func(t *testing.T, w *world) {
		name, ref := w.locked(t)
		order := backend.SalvageOrder{Reason: "ticket 7"}
		_, err := w.Salvage(t.Context(), w.admin, name, order)
		fails(t, err, backend.CodeConflict, "update "+ref.ID+" of admin is still alive", "pulumi cancel")
		_, err = w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{DryRun: true})
		fails(t, err, backend.CodeConflict, "still alive")

		sound := w.stack(t, "sound")
		healthy := w.begin(t, sound)
		w.appended(t, healthy, created(1, 1, "a"))
		w.pass(lease + time.Second)
		_, err = w.Salvage(t.Context(), w.admin, sound, order)
		fails(t, err, backend.CodeConflict, "folds, and nothing is to be salvaged")
		w.appended(t, healthy, created(2, 2, "b")) // its client may still come back
	}},
	{"a salvage needs a reason, and an administrator", func(t *testing.T, w *world) {
		name, _ := w.locked(t)
		w.pass(lease + time.Second)
		for reason, words := range map[string]string{"": "--reason", "  ": "--reason", "a\nb": "one line", strings.Repeat("x", 501): "500 bytes"} {
			_, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: reason})
			fails(t, err, backend.CodeInvalid, words)
		}
		bob := w.person(t, "bob", "acme/*/*", backend.ApplyProtected, backend.Write)
		_, err := w.Salvage(t.Context(), bob, name, backend.SalvageOrder{Reason: "mine"})
		fails(t, err, backend.CodeForbidden)
		require.True(t, w.last(t).Denied)
	}},
	{"a salvage without its entry in the log does not happen", func(t *testing.T, w *world) {
		name, ref := w.locked(t)
		w.pass(lease + time.Second)
		w.store.wrap = func(tx backend.Tx) backend.Tx { return unrecorded{tx} }
		_, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.ErrorIs(t, err, errCut)
		w.store.wrap = nil
		require.Equal(t, backend.StatusRunning, w.updated(t, ref).Status)
	}},
	{"a client that comes back while its update is salvaged loses nothing that was acknowledged", func(t *testing.T, w *world) {
		name, ref := w.locked(t)
		w.pass(lease + time.Second)
		// Between the look at the journal and the end of the client's right to write.
		var late error
		w.store.before = func() { late = w.AppendJournal(t.Context(), ref, rows(created(9, 9, "late"))) }
		_, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.NoError(t, late)
		fails(t, err, backend.CodeConflict, "still alive")
		w.pass(lease + time.Second)
		_, err = w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"a", "b", "late"}, w.resources(t, name))
		fails(t, w.AppendJournal(t.Context(), ref, rows(created(10, 10, "too late"))), backend.CodeForbidden)
	}},
	{"a state that does not open is no journal's fault", func(t *testing.T, w *world) {
		name, ref := w.locked(t)
		base := w.updated(t, ref).BaseVersion
		w.pass(lease + time.Second)
		require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) error {
			state, err := tx.State(w.updated(t, ref).StackID, base)
			require.NoError(t, err)
			state.Sealed[len(state.Sealed)-1] ^= 1
			return tx.PutState(state)
		}))
		_, err := w.Salvage(t.Context(), w.admin, name, backend.SalvageOrder{Reason: "ticket 7"})
		fails(t, err, backend.CodeConflict, "state 1 of the stack", "restore the database from a backup")
	}},
}
