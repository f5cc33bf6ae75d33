package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"redoubt/automation/awssts"
	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
)

// placed is a run that knows where it runs.
type placed struct {
	// role is that which it has in AWS; empty where it has none of its own.
	role string
	// began is told of the run's process, leave that it has ended.
	began func(*runner.Operation)
	leave func() error
}

// somewhere is a run of which there is nothing to know.
var somewhere = placed{began: func(*runner.Operation) {}, leave: func() error { return nil }}

// place has the operation run on the service's stack, in the account that stacks are
// in.
func (e *Engine) place(ctx context.Context, spec *runner.Spec, r provision.Run, _ *scratch, kill <-chan struct{}) (at placed, err error) {
	spec.Stack = r.Stack.String()
	spec.Backend = engine.Backend{URL: e.opts.URL, Token: r.Token}
	at = somewhere
	switch e.opts.Account {
	case Rehearsal:
		account, leave, err := e.accounts.use(ctx, r.Stack.Org, kill)
		if err != nil {
			return at, err
		}
		at.leave = leave
		attach(spec, account)
	case Ambient:
		spec.Inherit.AWS, spec.Acquire = true, e.opts.Acquire
	case AWS:
		spec.Acquire = e.opts.Acquire
		if at, err = e.assume(ctx, spec, r); err != nil {
			return at, err
		}
	}
	maps.Copy(spec.Env, e.opts.Env)
	return at, nil
}

// launches are the phases that may change the cloud. A refresh and a recovery change
// the state alone: what they do in the cloud is to read.
var launches = map[provision.Phase]bool{provision.PhaseUp: true, provision.PhaseDestroy: true}

// assume has the operation run with the credentials of its role, and no others.
func (e *Engine) assume(ctx context.Context, spec *runner.Spec, r provision.Run) (placed, error) {
	session, err := e.opts.Roles.Assume(ctx, awssts.Request{
		Stack: r.Stack, Operation: r.Operation, Phase: string(r.Phase), Blueprint: r.Blueprint, Launch: launches[r.Phase],
	})
	if err != nil {
		e.opts.Log.Error("a run has no credentials", "operation", r.Operation, "phase", r.Phase, "error", err, "cause", errors.Unwrap(err))
		return placed{}, err
	}
	maps.Copy(spec.Env, engine.WithoutAWS)
	maps.Copy(spec.Env, session.Env())
	spec.Secrets = append(spec.Secrets[:len(spec.Secrets):len(spec.Secrets)], session.Secrets()...)
	return placed{
		role:  session.Role,
		began: func(op *runner.Operation) { session.Renewed(op.Mask) },
		leave: session.Close,
	}, nil
}

// assumed is the event that says whose rights a run has.
func assumed(phase provision.Phase, role string) provision.Event {
	text, err := json.Marshal(map[string]string{"phase": string(phase), "message": "it runs as " + role})
	if err != nil {
		panic(fmt.Sprintf("two texts cannot be written as JSON: %v", err))
	}
	return provision.Event{At: time.Now(), Type: provision.EventLog, Data: text}
}
