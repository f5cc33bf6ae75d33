package api

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"redoubt/automation/provision"
)

// codeRateLimited is for who asks too often.
const codeRateLimited provision.Code = "rate_limited"

// mostLimited is how many principals are remembered, those that asked last.
const mostLimited = 10_000

// limits are the token buckets of principals, in this process.
type limits struct {
	each  rate.Limit
	burst int
	now   func() time.Time

	mu sync.Mutex
	// order has *limited, who asked last first; by finds them by subject.
	order *list.List
	by    map[string]*list.Element
}

type limited struct {
	subject string
	bucket  *rate.Limiter
}

// newLimits is nil, which limits nobody, where no rate is given.
func newLimits(perSecond float64, burst int) *limits {
	if perSecond <= 0 {
		return nil
	}
	return &limits{each: rate.Limit(perSecond), burst: max(1, burst), now: time.Now, order: list.New(), by: map[string]*list.Element{}}
}

// take takes a request of a principal's, or refuses it and says when to come again.
func (l *limits) take(p provision.Principal) error {
	if l == nil {
		return nil
	}
	now := l.now()
	bucket := l.bucket(string(p.Kind) + ":" + p.Name)
	if bucket.AllowN(now, 1) {
		return nil
	}
	missing := 1 - bucket.TokensAt(now)
	refusal := newProblem(codeRateLimited, "You ask more often than this service allows: slow down, and send this again after the time in Retry-After.")
	refusal.retryAfter(max(time.Second, time.Duration(missing/float64(l.each)*float64(time.Second))))
	return refusal
}

func (l *limits) bucket(subject string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.by[subject]
	if !ok {
		at = l.order.PushFront(&limited{subject, rate.NewLimiter(l.each, l.burst)})
		l.by[subject] = at
		if l.order.Len() > mostLimited {
			oldest := l.order.Back()
			l.order.Remove(oldest)
			delete(l.by, oldest.Value.(*limited).subject)
		}
	}
	l.order.MoveToFront(at)
	return at.Value.(*limited).bucket
}
