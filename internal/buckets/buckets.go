// Package buckets keeps token buckets by key, of those keys that were used last.
package buckets

import (
	"container/list"
	"sync"

	"golang.org/x/time/rate"
)

// Set is a bounded set of token buckets. It is safe for concurrent use.
type Set struct {
	each        rate.Limit
	burst, most int

	mu sync.Mutex
	// order has *entry, the one used last first; by finds them by key.
	order *list.List
	by    map[string]*list.Element
}

type entry struct {
	key    string
	bucket *rate.Limiter
}

// New makes a set of buckets that fill at a rate up to burst, and are at most so many:
// the one whose use is the longest ago is forgotten, which is as if it were full.
func New(each rate.Limit, burst, most int) *Set {
	return &Set{each: each, burst: burst, most: most, order: list.New(), by: map[string]*list.Element{}}
}

// Use returns a key's bucket, a full one where there is none yet.
func (s *Set) Use(key string) *rate.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.by[key]
	if !ok {
		at = s.order.PushFront(&entry{key, rate.NewLimiter(s.each, s.burst)})
		s.by[key] = at
		if s.order.Len() > s.most {
			oldest := s.order.Back()
			s.order.Remove(oldest)
			delete(s.by, oldest.Value.(*entry).key)
		}
	}
	s.order.MoveToFront(at)
	return at.Value.(*entry).bucket
}

// Seen returns a key's bucket without using it; nil where there is none.
func (s *Set) Seen(key string) *rate.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.by[key]; ok {
		return at.Value.(*entry).bucket
	}
	return nil
}

// Len is how many there are.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order.Len()
}
