package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var pruneTests = []test{
	{"what belongs to completed updates is pruned", func(t *testing.T, s backend.Store) {
		completed := map[string]time.Time{"old": at(1), "edge": at(2), "new": at(3), "running": {}}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			for id, when := range completed {
				require.NoError(t, tx.CreateUpdate(backend.Update{ID: id, StackID: "stk_01", StartedAt: at(0), CompletedAt: when}))
				require.NoError(t, tx.AppendJournal(id, rows(0, 3)))
				require.NoError(t, tx.PutCheckpoint(backend.Checkpoint{UpdateID: id}))
				require.NoError(t, tx.PutEvents(id, []backend.EventRow{{Sequence: 1}, {Sequence: 2}}))
			}
		})
		update(t, s, func(tx backend.Tx) {
			for _, c := range []struct {
				prune func(time.Time, int) (int64, error)
				rows  int64
			}{{tx.PruneJournals, 3}, {tx.PruneCheckpoints, 1}, {tx.PruneEvents, 2}} {
				n, err := c.prune(at(2), 1)
				require.NoError(t, err)
				require.EqualValues(t, 1, n, "no more than may be")
				n, err = c.prune(at(2), 0)
				require.NoError(t, err)
				require.Equal(t, c.rows-1, n)
				n, err = c.prune(at(2), 0)
				require.NoError(t, err)
				require.Zero(t, n)
			}
		})
		view(t, s, func(tx backend.Tx) {
			for id := range completed {
				n, _, err := tx.JournalSize(id)
				require.NoError(t, err)
				require.Equal(t, id == "old", n == 0)
				events, err := tx.Events(id, -1, 10)
				require.NoError(t, err)
				require.Equal(t, id == "old", len(events) == 0)
				_, err = tx.Checkpoint(id)
				require.Equal(t, id == "old", err != nil)
			}
		})
	}},
	{"a journal that a salvage could not fold whole stays", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			for id, leftOut := range map[string]int{"whole": 0, "salvaged": 2} {
				require.NoError(t, tx.CreateUpdate(backend.Update{ID: id, StackID: "stk_01", StartedAt: at(0), CompletedAt: at(1), LeftOut: leftOut}))
				require.NoError(t, tx.AppendJournal(id, rows(0, 3)))
				require.NoError(t, tx.PutCheckpoint(backend.Checkpoint{UpdateID: id}))
				require.NoError(t, tx.PutEvents(id, []backend.EventRow{{Sequence: 1}}))
			}
		})
		update(t, s, func(tx backend.Tx) {
			for _, c := range []struct {
				prune func(time.Time, int) (int64, error)
				rows  int64
			}{{tx.PruneJournals, 3}, {tx.PruneCheckpoints, 1}, {tx.PruneEvents, 2}} {
				n, err := c.prune(at(2), 0)
				require.NoError(t, err)
				require.Equal(t, c.rows, n)
			}
			n, _, err := tx.JournalSize("salvaged")
			require.NoError(t, err)
			require.EqualValues(t, 3, n)
			_, err = tx.Checkpoint("salvaged")
			require.NoError(t, err)
		})
	}},
	{"updates that left nothing are pruned", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			for id, u := range map[string]backend.Update{
				"never started":  {CreatedAt: at(1)},
				"old preview":    {CreatedAt: at(1), StartedAt: at(1), CompletedAt: at(1), DryRun: true},
				"in the history": {CreatedAt: at(1), StartedAt: at(1), CompletedAt: at(1)},
				"not started":    {CreatedAt: at(2)},
				"a new preview":  {CreatedAt: at(1), StartedAt: at(1), CompletedAt: at(2), DryRun: true},
				"a long preview": {CreatedAt: at(1), StartedAt: at(1), DryRun: true},
			} {
				u.ID, u.StackID = id, "stk_01"
				require.NoError(t, tx.CreateUpdate(u))
				require.NoError(t, tx.PutEvents(id, []backend.EventRow{{Sequence: 1}}))
			}
			n, err := tx.PruneUpdates(at(2), 0)
			require.NoError(t, err)
			require.Equal(t, int64(2), n)
			for id, left := range map[string]bool{
				"never started": false, "old preview": false, "in the history": true,
				"not started": true, "a new preview": true, "a long preview": true,
			} {
				_, err := tx.Update(id)
				require.Equal(t, left, err == nil, id)
			}
		})
	}},
}
