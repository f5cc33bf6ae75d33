package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"redoubt/automation/backend"
)

// errMoved: the stack is not as it was when the plan was made.
var errMoved = errors.New("the stack has moved")

// updates are the phases that carry out a kind of operation.
var updates = map[OperationKind]Phase{KindUp: PhaseUp, KindDestroy: PhaseDestroy, KindRefresh: PhaseRefresh}

// applying is the moment from which on the stack may change: errMoved where it has
// changed since its plan was made. In a freeze the operation is left to wait.
func (w *Work) applying(plan Plan) (admitted admission, err error) {
	var frozen string
	err = w.step(func(tx Tx, o *Operation, env *Environment) error {
		if frozen = ""; o.CancelRequested != "" {
			frozen = "it is canceled" // which letting it go does
			return nil
		}
		project, err := tx.Project(o.ProjectID)
		if err != nil {
			return err
		}
		if window, until, is := project.Settings.Frozen(tx.Now()); is {
			frozen = fmt.Sprintf("the project is frozen by its window %q until %s", window.Name, until.UTC().Format(time.RFC3339))
			return nil
		}
		if env.Lock != nil {
			frozen = "the stack is locked by " + env.Lock.By
			return nil
		}
		stack, err := tx.StackByID(env.ID)
		if err != nil {
			return err
		}
		if stack.Version != plan.StateVersion || stack.ActiveUpdate != "" {
			return errMoved
		}
		if o.State != Approved {
			o.Plan = &plan
			if err := w.unasked(tx, o); err != nil {
				return err
			}
		}
		o.Node, o.Fence = w.node.ID, w.claim.Fence // what is approved has none
		if err := move(tx, o, Applying, systemActor, ""); err != nil {
			return err
		}
		admitted, err = w.admission(tx, *o, updates[o.Kind], stack)
		return err
	})
	if err != nil || frozen == "" {
		return admitted, err
	}
	return admitted, w.leave(Approved, frozen, func(tx Tx, o *Operation, _ *Environment) error {
		if o.Plan = &plan; o.CancelRequested != "" {
			return nil
		}
		return tx.AddEvents(o.ID, []Event{eventOf(tx, EventLog, map[string]string{"message": "it waits: " + frozen})})
	})
}

// apply carries the plan out.
func (w *Work) apply(ctx context.Context, engine Engine, admitted admission, open opened) error {
	result, err := w.run(ctx, engine, admitted, open)
	if errors.Is(err, ErrClaimLost) {
		return err
	}
	if err != nil {
		return w.ended(result, err)
	}
	return w.verify(result)
}

// verify sees that the stack's state is the one that the update left.
func (w *Work) verify(result Result) error {
	return w.leaving(func(tx Tx, o *Operation, env *Environment) (next State, why string, err error) {
		if o.State == Applying {
			if err := move(tx, o, Verifying, systemActor, ""); err != nil {
				return "", "", err
			}
		}
		stack, err := tx.StackByID(env.ID)
		if err != nil {
			return "", "", err
		}
		result.StateVersion = stack.Version
		o.Result = &result
		if o.State == Verifying && (stack.ActiveUpdate != "" || o.Plan != nil && stack.Version <= o.Plan.StateVersion) {
			o.Failure = &Failure{Code: CodeConflict, Message: fmt.Sprintf(
				"the engine says that it is done, but the stack's state is still version %d: look into the stack's history, and order a refresh", stack.Version)}
			return Failed, "its state is not there", nil
		}
		return Succeeded, "", settle(tx, *o, env)
	})
}

// ended is for an update that did not succeed.
func (w *Work) ended(result Result, why error) error {
	pending, creates, err := w.unfinished()
	if err != nil {
		return err
	}
	next, f := Failed, &Failure{}
	switch {
	case errors.Is(why, errForced):
		f = &Failure{Code: CodeNeedsRecovery, Message: "it was ended by force, by " + w.canceledBy() + ": what had begun may be done or not"}
	case errors.Is(why, errCanceled):
		next, f = Canceled, &Failure{Code: CodeConflict, Message: "it was canceled by " + w.canceledBy() + ": what had begun was finished, the rest was not begun"}
	case errors.Is(why, errStopped):
		f = &Failure{Code: CodeEngineUnavailable, Message: "its node was stopped: what had begun was finished, the rest was not begun. Order it again for that"}
	case errors.Is(why, errTooLong):
		f = &Failure{Code: CodeEngineUnavailable, Message: fmt.Sprintf("it took longer than %s, which is what its blueprint allows: what had begun was finished, the rest was not begun", deadlineOf(w.limits))}
	default:
		f = w.failure(why)
	}
	if errors.Is(why, errForced) || creates > 0 || CodeOf(why) == CodeNeedsRecovery && len(pending) > 0 {
		next, f.Code, f.Pending = NeedsRecovery, CodeNeedsRecovery, pending
	}
	return w.leave(next, f.Message, func(tx Tx, o *Operation, _ *Environment) error {
		o.Result, o.Failure = &result, f
		return nil
	})
}

// unfinished ends an update that the engine has left open, all of whose processes
// have ended, and returns what it had begun and not finished, and how many of that
// were creations.
func (w *Work) unfinished() (pending []string, creates int, err error) {
	stack, err := w.stack()
	if err != nil {
		return nil, 0, err
	}
	by := backend.OperationCaller(w.claim.OperationID, stack.Name)
	err = w.persist(func(ctx context.Context) error {
		if stack.ActiveUpdate != "" {
			update, err := w.service.backend.UpdateOf(ctx, by, stack.Name, stack.ActiveUpdate)
			if err != nil {
				return err
			}
			if update.Principal == by.Principal() { // and not that of somebody who was faster
				if err := w.service.backend.CancelUpdate(ctx, by, stack.Name, stack.ActiveUpdate); err != nil {
					return err
				}
			}
		}
		pending, creates, err = w.service.pending(ctx, by, stack.Name)
		return err
	})
	return pending, creates, err
}

// pending are the URNs of what a stack's state says was begun and not finished, and
// how many of that are creations.
func (s *Service) pending(ctx context.Context, by backend.Caller, name backend.StackName) (urns []string, creates int, err error) {
	state, err := s.backend.Export(ctx, by, name, 0)
	if err != nil {
		return nil, 0, err
	}
	var d struct {
		Deployment struct {
			Pending []struct {
				Type     string `json:"type"`
				Resource struct {
					URN string `json:"urn"`
				} `json:"resource"`
			} `json:"pending_operations"`
		} `json:"deployment"`
	}
	if err := json.Unmarshal(state, &d); err != nil {
		return nil, 0, err
	}
	for _, op := range d.Deployment.Pending {
		urns = append(urns, op.Resource.URN)
		if op.Type == "creating" {
			creates++
		}
	}
	return urns, creates, nil
}

// settle writes what an operation that succeeded makes of its environment.
func settle(tx Tx, o Operation, env *Environment) error {
	switch o.Kind {
	case KindUp:
		env.Blueprint, env.Inputs = o.Blueprint, o.Inputs
	case KindDestroy:
		if o.Options.RemoveStack {
			return remove(tx, o, env)
		}
	}
	if env.Drift.Status == "drifted" && (o.Kind == KindRefresh || o.Options.Refresh) {
		if err := env.cleared(tx, o); err != nil {
			return err
		}
	}
	return tx.SaveEnvironment(env)
}

// remove removes an environment, and the backend's stack with it. What is known of
// its operations stays.
func remove(tx Tx, o Operation, env *Environment) error {
	stack, err := tx.LockStack(env.ID)
	if err != nil {
		return err
	}
	if stack.ActiveUpdate != "" {
		return errMoved
	}
	if err := tx.DeleteStack(env.ID); err != nil {
		return err
	}
	env.DeletedAt, env.DueAt = tx.Now(), time.Time{}
	if err := tx.SaveEnvironment(env); err != nil {
		return err
	}
	if err := record(tx, systemActor, "stack.delete", env.Name.String(), map[string]string{"id": env.ID, "operation": o.ID}); err != nil {
		return err
	}
	return notify(tx, env.Name.Org, env.ProjectID, "stack.deleted", map[string]string{
		"stack_id": env.ID, "stack": env.Name.String(), "operation_id": o.ID, "url": "/v1/stacks/" + env.ID,
	})
}

// recover refreshes a stack after an update died, and ends the operations that wait
// for that.
func (w *Work) recover(ctx context.Context, engine Engine, open opened) error {
	admitted, err := w.admit(PhaseRecover, Recovering)
	if err != nil {
		return err
	}
	result, err := w.run(ctx, engine, admitted, open)
	if errors.Is(err, ErrClaimLost) {
		return err
	}
	if err != nil {
		return w.recoveryEnded(result, err)
	}
	stack, err := w.stack()
	if err != nil {
		return err
	}
	result.StateVersion = stack.Version
	return w.leave(Succeeded, "", func(tx Tx, o *Operation, _ *Environment) error {
		o.Result = &result
		died, err := tx.Operations(OperationQuery{StackID: o.StackID, States: []State{NeedsRecovery}})
		if err != nil {
			return err
		}
		for i := range died {
			old, err := tx.LockOperation(died[len(died)-1-i].ID)
			if err != nil {
				return err
			}
			if old.State != NeedsRecovery {
				continue
			}
			if err := move(tx, &old, Failed, systemActor, "the stack was recovered by "+o.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// recoveryEnded is for a recovery that did not succeed: Recovering does not become
// Canceled.
func (w *Work) recoveryEnded(result Result, why error) error {
	pending, creates, err := w.unfinished()
	if err != nil {
		return err
	}
	f := &Failure{Code: CodeConflict, Message: "the recovery did not come to its end (" + why.Error() + "): order it again"}
	if !errors.Is(why, errForced) && !errors.Is(why, errCanceled) && !errors.Is(why, errStopped) && !errors.Is(why, errTooLong) {
		f = w.failure(why)
	}
	next := Failed
	if creates > 0 {
		next, f.Pending = NeedsRecovery, pending
	}
	return w.leave(next, f.Message, func(_ Tx, o *Operation, _ *Environment) error {
		o.Result, o.Failure = &result, f
		return nil
	})
}

// textual is JSON of what can be JSON.
func textual(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", v, err)) // a mistake in this package
	}
	return text
}
