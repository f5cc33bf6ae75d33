package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"redoubt/automation/backend"
)

// maxBeginnings is how often an operation begins anew whose worker died before it
// changed anything.
const maxBeginnings = 3

// Sweep ends what has waited too long, and takes operations from workers that are
// not heard of any more; it returns how many. Any number of nodes may call it; the
// first error does not keep it from the others.
func (s *Service) Sweep(ctx context.Context) (swept int, err error) {
	var failed []error
	for _, do := range []func(context.Context) (int, error){s.sweepOverdue, s.sweepOrphans, s.sweepClaims} {
		n, err := do(ctx)
		swept += n
		failed = append(failed, err)
	}
	return swept, errors.Join(failed...)
}

// Abandon ends the claims of all workers. It is for a process that starts where no
// other can be: whoever had them is dead, and nobody need wait for them to end.
func (s *Service) Abandon(ctx context.Context) error {
	return s.store.Update(ctx, func(tx Tx) error {
		claims, err := tx.Claims(tx.Now())
		if err != nil {
			return err
		}
		for _, c := range claims {
			c.ExpiresAt = tx.Now()
			if err := tx.RenewClaim(c); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweepBatch is how many of a kind are looked at at once.
const sweepBatch = 100

// each does something to each of some, and goes on after failures.
func each[T any](of []T, do func(T) (bool, error)) (done int, err error) {
	var failed []error
	for _, one := range of {
		ok, err := do(one)
		if ok {
			done++
		}
		failed = append(failed, err)
	}
	return done, errors.Join(failed...)
}

// sweepOverdue ends operations that have waited too long.
func (s *Service) sweepOverdue(ctx context.Context) (int, error) {
	var due []Operation
	err := s.store.View(ctx, func(tx Tx) (err error) { due, err = tx.OverdueOperations(tx.Now(), sweepBatch); return err })
	if err != nil {
		return 0, err
	}
	return each(due, func(seen Operation) (ended bool, err error) {
		err = s.store.Update(ctx, func(tx Tx) error {
			ended = false
			o, err := tx.LockOperation(seen.ID)
			if err != nil || o.DeadlineAt.IsZero() || tx.Now().Before(o.DeadlineAt) {
				return err
			}
			switch o.State {
			case Queued:
				ended = true
				return move(tx, &o, Skipped, systemActor, "no worker took it in time")
			case AwaitingApproval:
				ended = true
				return move(tx, &o, Expired, systemActor, "it was not approved in time")
			}
			return nil
		})
		if ended && err == nil {
			s.changed.tell(seen.ID)
		}
		return ended && err == nil, err
	})
}

// sweepOrphans takes operations from workers whose claim has ended.
func (s *Service) sweepOrphans(ctx context.Context) (int, error) {
	var orphans []Operation
	err := s.store.View(ctx, func(tx Tx) error {
		orphans = nil
		running, err := tx.Operations(OperationQuery{States: claimedStates()})
		if err != nil {
			return err
		}
		for _, o := range running {
			orphaned, err := orphaned(tx, o)
			if err != nil {
				return err
			}
			if orphaned {
				orphans = append(orphans, o)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return each(orphans, func(o Operation) (bool, error) { return s.takeOver(ctx, o) })
}

// orphaned says whether nobody has a claim for the operation.
func orphaned(tx Tx, o Operation) (bool, error) {
	claim, err := tx.Claim(o.StackID)
	if errors.Is(err, backend.ErrNotFound) {
		return true, nil
	}
	return claim.OperationID != o.ID || !tx.Now().Before(claim.ExpiresAt), err
}

// takeOver decides what becomes of an operation whose worker is not heard of: what
// has changed nothing begins anew; an update is ended as what its state says that it
// came to. As long as the backend's lease of the update holds, its engine may live,
// and the operation is left as it is.
func (s *Service) takeOver(ctx context.Context, seen Operation) (taken bool, err error) {
	by := backend.OperationCaller(seen.ID, seen.Stack)
	pending, creates, err := s.pending(ctx, by, seen.Stack)
	if err != nil && backend.CodeOf(err) != backend.CodeNotFound {
		return false, err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		taken = false
		env, err := tx.LockEnvironment(seen.StackID)
		if err != nil {
			return err
		}
		o, err := tx.LockOperation(seen.ID)
		if err != nil || !o.State.Claimed() {
			return err
		}
		if orphaned, err := orphaned(tx, o); err != nil || !orphaned {
			return err
		}
		stack, err := tx.LockStack(o.StackID)
		if err != nil {
			return err
		}
		if stack.ActiveUpdate != "" || stack.PendingCreates != creates {
			return nil // the next sweep
		}
		next, why, err := o.afterItsWorker(tx, pending, creates)
		if err != nil {
			return err
		}
		if next == Succeeded {
			o.Result = &Result{Counts: o.Plan.Counts, StateVersion: stack.Version}
			if err := settle(tx, o, &env); err != nil {
				return err
			}
		}
		taken = true
		fence := int64(0)
		if claim, err := tx.Claim(o.StackID); err == nil && claim.OperationID == o.ID {
			fence = claim.Fence
		} else if err != nil && !errors.Is(err, backend.ErrNotFound) {
			return err
		}
		return s.letGo(tx, &o, fence, next, why)
	})
	if err != nil || !taken {
		return false, err
	}
	s.opts.Log.WarnContext(ctx, "an operation was taken from a worker that is not heard of", "operation", seen.ID, "node", seen.Node, "state", seen.State)
	s.changed.tell(seen.ID)
	s.wakeNext(ctx, seen.StackID)
	return true, nil
}

// afterItsWorker is what follows when an operation's worker died, and no update of it
// runs any more.
func (o *Operation) afterItsWorker(tx Tx, pending []string, creates int) (next State, why string, err error) {
	node := orText(o.Node, "the worker")
	switch o.State {
	case Preparing, Previewing:
		begun, err := beginnings(tx, o.ID)
		if err != nil {
			return "", "", err
		}
		if begun < maxBeginnings {
			return Queued, node + " is not heard of any more: it begins anew", nil
		}
		o.Failure = &Failure{Code: CodeEngineUnavailable, Message: fmt.Sprintf("%d workers died while they prepared it: look into their logs before it is ordered again", begun)}
		return Failed, o.Failure.Message, nil
	case Verifying:
		return Succeeded, "its update had succeeded when " + node + " was not heard of any more", nil
	}
	o.Failure = &Failure{Code: CodeEngineUnavailable, Message: node + " is not heard of any more: what had begun is in the state, the rest was not begun. Order it again for that"}
	if creates > 0 {
		o.Failure = &Failure{Code: CodeNeedsRecovery, Pending: pending, Message: node + " is not heard of any more, and left resources of which nobody knows whether they exist: look for them, and order an operation of kind recover"}
		return NeedsRecovery, o.Failure.Message, nil
	}
	if o.State == Canceling {
		return Canceled, o.Failure.Message, nil
	}
	return Failed, o.Failure.Message, nil
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// beginnings counts how often an operation was begun.
func beginnings(tx Tx, operationID string) (n int, err error) {
	err = eachEvent(tx, operationID, func(e Event) {
		var change stateChange
		if e.Type == EventState && json.Unmarshal(e.Data, &change) == nil && change.To == Preparing {
			n++
		}
	})
	return n, err
}

// eachEvent looks at all events of an operation, in their order.
func eachEvent(tx Tx, operationID string, look func(Event)) error {
	const atOnce = 1000
	var after int64
	for {
		events, err := tx.EventsAfter(operationID, after, atOnce)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			after = e.Seq
			look(e)
		}
	}
}

// sweepClaims releases claims that have ended on operations that wait, as one does
// whose worker died while it looked whether a plan is still the one that was approved.
func (s *Service) sweepClaims(ctx context.Context) (int, error) {
	var ended []Claim
	err := s.store.View(ctx, func(tx Tx) (err error) { ended, err = tx.ExpiredClaims(tx.Now(), sweepBatch); return err })
	if err != nil {
		return 0, err
	}
	return each(ended, func(seen Claim) (released bool, err error) {
		err = s.store.Update(ctx, func(tx Tx) error {
			released = false
			if _, err := tx.LockEnvironment(seen.StackID); err != nil {
				return err
			}
			o, err := tx.LockOperation(seen.OperationID)
			if err != nil || o.State.Claimed() {
				return err // an orphan
			}
			claim, err := tx.Claim(seen.StackID)
			if errors.Is(err, backend.ErrNotFound) || err == nil && (claim.Fence != seen.Fence || tx.Now().Before(claim.ExpiresAt)) {
				return nil
			}
			if err != nil {
				return err
			}
			released = true
			if err := backend.RevokeOperationToken(tx, o.ID); err != nil {
				return err
			}
			return tx.ReleaseClaim(claim.StackID, claim.Fence)
		})
		if released && err == nil {
			s.wakeNext(ctx, seen.StackID)
		}
		return released && err == nil, err
	})
}
