package api

import (
	"time"

	"golang.org/x/time/rate"

	"redoubt/automation/provision"
	"redoubt/internal/buckets"
)

// codeRateLimited is for who asks too often.
const codeRateLimited provision.Code = "rate_limited"

// mostLimited is how many principals are remembered, those that asked last.
const mostLimited = 10_000

// limits are the token buckets of principals, in this process.
type limits struct {
	each rate.Limit
	now  func() time.Time
	by   *buckets.Set
}

// newLimits is nil, which limits nobody, where no rate is given.
func newLimits(perSecond float64, burst int) *limits {
	if perSecond <= 0 {
		return nil
	}
	each := rate.Limit(perSecond)
	return &limits{each: each, now: time.Now, by: buckets.New(each, max(1, burst), mostLimited)}
}

// take takes a request of a principal's, or refuses it and says when to come again.
func (l *limits) take(p provision.Principal) error {
	if l == nil {
		return nil
	}
	now := l.now()
	bucket := l.by.Use(string(p.Kind) + ":" + p.Name)
	if bucket.AllowN(now, 1) {
		return nil
	}
	missing := 1 - bucket.TokensAt(now)
	refusal := newProblem(codeRateLimited, "You ask more often than this service allows: slow down, and send this again after the time in Retry-After.")
	refusal.retryAfter(max(time.Second, time.Duration(missing/float64(l.each)*float64(time.Second))))
	return refusal
}
