package provision_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

var environmentTests = []test{
	{"an order makes the stack, its first operation, and tells of them", func(t *testing.T, w *world) {
		w.update(t, func(tx provision.Tx) error {
			return tx.CreateWebhook(provision.Webhook{ID: "whk_1", Org: org, URL: "https://example.com", Types: []string{"stack.*", "operation.queued"}, Version: 1})
		})
		env, o := w.environment(t, "logs")
		require.Equal(t, backend.StackName{Org: org, Project: "shop", Stack: "logs"}, env.Name)
		require.Equal(t, "rita", env.Owner)
		require.JSONEq(t, `{"name":"logs"}`, string(env.Inputs))
		require.Equal(t, provision.Queued, o.State)
		require.Equal(t, provision.KindUp, o.Kind)
		require.Equal(t, provision.Actor{Kind: provision.Human, Name: "rita", Human: "rita"}, o.RequestedBy)
		require.Equal(t, o.CreatedAt.Add(7*24*time.Hour), o.DeadlineAt)
		require.Equal(t, []string{o.ID}, w.woken.ids)

		found, err := w.Environment(t.Context(), w.viewer, "acme/shop/logs")
		require.NoError(t, err)
		require.Equal(t, env.ID, found.ID)
		seen, err := w.Operation(t.Context(), w.viewer, o.ID)
		require.NoError(t, err)
		require.Equal(t, env.ID, seen.StackID)

		events, err := w.Events(t.Context(), w.viewer, o.ID, 0, 0)
		require.NoError(t, err)
		require.Len(t, events, 1)
		require.JSONEq(t, `{"to":"queued","by":"rita"}`, string(events[0].Data))
		entries := w.entries(t)
		made, queued := entries[len(entries)-2], entries[len(entries)-1]
		require.Equal(t, "stack.create", made.Action)
		require.Equal(t, "192.0.2.7", made.Detail["address"])
		require.Equal(t, "operation.queued", queued.Action)
		require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
			deliveries, err := tx.Deliveries("whk_1", "", 0)
			require.Len(t, deliveries, 2)
			require.NotContains(t, string(deliveries[0].Payload), "logs\"}")
			return err
		}))

		// The stack is whole: it has a key, and is protected from people's own CLI.
		stack, _, err := w.backend.Stack(t.Context(), everything, env.Name)
		require.NoError(t, err)
		require.Equal(t, env.ID, stack.ID)
		require.True(t, stack.Protected)
		_, err = w.backend.Encrypt(t.Context(), everything, env.Name, [][]byte{[]byte("x")})
		require.NoError(t, err)
	}},
	{"everything that is wrong with an order is said at once", func(t *testing.T, w *world) {
		n := provision.NewEnvironment{
			ProjectID: w.project.ID, Name: "--help", Blueprint: "bucket", Inputs: json.RawMessage(`{"name":"NO","siz":3,"owner":"x"}`),
			Labels: map[string]string{"a b": "c"}, TTL: -1, Options: provision.OperationOptions{RemoveStack: true},
		}
		e := w.unchanged(t, provision.CodeInvalid, "and 6 more", func() error {
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, n)
			return err
		})
		var pointers []string
		for _, f := range e.Fields {
			pointers = append(pointers, f.Pointer)
		}
		require.ElementsMatch(t, []string{
			"/name", "/labels/a b", "/options/remove_stack", "/ttl", "/inputs/siz", "/inputs/name", "/inputs/owner",
		}, pointers)
	}},
	{"an unknown blueprint, or version, or one that the project does not allow", func(t *testing.T, w *world) {
		for _, c := range []struct{ blueprint, version, words string }{
			{"castle", "", `there is no blueprint "castle"`},
			{"bucket", "9", `with version "9"`},
			{"box", "", "does not allow blueprint box"},
		} {
			if c.blueprint == "box" {
				w.settings(t, provision.ProjectSettings{Blueprints: []string{"bucket"}})
			}
			n := newBucket(w, "logs")
			n.Blueprint, n.BlueprintVersion = c.blueprint, c.version
			w.unchanged(t, provision.CodeInvalid, c.words, func() error {
				_, _, err := w.CreateEnvironment(t.Context(), w.requester, n)
				return err
			})
		}
	}},
	{"a stack's life is bounded by blueprint and quota", func(t *testing.T, w *world) {
		n := provision.NewEnvironment{ProjectID: w.project.ID, Name: "b", Blueprint: "box", Inputs: json.RawMessage(`{"password":"hunter22"}`)}
		for _, c := range []struct {
			ttl   time.Duration
			fails bool
		}{{0, true}, {49 * time.Hour, true}, {48 * time.Hour, false}} {
			n.TTL = c.ttl
			if c.fails {
				w.unchanged(t, provision.CodeInvalid, "at most 48h", func() error {
					_, _, err := w.CreateEnvironment(t.Context(), w.requester, n)
					return err
				})
				continue
			}
			env, _, err := w.CreateEnvironment(t.Context(), w.requester, n)
			require.NoError(t, err)
			require.Equal(t, env.CreatedAt.Add(c.ttl), env.ExpiresAt)
			require.False(t, env.Protected, "what has an end is destroyed at it")
		}
	}},
	{"secret inputs are sealed, and fingerprints tell whether they change", func(t *testing.T, w *world) {
		const secret = "hunter-zwei-und-zwanzig"
		n := provision.NewEnvironment{
			ProjectID: w.project.ID, Name: "b", Blueprint: "box", TTL: time.Hour,
			Inputs: json.RawMessage(`{"password":"` + secret + `","users":[{"name":"u","pin":4711}]}`),
		}
		env, o, err := w.CreateEnvironment(t.Context(), w.requester, n)
		require.NoError(t, err)
		for _, text := range []string{string(env.Inputs), string(o.Inputs), string(w.kept(t, o.ID).Inputs), w.log.String(), fmt.Sprint(w.entries(t))} {
			require.NotContains(t, text, secret)
			require.NotContains(t, text, `:4711`)
		}
		require.Contains(t, string(o.Inputs), `"size":7`, "defaults are filled in")
		open, secrets, err := w.Unsealed(t.Context(), o)
		require.NoError(t, err)
		require.JSONEq(t, `{"password":"`+secret+`","users":[{"name":"u","pin":4711}],"size":7}`, string(open))
		require.ElementsMatch(t, []string{secret, "4711"}, secrets)
		require.Equal(t, "inputs.open", w.last(t).Action)
		require.Equal(t, "operation "+o.ID, w.last(t).Detail["why"])

		digest := func(o provision.Operation) string {
			d, err := provision.PlanDigest(provision.Operation{Inputs: o.Inputs}, provision.Plan{})
			require.NoError(t, err)
			return d
		}
		order := func(inputs string) provision.Operation {
			o, err := w.Order(t.Context(), w.requester, env.ID, provision.NewOperation{Kind: provision.KindUp, Inputs: json.RawMessage(inputs)})
			require.NoError(t, err)
			return o
		}
		same := order(`{"password":"` + secret + `","users":[{"name":"u","pin":4711}]}`)
		require.NotEqual(t, string(o.Inputs), string(same.Inputs), "each sealing is another text")
		require.Equal(t, digest(o), digest(same))
		require.NotEqual(t, digest(o), digest(order(`{"password":"`+secret+`","users":[{"name":"u","pin":4712}]}`)))
		// A client that shows inputs and sends them back does not have the secret.
		back := order(strings.Replace(string(o.Inputs), `"size":7`, `"size":8`, 1))
		open, _, err = w.Unsealed(t.Context(), back)
		require.NoError(t, err)
		require.JSONEq(t, `{"password":"`+secret+`","users":[{"name":"u","pin":4711}],"size":8}`, string(open))
		// Nor does one that has seen it masked.
		back = order(`{"password":"[secret]","size":9}`)
		open, _, err = w.Unsealed(t.Context(), back)
		require.NoError(t, err)
		require.JSONEq(t, `{"password":"`+secret+`","size":9}`, string(open))
		e := w.unchanged(t, provision.CodeInvalid, "is masked: give the secret itself", func() error {
			_, err := w.Order(t.Context(), w.requester, env.ID, provision.NewOperation{
				Kind: provision.KindUp, Inputs: json.RawMessage(`{"password":"[secret]","users":[{"pin":"[secret]"}]}`),
			})
			return err
		})
		require.Equal(t, "/inputs/users/0/pin", e.Fields[0].Pointer)
		w.unchanged(t, provision.CodeInvalid, "is masked", func() error {
			masked := n
			masked.Name, masked.Inputs = "d", json.RawMessage(`{"password":"[secret]"}`)
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, masked)
			return err
		})
		// Nor does one that says nothing.
		again := order("")
		require.Equal(t, string(o.Inputs), string(again.Inputs))

		// What is sealed for one place does not open in another, nor in another stack.
		var kept map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(o.Inputs, &kept))
		w.unchanged(t, provision.CodeInvalid, "not sealed for its place", func() error {
			_, err := w.Order(t.Context(), w.requester, env.ID, provision.NewOperation{
				Kind: provision.KindUp, Inputs: json.RawMessage(`{"password":"password","users":[{"pin":` + string(kept["password"]) + `}]}`),
			})
			return err
		})
		w.unchanged(t, provision.CodeInvalid, "only the service writes", func() error {
			n.Name, n.Inputs = "c", o.Inputs
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, n)
			return err
		})
	}},
	{"a message about a secret does not quote it", func(t *testing.T, w *world) {
		_, _, err := w.CreateEnvironment(t.Context(), w.requester, provision.NewEnvironment{
			ProjectID: w.project.ID, Name: "b", Blueprint: "box", TTL: time.Hour,
			Inputs: json.RawMessage(`{"password":"my secret words","users":[{"pin":987654}]}`),
		})
		fails(t, err, provision.CodeInvalid, "and 1 more")
		require.NotContains(t, fmt.Sprintf("%+v", err), "secret words")
		require.NotContains(t, fmt.Sprintf("%+v", err), "987654")
	}},
	{"a name that is taken", func(t *testing.T, w *world) {
		w.environment(t, "logs")
		w.unchanged(t, provision.CodeConflict, "stack acme/shop/LOGS already exists", func() error {
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, newBucket(w, "LOGS"))
			return err
		})
	}},
	{"quotas hold although many order at once", func(t *testing.T, w *world) {
		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{Stacks: 3}})
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				_, _, errs[i] = w.CreateEnvironment(t.Context(), w.requester, newBucket(w, fmt.Sprintf("logs-%d", i)))
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			fails(t, err, provision.CodeQuotaExceeded, "3 of 3 stacks")
		}
		require.Equal(t, 3, made)
		w.unchanged(t, provision.CodeQuotaExceeded, "have the quota raised", func() error {
			_, _, err := w.CreateEnvironment(t.Context(), w.requester, newBucket(w, "one-more"))
			return err
		})
	}},
	{"webhooks are told when a quota is nearly used", func(t *testing.T, w *world) {
		w.update(t, func(tx provision.Tx) error {
			return tx.CreateWebhook(provision.Webhook{ID: "whk_1", Org: org, URL: "https://example.com", Types: []string{"quota.near"}, Version: 1})
		})
		w.settings(t, provision.ProjectSettings{Quota: provision.Quota{Stacks: 3}})
		for i, told := range []int{0, 0, 1} {
			w.environment(t, fmt.Sprintf("logs-%d", i))
			require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
				deliveries, err := tx.Deliveries("whk_1", "", 0)
				require.Len(t, deliveries, told)
				return err
			}))
		}
	}},
	{"labels and protection are changed by who manages the stack, of the version that they saw", func(t *testing.T, w *world) {
		env, _ := w.environment(t, "logs")
		yes := true
		w.unchanged(t, provision.CodeForbidden, "may not manage stack", func() error {
			_, err := w.UpdateEnvironment(t.Context(), w.requester, env.ID, env.Version, provision.EnvironmentPatch{Protected: &yes})
			return err
		})
		changed, err := w.UpdateEnvironment(t.Context(), w.operator, env.ID, env.Version, provision.EnvironmentPatch{Protected: &yes, Labels: map[string]string{"tier": "dev"}})
		require.NoError(t, err)
		require.True(t, changed.Protected)
		w.unchanged(t, provision.CodePreconditionFailed, "read it again", func() error {
			_, err := w.UpdateEnvironment(t.Context(), w.operator, env.ID, env.Version, provision.EnvironmentPatch{Labels: map[string]string{}})
			return err
		})
		found, next, err := w.Environments(t.Context(), w.viewer, provision.EnvironmentQuery{Label: "tier=dev"})
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, found, 1)
	}},
	{"lists have pages, and nothing that somebody may not read", func(t *testing.T, w *world) {
		for i := range 5 {
			w.environment(t, fmt.Sprintf("logs-%d", i))
		}
		var names []string
		for after := ""; ; {
			page, next, err := w.Environments(t.Context(), w.viewer, provision.EnvironmentQuery{After: after, Limit: 2})
			require.NoError(t, err)
			for _, e := range page {
				names = append(names, e.Name.Stack)
			}
			if next == "" {
				break
			}
			require.Len(t, page, 2)
			after = next
		}
		require.ElementsMatch(t, []string{"logs-0", "logs-1", "logs-2", "logs-3", "logs-4"}, names)
		none, _, err := w.Environments(t.Context(), w.stranger, provision.EnvironmentQuery{})
		require.NoError(t, err)
		require.Empty(t, none)
		var operations int
		for before := ""; ; {
			page, next, err := w.Operations(t.Context(), w.viewer, provision.OperationQuery{Before: before, Limit: 2})
			require.NoError(t, err)
			operations += len(page)
			if next == "" {
				break
			}
			before = next
		}
		require.Equal(t, 5, operations)
		unread, _, err := w.Operations(t.Context(), w.stranger, provision.OperationQuery{})
		require.NoError(t, err)
		require.Empty(t, unread)
	}},
}

// everything is a caller who may everything.
var everything = backend.Caller{Token: backend.Token{Principal: "test", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Admin}}}}}
