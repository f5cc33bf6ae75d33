package provision

import (
	"context"
	"fmt"
	"slices"
)

// The decisions.
const (
	Approve = "approve"
	Reject  = "reject"
)

// NewDecision is what a person says about a plan.
type NewDecision struct {
	// Decision is "approve" or "reject".
	Decision string
	Comment  string
	// PlanDigest is the digest of the plan that the person was shown.
	PlanDigest string
}

// Decide approves or rejects the plan of an operation that waits for it. A plan is
// approved by people, none of whom is the one behind the order, and each of whom
// counts once; a rejection ends the operation.
func (s *Service) Decide(ctx context.Context, p Principal, id string, n NewDecision) (Operation, error) {
	seen, env, err := s.operationFor(ctx, p, id, ActionRead)
	if err != nil {
		return Operation{}, err
	}
	// Before the roles, which may say no to this too, and not why.
	behind, err := s.attempts(ctx, seen)
	if err != nil {
		return Operation{}, err
	}
	for _, attempt := range behind {
		if why := mayNotDecide(p, attempt); why != "" {
			return Operation{}, s.refuse(ctx, p, ActionApprove, env.Name.String(), why, nil)
		}
	}
	if err := s.allow(ctx, p, ActionApprove, seen.resource(env), named("operation", id)); err != nil {
		return Operation{}, err
	}
	var f findings
	n.check(&f)
	if err := f.err(); err != nil {
		return Operation{}, err
	}
	var o Operation
	var outsider string
	err = s.write(ctx, func(tx Tx) (err error) {
		outsider = ""
		if o, err = tx.LockOperation(id); err != nil {
			return absent(err, named("operation", id))
		}
		if o.State != AwaitingApproval {
			return &Error{Code: CodeConflict, Operation: o.ID, Message: fmt.Sprintf("operation %s is %s, and does not wait for approval", o.ID, o.State)}
		}
		if o.Plan == nil || o.Plan.Digest != n.PlanDigest {
			return stale(o)
		}
		if !o.DeadlineAt.IsZero() && !tx.Now().Before(o.DeadlineAt) {
			return &Error{Code: CodeConflict, Operation: o.ID, Message: "operation " + o.ID + " has waited too long for approval, and expires: order it again"}
		}
		all, err := tx.Approvals(o.ID)
		if err != nil {
			return err
		}
		before := ApprovalsFor(o.Plan.Digest, all)
		if n.Decision == Approve {
			if slices.ContainsFunc(before, func(a Approval) bool { return a.By.Human == p.human() }) {
				return &Error{Code: CodeConflict, Operation: o.ID, Message: p.human() + " has approved this plan already: another person is needed"}
			}
			if outsider = noRuleWants(p, o.Required); outsider != "" {
				return nil
			}
		}
		return s.decide(tx, p, &o, n, before)
	})
	if err == nil && outsider != "" {
		err = s.refuse(ctx, p, ActionApprove, env.Name.String(), outsider, nil)
	}
	if err != nil {
		return Operation{}, err
	}
	if o.State == Approved {
		s.wake(ctx, o)
	}
	s.changed.tell(o.ID)
	return o, nil
}

// attempts are an operation and those that it tries again: who ordered the first
// one is behind all of them, whoever asked for another try.
func (s *Service) attempts(ctx context.Context, o Operation) (all []Operation, err error) {
	const most = 50
	err = s.read(ctx, func(tx Tx) error {
		all = []Operation{o}
		for last := o; last.RetryOf != "" && len(all) < most; all = append(all, last) {
			if last, err = tx.Operation(last.RetryOf); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// check finds what is wrong with a decision.
func (n NewDecision) check(f *findings) {
	if n.Decision != Approve && n.Decision != Reject {
		f.add("/decision", "%.40q is no decision: approve or reject", n.Decision)
	}
	f.text("/comment", n.Comment, 0, 2000)
	if n.PlanDigest == "" {
		f.add("/plan_digest", "is missing: the digest of the plan that you have looked at")
	}
}

// human is the person that counts for four eyes.
func (p Principal) human() string {
	if p.Human == "" && p.Kind == Human {
		return p.Name
	}
	return p.Human
}

// mayNotDecide says why somebody may not decide on an operation, whatever their
// roles; empty where they may.
func mayNotDecide(p Principal, o Operation) string {
	switch {
	case p.Kind != Human || p.human() == "":
		return "plans are approved by people, who have signed in: " + p.Name + " is a " + string(p.Kind)
	case o.RequestedBy.Human == p.human() || o.RequestedBy.Kind == Human && o.RequestedBy.Name == p.Name:
		return p.human() + " is behind operation " + o.ID + ": another person decides on it"
	}
	return ""
}

// noRuleWants says that somebody's approval would count for no rule; empty where
// it does.
func noRuleWants(p Principal, required []RequiredApproval) string {
	var groups []string
	for _, r := range required {
		if r.counts(p.Groups) {
			return ""
		}
		groups = append(groups, r.Groups...)
	}
	if len(required) == 0 {
		return ""
	}
	slices.Sort(groups)
	return fmt.Sprintf("%s is in none of the groups whose approval is wanted: %q", p.Name, slices.Compact(groups))
}

// stale says that the plan is another one by now.
func stale(o Operation) error {
	current := "it has none yet"
	if o.Plan != nil {
		current = "it is " + o.Plan.Digest
	}
	return &Error{Code: CodePlanStale, Operation: o.ID, Message: fmt.Sprintf(
		"the plan of operation %s is not the one that you have looked at: %s. Look at the new one, and decide on that", o.ID, current)}
}

// decide writes a decision, and moves the operation where it is the last one.
func (s *Service) decide(tx Tx, p Principal, o *Operation, n NewDecision, before []Approval) error {
	by := p.Actor()
	by.Human = p.human()
	a := Approval{
		ID: newID("apr"), OperationID: o.ID, By: by, Groups: slices.Clone(p.Groups), Decision: n.Decision, Comment: n.Comment,
		PlanDigest: n.PlanDigest, At: tx.Now(),
	}
	if err := tx.AddApproval(a); err != nil {
		return err
	}
	if err := tx.AddEvents(o.ID, []Event{eventOf(tx, EventApproval, a)}); err != nil {
		return err
	}
	if err := recordBy(tx, p, "operation."+n.Decision, o.Stack.String(), map[string]string{
		"operation": o.ID, "plan": n.PlanDigest, "requested_by": o.RequestedBy.Name,
	}); err != nil {
		return err
	}
	if n.Decision == Reject {
		why := "rejected by " + p.Name
		if n.Comment != "" {
			why += ": " + n.Comment
		}
		return move(tx, o, Rejected, by, why)
	}
	var enough bool
	if o.Required, enough = granted(o.Required, append(before, a)); enough {
		return move(tx, o, Approved, by, "")
	}
	return tx.SaveOperation(o)
}
