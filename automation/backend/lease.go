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

func (u Update) knows(token string) bool {
	hash, ok := digest([]byte(token)), 0
	for _, h := range u.TokenHashes {
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

// heard extends a lease because its client was heard of. It writes only when
// half of the lease is gone, or the client is heard of for the first time.
func (s *Service) heard(tx Tx, update *Update) error {
	if update.Touched && update.LeaseExpiresAt.Sub(tx.Now()) > s.opts.Lease/2 {
		return nil
	}
	update.Touched = true
	update.LeaseExpiresAt = tx.Now().Add(s.opts.Lease)
	return tx.SaveUpdate(*update)
}

// heardStep does so, and keeps that the client has begun a step.
func (s *Service) heardStep(tx Tx, update *Update, stepped bool) error {
	if !stepped || update.Stepped {
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
