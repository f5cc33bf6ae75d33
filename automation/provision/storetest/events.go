package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// someEvents are n, which tell where they come from.
func someEvents(from string, n int) []provision.Event {
	events := make([]provision.Event, n)
	for i := range events {
		events[i] = provision.Event{At: at(i), Type: provision.EventLog, Data: json.RawMessage(fmt.Sprintf(`{"from": %q, "n": %d}`, from, i))}
	}
	return events
}

func eventsAfter(t testing.TB, s provision.Store, id string, after int64, limit int) []provision.Event {
	t.Helper()
	return got(t, s, func(tx provision.Tx) ([]provision.Event, error) { return tx.EventsAfter(id, after, limit) })
}

var eventTests = []test{
	{"events are numbered in their operation and come back as they were", func(t *testing.T, s provision.Store) {
		first, second, other := someEvents("first", 3), someEvents("second", 250), someEvents("other", 1)
		first[0].Data, first[1] = nil, full[provision.Event]()
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.CreateOperation(operation("op_2", "stk", "prj")))
			must(tx.AddEvents("op", nil), tx.AddEvents("op", first), tx.AddEvents("op", second), tx.AddEvents("op_2", other))
		})
		want := slices.Concat(first, second)
		for i, e := range want {
			require.Equal(t, int64(i+1), e.Seq)
		}
		require.Equal(t, int64(1), other[0].Seq)
		require.Equal(t, want, eventsAfter(t, s, "op", 0, 0))
		require.Equal(t, want[2:4], eventsAfter(t, s, "op", 2, 2))
		require.Empty(t, eventsAfter(t, s, "op", 253, 2))
		require.Empty(t, eventsAfter(t, s, "op_x", 0, 0))
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return tx.AddEvents("op_x", someEvents("x", 1)) })
	}},
	{"events of some types are found among others", func(t *testing.T, s provision.Store) {
		events := someEvents("x", 6)
		for _, i := range []int{1, 4} {
			events[i].Type = provision.EventDiagnostic
		}
		events[2].Type = provision.EventState
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.AddEvents("op", events))
		})
		of := func(after int64, limit int, types ...provision.EventType) []provision.Event {
			return got(t, s, func(tx provision.Tx) ([]provision.Event, error) { return tx.EventsOfTypes("op", types, after, limit) })
		}
		require.Equal(t, []provision.Event{events[1], events[4]}, of(0, 0, provision.EventDiagnostic))
		require.Equal(t, []provision.Event{events[3], events[4]}, of(2, 2, provision.EventDiagnostic, provision.EventLog))
		require.Empty(t, of(0, 0, provision.EventPolicy))
		require.Empty(t, of(0, 0))
	}},
	{"events of operations that ended long ago are pruned, and numbers go on", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "p")))
			order(tx, provision.Environment{ID: "stk", ProjectID: "p"})
			for id, o := range map[string]provision.Operation{"running": {}, "long": {EndedAt: at(1)}, "just": {EndedAt: at(2)}} {
				o.ID, o.StackID, o.ProjectID = id, "stk", "p"
				must(tx.CreateOperation(o), tx.AddEvents(id, someEvents(id, 3)))
			}
		})
		prune := func(limit int) int64 {
			var n int64
			update(t, s, func(tx provision.Tx) {
				var err error
				n, err = tx.PruneOperationEvents(at(2), limit)
				must(err)
			})
			return n
		}
		require.Equal(t, int64(2), prune(2))
		require.Equal(t, int64(1), prune(0))
		require.Equal(t, int64(0), prune(0))
		for id, want := range map[string]int{"running": 3, "long": 0, "just": 3} {
			require.Len(t, eventsAfter(t, s, id, 0, 0), want, id)
		}
		update(t, s, func(tx provision.Tx) { must(tx.AddEvents("long", someEvents("late", 1))) })
		require.Equal(t, int64(4), eventsAfter(t, s, "long", 0, 0)[0].Seq)
	}},
}

// onlyN is an event's number among those that were added together.
func onlyN(t testing.TB, e provision.Event) []byte {
	t.Helper()
	var data struct {
		N int `json:"n"`
	}
	require.NoError(t, json.Unmarshal(e.Data, &data))
	text, err := json.Marshal(data)
	require.NoError(t, err)
	return text
}
