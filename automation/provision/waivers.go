package provision

import (
	"context"
	"path"
	"strings"
	"time"
)

// longestWaiver bounds how long a waiver may hold.
const longestWaiver = 90 * 24 * time.Hour

// NewWaiver describes a waiver to be made.
type NewWaiver struct {
	// ProjectID is a project's id, or "org/name".
	ProjectID string
	// Policy is one policy's name, as the finding has it.
	Policy string
	// Stack is a pattern of the stack's name, Resource one of URNs, in which a star
	// stands for anything; empty for all.
	Stack, Resource string
	// Reason is for who reads it later.
	Reason string
	// Lifetime is how long it holds: at most 90 days.
	Lifetime time.Duration
}

// CreateWaiver lets mandatory findings of one policy pass, for a while.
func (s *Service) CreateWaiver(ctx context.Context, p Principal, n NewWaiver) (Waiver, error) {
	project, err := s.projectFor(ctx, p, n.ProjectID, ActionWaive)
	if err != nil {
		return Waiver{}, err
	}
	var f findings
	n = n.trimmed()
	n.check(&f)
	s.checkPolicy(ctx, &f, n.Policy)
	if err := f.err(); err != nil {
		return Waiver{}, err
	}
	w := Waiver{
		ID: newID("wvr"), ProjectID: project.ID, Policy: n.Policy, Stack: orAll(n.Stack), Resource: orAll(n.Resource),
		Reason: n.Reason, Owner: p.Name, Version: 1,
	}
	err = s.write(ctx, func(tx Tx) error {
		w.CreatedAt = tx.Now()
		w.ExpiresAt = w.CreatedAt.Add(n.Lifetime)
		if err := tx.CreateWaiver(w); err != nil {
			return err
		}
		return recordBy(tx, p, "waiver.create", project.Org+"/"+project.Name, map[string]string{
			"id": w.ID, "policy": w.Policy, "stack": w.Stack, "resource": w.Resource, "reason": w.Reason, "expires": w.ExpiresAt.Format(time.RFC3339),
		})
	})
	if err != nil {
		return Waiver{}, err
	}
	return w, nil
}

// trimmed is without the spaces around what somebody has copied: the policy pack does
// not count them either.
func (n NewWaiver) trimmed() NewWaiver {
	for _, text := range []*string{&n.Policy, &n.Stack, &n.Resource, &n.Reason} {
		*text = strings.TrimSpace(*text)
	}
	return n
}

func (n NewWaiver) check(f *findings) {
	f.text("/policy", n.Policy, 1, 200)
	if strings.ContainsAny(n.Policy, "*?[") {
		f.add("/policy", "is one policy's name, not a pattern: waive each by itself")
	}
	if _, err := path.Match(n.Stack, ""); err != nil || len(n.Stack) > 200 {
		f.add("/stack", "is no pattern of a stack's name: for example \"dev-*\"")
	}
	f.text("/resource", n.Resource, 0, 1000)
	if r := n.Resource; r != "" && !strings.HasPrefix(r, "urn:pulumi:") && !strings.HasPrefix(r, "*") {
		// The policy pack runs with no such exemption, and then no order would pass.
		f.add("/resource", "can match no URN: give the URN, or a pattern such as *::%s", r)
	}
	f.text("/reason", n.Reason, 1, 1000)
	if n.Lifetime <= 0 || n.Lifetime > longestWaiver {
		f.add("/lifetime", "is %s: a waiver holds for more than nothing, and at most %s", n.Lifetime, longestWaiver)
	}
}

// Waivers returns a project's waivers, with those that are over.
func (s *Service) Waivers(ctx context.Context, p Principal, projectID string) (waivers []Waiver, err error) {
	project, err := s.projectFor(ctx, p, projectID, ActionRead)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, func(tx Tx) (err error) { waivers, err = tx.Waivers(project.ID); return err })
	return waivers, err
}

// RevokeWaiver ends a waiver before its time. Plans that it has let pass are looked
// at again before they are applied.
func (s *Service) RevokeWaiver(ctx context.Context, p Principal, id string) (Waiver, error) {
	var w Waiver
	var project Project
	err := s.read(ctx, func(tx Tx) (err error) {
		if w, err = tx.Waiver(id); err != nil {
			return absent(err, named("waiver", id))
		}
		project, err = tx.Project(w.ProjectID)
		return err
	})
	if err != nil {
		return Waiver{}, err
	}
	if err := s.allow(ctx, p, ActionWaive, project.resource(), named("waiver", id)); err != nil {
		return Waiver{}, err
	}
	err = s.write(ctx, func(tx Tx) (err error) {
		if w, err = tx.Waiver(id); err != nil {
			return absent(err, named("waiver", id))
		}
		if !w.RevokedAt.IsZero() {
			return nil
		}
		w.RevokedAt = tx.Now()
		if err := tx.SaveWaiver(&w); err != nil {
			return err
		}
		return recordBy(tx, p, "waiver.revoke", project.Org+"/"+project.Name, map[string]string{"id": w.ID, "policy": w.Policy})
	})
	if err != nil {
		return Waiver{}, err
	}
	return w, nil
}

// Holds says whether a waiver is for a stack, at a time.
func (w Waiver) Holds(stack string, at time.Time) bool {
	return w.RevokedAt.IsZero() && at.Before(w.ExpiresAt) && nameMatches(orAll(w.Stack), stack)
}

// WaiversFor returns a project's waivers that hold for a stack.
func (s *Service) WaiversFor(ctx context.Context, projectID, stack string) (hold []Waiver, err error) {
	err = s.read(ctx, func(tx Tx) (err error) { hold, err = holding(tx, projectID, stack); return err })
	return hold, err
}

// holding is WaiversFor in a transaction, as a worker asks for its engine.
func holding(tx Tx, projectID, stack string) (hold []Waiver, err error) {
	all, err := tx.Waivers(projectID)
	for _, w := range all {
		if w.Holds(stack, tx.Now()) {
			hold = append(hold, w)
		}
	}
	return hold, err
}

func orAll(pattern string) string {
	if pattern == "" {
		return "*"
	}
	return pattern
}
