package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"redoubt/automation/backend"
)

// Why a run of the engine has ended other than by itself.
var (
	errCanceled = errors.New("it was canceled")
	errForced   = errors.New("it was ended by force")
	errStopped  = errors.New("the node stops")
	errTooLong  = errors.New("it took too long")
)

// tokenReserve is how long the engine's token outlives the operation's deadline:
// what has begun by then is finished, and written down.
const tokenReserve = time.Hour

// run runs one phase of the engine. The error is ErrClaimLost, one of the reasons
// above, or the engine's own.
//
// What changes nothing is ended at once when it is to end. What changes the stack
// finishes what it has begun.
func (w *Work) run(ctx context.Context, engine Engine, admitted admission, open opened) (Result, error) {
	phase := admitted.phase
	order := Run{Phase: phase, Inputs: open.inputs, Secrets: open.secrets, Exemptions: admitted.exemptions, Token: admitted.token}
	if err := w.describe(&order); err != nil {
		return Result{}, err
	}
	running, cancel := context.WithDeadline(context.Background(), w.deadline)
	defer cancel()
	kill := make(chan struct{})
	force := sync.OnceFunc(func() { close(kill) })
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx, phase, ended, cancel, force) })

	result, err := engine.Run(running, order, w.events.emit, kill)
	late := errors.Is(running.Err(), context.DeadlineExceeded)
	close(ended)
	watching.Wait()
	w.events.close()
	switch {
	case closed(w.keeper.lost):
		return result, ErrClaimLost
	case err == nil:
		w.savedPlan, result.SavedPlan = result.SavedPlan, nil
		return result, nil
	case closed(w.keeper.forced):
		return result, errForced
	case closed(w.keeper.canceled):
		return result, errCanceled
	case ctx.Err() != nil:
		return result, errStopped
	case late:
		return result, errTooLong
	}
	return result, err
}

// describe fills in what a run does by the order.
func (w *Work) describe(r *Run) error {
	o := w.Operation()
	r.Operation, r.Stack, r.Blueprint, r.Traceparent = o.ID, o.Stack, o.Blueprint.Name, o.Trace
	r.Last = r.Phase.Changes() || o.Kind == KindPreview || o.Kind == KindDrift
	r.Refresh = o.Options.Refresh && r.Phase != PhaseRehearse
	if r.Phase.Changes() {
		r.Message = o.Options.Message
	}
	if !o.Options.Strict {
		return nil
	}
	r.SavePlan = r.Phase == PhasePreview
	if r.Phase == PhaseUp {
		if r.Plan = w.savedPlan; len(r.Plan) == 0 {
			return Fail(CodeEngineUnavailable, "the update is to be held to its plan, and the engine has saved none")
		}
	}
	return nil
}

// watch ends a run of the engine that is to end.
func (w *Work) watch(ctx context.Context, phase Phase, ended <-chan struct{}, cancel, force func()) {
	end := cancel
	if !phase.Changes() {
		end = force
	}
	lost, canceled, stopped := w.keeper.lost, w.keeper.canceled, ctx.Done()
	for {
		select {
		case <-ended:
			return
		case <-lost:
			lost = nil
			end()
		case <-stopped:
			stopped = nil
			end()
		case <-w.keeper.forced:
			force()
			return
		case <-canceled:
			canceled = nil
			if w.Operation().State == Applying {
				if err := w.step(canceling); err != nil {
					w.service.opts.Log.Error("an operation could not be marked as being canceled", "operation", w.claim.OperationID, "error", err)
				}
			}
			end()
		}
	}
}

// canceling writes that an update is being canceled, and what it waits for.
func canceling(tx Tx, o *Operation, _ *Environment) error {
	if err := move(tx, o, Canceling, systemActor, "canceled by "+o.CancelRequested+": what has begun is finished"); err != nil {
		return err
	}
	urns, err := inFlight(tx, o.ID)
	if err != nil {
		return err
	}
	return tx.AddEvents(o.ID, []Event{eventOf(tx, EventLog, map[string]any{
		"message": fmt.Sprintf("%d resource(s) are in flight: the rest is not begun", len(urns)), "in_flight": urns,
	})})
}

// inFlight are the URNs of what an operation's update has begun and not ended, as its
// events tell, sorted.
func inFlight(tx Tx, operationID string) ([]string, error) {
	begun := map[string]bool{}
	err := eachEvent(tx, operationID, func(e Event) {
		var of struct {
			Phase             Phase
			URN, Type, Status string
		}
		if e.Type != EventResource || json.Unmarshal(e.Data, &of) != nil || !of.Phase.Changes() {
			return
		}
		if of.Type == "pulumi:pulumi:Stack" || strings.HasPrefix(of.Type, "redoubt:") {
			return // a component, which ends with what it has in it
		}
		if of.Status == "begun" {
			begun[of.URN] = true
		} else {
			delete(begun, of.URN)
		}
	})
	return slices.Sorted(maps.Keys(begun)), err
}

// admission is what a run of the engine begins with.
type admission struct {
	phase Phase
	// exemptions are the waivers that apply, token is the engine's.
	exemptions []Waiver
	token      string
	// version is that of the stack's state.
	version int64
}

// admit has a run begin, and the operation be in its state; an empty one is the one
// that it has.
func (w *Work) admit(phase Phase, state State) (admitted admission, err error) {
	err = w.step(func(tx Tx, o *Operation, env *Environment) error {
		if state != "" && state != o.State {
			if err := move(tx, o, state, systemActor, ""); err != nil {
				return err
			}
		}
		stack, err := tx.StackByID(env.ID)
		if err != nil {
			return err
		}
		admitted, err = w.admission(tx, *o, phase, stack)
		return err
	})
	return admitted, err
}

// admitPreview is admit for a preview, which may have begun with the claim.
func (w *Work) admitPreview(state State) (admission, error) {
	if admitted := w.begun; admitted != nil {
		w.begun = nil
		return *admitted, nil
	}
	return w.admit(previews[w.Operation().Kind], state)
}

// admission makes the engine's token, in a transaction that has seen that the
// operation is the worker's, and finds the waivers that apply.
func (w *Work) admission(tx Tx, o Operation, phase Phase, stack backend.Stack) (_ admission, err error) {
	admitted := admission{phase: phase, version: stack.Version}
	if admitted.exemptions, err = holding(tx, o.ProjectID, o.Stack.Stack); err != nil {
		return admitted, err
	}
	if phase == PhaseRehearse {
		return admitted, nil // it does not come near the backend
	}
	verbs := []backend.Verb{backend.Read, backend.Decrypt, backend.Preview}
	if phase.Changes() {
		verbs = []backend.Verb{backend.Read, backend.Decrypt, backend.ApplyProtected}
	}
	if phase == PhaseRecover {
		verbs = append(verbs, backend.Write) // the CLI imports the state that it has cleared
	}
	admitted.token, err = backend.MintOperationToken(tx, backend.OperationToken{
		Operation: o.ID, Stack: o.Stack, Verbs: verbs, Reads: w.reads(o), Lifetime: time.Until(w.deadline) + tokenReserve,
	})
	return admitted, err
}

// reads are the stacks whose outputs the program reads; who ordered it may.
func (w *Work) reads(o Operation) (names []backend.StackName) {
	b, err := w.service.catalog.Blueprint(o.Blueprint.Name, "")
	if err != nil {
		return nil // the run says so
	}
	for _, name := range references(b, o.Inputs) {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b backend.StackName) int { return strings.Compare(a.String(), b.String()) })
	return names
}

// stack is the backend's record of the stack.
func (w *Work) stack() (stack backend.Stack, err error) {
	err = w.persist(func(ctx context.Context) error {
		return w.service.store.View(ctx, func(tx Tx) (err error) { stack, err = tx.StackByID(w.env.ID); return err })
	})
	return stack, err
}
