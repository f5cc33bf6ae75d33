package provision

import (
	"context"
	"errors"
	"time"

	"redoubt/automation/backend"
)

// step is one transaction of a worker's: on the operation, and on its environment,
// both locked and as they are now. It verifies that they are still the worker's, and
// that nobody else has moved the operation: ErrClaimLost where they are not.
//
// A database that does not answer is asked again until the claim is lost.
func (w *Work) step(do func(tx Tx, o *Operation, env *Environment) error) error {
	w.events.flush() // what happened before comes before
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left {
		return ErrClaimLost
	}
	var o Operation
	var env Environment
	var project Project
	err := w.persist(func(ctx context.Context) error {
		return w.service.store.Update(ctx, func(tx Tx) (err error) {
			if env, err = tx.LockEnvironment(w.env.ID); err != nil {
				return err
			}
			if o, err = tx.LockOperation(w.operation.ID); err != nil {
				return err
			}
			if err := w.holds(tx); err != nil {
				return err
			}
			if project, err = tx.Project(o.ProjectID); err != nil {
				return err
			}
			if o.State != w.operation.State {
				return ErrClaimLost
			}
			return do(tx, &o, &env)
		})
	})
	if err != nil {
		return err
	}
	w.operation, w.env, w.project = o, env, project
	w.service.changed.tell(o.ID)
	return nil
}

// holds verifies the fence.
func (w *Work) holds(tx Tx) error {
	claim, err := tx.Claim(w.env.ID)
	if errors.Is(err, backend.ErrNotFound) || err == nil && claim.Fence != w.claim.Fence {
		return ErrClaimLost
	}
	return err
}

// persist tries again what a database refuses that does not answer.
func (w *Work) persist(do func(context.Context) error) error {
	const pause = 500 * time.Millisecond
	for {
		ctx, cancel := context.WithTimeout(context.Background(), w.node.lease())
		err := do(ctx)
		cancel()
		if backend.CodeOf(err) != backend.CodeUnavailable && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		w.service.opts.Log.Warn("the database does not answer a worker", "operation", w.operation.ID, "error", err)
		select {
		case <-w.keeper.lost:
			return ErrClaimLost
		case <-time.After(pause):
		}
	}
}

// leave is the last step: the operation moves on, or waits where it is, the claim is
// released, the engine's token revoked, and who waits for the stack is woken. with
// may be nil.
func (w *Work) leave(next State, why string, with func(tx Tx, o *Operation, env *Environment) error) error {
	return w.leaving(func(tx Tx, o *Operation, env *Environment) (State, string, error) {
		if with == nil {
			return next, why, nil
		}
		return next, why, with(tx, o, env)
	})
}

// leaving is leave where the last step finds out what becomes of the operation.
func (w *Work) leaving(last func(tx Tx, o *Operation, env *Environment) (next State, why string, err error)) error {
	err := w.step(func(tx Tx, o *Operation, env *Environment) error {
		next, why, err := last(tx, o, env)
		if err != nil {
			return err
		}
		return w.service.letGo(tx, o, w.claim.Fence, next, why)
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.left = true
	w.mu.Unlock()
	w.service.wakeNext(context.Background(), w.env.ID)
	return nil
}

// letGo takes an operation from its worker.
func (s *Service) letGo(tx Tx, o *Operation, fence int64, next State, why string) error {
	if err := tx.ReleaseClaim(o.StackID, fence); err != nil {
		return err
	}
	if next.waits() && o.CancelRequested != "" {
		// It was asked for when there was nothing more to end.
		next, why = Canceled, "canceled by "+o.CancelRequested
	}
	var err error
	if next == o.State {
		o.Node, o.Fence = "", 0
		err = tx.SaveOperation(o)
	} else {
		if next == Queued {
			o.DeadlineAt = tx.Now().Add(s.opts.QueueExpiry)
		}
		err = move(tx, o, next, systemActor, why)
	}
	if err != nil {
		return err
	}
	return backend.RevokeOperationToken(tx, o.ID)
}

// waits says whether an operation in the state waits for a worker, or for people.
func (s State) waits() bool { return s.Runnable() || s == AwaitingApproval }

// wakeNext asks for a worker for what waits for a stack.
func (s *Service) wakeNext(ctx context.Context, stackID string) {
	var waiting []Operation
	err := s.store.View(ctx, func(tx Tx) (err error) {
		waiting, err = tx.Operations(OperationQuery{StackID: stackID, States: []State{Queued, Approved}})
		return err
	})
	if err != nil {
		s.opts.Log.WarnContext(ctx, "who waits for a stack could not be woken; the sweep will", "stack", stackID, "error", err)
		return
	}
	if len(waiting) > 0 {
		s.wake(ctx, waiting[len(waiting)-1]) // the oldest; the worker takes what is next
	}
}

// fail ends the operation.
func (w *Work) fail(code Code, message string) error {
	return w.leave(Failed, message, func(_ Tx, o *Operation, _ *Environment) error {
		o.Failure = &Failure{Code: code, Message: message}
		return nil
	})
}

// failure is an error as the operation keeps it. What is not meant for people is for
// the log.
func (w *Work) failure(err error) *Failure {
	var known *Error
	if errors.As(err, &known) {
		return &Failure{Code: known.Code, Message: known.Message}
	}
	w.service.opts.Log.Error("an operation could not be run", "operation", w.operation.ID, "error", err)
	return &Failure{Code: CodeEngineUnavailable, Message: "the service could not run it: its log says why, under the operation's id"}
}
