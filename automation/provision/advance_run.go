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
func (w *Work) run(ctx context.Context, engine Engine, phase Phase, inputs json.RawMessage, secrets []string) (Result, error) {
	exemptions, token, err := w.admit(phase)
	if err != nil {
		return Result{}, err
	}
	running, cancel := context.WithDeadline(context.Background(), w.deadline)
	defer cancel()
	kill := make(chan struct{})
	force := sync.OnceFunc(func() { close(kill) })
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx, phase, ended, cancel, force) })

	o := w.Operation()
	result, err := engine.Run(running, Run{
		Phase: phase, Operation: o.ID, Stack: o.Stack, Blueprint: o.Blueprint.Name, Inputs: inputs, Secrets: secrets,
		Exemptions: exemptions, Traceparent: o.Trace, Token: token, Refresh: o.Options.Refresh && phase != PhaseRehearse,
	}, w.events.emit, kill)
	late := errors.Is(running.Err(), context.DeadlineExceeded)
	close(ended)
	watching.Wait()
	w.events.flush()
	switch {
	case closed(w.keeper.lost):
		return result, ErrClaimLost
	case err == nil:
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

// admit makes the engine's token, in a transaction that has seen that the operation
// is the worker's, and finds the waivers that apply.
func (w *Work) admit(phase Phase) (exemptions []Waiver, token string, err error) {
	verbs := []backend.Verb{backend.Read, backend.Decrypt, backend.Preview}
	if phase.Changes() {
		verbs = []backend.Verb{backend.Read, backend.Decrypt, backend.ApplyProtected}
	}
	if phase == PhaseRecover {
		verbs = append(verbs, backend.Write) // the CLI imports the state that it has cleared
	}
	err = w.step(func(tx Tx, o *Operation, _ *Environment) (err error) {
		if exemptions, err = holding(tx, o.ProjectID, o.Stack.Stack); err != nil {
			return err
		}
		if phase == PhaseRehearse {
			return nil // it does not come near the backend
		}
		token, err = backend.MintOperationToken(tx, backend.OperationToken{
			Operation: o.ID, Stack: o.Stack, Verbs: verbs, Reads: w.reads(*o), Lifetime: time.Until(w.deadline) + tokenReserve,
		})
		return err
	})
	return exemptions, token, err
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
