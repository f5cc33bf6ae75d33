package backend_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var closingTests = []test{
	{"an update ends once, and may be told so again", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, created(1, 1, "a"))
		for _, said := range []backend.UpdateStatus{"", "running", "cancelled", "interrupted", "done"} {
			fails(t, w.CompleteUpdate(t.Context(), ref, said), backend.CodeInvalid, "ends as succeeded or failed")
		}
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
		before := w.updated(t, ref)
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
		require.Equal(t, before, w.updated(t, ref))
		fails(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded), backend.CodeForbidden)
		stack, active, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Nil(t, active)
		require.EqualValues(t, 1, stack.Version)
		require.EqualValues(t, 1, stack.Resources)
		require.Equal(t, []string{"a"}, w.resources(t, name), "a failed update did what it did")
	}},
	{"somebody else's update is cancelled, and what it did is kept", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, creating(1, 1, "a"), created(2, 1, "a"), creating(3, 2, "b"))
		alice := w.person(t, "alice", "acme/*/*", backend.Apply)
		require.NoError(t, w.CancelUpdate(t.Context(), alice, name, ref.ID))
		require.NoError(t, w.CancelUpdate(t.Context(), alice, name, ref.ID), "again")
		closed := w.updated(t, ref)
		require.Equal(t, backend.StatusCancelled, closed.Status)
		require.Equal(t, 1, closed.PendingOperations)
		require.Equal(t, "admin", closed.Principal)
		last := w.last(t)
		require.Equal(t, "alice", last.Principal)
		require.Equal(t, "cancelled", last.Detail["why"])
		require.Equal(t, []string{"a"}, w.resources(t, name))
		fails(t, w.CancelUpdate(t.Context(), alice, name, "upd_nobody"), backend.CodeNotFound)
	}},
	{"an update that nobody started is cancelled for good", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		update, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		running := w.begin(t, name)
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, update.ID))
		w.appended(t, running, created(1, 1, "a")) // it holds the stack, not the other
		require.NoError(t, w.CompleteUpdate(t.Context(), running, backend.StatusSucceeded))
		_, err = w.StartUpdate(t.Context(), w.admin, name, update.ID, nil, true)
		fails(t, err, backend.CodeConflict)
	}},
	{"a preview leaves nothing but itself", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		audit := len(w.entries(t))
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true, Message: "what if"}, true)
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Len(t, w.entries(t), audit)
		history, err := w.History(t.Context(), w.admin, name, 1, 10)
		require.NoError(t, err)
		require.Len(t, history, 1)
		previews, err := w.LatestPreviews(t.Context(), w.admin, name, 10)
		require.NoError(t, err)
		require.Len(t, previews, 1)
		require.Equal(t, "what if", previews[0].Message)
		require.Zero(t, previews[0].Version)
	}},
	{"what is old is deleted, and the state is not", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		ref := w.begin(t, name)
		require.NoError(t, w.PutEvents(t.Context(), ref, rows([]byte(`{"sequence":1}`))))
		w.appended(t, ref, created(1, 1, "b"))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		running := w.begin(t, name)
		w.appended(t, running, created(1, 1, "c"))
		unstarted, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		w.pass(31 * 24 * time.Hour)
		require.NoError(t, w.Prune(t.Context()))
		events, _, err := w.Events(t.Context(), w.admin, name, ref.ID, -1, 10)
		require.NoError(t, err)
		require.Empty(t, events)
		_, err = w.UpdateOf(t.Context(), w.admin, name, unstarted.ID)
		fails(t, err, backend.CodeNotFound)
		require.NoError(t, w.CompleteUpdate(t.Context(), running, backend.StatusSucceeded))
		require.ElementsMatch(t, []string{"a", "b", "c"}, w.resources(t, name))
		history, err := w.History(t.Context(), w.admin, name, 1, 10)
		require.NoError(t, err)
		require.Len(t, history, 3)
	}},
}

var recoveryTests = []test{
	{"after a create that nobody saw the end of, only a refresh goes on", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, creating(1, 1, "a"))
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, ref.ID))
		for _, kind := range []backend.UpdateKind{backend.KindUpdate, backend.KindDestroy, backend.KindResourceImport} {
			_, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: kind})
			fails(t, err, backend.CodeConflict, "stack acme/shop/dev needs recovery", "created 1 resource(s)", "pulumi refresh --clear-pending-creates")
			_, _, err = w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: kind, DryRun: true})
			require.NoError(t, err, "a preview changes nothing")
		}
		refresh := w.start(t, name, backend.NewUpdate{Kind: backend.KindRefresh}, true)
		// What the CLI sends for it: the state without the operation.
		w.appended(t, refresh, []byte(`{"version":1,"kind":5,"sequenceID":1,"newSnapshot":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""}}}`))
		require.NoError(t, w.CompleteUpdate(t.Context(), refresh, backend.StatusSucceeded))
		w.update(t, name, "a")
	}},
	{"an import that resolves it is enough", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		_, err := w.Import(t.Context(), w.admin, name, pendingState)
		require.NoError(t, err)
		_, _, err = w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		fails(t, err, backend.CodeConflict, "needs recovery")
		_, err = w.Import(t.Context(), w.admin, name, stateOf("p"))
		require.NoError(t, err)
		w.update(t, name, "q")
	}},
	{"who was there before the crash is refused as well", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, creating(1, 1, "a"))
		// The next update is made while the first seems to run, and starts when
		// its lease has ended: only then is known that something is pending.
		next, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		w.pass(lease + time.Second)
		_, err = w.StartUpdate(t.Context(), w.admin, name, next.ID, nil, true)
		fails(t, err, backend.CodeConflict, "needs recovery")
		require.Equal(t, backend.StatusInterrupted, w.updated(t, ref).Status)
		_, active, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Nil(t, active)
		w.start(t, name, backend.NewUpdate{Kind: backend.KindRefresh}, true)
	}},
	{"other steps that were not finished do not stop anybody", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		ref := w.begin(t, name)
		w.appended(t, ref, []byte(`{"version":1,"kind":0,"sequenceID":1,"operationID":1,"operation":{"type":"updating","resource":{"urn":"`+urn("a")+`","custom":true,"id":"id-a","type":"test:index:Thing"}}}`))
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, ref.ID))
		require.Equal(t, 1, w.updated(t, ref).PendingOperations)
		w.begin(t, name)
	}},
}
