package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"redoubt/automation/awssts"
	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
	"redoubt/automation/tracing"
)

// The accounts that stacks may be in.
const (
	// AWS is the account that the operator has allowed for a stack, with roles of its
	// own for previews and for each blueprint.
	AWS = "aws"
	// Ambient is the account of this process's credentials, which every run has.
	Ambient = "ambient"
	// Rehearsal is a simulated account for each organization, in which nothing is
	// real; it is kept in the data folder.
	Rehearsal = "rehearsal"
)

// Accounts are all of them.
var Accounts = []string{Rehearsal, AWS, Ambient}

// RehearsalFolder is where a data folder has its rehearsal accounts.
func RehearsalFolder(data string) string { return filepath.Join(data, "rehearsal") }

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
	// Account is AWS, Ambient or Rehearsal.
	Account string
	// Roles gives the runs in AWS their credentials.
	Roles *awssts.Roles
	// Data is the folder that rehearsal accounts are kept in. Shared says that other
	// processes use it too: they take turns at an organization's account.
	Data   string
	Shared bool
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
	// Forked is told of each run of the CLI that has ended, and must not block; nil
	// for nobody.
	Forked func(runner.Fork)
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
	if !slices.Contains(Accounts, o.Account) {
		return nil, fmt.Errorf("there is no account %q: one of %v", o.Account, Accounts)
	}
	if o.Account == AWS && o.Roles == nil {
		return nil, fmt.Errorf("account %s needs the roles that runs have", AWS)
	}
	if o.CLI.Executable == "" {
		cli, err := engine.FindCLI()
		if err != nil {
			return nil, err
		}
		o.CLI = cli
	}
	e := &Engine{opts: o, accounts: &accounts{folder: RehearsalFolder(o.Data), shared: o.Shared}, starter: runner.NewStarter(o.Spare)}
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
	at, err := place(ctx, &spec, r, folder, kill)
	if err != nil {
		return result, unavailable(err)
	}
	defer func() { err = errors.Join(err, at.leave()) }()
	if at.role != "" {
		emit(assumed(r.Phase, at.role))
	}
	if err := planned(&spec, r, folder); err != nil {
		return result, unavailable(err)
	}
	if result, err = e.run(ctx, spec, r, at, emit, kill); err != nil || !r.SavePlan {
		return result, err
	}
	if result.SavedPlan, err = os.ReadFile(spec.SavePlan); err != nil {
		return result, unavailable(fmt.Errorf("the preview has left no plan: %w", err))
	}
	return result, nil
}

// planned has a preview write its plan, or an update keep to one. The files are in the
// run's folder, which is its owner's alone, and removed with it.
func planned(spec *runner.Spec, r provision.Run, folder *scratch) error {
	if !r.SavePlan && len(r.Plan) == 0 {
		return nil
	}
	work, err := folder.make()
	if err != nil {
		return err
	}
	path := filepath.Join(work, "plan.json")
	if r.SavePlan {
		spec.SavePlan = path
	}
	if len(r.Plan) == 0 {
		return nil
	}
	spec.Plan = path
	return os.WriteFile(path, r.Plan, 0o600)
}

// run runs an operation of the runner to its end.
func (e *Engine) run(ctx context.Context, spec runner.Spec, r provision.Run, at placed, emit func(provision.Event), kill <-chan struct{}) (provision.Result, error) {
	op, err := e.starter.Start(ctx, spec) // the end of ctx cancels it
	if err != nil {
		return provision.Result{}, translated(err, r.Phase)
	}
	at.began(op)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-kill:
			op.Kill()
		case <-ended:
		}
	}()
	known := waiversOf(r)
	for event := range op.Events() {
		if out, ok := known.event(event, r.Phase); ok {
			emit(out)
		}
	}
	result, err := op.Wait()
	return known.result(result), translated(err, r.Phase)
}

// spec is what any run has.
func (e *Engine) spec(kind runner.Kind, r provision.Run, folder *scratch) (runner.Spec, error) {
	project, err := projectOf(r)
	if err != nil {
		return runner.Spec{}, unavailable(err)
	}
	spec := runner.Spec{
		Kind: kind, Blueprint: r.Blueprint, Project: project, Inputs: r.Inputs, Secrets: r.Secrets,
		Last: r.Last, RefreshFirst: r.Refresh, ClearPending: r.Phase == provision.PhaseRecover, Message: r.Message,
		Inherit: engine.Inherit{Network: true}, Env: map[string]string{},
		Plugins: e.opts.Plugins, Grace: e.opts.Grace, CLI: e.opts.CLI, Command: e.opts.Command, Forked: e.opts.Forked,
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
	var refused *awssts.Error
	if errors.As(err, &refused) {
		return &provision.Error{Code: provision.CodeEngineUnavailable, Message: refused.Error(), Cause: err}
	}
	return &provision.Error{Code: provision.CodeEngineUnavailable, Message: "the engine could not be started: " + strings.TrimSpace(err.Error()), Cause: err}
}
