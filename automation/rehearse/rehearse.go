// Package rehearse plays the whole life of a stack (preview, update, change,
// drift, destroy) on the real Pulumi engine and on Redoubt's own backend,
// against a simulated AWS account, with the policy pack enforced, and reports
// what each phase did and what it cost above the engine alone.
package rehearse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/internal/rehearsal"
	"redoubt/policy/profile"
)

// Options of a rehearsal.
type Options struct {
	// Project is the folder with Pulumi.yaml and the stacks' files.
	Project string
	Stacks  []string
	// Blueprint is what the stacks are of.
	Blueprint blueprint.Blueprint
	// Inputs are those of an order: the stacks are then not the project's, but
	// made of these. Where the blueprint stands on a baseline, the project's
	// stack of the baseline's name is made first, dev if it has none such.
	Inputs json.RawMessage
	// Policy is the policy pack's executable, PolicyConfig its configuration
	// file or empty.
	Policy, PolicyConfig string
	// Profile is the name of the pack's profile; empty for what its configuration
	// says, or else the pack's own.
	Profile string
	// Floor measures the engine alone too.
	Floor bool
	// Progress is told what goes on; it must not block. May be nil.
	Progress func(Progress)
}

// Progress is one moment of a rehearsal.
type Progress struct {
	Stack, Phase string
	// Resources that the phase has finished so far.
	Resources int
	// Done is the finished phase, else nil.
	Done *Phase
}

// check fills in what was left out.
func (o *Options) check() error {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Profile == "" {
		return nil
	}
	_, err := profile.Find(o.Profile)
	return err
}

// Run rehearses each stack in an account of its own. The error is about the
// rehearsal itself (a missing stack, no CLI); a phase that did not do what it
// must is in the report, with OK false.
func Run(ctx context.Context, opts Options) (Report, error) {
	if err := opts.check(); err != nil {
		return Report{}, err
	}
	if len(opts.Inputs) > 0 {
		opts.Blueprint = opts.Blueprint.Ordered()
	}
	report := Report{Rehearsal: true, OK: true}
	for _, stack := range opts.Stacks {
		one, err := runStack(ctx, opts, stack)
		if err != nil {
			return report, fmt.Errorf("stack %s: %w", stack, err)
		}
		report.OK = report.OK && one.OK
		report.Stacks = append(report.Stacks, one)
	}
	return report, nil
}

// runStack rehearses the life of one stack.
func runStack(ctx context.Context, opts Options, stack string) (report StackReport, err error) {
	err = inScratch(ctx, opts, stack, func(l *life) error {
		defer func() { report = l.report }()
		if err := l.play(ctx, steps); err != nil {
			return err
		}
		// The engine alone could not read a baseline.
		if opts.Floor && len(opts.Inputs) == 0 && l.report.OK {
			return l.measureFloor(ctx, stack)
		}
		return nil
	})
	return report, err
}

// inScratch makes an account and a workspace for the stack, and what it stands on,
// and takes them away after the use.
func inScratch(ctx context.Context, opts Options, stack string, use func(*life) error) (err error) {
	account, err := openAccount(opts, stack)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, account.Close()) }()
	server, err := rehearsal.Serve(ctx, account, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	states, err := startService(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, states.close()) }()
	o, err := newOrder(ctx, opts, stack, states, account, server.Port())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	kept, err := states.backend(ctx, stack, o.reads()...)
	if err != nil {
		return err
	}
	env := environment(server.Port())
	if opts.Profile != "" {
		env[profile.Variable] = opts.Profile
	}
	scratch, err := engine.NewScratch(ctx, engine.ScratchOptions{
		Project: o.project, Stack: stack, Program: opts.Blueprint.Program, Folders: opts.Blueprint.Folders,
		Env:    env,
		Policy: opts.Policy, PolicyConfig: opts.PolicyConfig, Backend: kept,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	return use(&life{
		opts: opts, account: account, scratch: scratch, beneath: o.made,
		report: StackReport{Stack: stack, OK: true, Findings: []engine.Finding{}},
	})
}

// openAccount opens the simulated account that the stack is for: a stack that
// names its account refuses any other.
func openAccount(opts Options, stack string) (*rehearsal.Account, error) {
	if len(opts.Inputs) > 0 {
		if id := accountOf(opts.Inputs); id != "" {
			return rehearsal.Open("", rehearsal.WithAccountID(id))
		}
		return rehearsal.Open("")
	}
	id, err := engine.Setting(opts.Project, stack, opts.Blueprint.Account)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return rehearsal.Open("")
	}
	return rehearsal.Open("", rehearsal.WithAccountID(id))
}

// environment attaches a provider at a port and keeps the real AWS out.
func environment(port int) map[string]string {
	env := maps.Clone(engine.WithoutAWS)
	env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d", port)
	return env
}
