package backend_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var leaseTests = []test{
	{"a stack has one live lease", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.begin(t, name)
		alice := w.person(t, "alice", "acme/*/*", backend.Apply)
		update, _, err := w.CreateUpdate(t.Context(), alice, name, backend.NewUpdate{Kind: backend.KindDestroy})
		require.NoError(t, err)
		_, err = w.StartUpdate(t.Context(), alice, name, update.ID, nil, true)
		fails(t, err, backend.CodeConflict, "stack acme/shop/dev is being changed: update of admin since 20", "pulumi cancel")
		w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true}, true) // previews go on
	}},
	{"of many that start at once, one gets the lease", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		const crowd = 8
		ids := make([]string, crowd)
		for i := range ids {
			update, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
			require.NoError(t, err)
			ids[i] = update.ID
		}
		results := make([]error, crowd)
		var all sync.WaitGroup
		for i, id := range ids {
			all.Go(func() { _, results[i] = w.StartUpdate(t.Context(), w.admin, name, id, nil, true) })
		}
		all.Wait()
		got := 0
		for _, err := range results {
			if err == nil {
				got++
				continue
			}
			fails(t, err, backend.CodeConflict, "is being changed")
		}
		require.Equal(t, 1, got)
	}},
	{"an update starts once", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		_, err := w.StartUpdate(t.Context(), w.admin, name, ref.ID, nil, true)
		fails(t, err, backend.CodeConflict, "was started already")
		_, err = w.StartUpdate(t.Context(), w.admin, name, "upd_nobody", nil, true)
		fails(t, err, backend.CodeNotFound, "upd_nobody")
	}},
	{"a renewal gives a new token, and the older ones stay good for a while", func(t *testing.T, w *world) {
		ref := w.begin(t, w.stack(t, "dev"))
		tokens := []string{ref.Token}
		for range 5 {
			renewed, err := w.RenewLease(t.Context(), ref)
			require.NoError(t, err)
			require.NotContains(t, tokens, renewed.Token)
			require.WithinDuration(t, time.Now().Add(lease), renewed.ExpiresAt, time.Minute)
			ref.Token = renewed.Token
			tokens = append(tokens, renewed.Token)
		}
		for i, token := range tokens {
			ref.Token = token
			err := w.AppendJournal(t.Context(), ref, rows(created(i+1, i+1, fmt.Sprint(i))))
			if i < len(tokens)-4 {
				fails(t, err, backend.CodeForbidden, "no longer holds the stack")
			} else {
				require.NoError(t, err)
			}
		}
	}},
	{"a renewal whose answer was lost is asked for again with the old token", func(t *testing.T, w *world) {
		ref := w.begin(t, w.stack(t, "dev"))
		_, err := w.RenewLease(t.Context(), ref)
		require.NoError(t, err)
		again, err := w.RenewLease(t.Context(), ref)
		require.NoError(t, err)
		ref.Token = again.Token
		w.appended(t, ref, created(1, 1, "a"))
	}},
	{"another update's token is none", func(t *testing.T, w *world) {
		one, two := w.begin(t, w.stack(t, "one")), w.begin(t, w.stack(t, "two"))
		for _, token := range []string{two.Token, "", "x", w.credential} {
			bad := one
			bad.Token = token
			_, err := w.RenewLease(t.Context(), bad)
			fails(t, err, backend.CodeForbidden)
			fails(t, w.AppendJournal(t.Context(), bad, rows(created(1, 1, "a"))), backend.CodeForbidden)
			fails(t, w.PutEvents(t.Context(), bad, nil), backend.CodeForbidden)
			fails(t, w.PutCheckpoint(t.Context(), bad, 0, stateOf("a")), backend.CodeForbidden)
			fails(t, w.CompleteUpdate(t.Context(), bad, backend.StatusSucceeded), backend.CodeForbidden)
			fails(t, w.CheckLease(t.Context(), bad), backend.CodeForbidden)
			_, err = w.Checkpoint(t.Context(), bad)
			fails(t, err, backend.CodeForbidden)
		}
		nobody := backend.UpdateRef{Name: one.Name, ID: "upd_nobody", Token: one.Token}
		fails(t, w.AppendJournal(t.Context(), nobody, nil), backend.CodeForbidden)
		created, _, err := w.CreateUpdate(t.Context(), w.admin, one.Name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		fails(t, w.CompleteUpdate(t.Context(), backend.UpdateRef{Name: one.Name, ID: created.ID}, backend.StatusSucceeded), backend.CodeForbidden)
	}},
	{"a lease that ended is renewed as long as nobody closed the update", func(t *testing.T, w *world) {
		ref := w.begin(t, w.stack(t, "dev"))
		w.appended(t, ref, created(1, 1, "a"))
		w.pass(time.Hour)
		renewed, err := w.RenewLease(t.Context(), ref)
		require.NoError(t, err)
		ref.Token = renewed.Token
		n, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
		w.appended(t, ref, created(2, 2, "b"))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		_, err = w.RenewLease(t.Context(), ref)
		fails(t, err, backend.CodeForbidden)
	}},
	{"the first lease is short for others, and long for the sweep", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		silent := w.begin(t, name)
		w.pass(first + time.Second)
		n, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, n, "it may be downloading plugins")
		w.appended(t, silent, created(1, 1, "a")) // it was
		w.pass(lease - time.Second)
		update, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		_, err = w.StartUpdate(t.Context(), w.admin, name, update.ID, nil, true)
		fails(t, err, backend.CodeConflict, "is being changed")
		require.NoError(t, w.CompleteUpdate(t.Context(), silent, backend.StatusSucceeded))

		silent = w.begin(t, name)
		w.pass(first + time.Second)
		_, err = w.StartUpdate(t.Context(), w.admin, name, update.ID, nil, true)
		require.NoError(t, err, "others may take it")
		fails(t, w.AppendJournal(t.Context(), silent, rows(created(1, 1, "b"))), backend.CodeForbidden)
		require.Equal(t, backend.StatusInterrupted, w.updated(t, silent).Status)
	}},
	{"whatever a client sends keeps its lease", func(t *testing.T, w *world) {
		ref := w.begin(t, w.stack(t, "dev"))
		for i := range 5 {
			w.pass(lease - time.Minute)
			if i%2 == 0 {
				w.appended(t, ref, created(i+1, i+1, fmt.Sprint(i)))
			} else {
				require.NoError(t, w.PutEvents(t.Context(), ref, rows(fmt.Appendf(nil, `{"sequence":%d}`, i))))
			}
			n, err := w.Sweep(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
		}
	}},
	{"the sweep closes who is silent as interrupted and keeps what was acknowledged", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, creating(1, 1, "a"), created(2, 1, "a"), creating(3, 2, "b"))
		dry := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true}, true)
		w.pass(lease + time.Second)
		n, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 2, n)
		closed := w.updated(t, ref)
		require.Equal(t, backend.StatusInterrupted, closed.Status)
		require.Equal(t, 1, closed.PendingOperations)
		require.Equal(t, backend.StatusInterrupted, w.updated(t, dry).Status)
		require.Equal(t, []string{"a"}, w.resources(t, name))
		stack, active, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Nil(t, active)
		require.Equal(t, 1, stack.PendingCreates)
		last := w.last(t)
		require.Equal(t, "update.end", last.Action)
		require.Equal(t, "redoubt", last.Principal)
		require.Equal(t, "interrupted", last.Detail["status"])
		require.Equal(t, "1", last.Detail["pending"])
		n, err = w.Sweep(t.Context())
		require.NoError(t, err)
		require.Zero(t, n)
	}},
	{"a sweep that was cut off is finished by the next one", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, created(1, 1, "a"))
		w.pass(lease + time.Second)
		w.store.wrap = func(tx backend.Tx) backend.Tx { return failing{tx} }
		_, err := w.Sweep(t.Context())
		require.ErrorIs(t, err, errCut)
		w.store.wrap = nil
		require.Equal(t, backend.StatusRunning, w.updated(t, ref).Status)
		fails(t, w.AppendJournal(t.Context(), ref, rows(created(2, 2, "b"))), backend.CodeForbidden)
		n, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, []string{"a"}, w.resources(t, name))
	}},
	{"who renews while another one takes the stack has it or has not", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, created(1, 1, "a"))
		update, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		w.pass(lease + time.Second)
		// The renewal comes between the moment in which the other one finds the
		// lease ended and the one in which it closes the update.
		var renewal error
		w.store.after = func() { _, renewal = w.RenewLease(t.Context(), ref) }
		_, err = w.StartUpdate(t.Context(), w.admin, name, update.ID, nil, true)
		if renewal == nil {
			fails(t, err, backend.CodeConflict, "is being changed")
			require.Equal(t, backend.StatusRunning, w.updated(t, ref).Status)
			w.appended(t, ref, created(2, 2, "b"))
			return
		}
		require.NoError(t, err)
		fails(t, renewal, backend.CodeForbidden)
		require.Equal(t, []string{"a"}, w.resources(t, name))
	}},
}
