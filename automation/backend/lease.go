package backend

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"time"
)

// maxLeaseTokens is how many of an update's tokens are good: requests that
// were on their way when the lease was renewed carry older ones, and so does a
// renewal whose answer was lost.
const maxLeaseTokens = 4

// grant gives an update a new token, and its lease a new end.
func (s *Service) grant(tx Tx, update *Update, lease time.Duration) Lease {
	token := rand.Text()
	update.TokenHashes = append([][]byte{digest([]byte(token))}, update.TokenHashes...)
	if len(update.TokenHashes) > maxLeaseTokens {
		update.TokenHashes = update.TokenHashes[:maxLeaseTokens]
	}
	update.LeaseExpiresAt = tx.Now().Add(lease)
	return Lease{Token: token, ExpiresAt: update.LeaseExpiresAt}
}

// errLease is for every reason alike. The CLI takes 403, and nothing else, for
// the end of its lease.
func leaseLost(id string) error {
	return Fail(CodeForbidden, "update %s no longer holds the stack: it was cancelled, it ended, or nothing was heard of it for too long. What was acknowledged is kept; nothing more is written", quoted(id))
}

// holds says whether a token is one of a running update's.
func (u Update) holds(token string) bool {
	if u.Status != StatusRunning {
		return false
	}
	return u.knows(token)
}

func (u Update) knows(token string) bool { return knows(u.TokenHashes, token) }

func knows(hashes [][]byte, token string) bool {
	hash, ok := digest([]byte(token)), 0
	for _, h := range hashes {
		ok |= subtle.ConstantTimeCompare(h, hash)
	}
	return ok == 1
}

// UpdateRef is an update as its client names it.
type UpdateRef struct {
	Name StackName
	ID   string
	// Token is the lease's.
	Token string
}

// leased locks an update for a write of its client's.
func leased(tx Tx, ref UpdateRef) (Update, error) {
	update, err := tx.LockUpdate(ref.ID)
	if errors.Is(err, ErrNotFound) {
		return Update{}, leaseLost(ref.ID)
	}
	if err != nil {
		return Update{}, err
	}
	if !update.holds(ref.Token) {
		return Update{}, leaseLost(ref.ID)
	}
	return update, nil
}

// hold keeps an update from being closed while its client writes something that
// leaves the update itself as it is.
func hold(tx Tx, ref UpdateRef) (Held, error) {
	held, err := tx.HoldUpdate(ref.ID)
	if errors.Is(err, ErrNotFound) {
		return Held{}, leaseLost(ref.ID)
	}
	if err != nil {
		return Held{}, err
	}
	if held.Status != StatusRunning || !knows(held.TokenHashes, ref.Token) {
		return Held{}, leaseLost(ref.ID)
	}
	return held, nil
}

// stale says whether a lease is to be extended because its client was heard of:
// half of it is gone, or it is the first time.
func (s *Service) stale(tx Tx, held Held) bool {
	return !held.Touched || held.LeaseExpiresAt.Sub(tx.Now()) <= s.opts.Lease/2
}

// heard is extend in a transaction that has the update locked, where needed.
func (s *Service) heard(tx Tx, update *Update) error {
	if !s.stale(tx, Held{Touched: update.Touched, LeaseExpiresAt: update.LeaseExpiresAt}) {
		return nil
	}
	update.Touched, update.LeaseExpiresAt = true, tx.Now().Add(s.opts.Lease)
	return tx.SaveUpdate(*update)
}

// extend gives a lease its whole length again. It is a transaction of its own,
// after that of the write: to turn the hold of many into the lock of one would
// make two writers wait for each other. Where the update was closed in between,
// what was written before is kept, and the client hears of the end next time.
func (s *Service) extend(ctx context.Context, ref UpdateRef) error {
	err := s.store.Update(ctx, func(tx Tx) error {
		update, err := leased(tx, ref)
		if err != nil {
			return err
		}
		return s.heard(tx, &update)
	})
	if CodeOf(err) == CodeForbidden {
		return nil
	}
	return err
}

// heardStep does so, and keeps that the client has begun a step.
func (s *Service) heardStep(tx Tx, update *Update) error {
	if update.Stepped {
		return s.heard(tx, update)
	}
	update.Stepped, update.Touched, update.LeaseExpiresAt = true, true, tx.Now().Add(s.opts.Lease)
	return tx.SaveUpdate(*update)
}

// RenewLease gives an update a new token and its lease a new end. A lease that
// ended is renewed as long as nobody closed the update: a laptop that slept
// may go on.
func (s *Service) RenewLease(ctx context.Context, ref UpdateRef) (lease Lease, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		update, err := leased(tx, ref)
		if err != nil {
			return err
		}
		update.Touched = true
		lease = s.grant(tx, &update, s.opts.Lease)
		lease.Update = update
		return tx.SaveUpdate(update)
	})
	return lease, err
}
