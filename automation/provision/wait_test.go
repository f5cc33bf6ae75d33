package provision_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

var waitTests = []test{
	{"events come to who waits, from this process and from others", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		events, err := w.WaitEvents(ctx, w.viewer, o.ID, 0, 0)
		require.NoError(t, err)
		require.Len(t, events, 1, "what is there comes at once")
		for _, tell := range []bool{true, false} {
			type answer struct {
				events []provision.Event
				err    error
			}
			got := make(chan answer, 1)
			after := events[len(events)-1].Seq
			go func() {
				events, err := w.WaitEvents(ctx, w.viewer, o.ID, after, 0)
				got <- answer{events, err}
			}()
			require.Eventually(t, func() bool { return w.Waiters() == 1 }, patience, time.Millisecond)
			w.update(t, func(tx provision.Tx) error {
				return tx.AddEvents(o.ID, []provision.Event{{At: tx.Now(), Type: provision.EventLog, Data: json.RawMessage(`{"n":1}`)}})
			})
			if tell { // otherwise it was another process
				w.Tell(o.ID)
			}
			a := <-got
			require.NoError(t, a.err)
			require.Len(t, a.events, 1)
			events = a.events
		}
		require.Zero(t, w.Waiters())
	}},
	{"who waits is told of the end, and of the end of waiting", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		soon, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer stop()
		_, err := w.WaitEvents(soon, w.viewer, o.ID, 1, 0)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, w.Waiters(), "nothing is left of who went away")
		_, err = w.Cancel(t.Context(), w.operator, o.ID, false)
		require.NoError(t, err)
		events, err := w.WaitEvents(t.Context(), w.viewer, o.ID, 1, 0)
		require.NoError(t, err)
		require.Equal(t, provision.EventEnd, events[len(events)-1].Type)
		events, err = w.WaitEvents(t.Context(), w.viewer, o.ID, events[len(events)-1].Seq, 0)
		require.NoError(t, err)
		require.Empty(t, events)
	}},
	{"an operation is waited for until it needs people, or for a while", func(t *testing.T, w *world) {
		_, o := w.environment(t, "logs")
		seen, err := w.WaitOperation(t.Context(), w.viewer, o.ID, 20*time.Millisecond)
		require.NoError(t, err)
		require.Equal(t, provision.Queued, seen.State)
		got := make(chan provision.Operation, 1)
		go func() {
			seen, _ := w.WaitOperation(t.Context(), w.viewer, o.ID, patience)
			got <- seen
		}()
		require.Eventually(t, func() bool { return w.Waiters() == 1 }, patience, time.Millisecond)
		w.waiting(t, o.ID, digest)
		w.Tell(o.ID)
		require.Equal(t, provision.AwaitingApproval, (<-got).State)
		gone, stop := context.WithCancel(t.Context())
		stop()
		_, err = w.WaitOperation(gone, w.viewer, o.ID, patience)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, w.Waiters())
	}},
}
