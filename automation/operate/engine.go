package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/automation/tracing"
)

// The accounts that stacks may be in.
const (
	// AWS is the account of this process's credentials.
	AWS = "aws"
	// Rehearsal is a simulated account for each organization, in which nothing is
	// real; it is kept in the data folder, by one process at a time.
	Rehearsal = "rehearsal"
)

// NoPolicy is the policy of who wants none.
const NoPolicy = "none"

// Options say what the engine runs with.
type Options struct {
	// URL is where the CLI reaches the backend.
	URL string
	// Policy is the path of the policy pack, an executable, or NoPolicy;
	// PolicyConfig that of its configuration, empty for none. They are looked at
	// again for each run.
	Policy, PolicyConfig string
	// Account is AWS or Rehearsal.
	Account string
	// Data is the folder that rehearsal accounts are kept in.
	Data string
	// Plugins is a folder with installed plugins; empty for the user's. Acquire lets
	// the CLI download those that are missing.
	Plugins string
	Acquire bool
	// Grace is how long what has begun may take after a run is to end; 0 for
	// engine.DefaultGrace.
	Grace time.Duration
	// Spare is how long a process waits, ready, for the next run, which then starts
	// sooner; 0 for none.
	Spare time.Duration
	// Env is added to the environment of CLI and plugins: PULUMI_* and AWS_*.
	Env map[string]string
	// Traces is where the CLI sends its spans, as its --otel-traces takes it; empty for
	// nowhere.
	Traces string
	// CLI is the Pulumi CLI; by default the one that engine.FindCLI finds. Command is
	// the child's command line; by default this executable with runner.ChildCommand.
	CLI     engine.CLI
	Command []string
	// Log is for what only operators see; nil for none.
	Log *slog.Logger
}

// Engine runs operations; it is safe for concurrent use.
type Engine struct {
	opts     Options
	accounts *accounts
	packs    packs
	starter  *runner.Starter
}

var _ provision.Engine = (*Engine)(nil)

// Open finds the CLI and the policy pack: an engine without them would fail each
// operation. Close closes the accounts.
func Open(o Options) (*Engine, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Account != AWS && o.Account != Rehearsal {
		return nil, fmt.Errorf("there is no account %q: %s or %s", o.Account, AWS, Rehearsal)
	}
	if o.CLI.Executable == "" {
		cli, err := engine.FindCLI()
		if err != nil {
			return nil, err
		}
		o.CLI = cli
	}
	e := &Engine{opts: o, accounts: &accounts{folder: filepath.Join(o.Data, "rehearsal")}, starter: runner.NewStarter(o.Spare)}
	if _, err := e.packs.of(o.Policy, o.PolicyConfig); err != nil {
		return nil, err
	}
	return e, nil
}

// Close closes the accounts, and ends the process that waits. No run may be under way.
func (e *Engine) Close() error {
	e.starter.Close()
	return e.accounts.close()
}

// Packs implements provision.Engine. It is empty where the pack cannot be read: a
// run says so, and is refused.
func (e *Engine) Packs() []provision.Pack {
	found, err := e.packs.of(e.opts.Policy, e.opts.PolicyConfig)
	if err != nil {
		e.opts.Log.Error("the policy pack cannot be read", "error", err)
		return nil
	}
	return found
}

// kinds are runs as the runner knows them.
var kinds = map[provision.Phase]runner.Kind{
	provision.PhasePreview: runner.Preview, provision.PhasePreviewRefresh: runner.PreviewRefresh, provision.PhasePreviewDestroy: runner.PreviewDestroy,
	provision.PhaseUp: runner.Up, provision.PhaseRefresh: runner.Refresh, provision.PhaseDestroy: runner.Destroy,
	provision.PhaseRecover: runner.Refresh, provision.PhaseRehearse: runner.Up,
}

// Run implements provision.Engine.
func (e *Engine) Run(ctx context.Context, r provision.Run, emit func(provision.Event), kill <-chan struct{}) (result provision.Result, err error) {
	kind, known := kinds[r.Phase]
	if !known {
		return result, unavailable(fmt.Errorf("there is no phase %q", r.Phase))
	}
	folder := &scratch{}
	defer func() {
		if rmErr := folder.remove(); rmErr != nil {
			e.opts.Log.Error("the folder of a run cannot be removed", "error", rmErr)
		}
	}()
	spec, err := e.spec(kind, r, folder)
	if err != nil {
		return result, err
	}
	place := e.place
	if r.Phase == provision.PhaseRehearse {
		place = e.nowhere
	}
	leave, err := place(&spec, r, folder)
	if err != nil {
		return result, unavailable(err)
	}
	defer func() { err = errors.Join(err, leave()) }()
	return e.run(ctx, spec, r.Phase, emit, kill)
}

// run runs an operation of the runner to its end.
func (e *Engine) run(ctx context.Context, spec runner.Spec, phase provision.Phase, emit func(provision.Event), kill <-chan struct{}) (provision.Result, error) {
	op, err := e.starter.Start(ctx, spec) // the end of ctx cancels it
	if err != nil {
		return provision.Result{}, translated(err, phase)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-kill:
			op.Kill()
		case <-ended:
		}
	}()
	for event := range op.Events() {
		if out, ok := eventOf(event, phase); ok {
			emit(out)
		}
	}
	result, err := op.Wait()
	return resultOf(result), translated(err, phase)
}

// place has the operation run on the service's stack, in the account that stacks are
// in.
func (e *Engine) place(spec *runner.Spec, r provision.Run, _ *scratch) (leave func() error, err error) {
	spec.Stack = r.Stack.String()
	spec.Backend = engine.Backend{URL: e.opts.URL, Token: r.Token}
	if e.opts.Account == Rehearsal {
		account, err := e.accounts.of(r.Stack.Org)
		if err != nil {
			return nil, err
		}
		attach(spec, account)
	} else {
		spec.Inherit.AWS, spec.Acquire = true, e.opts.Acquire
	}
	maps.Copy(spec.Env, e.opts.Env)
	return func() error { return nil }, nil
}

// spec is what any run has.
func (e *Engine) spec(kind runner.Kind, r provision.Run, folder *scratch) (runner.Spec, error) {
	project, err := projectOf(r)
	if err != nil {
		return runner.Spec{}, unavailable(err)
	}
	spec := runner.Spec{
		Kind: kind, Blueprint: r.Blueprint, Project: project, Inputs: r.Inputs, Secrets: r.Secrets,
		RefreshFirst: r.Refresh, ClearPending: r.Phase == provision.PhaseRecover,
		Inherit: engine.Inherit{Network: true}, Env: map[string]string{},
		Plugins: e.opts.Plugins, Grace: e.opts.Grace, CLI: e.opts.CLI, Command: e.opts.Command,
	}
	if tracing.Sampled(r.Traceparent) {
		spec.Traces = engine.Traces{Endpoint: e.opts.Traces, Parent: r.Traceparent}
	}
	if e.opts.Policy != NoPolicy {
		if _, err := e.packs.of(e.opts.Policy, e.opts.PolicyConfig); err != nil {
			return spec, err
		}
		spec.Policy = e.opts.Policy
		if spec.PolicyConfig, err = withExemptions(e.opts.PolicyConfig, r.Exemptions, folder); err != nil {
			return spec, unavailable(err)
		}
	}
	return spec, nil
}

// unavailable is what people are told of what only operators can mend.
func unavailable(err error) error {
	return &provision.Error{Code: provision.CodeEngineUnavailable, Message: "the engine could not be started: " + strings.TrimSpace(err.Error()), Cause: err}
}
