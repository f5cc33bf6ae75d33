package provision

import (
	"context"
	"fmt"
	"time"
)

// warnings are how long before the end of a stack's life people are told.
var warnings = []time.Duration{24 * time.Hour, time.Hour}

const (
	// maxExpiryFailures is after how many destroys that failed an expired stack is
	// left to people.
	maxExpiryFailures = 3
	// expiryRetry is the wait after the first of them; it doubles.
	expiryRetry = 15 * time.Minute
)

// SetTTL says how long a stack lives from now on; 0 for as long as it is wanted.
func (s *Service) SetTTL(ctx context.Context, p Principal, id string, version int64, ttl time.Duration) (Environment, error) {
	return s.changeEnvironment(ctx, p, id, version, "stack.ttl", func(tx Tx, e *Environment) (map[string]string, error) {
		if err := s.checkTTL(tx, *e, ttl); err != nil {
			return nil, err
		}
		e.ExpiresAt, e.Warned, e.Failures = never, 0, 0
		detail := map[string]string{"expires": "never"}
		if ttl > 0 {
			e.ExpiresAt = tx.Now().Add(ttl)
			e.Warned = warned(ttl)
			detail["expires"] = e.ExpiresAt.Format(time.RFC3339)
		}
		e.due()
		return detail, nil
	})
}

// checkTTL says what is wrong with a life of this length.
func (s *Service) checkTTL(tx Tx, e Environment, ttl time.Duration) error {
	fail := func(format string, args ...any) error {
		return invalidFields("the stack cannot live for "+ttl.String(), []FieldError{{Pointer: "/ttl", Message: fmt.Sprintf(format, args...)}})
	}
	if ttl < 0 || ttl > 0 && ttl < minPeriod {
		return fail("it is at least %s, or 0 for never", minPeriod)
	}
	project, err := tx.Project(e.ProjectID)
	if err != nil {
		return err
	}
	blueprint, err := s.catalog.Blueprint(e.Blueprint.Name, "")
	if err != nil {
		return err
	}
	quota, err := s.quota(tx, project)
	if err != nil {
		return err
	}
	if most := longestLife(quota, blueprint); most > 0 && (ttl == 0 || ttl > most) {
		return fail("must be at most %s, by the blueprint or the project's quota", most)
	}
	if ttl > 0 && e.Protected {
		return Fail(CodeConflict, "stack %s is protected, and would be destroyed at its end: take the protection away first", e.Name)
	}
	return nil
}

// warned is how many warnings are past when a life of this length begins.
func warned(ttl time.Duration) int {
	n := 0
	for _, before := range warnings {
		if ttl <= before {
			n++
		}
	}
	return n
}

// ttlDue is when the expiry wants something next: a warning, or the end.
func (e *Environment) ttlDue() time.Time {
	switch {
	case e.ExpiresAt.IsZero() || e.Failures > maxExpiryFailures:
		return never
	case e.Warned < len(warnings):
		return e.ExpiresAt.Add(-warnings[e.Warned])
	case e.Failures > 0:
		return e.ExpiresAt.Add(expiryRetry * time.Duration(1<<e.Failures-1))
	default:
		return e.ExpiresAt
	}
}

// expire warns, or orders the destroy, where it is time to.
func (s *Service) expire(tx Tx, e *Environment) (*Operation, error) {
	due := e.ttlDue()
	if due.IsZero() || due.After(tx.Now()) {
		return nil, nil
	}
	data := map[string]string{"stack_id": e.ID, "stack": e.Name.String(), "expires_at": e.ExpiresAt.Format(time.RFC3339), "url": "/v1/stacks/" + e.ID}
	if e.Warned < len(warnings) && tx.Now().Before(e.ExpiresAt) {
		for e.Warned < len(warnings) && !e.ExpiresAt.Add(-warnings[e.Warned]).After(tx.Now()) {
			e.Warned++
		}
		return nil, notify(tx, e.Name.Org, e.ProjectID, "stack.ttl_warning", data)
	}
	e.Warned = len(warnings)
	if e.Failures == 0 {
		if err := notify(tx, e.Name.Org, e.ProjectID, "stack.ttl_expired", data); err != nil {
			return nil, err
		}
	}
	e.Failures++ // where the destroy succeeds there is nothing left to count for
	if e.Failures > maxExpiryFailures {
		return nil, s.stalled(tx, e, data, fmt.Sprintf("%d attempts to destroy it did not succeed", maxExpiryFailures))
	}
	return s.orderScheduled(tx, *e, KindDestroy, "the end of its life")
}

// stalled tells people that an expired stack is still there.
func (s *Service) stalled(tx Tx, e *Environment, data map[string]string, why string) error {
	data["why"] = why
	if err := record(tx, systemActor, "stack.ttl_stalled", e.Name.String(), map[string]string{"why": why}); err != nil {
		return err
	}
	return notify(tx, e.Name.Org, e.ProjectID, "stack.ttl_stalled", data)
}
