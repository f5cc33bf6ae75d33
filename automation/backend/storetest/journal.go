package storetest

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// rows are n journal rows from a sequence on.
func rows(from, n int) []backend.JournalRow {
	made := make([]backend.JournalRow, n)
	for i := range made {
		made[i] = backend.JournalRow{Sequence: int64(from + i), Digest: fmt.Appendf(nil, "digest %d", from+i), Sealed: fmt.Appendf(nil, "\x00row %d", from+i)}
	}
	return made
}

// journal is all of an update's.
func journal(t testing.TB, s backend.Store, updateID string) []backend.JournalRow {
	t.Helper()
	var found []backend.JournalRow
	view(t, s, func(tx backend.Tx) {
		require.NoError(t, tx.Journal(updateID, func(r backend.JournalRow) error {
			found = append(found, r)
			return nil
		}))
	})
	return found
}

var journalTests = []test{
	{"the journal is in the order of sequences", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		require.Empty(t, journal(t, s, id))
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.AppendJournal(id, nil))
			require.NoError(t, tx.AppendJournal(id, rows(900, 3)))
			require.NoError(t, tx.AppendJournal(id, rows(0, 300)))
			require.NoError(t, tx.CreateUpdate(run("upd_2", "stk_01")))
			require.NoError(t, tx.AppendJournal("upd_2", rows(5, 1)), "another update's")
		})
		require.Equal(t, append(rows(0, 300), rows(900, 3)...), journal(t, s, id))
	}},
	{"the ends of the numbers and of the sizes", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		ends := []backend.JournalRow{
			{Sequence: -5, Digest: []byte{1}, Sealed: megabyte()},
			{Sequence: 0, Digest: bytes.Repeat([]byte{0}, 32), Sealed: []byte{0}},
			{Sequence: math.MaxInt64, Digest: []byte{255}},
		}
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.AppendJournal(id, ends)) })
		require.Equal(t, ends, journal(t, s, id))
		view(t, s, func(tx backend.Tx) {
			n, size, err := tx.JournalSize(id)
			require.NoError(t, err)
			require.Equal(t, int64(3), n)
			require.Equal(t, int64(1<<20+1), size)
		})
	}},
	{"the size of no journal is none", func(t *testing.T, s backend.Store) {
		view(t, s, func(tx backend.Tx) {
			n, size, err := tx.JournalSize("upd_none")
			require.NoError(t, err)
			require.Zero(t, n+size)
		})
	}},
	{"rows that are there already are left out", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.AppendJournal(id, rows(0, 150))) })
		update(t, s, func(tx backend.Tx) {
			again := rows(100, 250)
			again[0].Sealed = []byte("sealed anew, so it looks different")
			require.NoError(t, tx.AppendJournal(id, again))
		})
		require.Equal(t, rows(0, 350), journal(t, s, id), "and the first one is kept")
	}},
	{"the same row twice in one batch", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.AppendJournal(id, append(rows(0, 2), rows(1, 2)...))) })
		require.Equal(t, rows(0, 3), journal(t, s, id))
		update(t, s, func(tx backend.Tx) {
			twice := append(rows(10, 1), backend.JournalRow{Sequence: 10, Digest: []byte("another")})
			require.ErrorIs(t, tx.AppendJournal(id, twice), backend.ErrExists)
		})
		require.Equal(t, rows(0, 3), journal(t, s, id))
	}},
	{"a row that contradicts is refused with all that came with it", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.AppendJournal(id, rows(200, 10))) })
		update(t, s, func(tx backend.Tx) {
			against := rows(0, 250)
			against[205].Digest = []byte("another")
			require.ErrorIs(t, tx.AppendJournal(id, against), backend.ErrExists)
			require.NoError(t, tx.PutSetting("went", []byte("on")))
		})
		require.Equal(t, rows(200, 10), journal(t, s, id), "though the transaction was kept")
		require.Equal(t, []byte("on"), got(t, s, func(tx backend.Tx) ([]byte, error) { return tx.Setting("went") }))
	}},
	{"the journal of no update", func(t *testing.T, s backend.Store) {
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { return tx.AppendJournal("upd_none", rows(0, 1)) })
	}},
	{"reading stops at an error, and may look around", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.AppendJournal(id, rows(0, 100))) })
		seen := 0
		require.ErrorIs(t, s.View(t.Context(), func(tx backend.Tx) error {
			return tx.Journal(id, func(backend.JournalRow) error {
				if _, err := tx.Update(id); err != nil {
					return err
				}
				if seen++; seen == 70 {
					return errOurs
				}
				return nil
			})
		}), errOurs)
		require.Equal(t, 70, seen)
	}},
	{"a checkpoint is replaced", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { _, err := tx.Checkpoint(id); return err })
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { return tx.PutCheckpoint(backend.Checkpoint{UpdateID: "upd_none"}) })
		for _, want := range []backend.Checkpoint{
			{UpdateID: id, Sequence: 5, Sealed: megabyte()},
			{UpdateID: id, Sequence: 0, Sealed: []byte("x")},
			{UpdateID: id, Sequence: 7},
		} {
			update(t, s, func(tx backend.Tx) { require.NoError(t, tx.PutCheckpoint(want)) })
			require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.Checkpoint, error) { return tx.Checkpoint(id) }))
		}
	}},
}
