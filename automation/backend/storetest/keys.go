package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var keyTests = []test{
	{"data keys are a stack's, oldest first, and never written over", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		one := backend.DataKey{StackID: "stk_01", Version: 1, Wrapped: []byte{1, 0}, WrappedBy: "old", CreatedAt: at(1)}
		two := backend.DataKey{StackID: "stk_01", Version: 2, Wrapped: []byte{2}, WrappedBy: "new", CreatedAt: at(2)}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.PutDataKey(two))
			require.NoError(t, tx.PutDataKey(one))
			require.ErrorIs(t, tx.PutDataKey(backend.DataKey{StackID: "stk_01", Version: 1}), backend.ErrExists)
		})
		require.Equal(t, []backend.DataKey{one, two}, got(t, s, func(tx backend.Tx) ([]backend.DataKey, error) { return tx.DataKeys("stk_01") }))
		require.Empty(t, got(t, s, func(tx backend.Tx) ([]backend.DataKey, error) { return tx.DataKeys("stk_none") }))
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { return tx.PutDataKey(backend.DataKey{StackID: "stk_none", Version: 1}) })
	}},
	{"data keys are wrapped anew", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			for n := range 3 {
				require.NoError(t, tx.CreateStack(stack(n)))
				require.NoError(t, tx.PutDataKey(backend.DataKey{StackID: stack(n).ID, Version: 1, Wrapped: []byte{1}, WrappedBy: "old", CreatedAt: at(1)}))
			}
		})
		old := func(limit int) []backend.DataKey {
			return got(t, s, func(tx backend.Tx) ([]backend.DataKey, error) { return tx.DataKeysNotWrappedBy("new", limit) })
		}
		require.Len(t, old(2), 2)
		require.Len(t, old(10), 3)
		update(t, s, func(tx backend.Tx) {
			for _, k := range old(2) {
				require.NoError(t, tx.RewrapDataKey(backend.DataKey{StackID: k.StackID, Version: 1, Wrapped: []byte{2}, WrappedBy: "new"}))
			}
			require.ErrorIs(t, tx.RewrapDataKey(backend.DataKey{StackID: "stk_00", Version: 2}), backend.ErrNotFound)
		})
		require.Len(t, old(10), 1)
		require.Equal(t, []backend.DataKey{{StackID: "stk_00", Version: 1, Wrapped: []byte{2}, WrappedBy: "new", CreatedAt: at(1)}},
			got(t, s, func(tx backend.Tx) ([]backend.DataKey, error) { return tx.DataKeys("stk_00") }))
	}},
}
