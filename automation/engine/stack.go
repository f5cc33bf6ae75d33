package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// StackOptions say what an operation runs, and with what.
type StackOptions struct {
	// Name is the stack's: stack, organization/stack or
	// organization/project/stack.
	Name     string
	Project  workspace.Project
	Settings workspace.ProjectStack
	Program  pulumi.RunFunc
	// Folder is the workspace: made by the caller, empty, its owner's alone.
	Folder  string
	Command auto.PulumiCommand
	// Env is added to the command's environment.
	Env map[string]string
	// Policy is the path of a policy pack, as an executable, PolicyConfig that
	// of its configuration; empty for none.
	Policy, PolicyConfig string
	// Create makes the stack where it is missing.
	Create bool
	// RefreshFirst has previews, updates and destroys read the real resources first.
	RefreshFirst bool
	// ClearPending has a refresh forget what was being created when an update died.
	ClearPending bool
	// Message is kept with the update in the backend's history.
	Message string
	// SavePlan is where a preview writes its plan, Plan the one that an update is held
	// to; empty for none. A plan has inputs in it, secrets encrypted: its folder is
	// its owner's alone.
	SavePlan, Plan string
}

// Stack is a stack with an inline program, in a workspace of its own.
type Stack struct {
	stack auto.Stack
	opts  StackOptions
}

// OpenStack writes the workspace's files, and makes the stack if it shall. The
// first operation finds out whether the stack is there.
func OpenStack(ctx context.Context, opts StackOptions) (*Stack, error) {
	s := &Stack{opts: opts}
	// The program is inline: the folder that `main` names does not exist here.
	// Nor does the backend come from the project: Env says which one it is.
	opts.Project.Main, opts.Project.Backend = "", nil
	workspace, err := auto.NewLocalWorkspace(ctx,
		auto.WorkDir(opts.Folder), auto.Project(opts.Project), auto.Program(opts.Program),
		auto.Pulumi(unasked{opts.Command, opts.Create}), auto.EnvVars(opts.Env),
		auto.Stacks(map[string]workspace.ProjectStack{opts.Name: opts.Settings}))
	if err != nil {
		return nil, fmt.Errorf("stack %s: no workspace: %w", opts.Name, err)
	}
	open := auto.SelectStack
	if opts.Create {
		open = auto.UpsertStack
	}
	if s.stack, err = open(ctx, opts.Name, workspace); err != nil {
		return nil, fmt.Errorf("stack %s cannot be made: %w", opts.Name, Concise(err, Outcome{}))
	}
	return s, nil
}

// Preview says what Up would do, with the policy pack enforced.
func (s *Stack) Preview(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	opts := []optpreview.Option{optpreview.EventStreams(ch), optpreview.Color("never"), optpreview.SuppressProgress()}
	if s.opts.Policy != "" {
		opts = append(opts, optpreview.PolicyPacks(s.opts.Policy))
	}
	if s.opts.PolicyConfig != "" {
		opts = append(opts, optpreview.PolicyPackConfigs(s.opts.PolicyConfig))
	}
	if s.opts.RefreshFirst {
		opts = append(opts, optpreview.Refresh())
	}
	if s.opts.SavePlan != "" {
		opts = append(opts, optpreview.Plan(s.opts.SavePlan))
	}
	_, err := s.stack.Preview(ctx, opts...)
	return s.judged(end(stop, err))
}

// Up applies the program, with the policy pack enforced.
func (s *Stack) Up(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	opts := []optup.Option{optup.EventStreams(ch), optup.Color("never"), optup.SuppressProgress(), optup.ShowSecrets(false)}
	if s.opts.Policy != "" {
		opts = append(opts, optup.PolicyPacks(s.opts.Policy))
	}
	if s.opts.PolicyConfig != "" {
		opts = append(opts, optup.PolicyPackConfigs(s.opts.PolicyConfig))
	}
	if s.opts.RefreshFirst {
		opts = append(opts, optup.Refresh())
	}
	if s.opts.Plan != "" {
		opts = append(opts, optup.Plan(s.opts.Plan))
	}
	if s.opts.Message != "" {
		opts = append(opts, optup.Message(s.opts.Message))
	}
	_, err := s.stack.Up(ctx, opts...)
	return s.judged(end(stop, err))
}

// Refresh reads every resource back into the state.
func (s *Stack) Refresh(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	opts := []optrefresh.Option{optrefresh.EventStreams(ch), optrefresh.Color("never"), optrefresh.SuppressProgress(), optrefresh.ShowSecrets(false)}
	if s.opts.ClearPending {
		opts = append(opts, optrefresh.ClearPendingCreates())
	}
	if s.opts.Message != "" {
		opts = append(opts, optrefresh.Message(s.opts.Message))
	}
	_, err := s.stack.Refresh(ctx, opts...)
	return end(stop, err)
}

// PreviewRefresh says what Refresh would find.
func (s *Stack) PreviewRefresh(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	_, err := s.stack.PreviewRefresh(ctx, optrefresh.EventStreams(ch), optrefresh.Color("never"), optrefresh.SuppressProgress())
	return end(stop, err)
}

// Destroy deletes every resource.
func (s *Stack) Destroy(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	_, err := s.stack.Destroy(ctx, s.destroys(ch, optdestroy.ShowSecrets(false))...)
	return end(stop, err)
}

// PreviewDestroy says what Destroy would delete.
func (s *Stack) PreviewDestroy(ctx context.Context, r *Recorder) (Outcome, error) {
	ch, stop := r.Record()
	_, err := s.stack.PreviewDestroy(ctx, s.destroys(ch)...)
	return end(stop, err)
}

func (s *Stack) destroys(ch chan<- events.EngineEvent, more ...optdestroy.Option) []optdestroy.Option {
	opts := append([]optdestroy.Option{optdestroy.EventStreams(ch), optdestroy.Color("never"), optdestroy.SuppressProgress()}, more...)
	if s.opts.RefreshFirst {
		opts = append(opts, optdestroy.Refresh())
	}
	if s.opts.Message != "" {
		opts = append(opts, optdestroy.Message(s.opts.Message))
	}
	return opts
}

// errUnjudged: a pack that starts and says nothing has found nothing either, and the
// engine goes on (pkg/v3, analyzer.AnalyzeStack takes "unimplemented" for an answer).
var errUnjudged = errors.New("the policy pack was started and named no policy that it held the stack to: is it the pack that it should be?")

// judged fails what a policy pack should have seen, and did not.
func (s *Stack) judged(out Outcome, err error) (Outcome, error) {
	if err == nil && s.opts.Policy != "" && !out.Judged {
		err = errUnjudged
	}
	return out, err
}

func end(stop func() Outcome, err error) (Outcome, error) {
	out := stop()
	return out, Concise(err, out)
}
