package provision_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// order is an order by the operator.
func (w *world) order(t testing.TB, env provision.Environment, kind provision.OperationKind) (provision.Operation, error) {
	t.Helper()
	n := provision.NewOperation{Kind: kind}
	if kind == provision.KindDestroy {
		n.Confirm = env.Name.Stack
	}
	return w.Order(t.Context(), w.operator, env.ID, n)
}

var everyKind = []provision.OperationKind{
	provision.KindPreview, provision.KindUp, provision.KindRefresh, provision.KindDrift, provision.KindDestroy, provision.KindRecover,
}

var orderTests = []test{
	{"every kind waits in the queue, with its priority", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		for _, kind := range everyKind {
			o, err := w.order(t, env, kind)
			require.NoError(t, err)
			require.Equal(t, provision.Queued, o.State)
			require.Equal(t, map[provision.OperationKind]int{provision.KindDrift: -10, provision.KindRecover: 10}[kind], o.Priority)
			require.JSONEq(t, `{"name":"logs"}`, string(o.Inputs), "the inputs are those that were applied last")
			require.Contains(t, w.woken.ids, o.ID)
		}
	}},
	{"a trace is kept where it is one", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		for given, kept := range map[string]string{trace: trace, trace + "\nPATH=/tmp": "", "x": ""} {
			o, err := w.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindPreview, Trace: given})
			require.NoError(t, err)
			require.Equal(t, kept, o.Trace)
		}
	}},
	{"what is wrong with an order", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		for name, c := range map[string]struct {
			n        provision.NewOperation
			pointers []string
		}{
			"an unknown kind":       {provision.NewOperation{Kind: "explode"}, []string{"/kind"}},
			"inputs to a refresh":   {provision.NewOperation{Kind: provision.KindRefresh, Inputs: json.RawMessage(`{"name":"x"}`)}, []string{"/inputs"}},
			"inputs that are wrong": {provision.NewOperation{Kind: provision.KindUp, Inputs: json.RawMessage(`{"name":3}`)}, []string{"/inputs/name"}},
			"inputs that are none":  {provision.NewOperation{Kind: provision.KindUp, Inputs: json.RawMessage(`{`)}, []string{"/inputs"}},
			"a destroy, unsure":     {provision.NewOperation{Kind: provision.KindDestroy, Confirm: "log"}, []string{"/confirm"}},
			"options of others": {
				provision.NewOperation{Kind: provision.KindPreview, Options: provision.OperationOptions{Strict: true, RemoveStack: true}},
				[]string{"/options/remove_stack", "/options/strict"},
			},
		} {
			e := w.unchanged(t, provision.CodeInvalid, "", func() error {
				_, err := w.Order(t.Context(), w.operator, env.ID, c.n)
				return err
			})
			var pointers []string
			for _, f := range e.Fields {
				pointers = append(pointers, f.Pointer)
			}
			require.Equal(t, c.pointers, pointers, name)
		}
	}},
	{"a protected stack is not destroyed", func(t *testing.T, w *world) {
		n := newBucket(w, "logs")
		n.Protected = nil
		env, _, err := w.CreateEnvironment(t.Context(), w.requester, n)
		require.NoError(t, err)
		require.True(t, env.Protected, "unless somebody says otherwise")
		w.unchanged(t, provision.CodeConflict, "take the protection off first", func() error {
			_, err := w.order(t, env, provision.KindDestroy)
			return err
		})
		no := false
		_, err = w.UpdateEnvironment(t.Context(), w.operator, env.ID, 0, provision.EnvironmentPatch{Protected: &no})
		require.NoError(t, err)
		_, err = w.order(t, env, provision.KindDestroy)
		require.NoError(t, err)
	}},
	{"a destroy that was ordered before the protection is not run after it", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		w.moved(t, o.ID, provision.Canceled)
		o, err := w.order(t, env, provision.KindDestroy)
		require.NoError(t, err)
		w.waiting(t, o.ID, "sha256:1")
		w.moved(t, o.ID, provision.Approved)
		yes := true
		_, err = w.UpdateEnvironment(t.Context(), w.operator, env.ID, 0, provision.EnvironmentPatch{Protected: &yes})
		require.NoError(t, err)
		_, err = w.Claim(t.Context(), o.ID, provision.Node{ID: "node"})
		require.ErrorIs(t, err, provision.ErrNotNow)
		o = w.kept(t, o.ID)
		require.Equal(t, provision.Failed, o.State)
		require.Contains(t, o.Failure.Message, "the stack was protected after this was ordered")
	}},
	{"a locked stack takes no orders", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		_, err := w.SetLock(t.Context(), w.operator, env.ID, "")
		fails(t, err, provision.CodeInvalid, "/reason")
		_, err = w.SetLock(t.Context(), w.operator, env.ID, "the data centre moves")
		require.NoError(t, err)
		for _, kind := range everyKind {
			w.unchanged(t, provision.CodeFrozen, "locked by omar", func() error { _, err := w.order(t, env, kind); return err })
		}
		w.unchanged(t, provision.CodeConflict, "by omar: the data centre moves", func() error {
			_, err := w.SetLock(t.Context(), w.owner, env.ID, "mine")
			return err
		})
		_, err = w.ClearLock(t.Context(), w.operator, env.ID)
		require.NoError(t, err)
		_, err = w.order(t, env, provision.KindUp)
		require.NoError(t, err)
	}},
	{"a frozen project takes previews alone, and says until when", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		var now time.Time
		w.update(t, func(tx provision.Tx) error { now = tx.Now(); return nil })
		w.settings(t, provision.ProjectSettings{FreezeWindows: []provision.FreezeWindow{{Name: "fair", From: now.Add(-time.Hour), To: now.Add(2 * time.Hour)}}})
		for _, kind := range everyKind {
			if !kind.Changes() {
				_, err := w.order(t, env, kind)
				require.NoError(t, err)
				continue
			}
			e := w.unchanged(t, provision.CodeFrozen, `its window "fair"`, func() error { _, err := w.order(t, env, kind); return err })
			require.InDelta(t, 2*time.Hour, e.RetryAfter, float64(time.Minute))
		}
		w.unchanged(t, provision.CodeFrozen, "previews are possible", func() error {
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, newBucket(w, "more"))
			return err
		})
		w.pass(3 * time.Hour)
		_, err := w.order(t, env, provision.KindUp)
		require.NoError(t, err)
	}},
	{"a stack that needs recovery is recovered first", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		w.moved(t, o.ID, provision.Preparing, provision.Previewing, provision.Approved, provision.Applying, provision.NeedsRecovery)
		for _, kind := range everyKind {
			if kind == provision.KindRecover || kind == provision.KindRefresh {
				_, err := w.order(t, env, kind)
				require.NoError(t, err)
				continue
			}
			e := w.unchanged(t, provision.CodeNeedsRecovery, "order an operation of kind recover", func() error { _, err := w.order(t, env, kind); return err })
			require.Equal(t, o.ID, e.Operation)
		}
		_, err := w.Cancel(t.Context(), w.operator, o.ID, false)
		require.NoError(t, err)
		_, err = w.order(t, env, provision.KindUp)
		require.NoError(t, err)
		// The backend knows of it too, whoever's update it was.
		w.update(t, func(tx provision.Tx) error {
			stack, err := tx.LockStack(env.ID)
			if err != nil {
				return err
			}
			stack.PendingCreates = 2
			return tx.SaveStack(stack)
		})
		w.unchanged(t, provision.CodeNeedsRecovery, "created 2 resource(s)", func() error { _, err := w.order(t, env, provision.KindUp); return err })
	}},
	{"a deleted stack is not there", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		w.update(t, func(tx provision.Tx) error {
			e, err := tx.LockEnvironment(env.ID)
			if err != nil {
				return err
			}
			e.DeletedAt = tx.Now()
			return tx.SaveEnvironment(&e)
		})
		w.unchanged(t, provision.CodeNotFound, "there is no stack", func() error { _, err := w.order(t, env, provision.KindUp); return err })
		_, err := w.Environment(t.Context(), w.viewer, env.ID)
		fails(t, err, provision.CodeNotFound)
		_, err = w.Operation(t.Context(), w.viewer, o.ID)
		require.NoError(t, err, "its operations are still known")
		_, _, err = w.Operations(t.Context(), w.viewer, provision.OperationQuery{})
		require.NoError(t, err)
	}},
	{"the queue and the hour have their quotas", func(t *testing.T, w *world) {
		env, first := w.environment(t, "logs")
		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{Queued: 2}})
		_, err := w.order(t, env, provision.KindUp)
		require.NoError(t, err)
		e := w.unchanged(t, provision.CodeQuotaExceeded, "the queue of project acme/shop is full", func() error { _, err := w.order(t, env, provision.KindUp); return err })
		require.Positive(t, e.RetryAfter)

		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{PerHour: 3}})
		w.pass(10 * time.Minute)
		_, err = w.order(t, env, provision.KindUp)
		require.NoError(t, err)
		e = w.unchanged(t, provision.CodeQuotaExceeded, "in the last hour", func() error { _, err := w.order(t, env, provision.KindUp); return err })
		require.InDelta(t, 50*time.Minute, e.RetryAfter, float64(time.Minute), "one may be ordered when the first is an hour old")
		w.pass(e.RetryAfter + time.Second)
		_, err = w.order(t, env, provision.KindUp)
		require.NoError(t, err)

		// The end of a stack's life does not wait for that.
		system := provision.Principal{Kind: provision.System, Name: "redoubt", AuthMethod: "system"}
		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{PerHour: 1}})
		_, err = w.Order(t.Context(), system, env.ID, provision.NewOperation{Kind: provision.KindDestroy, Confirm: "logs"})
		require.NoError(t, err)
		require.NotEmpty(t, first.ID)
	}},
	{"an order may skip older ones that have not begun", func(t *testing.T, w *world) {
		env, first := w.environment(t, "logs")
		w.moved(t, first.ID, provision.Preparing)
		waits, err := w.order(t, env, provision.KindUp)
		require.NoError(t, err)
		w.waiting(t, waits.ID, "sha256:p")
		queued, err := w.order(t, env, provision.KindUp)
		require.NoError(t, err)
		preview, err := w.order(t, env, provision.KindPreview)
		require.NoError(t, err)
		other, elsewhere := w.environment(t, "other")

		// A preview skips previews.
		_, err = w.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindPreview, Options: provision.OperationOptions{Supersede: true}})
		require.NoError(t, err)
		require.Equal(t, provision.Skipped, w.kept(t, preview.ID).State)
		require.Equal(t, provision.Queued, w.kept(t, queued.ID).State)

		o, err := w.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindUp, Options: provision.OperationOptions{Supersede: true}})
		require.NoError(t, err)
		for id, state := range map[string]provision.State{
			first.ID: provision.Preparing, waits.ID: provision.Skipped, queued.ID: provision.Skipped, elsewhere.ID: provision.Queued, o.ID: provision.Queued,
		} {
			require.Equal(t, state, w.kept(t, id).State)
		}
		events, err := w.Events(t.Context(), w.viewer, waits.ID, 0, 0)
		require.NoError(t, err)
		require.Equal(t, provision.EventEnd, events[len(events)-1].Type)
		require.Contains(t, string(events[len(events)-1].Data), "superseded by "+o.ID)
		require.NotEmpty(t, other.ID)
	}},
	{"many order, skip and cancel on one stack at once", func(t *testing.T, w *world) {
		env, first := w.environment(t, "logs")
		var wg sync.WaitGroup
		const people, orders = 6, 4
		errs := make(chan error, people*orders*2)
		for range people {
			wg.Go(func() {
				for range orders {
					o, err := w.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindUp, Options: provision.OperationOptions{Supersede: true}})
					errs <- err
					if err == nil {
						_, err = w.Cancel(t.Context(), w.operator, o.ID, false)
						errs <- err
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				fails(t, err, provision.CodeConflict, "nothing to cancel") // somebody has skipped it
			}
		}
		all, _, err := w.Operations(t.Context(), w.viewer, provision.OperationQuery{StackID: env.ID})
		require.NoError(t, err)
		require.Len(t, all, 1+people*orders)
		for _, o := range all {
			require.True(t, o.State.Final(), o.State)
			events, err := w.Events(t.Context(), w.viewer, o.ID, 0, 0)
			require.NoError(t, err)
			require.Len(t, events, 3, "queued, its end, and that it is the end")
		}
		require.Equal(t, provision.Skipped, w.kept(t, first.ID).State)
	}},
	{"a refused order does not skip anything", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{PerHour: 1}})
		w.unchanged(t, provision.CodeQuotaExceeded, "", func() error {
			_, err := w.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindUp, Options: provision.OperationOptions{Supersede: true}})
			return err
		})
	}},
	{"a newer release's blueprint is checked against anew", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		newer := bucket()
		newer.Version, newer.Digest = "2.0.0", "sha256:b3"
		newer.Schema = json.RawMessage(`{"type":"object","required":["region"]}`)
		w.catalog[0] = newer
		w.unchanged(t, provision.CodeInvalid, "/inputs/region", func() error { _, err := w.order(t, env, provision.KindUp); return err })
		newer.Schema = json.RawMessage(`{"type":"object"}`)
		w.catalog[0] = newer
		o, err := w.order(t, env, provision.KindUp)
		require.NoError(t, err)
		require.Equal(t, "2.0.0", o.Blueprint.Version)
	}},
}
