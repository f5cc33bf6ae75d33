package provision

import (
	"context"
	"errors"
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
	running, cancel := context.WithDeadline(context.Background(), w.deadline)
	defer cancel()
	kill := make(chan struct{})
	force := sync.OnceFunc(func() { close(kill) })
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { w.watch(ctx, phase, ended, cancel, force) })

	o := w.Operation()
	result, err := engine.Run(running, Run{
		Phase: phase, Operation: o.ID, Stack: o.Stack, Blueprint: o.Blueprint.Name, Inputs: open.inputs, Secrets: open.secrets,
		Exemptions: admitted.exemptions, Traceparent: o.Trace, Token: admitted.token, Refresh: o.Options.Refresh && phase != PhaseRehearse,
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
				err := w.step(func(tx Tx, o *Operation, _ *Environment) error {
					return move(tx, o, Canceling, systemActor, "canceled by "+o.CancelRequested+": what has begun is finished")
				})
				if err != nil {
					w.service.opts.Log.Error("an operation could not be marked as being canceled", "operation", w.claim.OperationID, "error", err)
				}
			}
			end()
		}
	}
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
