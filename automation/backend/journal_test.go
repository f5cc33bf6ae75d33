package backend_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var journalTests = []test{
	{"entries may come again, and in any order", func(t *testing.T, w *world) {
		var straight []json.RawMessage
		for i := range 30 {
			straight = append(straight, creating(2*i+1, i+1, fmt.Sprint(i)), created(2*i+2, i+1, fmt.Sprint(i)))
		}
		state := func(stack string, entries []json.RawMessage) []string {
			name := w.stack(t, stack)
			ref := w.begin(t, name)
			for batch := range slices.Chunk(entries, 7) {
				w.appended(t, ref, batch...)
			}
			require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
			return w.resources(t, name)
		}
		want := state("straight", straight)
		require.Len(t, want, 30)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 3 {
			entries := append(slices.Clone(straight), straight[:20]...)
			random.Shuffle(len(entries), func(a, b int) { entries[a], entries[b] = entries[b], entries[a] })
			require.Equal(t, want, state(fmt.Sprint("shuffled", i), entries))
		}
	}},
	{"many batches at once all count", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		errs := make([]error, 40)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = w.AppendJournal(t.Context(), ref, rows(created(i/2+1, i/2+1, fmt.Sprint(i/2)))) })
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Len(t, w.resources(t, name), 20, "each was sent twice")
	}},
	{"another entry under the same number is refused with its batch", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, created(1, 1, "a"))
		fails(t, w.AppendJournal(t.Context(), ref, rows(created(2, 2, "b"), created(1, 1, "another"))), backend.CodeConflict, "nothing of this batch was kept")
		fails(t, w.AppendJournal(t.Context(), ref, rows(created(3, 3, "c"), created(3, 3, "d"))), backend.CodeConflict)
		w.appended(t, ref, created(4, 4, "e"), created(4, 4, "e"))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.ElementsMatch(t, []string{"a", "e"}, w.resources(t, name))
	}},
	{"entries that cannot be right are refused with their batch", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		good := created(1, 1, "a")
		for words, bad := range map[string]string{
			"entry 1 of the batch has no sequence":    `{"version":1,"kind":1,"sequenceID":0}`,
			"no sequence number":                      `{"version":1,"kind":1,"sequenceID":-1}`,
			"is newer than this service knows (1)":    `{"version":2,"kind":1,"sequenceID":2}`,
			"not a JSON object of the expected shape": `{"version":1,"kind":1,"sequenceID":"2"}`,
			"not a JSON object":                       `[1]`,
			"entry 1 of the batch is not":             `"entry"`,
			"kind 17":                                 `{"version":1,"kind":17,"sequenceID":2}`,
			"kind -1":                                 `{"version":1,"kind":-1,"sequenceID":2}`,
		} {
			fails(t, w.AppendJournal(t.Context(), ref, rows(good, []byte(bad))), backend.CodeInvalid, words)
		}
		fails(t, w.AppendJournal(t.Context(), ref, slices.Repeat(rows(good), 10_001)), backend.CodeTooLarge, "at most 10000")
		require.NoError(t, w.AppendJournal(t.Context(), ref, nil))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Empty(t, w.resources(t, name))
	}},
	{"a preview has no journal", func(t *testing.T, w *world) {
		ref := w.start(t, w.stack(t, "dev"), backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true}, true)
		fails(t, w.AppendJournal(t.Context(), ref, rows(created(1, 1, "a"))), backend.CodeConflict, "sends no journal")
		fails(t, w.PutCheckpoint(t.Context(), ref, 0, stateOf("a")), backend.CodeConflict, "sends no whole states")
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Empty(t, w.resources(t, ref.Name))
	}},
	{"a journal that cannot be folded is kept, and the stack stays locked", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		ref := w.begin(t, name)
		w.appended(t, ref, created(1, 1, "b"), []byte(`{"version":1,"kind":1,"sequenceID":2,"operationID":2,"removeOld":999}`))
		fails(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded), backend.CodeConflict, "cannot be folded", "it is kept")
		require.Equal(t, backend.StatusRunning, w.updated(t, ref).Status)
		require.Equal(t, []string{"a"}, w.resources(t, name))
	}},
	{"events are kept in order and once", func(t *testing.T, w *world) {
		ref := w.begin(t, w.stack(t, "dev"))
		event := func(i int) json.RawMessage { return fmt.Appendf(nil, `{"sequence":%d,"timestamp":1,"x":"%d"}`, i, i) }
		require.NoError(t, w.PutEvents(t.Context(), ref, rows(event(3), event(1))))
		require.NoError(t, w.PutEvents(t.Context(), ref, rows(event(1), event(2), []byte(`{"sequence":4,"summaryEvent":{"resourceChanges":{"create":3}}}`))))
		events, last, err := w.Events(t.Context(), w.admin, ref.Name, ref.ID, -1, 3)
		require.NoError(t, err)
		require.Equal(t, rows(event(1), event(2), event(3)), events)
		events, last, err = w.Events(t.Context(), w.admin, ref.Name, ref.ID, last, 10)
		require.NoError(t, err)
		require.Len(t, events, 1)
		require.EqualValues(t, 4, last)
		require.Equal(t, map[string]int{"create": 3}, w.updated(t, ref).Changes)
		fails(t, w.PutEvents(t.Context(), ref, rows([]byte(`1`))), backend.CodeInvalid)
		fails(t, w.PutEvents(t.Context(), ref, slices.Repeat(rows(event(1)), 5_001)), backend.CodeTooLarge)
	}},
}

var checkpointTests = []test{
	{"whole states replace each other in their order", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "old")
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
		_, err := w.Checkpoint(t.Context(), ref)
		fails(t, err, backend.CodeNotFound, "no state yet")
		fails(t, w.AppendJournal(t.Context(), ref, rows(created(1, 1, "a"))), backend.CodeConflict, "whole states")
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 2, stateOf("a", "b")))
		fails(t, w.PutCheckpoint(t.Context(), ref, 1, stateOf("a")), backend.CodeConflict, "state 1 of update", "came after state 2")
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 2, stateOf("a", "b")), "again")
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 0, stateOf("a", "b", "c")), "not numbered")
		kept, err := w.Checkpoint(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, string(stateOf("a", "b", "c")), string(kept))
		fails(t, w.PutCheckpoint(t.Context(), ref, 3, []byte(`{"version":1}`)), backend.CodeInvalid)
		require.Equal(t, []string{"old"}, w.resources(t, name))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
		require.Equal(t, []string{"a", "b", "c"}, w.resources(t, name))
		_, err = w.Checkpoint(t.Context(), ref)
		fails(t, err, backend.CodeForbidden)
	}},
	{"an update that sent no state leaves the one before it", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "old")
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
		require.Equal(t, []string{"old"}, w.resources(t, name))
		require.EqualValues(t, 2, w.updated(t, ref).Version)
	}},
	{"a state that is acknowledged while the update is cancelled is not lost", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 1, stateOf("a")))
		// It comes between the fold of what there was and the end of the update.
		var late error
		w.store.before = func() { late = w.PutCheckpoint(t.Context(), ref, 2, stateOf("a", "b")) }
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, ref.ID))
		if late == nil {
			require.Equal(t, []string{"a", "b"}, w.resources(t, name))
		} else {
			fails(t, late, backend.CodeForbidden)
			require.Equal(t, []string{"a"}, w.resources(t, name))
		}
	}},
	{"entries that are acknowledged while the update is cancelled are not lost", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		w.appended(t, ref, created(1, 1, "a"))
		w.store.before = func() { w.appended(t, ref, created(2, 2, "b")) }
		require.NoError(t, w.CancelUpdate(t.Context(), w.admin, name, ref.ID))
		require.ElementsMatch(t, []string{"a", "b"}, w.resources(t, name))
	}},
	{"pending operations of a whole state ask for recovery", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate}, false)
		require.NoError(t, w.PutCheckpoint(t.Context(), ref, 1, pendingState))
		require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusFailed))
		require.Equal(t, 1, w.updated(t, ref).PendingOperations)
		_, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		fails(t, err, backend.CodeConflict, "needs recovery")
	}},
}

// pendingState has a resource of which nobody knows whether it exists.
var pendingState = json.RawMessage(`{"version":3,"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"resources":[],` +
	`"pending_operations":[{"type":"creating","resource":{"urn":"` + urn("p") + `","custom":true,"type":"test:index:Thing"}}]}}`)
