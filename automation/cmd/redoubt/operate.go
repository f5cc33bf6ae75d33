package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"redoubt/automation/blueprint"
	"redoubt/automation/engine"
	"redoubt/automation/runner"
)

// exitCanceled is the exit code of an operation that Control-C ended, as shells
// say it.
const exitCanceled = 130

// operationFlags are what operations on a stack have in common.
type operationFlags struct {
	Stack        string `required:"" help:"Stack: stack, organization/stack or organization/project/stack." placeholder:"NAME"`
	Project      string `help:"Folder with Pulumi.yaml." default:"." type:"existingdir" placeholder:"DIR"`
	URL          string `name:"url" help:"Redoubt server. By default REDOUBT_URL, PULUMI_BACKEND_URL, or where pulumi login has logged in." placeholder:"URL"`
	PolicyPack   string `help:"Policy pack, an executable, or none. By default redoubt-policy beside this executable, if it is there." placeholder:"PATH"`
	PolicyConfig string `help:"Configuration of the policy pack, JSON: levels, parameters, exemptions." type:"existingfile" placeholder:"FILE"`
	Create       bool   `help:"Make the stack if it is missing, without asking."`
	JSON         bool   `help:"Print the result as JSON." name:"json"`
}

type (
	previewCommand struct {
		operationFlags
	}
	upCommand struct {
		operationFlags
		Yes bool `help:"Update without showing a preview and asking." short:"y"`
	}
	refreshCommand struct {
		operationFlags
	}
	destroyCommand struct {
		operationFlags
		Yes bool `help:"Destroy without showing a preview and asking." short:"y"`
	}
)

// operationHelp ends the help of each operation.
const operationHelp = `

The access token is that of REDOUBT_TOKEN, PULUMI_ACCESS_TOKEN or pulumi login.
The engine, its plugins and the program see PATH, HOME, AWS_*, proxies and nothing
else of the environment.

Control-C cancels: what has begun is finished and written down, which may take as
long as AWS does. Control-C again ends it by force, and leaves what had begun
pending.

Exit code: 0 if it is done, 1 if the engine or the policy pack says no, 2 if it
could not be begun, 130 if it was canceled.`

// Help is the long text of redoubt preview --help.
func (previewCommand) Help() string {
	return `Examples:
  redoubt preview --stack dev                      what would change
  redoubt preview --stack dev --json | jq .result.counts` + operationHelp
}

// Help is the long text of redoubt up --help.
func (upCommand) Help() string {
	return `Examples:
  redoubt up --stack dev                           preview, ask, update
  redoubt up --stack acme/redoubt/dev --yes        in a pipeline
  redoubt up --stack new --create --url https://redoubt.example` + operationHelp
}

// Help is the long text of redoubt refresh --help.
func (refreshCommand) Help() string {
	return `Examples:
  redoubt refresh --stack dev                      what was changed outside Pulumi gets into the state` + operationHelp
}

// Help is the long text of redoubt destroy --help.
func (destroyCommand) Help() string {
	return `Examples:
  redoubt destroy --stack dev                      preview, ask, destroy` + operationHelp
}

// Run carries the command out.
func (c *previewCommand) Run(ctx context.Context, s *streams) error {
	return c.operate(ctx, s, runner.Preview, "", true)
}

// Run carries the command out.
func (c *upCommand) Run(ctx context.Context, s *streams) error {
	return c.operate(ctx, s, runner.Up, runner.Preview, c.Yes)
}

// Run carries the command out.
func (c *refreshCommand) Run(ctx context.Context, s *streams) error {
	return c.operate(ctx, s, runner.Refresh, "", true)
}

// Run carries the command out.
func (c *destroyCommand) Run(ctx context.Context, s *streams) error {
	return c.operate(ctx, s, runner.Destroy, runner.PreviewDestroy, c.Yes)
}

// operate runs an operation; unless yes it first runs the one that shows what
// would happen, and asks.
func (f *operationFlags) operate(ctx context.Context, s *streams, kind, shows runner.Kind, yes bool) error {
	spec, err := f.spec(s)
	if err != nil {
		return err
	}
	v := newOperationView(s, f.JSON)
	if !yes {
		result, err := f.run(ctx, s, v, &spec, shows)
		if err != nil {
			return v.end(result, err)
		}
		if result.Changed() == 0 {
			return v.end(result, nil)
		}
		v.preview(result)
		sure, err := confirm(s, fmt.Sprintf("%s stack %s", sayKind(kind), spec.Stack))
		if err != nil {
			return err
		}
		if !sure {
			fmt.Fprintln(s.err, "Nothing was changed.")
			return errNotOK
		}
	}
	result, err := f.run(ctx, s, v, &spec, kind)
	return v.end(result, err)
}

// run runs an operation; where the stack is missing it asks whether to make it.
func (f *operationFlags) run(ctx context.Context, s *streams, v *operationView, spec *runner.Spec, kind runner.Kind) (runner.Result, error) {
	spec.Kind = kind
	result, err := runOperation(ctx, s, v, *spec)
	if runner.CodeOf(err) != runner.CodeMissing || kind == runner.Destroy || kind == runner.PreviewDestroy || kind == runner.Refresh {
		return result, err
	}
	sure, askErr := confirm(s, fmt.Sprintf("%v. Make it", err))
	if askErr != nil {
		return result, &runner.Error{Code: runner.CodeMissing, Message: fmt.Sprintf("%v (--create makes it)", err)}
	}
	if !sure {
		return result, err
	}
	spec.Create = true
	return runOperation(ctx, s, v, *spec)
}

// spec is the operation that the flags and the environment describe.
func (f *operationFlags) spec(s *streams) (runner.Spec, error) {
	folder, err := projectFolder(f.Project)
	if err != nil {
		return runner.Spec{}, err
	}
	b := blueprint.DefenseInDepth
	spec := runner.Spec{Blueprint: b.Name, Stack: f.Stack, Create: f.Create, PolicyConfig: f.PolicyConfig, Inherit: engine.Inherit{AWS: true, Network: true}}
	// Before the name becomes that of a file.
	if err := runner.CheckStack(f.Stack, "project"); err != nil {
		return spec, err
	}
	name := f.Stack[strings.LastIndex(f.Stack, "/")+1:]
	if spec.Project, err = engine.Load(folder, name, b.Folders); err != nil {
		return spec, err
	}
	if spec.Passphrase, err = spec.Project.Passphrase(); err != nil {
		return spec, err
	}
	if spec.Backend, err = login(f.URL); err != nil {
		return spec, err
	}
	switch f.PolicyPack {
	case "none":
	case "":
		if spec.Policy, err = engine.Sibling("redoubt-policy"); err != nil {
			fmt.Fprintf(s.err, "redoubt: no policy pack: %v; the server's own still apply\n", err)
		}
	default:
		spec.Policy = f.PolicyPack
	}
	if never, err := strconv.ParseBool(os.Getenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION")); err != nil || !never {
		spec.Acquire = true
	}
	if attached := os.Getenv(attachedProviders); attached != "" {
		fmt.Fprintf(s.err, "redoubt: providers are attached and not started (%s=%s)\n", attachedProviders, attached)
		spec.Env = map[string]string{attachedProviders: attached}
	}
	return spec, nil
}

// attachedProviders names providers that run already, for tests and rehearsals.
const attachedProviders = "PULUMI_DEBUG_PROVIDERS"

// runOperation runs an operation and shows what happens.
func runOperation(ctx context.Context, s *streams, v *operationView, spec runner.Spec) (runner.Result, error) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	op, err := runner.Start(ctx, spec) // the end of ctx, the first signal, cancels it
	if err != nil {
		return runner.Result{Kind: spec.Kind, Stack: spec.Stack}, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for count := 1; ; count++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if count == 1 {
				v.say("Canceling: waiting for what has begun. Control-C again ends it by force.")
				op.Cancel()
			} else {
				v.say("Ending it by force.")
				op.Kill()
			}
		}
	}()
	v.begin(spec)
	for event := range op.Events() {
		v.event(event)
	}
	result, err := op.Wait()
	v.finish()
	return result, err
}

// operationError gives an operation's error its exit code.
func operationError(err error) error {
	switch runner.CodeOf(err) {
	case "":
		return err
	case runner.CodeFailed, runner.CodePolicy, runner.CodePanic, runner.CodeLost:
		return errNotOK
	case runner.CodeCanceled, runner.CodeKilled:
		return &childExit{exitCanceled}
	default:
		return &childExit{exitError}
	}
}

// runOperationCommand is the process of one operation; see package runner.
type runOperationCommand struct{}

// Run carries the command out.
func (runOperationCommand) Run() error {
	code := runner.Main(programs())
	if code != 0 {
		return &childExit{code}
	}
	return nil
}

var errNobodyAnswers = errors.New("nobody answers: say --yes to do it without asking")
