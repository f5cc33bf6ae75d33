package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var eventTests = []test{
	{"events are in order, each once", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		var want []backend.EventRow
		for n := range 250 {
			want = append(want, backend.EventRow{Sequence: int64(n), Sealed: []byte{byte(n), 0}})
		}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.PutEvents(id, nil))
			require.NoError(t, tx.PutEvents(id, want[120:200]))
			require.NoError(t, tx.PutEvents(id, want))
			require.NoError(t, tx.PutEvents(id, []backend.EventRow{{Sequence: 3, Sealed: []byte("again")}}))
		})
		events := func(after int64, limit int) []backend.EventRow {
			return got(t, s, func(tx backend.Tx) ([]backend.EventRow, error) { return tx.Events(id, after, limit) })
		}
		require.Equal(t, want, events(-1, 1000))
		require.Equal(t, want[:10], events(-1, 10))
		require.Equal(t, want[100:110], events(99, 10))
		require.Empty(t, events(249, 10))
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error {
			return tx.PutEvents("upd_none", []backend.EventRow{{Sequence: 1}})
		})
	}},
}
