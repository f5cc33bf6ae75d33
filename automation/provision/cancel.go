package provision

import (
	"context"
)

// Cancel ends an operation: at once where it has not begun, and otherwise as soon
// as what has begun is done. force does not wait for that, which takes
// ActionForceCancel, and may leave a stack that needs recovery.
func (s *Service) Cancel(ctx context.Context, p Principal, id string, force bool) (Operation, error) {
	action := ActionCancel
	if force {
		action = ActionForceCancel
	}
	if _, _, err := s.operationFor(ctx, p, id, action); err != nil {
		return Operation{}, err
	}
	var o Operation
	err := s.write(ctx, func(tx Tx) (err error) {
		if o, err = tx.LockOperation(id); err != nil {
			return absent(err, named("operation", id))
		}
		switch {
		case o.State.Final():
			return &Error{Code: CodeConflict, Operation: o.ID, Message: "operation " + o.ID + " is " + string(o.State) + " already: there is nothing to cancel"}
		case !o.State.Claimed():
			o.CancelRequested = p.Name
			return move(tx, &o, Canceled, p.Actor(), "canceled by "+p.Name)
		case o.CancelRequested != "" && (o.Forced || !force):
			return nil // it was asked for already
		}
		o.CancelRequested, o.Forced = p.Name, o.Forced || force
		if err := tx.SaveOperation(&o); err != nil {
			return err
		}
		what := map[string]string{"by": p.Name, "message": "cancel was requested: what has begun is finished first"}
		action := "operation.cancel"
		if force {
			what["message"], action = "cancel by force was requested: nothing is waited for", "operation.force_cancel"
		}
		if err := tx.AddEvents(o.ID, []Event{eventOf(tx, EventLog, what)}); err != nil {
			return err
		}
		return recordBy(tx, p, action, o.Stack.String(), map[string]string{"operation": o.ID, "state": string(o.State)})
	})
	if err != nil {
		return Operation{}, err
	}
	s.changed.tell(o.ID)
	return o, nil
}

// Retry orders an operation again that ended without success, as a new one that
// says so.
func (s *Service) Retry(ctx context.Context, p Principal, id string) (Operation, error) {
	old, _, err := s.operationFor(ctx, p, id, ActionRead)
	if err != nil {
		return Operation{}, err
	}
	var env Environment
	if env, err = s.environmentFor(ctx, p, old.StackID, old.Kind.action()); err != nil {
		return Operation{}, err
	}
	switch {
	case !old.State.Final():
		return Operation{}, &Error{Code: CodeConflict, Operation: old.ID, Message: "operation " + old.ID + " is " + string(old.State) +
			", and not over: wait for its end, or cancel it"}
	case old.State == Succeeded:
		return Operation{}, &Error{Code: CodeConflict, Operation: old.ID, Message: "operation " + old.ID +
			" succeeded: order a new one where it is to be done again"}
	}
	if err := stillThere(old.Inputs); err != nil {
		return Operation{}, err
	}
	o := Operation{Kind: old.Kind, Options: old.Options, Blueprint: old.Blueprint, Inputs: old.Inputs, RetryOf: old.ID}
	var f findings
	if err := s.fill(ctx, p, env, &o, nil, &f); err != nil {
		return Operation{}, err
	}
	if err := f.err(); err != nil {
		return Operation{}, err
	}
	return s.enqueue(ctx, p, env, o)
}
