package provision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// chatty is an engine that prints without end, as a provider that loops may.
type chatty struct {
	messages int
	each     int
}

func (chatty) Packs() []provision.Pack { return nil }

func (c chatty) Run(_ context.Context, r provision.Run, emit func(provision.Event), _ <-chan struct{}) (provision.Result, error) {
	for i := range c.messages {
		text, err := json.Marshal(map[string]string{"message": fmt.Sprint(i, strings.Repeat("x", c.each))})
		if err != nil {
			return provision.Result{}, err
		}
		emit(provision.Event{At: time.Now(), Type: provision.EventDiagnostic, Data: text})
	}
	emit(provision.Event{At: time.Now(), Type: provision.EventResource, Data: json.RawMessage(`{"urn":"urn:pulumi:dev::shop::x::last"}`)})
	return provision.Result{Counts: map[string]int{"same": 1}}, nil
}

var intakeTests = []test{
	{"nothing is ordered while the intake is stopped, but what the service orders", func(t *testing.T, w *world) {
		var why error
		service := provision.New(w.store, w.backend, w.catalog, w.policies, w.woken, provision.Options{
			Key: bytes.Repeat([]byte{7}, 32), Intake: func() error { return why },
		})
		env, _, err := service.CreateEnvironment(t.Context(), w.requester, newBucket(w, "logs"))
		require.NoError(t, err)
		why = provision.Fail(provision.CodeUnavailable, "the disk is nearly full")
		w.unchanged(t, provision.CodeUnavailable, "the disk is nearly full", func() error {
			_, _, err := service.CreateEnvironment(t.Context(), w.requester, newBucket(w, "more"))
			return err
		})
		w.unchanged(t, provision.CodeUnavailable, "the disk is nearly full", func() error {
			_, err := service.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindUp})
			return err
		})
		_, err = service.Order(t.Context(), provision.Principal{Kind: provision.System, Name: "redoubt"}, env.ID, provision.NewOperation{Kind: provision.KindDestroy, Confirm: "logs"})
		require.NoError(t, err, "what has expired is destroyed, and costs nothing more then")
		why = nil
		_, err = service.Order(t.Context(), w.operator, env.ID, provision.NewOperation{Kind: provision.KindUp})
		require.NoError(t, err)
	}},
	{"an operation keeps a bounded number of words", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		work, err := w.Claim(t.Context(), o.ID, provision.Node{ID: "node"})
		require.NoError(t, err)
		require.NoError(t, w.Perform(t.Context(), work, chatty{messages: 1000, each: 16 << 10}))
		var kept, diagnostics int
		var last string
		resources := 0
		require.NoError(t, w.store.View(t.Context(), func(tx provision.Tx) error {
			events, err := tx.EventsAfter(o.ID, 0, 0)
			for _, e := range events {
				switch e.Type {
				case provision.EventDiagnostic:
					kept += len(e.Data)
					diagnostics++
				case provision.EventLog:
					last = string(e.Data)
				case provision.EventResource:
					resources++
				}
			}
			return err
		}))
		require.LessOrEqual(t, kept, 8<<20)
		require.Greater(t, kept, 7<<20)
		require.Equal(t, 1, resources, "what was done is always written")
		require.Contains(t, last, fmt.Sprintf("%d more messages were left out", 1000-diagnostics))
	}},
	{"a stack from a backup is refreshed before anything changes it", func(t *testing.T, w *world) {
		env, o := w.environment(t, "logs")
		restored := func(at time.Time) {
			w.update(t, func(tx provision.Tx) error {
				stack, err := tx.LockStack(env.ID)
				if err != nil {
					return err
				}
				stack.RestoredAt = at
				return tx.SaveStack(stack)
			})
		}
		restored(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
		for _, kind := range []provision.OperationKind{provision.KindUp, provision.KindDestroy} {
			w.unchanged(t, provision.CodeNeedsRecovery, "comes from a backup", func() error { _, err := w.order(t, env, kind); return err })
		}
		_, err := w.Claim(t.Context(), o.ID, provision.Node{ID: "node"})
		require.ErrorIs(t, err, provision.ErrNotNow)
		o = w.kept(t, o.ID)
		require.Equal(t, provision.Failed, o.State, "what waited when the backup was made may be done already")
		require.Equal(t, provision.CodeNeedsRecovery, o.Failure.Code)
		require.Contains(t, o.Failure.Message, "order an operation of kind refresh")
		_, err = w.order(t, env, provision.KindRefresh)
		require.NoError(t, err)
		restored(time.Time{})
		_, err = w.order(t, env, provision.KindUp)
		require.NoError(t, err)
	}},
}
