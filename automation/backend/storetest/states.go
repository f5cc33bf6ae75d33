package storetest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// megabyte has every byte in it.
func megabyte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return bytes.Repeat(all, 4096)
}

var stateTests = []test{
	{"a state comes back as it was", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		big := backend.StateVersion{StackID: "stk_01", Version: 1, Sealed: megabyte(), Digest: []byte{0, 9}, Resources: 3, CreatedAt: at(1)}
		none := backend.StateVersion{StackID: "stk_01", Version: 2}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.PutState(big))
			require.NoError(t, tx.PutState(none))
		})
		for _, want := range []backend.StateVersion{big, none} {
			require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.StateVersion, error) { return tx.State("stk_01", want.Version) }))
		}
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { _, err := tx.State("stk_01", 3); return err })
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error {
			return tx.PutState(backend.StateVersion{StackID: "stk_none", Version: 1})
		})
	}},
	{"a state is put again", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		update(t, s, func(tx backend.Tx) {
			for _, sealed := range []string{"one", "two"} {
				require.NoError(t, tx.PutState(backend.StateVersion{StackID: "stk_01", Version: 1, Sealed: []byte(sealed)}))
			}
		})
		require.Equal(t, []byte("two"), got(t, s, func(tx backend.Tx) (backend.StateVersion, error) { return tx.State("stk_01", 1) }).Sealed)
	}},
	{"old states are pruned", func(t *testing.T, s backend.Store) {
		for _, c := range []struct {
			before int64
			keep   int
			left   []int64
		}{
			{before: 6, keep: 2, left: []int64{4, 5, 6, 7, 8}},
			{before: 6, keep: 0, left: []int64{6, 7, 8}},
			{before: 9, keep: 1, left: []int64{8}},
			{before: 100, keep: 100, left: []int64{1, 2, 3, 4, 5, 6, 7, 8}},
			{before: 1, keep: 0, left: []int64{1, 2, 3, 4, 5, 6, 7, 8}},
		} {
			fails(t, s, errOurs, func(tx backend.Tx) error {
				for _, id := range []int{1, 2} {
					require.NoError(t, tx.CreateStack(stack(id)))
					for version := range int64(8) {
						require.NoError(t, tx.PutState(backend.StateVersion{StackID: stack(id).ID, Version: version + 1}))
					}
				}
				n, err := tx.PruneStates("stk_01", c.before, c.keep)
				require.NoError(t, err)
				require.Equal(t, int64(8-len(c.left)), n)
				var left []int64
				for version := range int64(8) {
					if _, err := tx.State("stk_01", version+1); err == nil {
						left = append(left, version+1)
					}
					_, err := tx.State("stk_02", version+1)
					require.NoError(t, err, "another stack's")
				}
				require.Equal(t, c.left, left)
				return errOurs
			})
		}
	}},
}
