package backend_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var restoredTests = []test{
	{"a stack from a backup takes a refresh first", func(t *testing.T, w *world) {
		name, empty := w.stack(t, "dev"), w.stack(t, "new")
		w.update(t, name, "a")
		marked, err := w.Restored(t.Context())
		require.NoError(t, err)
		require.Equal(t, []backend.StackName{name}, marked, "what has no state is behind nothing")
		last := w.last(t)
		require.Equal(t, "stack.restored", last.Action)
		require.Equal(t, name.String(), last.Target)
		w.update(t, empty, "b")

		refused := func() {
			t.Helper()
			for _, kind := range []backend.UpdateKind{backend.KindUpdate, backend.KindDestroy, backend.KindResourceImport} {
				_, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: kind})
				fails(t, err, backend.CodeConflict, "comes from a backup", "pulumi refresh")
				_, _, err = w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: kind, DryRun: true})
				require.NoError(t, err, "a preview changes nothing")
			}
		}
		refused()
		failed := w.start(t, name, backend.NewUpdate{Kind: backend.KindRefresh}, true)
		require.NoError(t, w.CompleteUpdate(t.Context(), failed, backend.StatusFailed))
		refused()
		refresh := w.start(t, name, backend.NewUpdate{Kind: backend.KindRefresh}, true)
		require.NoError(t, w.CompleteUpdate(t.Context(), refresh, backend.StatusSucceeded))
		w.update(t, name, "c")
		stack, _, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.True(t, stack.RestoredAt.IsZero())
	}},
	{"an update that had begun before the backup is refused as well", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		waits, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		_, err = w.Restored(t.Context())
		require.NoError(t, err)
		_, err = w.StartUpdate(t.Context(), w.admin, name, waits.ID, nil, true)
		fails(t, err, backend.CodeConflict, "comes from a backup")
	}},
}
