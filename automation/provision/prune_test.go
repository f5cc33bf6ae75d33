package provision_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

const day = 24 * time.Hour

var pruneTests = []test{
	{"secrets of operations that ended long ago are erased, and those of the stack stay", func(t *testing.T, w *world) {
		const password = "correct-horse"
		env, first, err := w.CreateEnvironment(t.Context(), w.requester, provision.NewEnvironment{
			ProjectID: w.project.ID, Name: "safe", Blueprint: "box", Inputs: json.RawMessage(`{"password":"` + password + `","users":[{"name":"a","pin":1234}]}`), TTL: 48 * time.Hour,
		})
		require.NoError(t, err)
		w.moved(t, first.ID, provision.Preparing, provision.Failed)
		w.update(t, func(tx provision.Tx) error { // as its update leaves it
			e, err := tx.LockEnvironment(env.ID)
			if err != nil {
				return err
			}
			e.Inputs = w.kept(t, first.ID).Inputs
			return tx.SaveEnvironment(&e)
		})
		runs, err := w.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindUp, Inputs: json.RawMessage(`{"password":"another-horse"}`)})
		require.NoError(t, err)
		w.moved(t, runs.ID, provision.Preparing)
		before := w.kept(t, first.ID)

		require.NoError(t, w.Prune(t.Context()))
		require.Equal(t, before, w.kept(t, first.ID), "not yet")
		w.pass(31 * day)
		for range 2 {
			require.NoError(t, w.Prune(t.Context()))
		}
		after := w.kept(t, first.ID)
		require.NotEqual(t, string(before.Inputs), string(after.Inputs))
		require.Equal(t, 2, strings.Count(string(after.Inputs), `"$sealed":""`))
		require.Contains(t, string(after.Inputs), `"name":"a"`)
		require.Equal(t, before.Version+1, after.Version, "it is written once")
		require.NotContains(t, string(w.kept(t, runs.ID).Inputs), `"$sealed":""`, "it has not ended")
		_, _, err = w.Unsealed(t.Context(), after)
		fails(t, err, provision.CodeConflict, "was erased")

		w.unchanged(t, provision.CodeConflict, "was erased, because the operation that had it ended long ago: order again", func() error {
			_, err := w.Retry(t.Context(), w.operator, first.ID)
			return err
		})
		_, secrets, err := w.Unsealed(t.Context(), w.kept(t, runs.ID))
		require.NoError(t, err)
		require.Contains(t, secrets, "another-horse")
		var stays provision.Environment
		require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) (err error) { stays, err = tx.Environment(env.ID); return err }))
		require.Equal(t, string(before.Inputs), string(stays.Inputs))

		// One that ends later is found later.
		w.moved(t, runs.ID, provision.Failed)
		w.pass(31 * day)
		require.NoError(t, w.Prune(t.Context()))
		require.Contains(t, string(w.kept(t, runs.ID).Inputs), `"$sealed":""`)
	}},
	{"events, deliveries, answers and tokens of operations go after their time, by any number of nodes", func(t *testing.T, w *world) {
		_, o := w.environment(t, "dev")
		w.moved(t, o.ID, provision.Preparing)
		w.update(t, func(tx provision.Tx) error {
			if _, err := backend.MintOperationToken(tx, backend.OperationToken{Operation: o.ID, Stack: o.Stack, Verbs: []backend.Verb{backend.Read}, Lifetime: time.Hour}); err != nil {
				return err
			}
			if err := tx.CreateWebhook(provision.Webhook{ID: "whk_1", Org: org, URL: "https://hooks.example", Types: []string{"*"}, Version: 1}); err != nil {
				return err
			}
			return tx.AddDelivery(provision.Delivery{ID: "dlv_1", WebhookID: "whk_1", Payload: json.RawMessage("{}"), CreatedAt: tx.Now()})
		})
		_, err := w.BeginRequest(t.Context(), w.requester, request("k", "h"))
		require.NoError(t, err)
		w.moved(t, o.ID, provision.Failed)
		w.update(t, func(tx provision.Tx) error { return backend.RevokeOperationToken(tx, o.ID) })

		counts := func() (events, deliveries, replies, tokens int) {
			require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
				found, err := tx.EventsAfter(o.ID, 0, 0)
				if err != nil {
					return err
				}
				sent, err := tx.Deliveries("whk_1", "", 0)
				if err != nil {
					return err
				}
				for _, d := range sent {
					if d.ID == "dlv_1" {
						deliveries++
					}
				}
				if _, err := tx.Reply("user:rita", "k", "POST /v1/stacks"); err == nil {
					replies++
				}
				all, err := tx.Tokens()
				for _, k := range all {
					if strings.HasPrefix(k.Principal, "operation/") {
						tokens++
					}
				}
				events = len(found)
				return err
			}))
			return events, deliveries, replies, tokens
		}
		prune := func() {
			t.Helper()
			later := backend.New(w.store.backend(), nil, backend.Options{})
			for range 2 {
				require.NoError(t, w.node().Prune(t.Context()))
				require.NoError(t, later.Prune(t.Context()))
			}
		}
		w.pass(day - time.Minute)
		prune()
		events, deliveries, replies, tokens := counts()
		require.Equal(t, []int{4, 1, 1, 1}, []int{events, deliveries, replies, tokens})
		w.pass(2 * time.Minute)
		prune()
		_, _, replies, tokens = counts()
		require.Equal(t, []int{0, 1}, []int{replies, tokens}, "an idempotency key is known for a day")
		w.pass(30 * day)
		prune()
		events, deliveries, replies, tokens = counts()
		require.Equal(t, []int{0, 0, 0, 0}, []int{events, deliveries, replies, tokens})
	}},
}

// backend is the store as package backend sees it, with the same clock.
func (s *shifted) backend() backend.Store { return shiftedStacks{s} }

type shiftedStacks struct{ *shifted }

func (s shiftedStacks) View(ctx context.Context, read func(backend.Tx) error) error {
	return s.shifted.View(ctx, func(tx provision.Tx) error { return read(tx) })
}

func (s shiftedStacks) Update(ctx context.Context, write func(backend.Tx) error) error {
	return s.shifted.Update(ctx, func(tx provision.Tx) error { return write(tx) })
}

func (shiftedStacks) Ping(context.Context) error { return nil }

func (shiftedStacks) Close() error { return nil }
