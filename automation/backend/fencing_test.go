package backend_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// ends are the ways in which an update ends.
var ends = map[backend.UpdateStatus]func(t *testing.T, w *world, ref backend.UpdateRef){
	backend.StatusSucceeded: func(t *testing.T, w *world, ref backend.UpdateRef) {
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
	},
	backend.StatusFailed: func(t *testing.T, w *world, ref backend.UpdateRef) {
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
	},
	backend.StatusCancelled: func(t *testing.T, w *world, ref backend.UpdateRef) {
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, ref.Name, ref.ID))
	},
	backend.StatusInterrupted: func(t *testing.T, w *world, ref backend.UpdateRef) {
		w.pass(lease + time.Second)
		n, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
	},
}

var fencingTests = []test{
	{"after its end an update writes nothing", func(t *testing.T, w *world) {
		for status, end := range ends {
			name := w.stack(t, string(status))
			ref := w.begin(t, name)
			w.appended(t, ref, created(1, 1, "a"))
			end(t, w, ref)
			require.Equal(t, status, w.updated(t, ref).Status)
			before := w.exported(t, name, 0)

			const lost = "no longer holds the stack"
			fails(t, w.AppendJournal(t.Context(), ref, rows(created(2, 2, "late"))), backend.CodeForbidden, lost)
			fails(t, w.AppendJournal(t.Context(), ref, rows(created(1, 1, "a"), created(2, 2, "late"))), backend.CodeForbidden, lost)
			fails(t, w.AppendJournal(t.Context(), ref, rows(created(1, 1, "another"))), backend.CodeForbidden, lost)
			fails(t, w.PutEvents(t.Context(), ref, rows([]byte(`{"sequence":1}`))), backend.CodeForbidden, lost)
			fails(t, w.PutCheckpoint(t.Context(), ref, 1, stateOf("late")), backend.CodeForbidden, lost)
			_, err := w.RenewLease(t.Context(), ref)
			fails(t, err, backend.CodeForbidden, lost)
			for _, said := range []backend.UpdateStatus{backend.StatusSucceeded, backend.StatusFailed} {
				if said == status {
					require.NoError(t, w.CompleteUpdate(t.Context(), ref, said), "its answer may have been lost")
				} else {
					fails(t, w.CompleteUpdate(t.Context(), ref, said), backend.CodeForbidden, lost)
				}
			}
			require.Equal(t, string(before), string(w.exported(t, name, 0)))
			require.Equal(t, status, w.updated(t, ref).Status)
		}
	}},
	{"what was stored before the end may come again after it", func(t *testing.T, w *world) {
		ref := w.begin(t, w.stack(t, "dev"))
		batch := rows(creating(1, 1, "a"), created(2, 1, "a"))
		w.appended(t, ref, batch...)
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		w.appended(t, ref, batch...)
		w.appended(t, ref, batch[1])
		fails(t, w.AppendJournal(t.Context(), ref, append(batch, created(3, 2, "b"))), backend.CodeForbidden)
	}},
	{"who lost the stack does not disturb who has it", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		zombie := w.begin(t, name)
		w.appended(t, zombie, created(1, 1, "a"))
		w.pass(lease + time.Second)
		winner := w.begin(t, name)
		fails(t, w.AppendJournal(t.Context(), zombie, rows(created(2, 2, "zombie"))), backend.CodeForbidden)
		fails(t, w.CompleteUpdate(t.Context(), zombie, backend.StatusSucceeded), backend.CodeForbidden)
		w.appended(t, winner, created(1, 1, "b"))
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, zombie.ID), "it is over already")
		w.appended(t, winner, created(2, 2, "c"))
		require.NoError(t, w.CompleteUpdate(t.Context(), winner, backend.StatusSucceeded))
		require.ElementsMatch(t, []string{"a", "b", "c"}, w.resources(t, name))
		one, two := w.updated(t, zombie), w.updated(t, winner)
		require.Greater(t, two.Fence, one.Fence)
		require.Equal(t, one.Version+1, two.Version)
		require.Equal(t, one.Version, two.BaseVersion)
	}},
	{"an update whose stack was deleted is over", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		dry := w.start(t, name, backend.NewUpdate{Kind: backend.KindPreview, DryRun: true}, true)
		require.NoError(t, w.DeleteStack(t.Context(), w.admin, name, true))
		_, err := w.RenewLease(t.Context(), dry)
		fails(t, err, backend.CodeForbidden)
		fails(t, w.CompleteUpdate(t.Context(), dry, backend.StatusSucceeded), backend.CodeForbidden)
	}},
}
