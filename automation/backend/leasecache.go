package backend

import (
	"context"
	"errors"
	"sync"
)

// maxKnownLeases bounds the cache; past it, it starts anew.
const maxKnownLeases = 4096

// leaseCache remembers which tokens were seen to be an update's, and whose
// stack that is: neither ever changes. Whether a token still holds the stack is
// asked in the transaction of each write.
type leaseCache struct {
	mu     sync.Mutex
	stacks map[leaseKey]string
}

type leaseKey struct{ update, tokenHash string }

func (c *leaseCache) get(key leaseKey) (stackID string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stackID, ok = c.stacks[key]
	return stackID, ok
}

func (c *leaseCache) put(key leaseKey, stackID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.stacks) >= maxKnownLeases || c.stacks == nil {
		c.stacks = map[leaseKey]string{}
	}
	c.stacks[key] = stackID
}

// stackOf is the id of the stack that an update is of, if the token is, or was,
// one of the update's.
func (s *Service) stackOf(ctx context.Context, ref UpdateRef) (string, error) {
	key := leaseKey{ref.ID, string(digest([]byte(ref.Token)))}
	if stackID, ok := s.leases.get(key); ok {
		return stackID, nil
	}
	var update Update
	err := s.store.View(ctx, func(tx Tx) (err error) { update, err = tx.Update(ref.ID); return err })
	if errors.Is(err, ErrNotFound) || err == nil && !update.knows(ref.Token) {
		return "", leaseLost(ref.ID)
	}
	if err != nil {
		return "", err
	}
	s.leases.put(key, update.StackID)
	return update.StackID, nil
}

// keysFor are the keys of the stack that an update is of; as stackOf.
func (s *Service) keysFor(ctx context.Context, ref UpdateRef) (*stackKeys, error) {
	stackID, err := s.stackOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.keys.of(ctx, stackID)
}
