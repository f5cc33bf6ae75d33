package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// crowd is how many do something at once.
const crowd = 20

// together runs do in as many goroutines and returns their errors.
func together(do func(i int) error) []error {
	errs := make([]error, crowd)
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errs
}

var concurrencyTests = []test{
	{"who locks a stack sees what the one before did", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		ctx := deadline(t)
		for _, err := range together(func(int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				it, err := tx.LockStack("stk_01")
				if err != nil {
					return err
				}
				it.Fence++
				return tx.SaveStack(it)
			})
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, int64(12+crowd), got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.StackByID("stk_01") }).Fence)
	}},
	{"who locks an update sees what the one before did", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		ctx := deadline(t)
		for _, err := range together(func(int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				it, err := tx.LockUpdate(id)
				if err != nil {
					return err
				}
				it.Resources++
				return tx.SaveUpdate(it)
			})
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, int64(4+crowd), got(t, s, func(tx backend.Tx) (backend.Update, error) { return tx.Update(id) }).Resources)
	}},
	{"who locks an update waits for those who hold it", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		ctx := deadline(t)
		var locked atomic.Bool
		locks := make(chan error, 1)
		require.NoError(t, s.Update(ctx, func(tx backend.Tx) error {
			if _, err := tx.HoldUpdate(id); err != nil {
				return err
			}
			go func() {
				locks <- s.Update(ctx, func(tx backend.Tx) error {
					_, err := tx.LockUpdate(id)
					locked.Store(err == nil)
					return err
				})
			}()
			for i := range crowd {
				if err := tx.PutSetting("held", []byte{byte(i)}); err != nil {
					return err
				}
			}
			if locked.Load() {
				return errors.New("it was locked while it was held")
			}
			return nil
		}))
		require.NoError(t, <-locks)
		// Holders do not wait for each other; where there is one writer they do.
		for _, err := range together(func(i int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				if _, err := tx.HoldUpdate(id); err != nil {
					return err
				}
				return tx.PutEvents(id, []backend.EventRow{{Sequence: int64(i), Sealed: []byte{1}}})
			})
		}) {
			require.NoError(t, err)
		}
	}},
	{"a second one waits for the first one's lock, and may leave meanwhile", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		require.NoError(t, s.Update(deadline(t), func(tx backend.Tx) error {
			it, err := tx.LockStack("stk_01")
			if err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(deadline(t))
			defer cancel()
			second := make(chan error, 1)
			go func() {
				second <- s.Update(ctx, func(tx backend.Tx) error {
					_, err := tx.LockStack("stk_01")
					if err == nil {
						err = tx.PutSetting("got", []byte("the lock"))
					}
					return err
				})
			}()
			select {
			case err := <-second:
				return fmt.Errorf("it did not wait: %w", err)
			default:
			}
			cancel()
			if err := <-second; !errors.Is(err, context.Canceled) {
				return fmt.Errorf("it did not leave: %w", err)
			}
			return tx.SaveStack(it)
		}))
		view(t, s, func(tx backend.Tx) {
			_, err := tx.Setting("got")
			require.ErrorIs(t, err, backend.ErrNotFound)
		})
	}},
	{"who waited for a stack that was deleted does not find it", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		second := make(chan error, 1)
		ctx := deadline(t)
		require.NoError(t, s.Update(ctx, func(tx backend.Tx) error {
			if _, err := tx.LockStack("stk_01"); err != nil {
				return err
			}
			go func() {
				second <- s.Update(ctx, func(tx backend.Tx) error {
					_, err := tx.LockStack("stk_01")
					return err
				})
			}()
			return tx.DeleteStack("stk_01")
		}))
		require.ErrorIs(t, <-second, backend.ErrNotFound)
	}},
	{"one that fails among many leaves the others alone", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		ctx := deadline(t)
		for i, err := range together(func(i int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				if err := tx.AppendJournal(id, rows(i*10, 10)); err != nil {
					return err
				}
				if i%3 == 0 {
					return errOurs
				}
				return nil
			})
		}) {
			if i%3 == 0 {
				require.ErrorIs(t, err, errOurs)
			} else {
				require.NoError(t, err)
			}
		}
		for _, r := range journal(t, s, id) {
			require.NotZero(t, (r.Sequence/10)%3, "row %d is of one that failed", r.Sequence)
		}
		require.Len(t, journal(t, s, id), 130)
	}},
	{"many append to one journal", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		ctx := deadline(t)
		for _, err := range together(func(i int) error {
			for j := range 10 {
				if err := s.Update(ctx, func(tx backend.Tx) error { return tx.AppendJournal(id, rows(100*j+5*i, 5)) }); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, rows(0, 1000), journal(t, s, id))
	}},
	{"many send the same rows and one is kept", func(t *testing.T, s backend.Store) {
		_, id := withUpdate(t, s)
		ctx := deadline(t)
		for _, err := range together(func(int) error {
			return s.Update(ctx, func(tx backend.Tx) error { return tx.AppendJournal(id, rows(0, 30)) })
		}) {
			require.NoError(t, err)
		}
		require.Equal(t, rows(0, 30), journal(t, s, id))
	}},
	{"of many that create one stack one does", func(t *testing.T, s backend.Store) {
		ctx := deadline(t)
		created := 0
		for _, err := range together(func(i int) error {
			it := stack(i)
			it.Name.Stack = "same"
			return s.Update(ctx, func(tx backend.Tx) error { return tx.CreateStack(it) })
		}) {
			if err == nil {
				created++
				continue
			}
			require.ErrorIs(t, err, backend.ErrExists)
		}
		require.Equal(t, 1, created)
	}},
	{"of many that rename to one name one does", func(t *testing.T, s backend.Store) {
		ctx := deadline(t)
		update(t, s, func(tx backend.Tx) {
			for i := range crowd {
				require.NoError(t, tx.CreateStack(stack(i)))
			}
		})
		renamed := 0
		for _, err := range together(func(i int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				it, err := tx.LockStack(stack(i).ID)
				if err != nil {
					return err
				}
				it.Name.Stack = "same"
				return tx.SaveStack(it)
			})
		}) {
			if err == nil {
				renamed++
				continue
			}
			require.ErrorIs(t, err, backend.ErrExists)
		}
		require.Equal(t, 1, renamed)
	}},
	{"many publish one pack and each gets a number", func(t *testing.T, s backend.Store) {
		ctx := deadline(t)
		for _, err := range together(func(i int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				_, err := tx.CreatePack(backend.PolicyPack{Org: "acme", Name: "redoubt", Tag: fmt.Sprint(i), Policies: []byte("[]")})
				return err
			})
		}) {
			require.NoError(t, err)
		}
		for i, p := range got(t, s, func(tx backend.Tx) ([]backend.PolicyPack, error) { return tx.Packs("acme") }) {
			require.Equal(t, int64(i+1), p.Version)
		}
	}},
	{"many write the audit log and the chain has no gap", func(t *testing.T, s backend.Store) {
		ctx := deadline(t)
		const each = 5
		for _, err := range together(func(i int) error {
			for range each {
				if err := s.Update(ctx, func(tx backend.Tx) error { return addAudit(tx, fmt.Sprint(i)) }); err != nil {
					return err
				}
			}
			return nil
		}) {
			require.NoError(t, err)
		}
		requireChain(t, s, crowd*each)
	}},
}
