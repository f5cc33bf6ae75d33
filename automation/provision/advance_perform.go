package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"redoubt/automation/backend"
)

// Perform moves an operation that was claimed along, until it has ended, waits for
// people, or is lost: then the error is ErrClaimLost, and the worker has written
// nothing since. Any other error is the service's own; the sweep finds what it left.
//
// The end of ctx means that the node stops. What changes nothing is given back to
// the queue; an update finishes what it has begun, and ends.
func (s *Service) Perform(ctx context.Context, w *Work, engine Engine) error {
	w.events = &emitter{w: w, full: make(chan struct{}, 1), room: emitBytes}
	w.keeper = w.keep()
	defer w.keeper.stop()
	emitting, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.events.run(emitting)
	}()
	defer func() {
		stop()
		<-done
	}()
	err := w.advance(ctx, engine)
	if errors.Is(err, ErrVersion) {
		err = ErrClaimLost // somebody has moved it meanwhile
	}
	if err != nil {
		w.drop()
	}
	return err
}

// drop releases a claim, if it is still the worker's, on an operation that it does
// not move any more. Nothing of it runs: the next who wants the stack need not wait
// until the claim has ended.
func (w *Work) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), w.node.lease())
	defer cancel()
	err := w.service.store.Update(ctx, func(tx Tx) error {
		if err := w.holds(tx); err != nil {
			return err
		}
		if err := backend.RevokeOperationToken(tx, w.claim.OperationID); err != nil {
			return err
		}
		return tx.ReleaseClaim(w.env.ID, w.claim.Fence)
	})
	if err != nil && !errors.Is(err, ErrClaimLost) {
		w.service.opts.Log.Warn("a claim could not be released; it ends by itself", "operation", w.claim.OperationID, "error", err)
	}
}

func (w *Work) advance(ctx context.Context, engine Engine) error {
	o := w.Operation()
	inputs, secrets, err := w.service.Unsealed(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return w.giveBack()
		}
		return w.broke(err)
	}
	open := opened{inputs, secrets}
	switch {
	case o.State == Approved:
		return w.recheck(ctx, engine, open)
	case o.Kind == KindRecover:
		return w.recover(ctx, engine, open)
	}
	why := ""
	if w.rehearses(o) {
		if why = w.unrehearsed(o); why == "" {
			if done, err := w.rehearse(ctx, engine, open); err != nil || done {
				return err
			}
		}
	}
	if why != "" {
		if err := w.step(func(tx Tx, o *Operation, _ *Environment) error {
			o.Unrehearsed = why
			return move(tx, o, Previewing, systemActor, why)
		}); err != nil {
			return err
		}
	}
	plan, done, err := w.preview(ctx, engine, open, Previewing)
	if err != nil || done {
		return err
	}
	return w.decided(ctx, engine, open, plan)
}

// rehearses says whether the project wants the operation to be rehearsed.
func (w *Work) rehearses(o Operation) bool { return o.Kind == KindUp && w.project.Settings.Rehearse }

// opened are an operation's inputs.
type opened struct {
	inputs  json.RawMessage
	secrets []string
}

// unrehearsed is why an operation cannot be rehearsed; empty where it can. The
// rehearsal's account is empty: what stands on another stack would find neither that
// stack's outputs nor the resources that they name.
func (w *Work) unrehearsed(o Operation) string {
	var on []string
	for _, name := range w.reads(o) {
		on = append(on, name.String())
	}
	if len(on) == 0 {
		return ""
	}
	return "it was not rehearsed: it stands on " + strings.Join(on, ", ") + ", of which the rehearsal account has nothing"
}

// rehearse runs the order in an account where nothing is real.
func (w *Work) rehearse(ctx context.Context, engine Engine, open opened) (done bool, err error) {
	admitted, err := w.admit(PhaseRehearse, "")
	if err != nil {
		return true, err
	}
	result, err := w.run(ctx, engine, admitted, open)
	if done, err := w.interrupted(err); done {
		return true, err
	}
	keep := func(_ Tx, o *Operation, _ *Environment) error {
		o.Rehearsal = &result
		return nil
	}
	switch {
	case result.mandatory() > 0 || CodeOf(err) == CodePolicyBlocked:
		return true, w.blocked(result, keep)
	case err != nil:
		f := w.failure(err)
		f.Message = "the rehearsal account refused it: " + f.Message
		return true, w.leave(Failed, "its rehearsal failed", func(tx Tx, o *Operation, env *Environment) error {
			o.Failure = f
			return keep(tx, o, env)
		})
	}
	return false, w.step(func(tx Tx, o *Operation, _ *Environment) error {
		o.Rehearsal = &result
		return tx.SaveOperation(o)
	})
}

// blocked ends an operation that the policy refuses.
func (w *Work) blocked(result Result, with func(Tx, *Operation, *Environment) error) error {
	n := result.mandatory()
	return w.leave(PolicyBlocked, fmt.Sprintf("%d mandatory finding(s)", n), func(tx Tx, o *Operation, env *Environment) error {
		o.Failure = &Failure{Code: CodePolicyBlocked, Message: fmt.Sprintf(
			"the policy refuses it, with %d mandatory finding(s): mend what they name, or have a policy owner waive them", n)}
		if err := notify(tx, o.Stack.Org, o.ProjectID, "policy.violation", map[string]string{
			"operation_id": o.ID, "stack_id": o.StackID, "stack": o.Stack.String(), "findings": fmt.Sprint(n), "url": "/v1/operations/" + o.ID,
		}); err != nil {
			return err
		}
		return with(tx, o, env)
	})
}

// mandatory counts findings that stop an operation.
func (r Result) mandatory() (n int) {
	for _, f := range r.Findings {
		if f.Level == "mandatory" && f.Exemption == nil {
			n++
		}
	}
	return n
}

// changed counts what is not as it was.
func (r Result) changed() (n int) {
	for op, count := range r.Counts {
		if op != "same" && op != "read" {
			n += count
		}
	}
	return n
}

// resources counts what the stack has when the plan is carried out.
func (r Result) resources() (n int) {
	for _, op := range []string{"same", "create", "update", "replace", "import"} {
		n += r.Counts[op]
	}
	return n
}

// interrupted deals with a run of what changes nothing that did not end by itself;
// false where it did.
func (w *Work) interrupted(err error) (done bool, _ error) {
	switch {
	case errors.Is(err, ErrClaimLost):
		return true, err
	case errors.Is(err, errForced) || errors.Is(err, errCanceled):
		return true, w.leave(Canceled, "canceled by "+w.canceledBy(), nil)
	case errors.Is(err, errStopped):
		return true, w.giveBack()
	case errors.Is(err, errTooLong):
		return true, w.tooLong()
	}
	return false, nil
}

// canceledBy is who wants the operation to end.
func (w *Work) canceledBy() (who string) {
	_ = w.service.store.View(context.Background(), func(tx Tx) error {
		o, err := tx.Operation(w.claim.OperationID)
		who = o.CancelRequested
		return err
	}) // else the answer is empty
	return who
}

// giveBack lets another worker run it: nothing was changed.
func (w *Work) giveBack() error {
	state := w.Operation().State
	if state == Preparing || state == Previewing {
		state = Queued
	}
	return w.leave(state, "its node stopped: it begins anew", nil)
}

func (w *Work) tooLong() error {
	return w.fail(CodeEngineUnavailable, fmt.Sprintf("it took longer than %s, which is what its blueprint allows", deadlineOf(w.limits)))
}

// broke ends an operation that could not be run.
func (w *Work) broke(err error) error {
	f := w.failure(err)
	return w.fail(f.Code, f.Message)
}
