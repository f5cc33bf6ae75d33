package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var errOurs = errors.New("the caller changed its mind")

var transactionTests = []test{
	{"an error undoes everything", func(t *testing.T, s backend.Store) {
		_, updateID := withUpdate(t, s)
		fails(t, s, errOurs, func(tx backend.Tx) error {
			require.NoError(t, tx.CreateStack(stack(2)))
			require.NoError(t, tx.AppendJournal(updateID, rows(1, 3)))
			require.NoError(t, tx.PutSetting("id", []byte("x")))
			_, err := tx.StackByID("stk_02")
			require.NoError(t, err, "a transaction sees what it does")
			return errOurs
		})
		view(t, s, func(tx backend.Tx) {
			_, err := tx.StackByID("stk_02")
			require.ErrorIs(t, err, backend.ErrNotFound)
			_, err = tx.Setting("id")
			require.ErrorIs(t, err, backend.ErrNotFound)
			n, _, err := tx.JournalSize(updateID)
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}},
	{"a panic undoes everything and is the caller's", func(t *testing.T, s backend.Store) {
		require.PanicsWithValue(t, "ours", func() {
			_ = s.Update(t.Context(), func(tx backend.Tx) error {
				require.NoError(t, tx.CreateStack(stack(1)))
				panic("ours")
			})
		})
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.CreateStack(stack(1))) })
		require.PanicsWithValue(t, "ours", func() {
			_ = s.View(t.Context(), func(backend.Tx) error { panic("ours") })
		})
	}},
	{"exists and not found are answers, and the transaction goes on", func(t *testing.T, s backend.Store) {
		stackID, updateID := withUpdate(t, s)
		update(t, s, func(tx backend.Tx) {
			require.ErrorIs(t, tx.CreateStack(stack(1)), backend.ErrExists)
			require.ErrorIs(t, tx.CreateUpdate(run(updateID, stackID)), backend.ErrExists)
			_, err := tx.LockStack("stk_none")
			require.ErrorIs(t, err, backend.ErrNotFound)
			require.NoError(t, tx.PutSetting("id", []byte("x")))
		})
		require.Equal(t, []byte("x"), got(t, s, func(tx backend.Tx) ([]byte, error) { return tx.Setting("id") }))
	}},
	{"what the database refused is not kept, whatever the function says", func(t *testing.T, s backend.Store) {
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error {
			require.NoError(t, tx.PutSetting("id", []byte("x")))
			require.Error(t, tx.CreateUpdate(run("upd_1", "stk_none")), "no such stack")
			return nil
		})
		view(t, s, func(tx backend.Tx) {
			_, err := tx.Setting("id")
			require.ErrorIs(t, err, backend.ErrNotFound)
		})
	}},
	{"a view does not see what is changed meanwhile", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		view(t, s, func(tx backend.Tx) {
			before, err := tx.StackByID("stk_01")
			require.NoError(t, err)
			update(t, s, func(tx backend.Tx) {
				changed := before
				changed.Fence++
				require.NoError(t, tx.SaveStack(changed))
				require.NoError(t, tx.CreateStack(stack(2)))
			})
			after, err := tx.StackByID("stk_01")
			require.NoError(t, err)
			require.Equal(t, before, after)
			all, err := tx.Stacks(backend.StackQuery{})
			require.NoError(t, err)
			require.Len(t, all, 1)
		})
		require.Equal(t, int64(13), got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.StackByID("stk_01") }).Fence)
	}},
	{"a view changes nothing", func(t *testing.T, s backend.Store) {
		require.Error(t, s.View(t.Context(), func(tx backend.Tx) error { return tx.CreateStack(stack(1)) }))
		require.Empty(t, got(t, s, func(tx backend.Tx) ([]backend.Stack, error) { return tx.Stacks(backend.StackQuery{}) }))
	}},
	{"the errors of the functions are returned as they are", func(t *testing.T, s backend.Store) {
		require.Equal(t, errOurs, s.View(t.Context(), func(backend.Tx) error { return errOurs }))
		require.Equal(t, errOurs, s.Update(t.Context(), func(backend.Tx) error { return errOurs }))
	}},
	{"who has left is not served", func(t *testing.T, s backend.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		never := func(backend.Tx) error {
			t.Error("it ran")
			return nil
		}
		require.ErrorIs(t, s.Update(ctx, never), context.Canceled)
		require.ErrorIs(t, s.View(ctx, never), context.Canceled)
	}},
	{"who leaves in the middle changes nothing", func(t *testing.T, s backend.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(tx backend.Tx) error {
			require.NoError(t, tx.CreateStack(stack(1)))
			cancel()
			return tx.CreateStack(stack(2))
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, got(t, s, func(tx backend.Tx) ([]backend.Stack, error) { return tx.Stacks(backend.StackQuery{}) }))
	}},
	{"a transaction that is over does nothing more", func(t *testing.T, s backend.Store) {
		var kept backend.Tx
		update(t, s, func(tx backend.Tx) { kept = tx })
		require.Error(t, kept.CreateStack(stack(1)))
		view(t, s, func(tx backend.Tx) { kept = tx })
		_, err := kept.Stacks(backend.StackQuery{})
		require.Error(t, err)
	}},
	{"the time is the same for all, in UTC, to the microsecond, and does not go back", func(t *testing.T, s backend.Store) {
		var last time.Time
		for range 20 {
			check := func(tx backend.Tx) {
				now := tx.Now()
				require.False(t, now.Before(last))
				require.WithinDuration(t, time.Now(), now, wait)
				require.Equal(t, time.UTC, now.Location())
				require.Equal(t, now, now.Truncate(time.Microsecond))
				last = now
			}
			update(t, s, check)
			view(t, s, check)
		}
	}},
	{"it answers", func(t *testing.T, s backend.Store) {
		require.NoError(t, s.Ping(t.Context()))
	}},
}
