package backend

import (
	"context"
	"errors"
	"time"
)

// unstartedFor is how long an update that nobody started is kept.
const unstartedFor = 24 * time.Hour

// Sweep closes the updates whose lease has ended and returns how many; the
// first error does not keep it from the others.
func (s *Service) Sweep(ctx context.Context) (closed int, err error) {
	const batch = 100
	var ids []string
	if err := s.store.View(ctx, func(tx Tx) (err error) { ids, err = tx.Expired(tx.Now(), batch); return err }); err != nil {
		return 0, err
	}
	var failures []error
	for _, id := range ids {
		if ok, err := s.expire(ctx, id); err != nil {
			failures = append(failures, err)
		} else if ok {
			closed++
		}
	}
	return closed, errors.Join(failures...)
}

// expire closes an update, unless it was renewed meanwhile. Once its tokens
// are gone no write of its client's passes any more, so that what is folded
// stays what was acknowledged.
func (s *Service) expire(ctx context.Context, id string) (closed bool, err error) {
	var update Update
	err = s.store.Update(ctx, func(tx Tx) error {
		closed = false
		if update, err = tx.LockUpdate(id); err != nil {
			return err
		}
		end := update.LeaseExpiresAt
		if first := update.StartedAt.Add(s.opts.Lease); !update.Touched && first.After(end) {
			// The first short lease says only that others may take the stack: a
			// client that downloads plugins may be silent for longer.
			end = first
		}
		if update.Status != StatusRunning || tx.Now().Before(end) {
			return nil
		}
		closed = true
		update.TokenHashes = nil
		return tx.SaveUpdate(update)
	})
	if err != nil || !closed {
		return false, err
	}
	return true, s.closeUpdate(ctx, update, closing{
		status: StatusInterrupted, by: Caller{Token: Token{Principal: "redoubt"}}, why: "nothing was heard of it until its lease ended",
	})
}

// pruneBatch is how many rows one transaction deletes: who waits behind it does not
// wait for long.
const pruneBatch = 500

// InBatches calls delete with how many rows it may delete, until it deletes fewer, and
// returns how many it deleted in all.
func InBatches(ctx context.Context, delete func(limit int) (int64, error)) (deleted int64, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return deleted, err
		}
		n, err := delete(pruneBatch)
		deleted += n
		if err != nil || n < pruneBatch {
			return deleted, err
		}
	}
}

// Prune deletes what is kept for a while only.
func (s *Service) Prune(ctx context.Context) error {
	var failures []error
	for _, old := range []struct {
		delete func(tx Tx, before time.Time, limit int) (int64, error)
		after  time.Duration
	}{
		{Tx.PruneJournals, s.opts.KeepJournals},
		{Tx.PruneCheckpoints, s.opts.KeepJournals},
		{Tx.PruneEvents, s.opts.KeepEvents},
		{Tx.PruneUpdates, unstartedFor},
		{Tx.PruneOperationTokens, s.opts.KeepTokens},
	} {
		_, err := InBatches(ctx, func(limit int) (n int64, err error) {
			err = s.store.Update(ctx, func(tx Tx) (err error) {
				n, err = old.delete(tx, tx.Now().Add(-old.after), limit)
				return err
			})
			return n, err
		})
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}
