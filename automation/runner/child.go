package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/engine"
)

// Program makes the program of a stack that sets these configuration keys.
type Program func(keys []string) pulumi.RunFunc

// Main is the child: it runs the operation that the parent hands it, with one
// of these programs by name, and returns the process's exit code. Whatever
// becomes of the operation, the code is 0 if the parent was told.
func Main(programs map[string]Program) int {
	c := &child{programs: programs, kill: make(chan struct{})}
	for _, number := range []uintptr{controlFile, messagesFile, heldFile, claimFile} {
		// The CLI gets those that it shall hold, and no other.
		syscall.CloseOnExec(int(number))
	}
	control := os.NewFile(controlFile, "control")
	commands := json.NewDecoder(control)
	if err := commands.Decode(&c.greeting); err != nil || c.Folder == "" {
		fmt.Fprintln(os.Stderr, "redoubt:", ChildCommand, "is started by redoubt itself")
		return 2
	}
	err := commands.Decode(&c.spec)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		// There is nothing to do, or nobody any more to do it for.
		_ = c.Folder.Remove()
		return 0
	}
	if err == nil {
		err = c.inherit()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "redoubt:", err)
		return 2
	}
	c.held = []*os.File{os.NewFile(heldFile, "held"), os.NewFile(claimFile, "claim")}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.scrub = newScrubber(c.spec.Secrets)
	go c.obey(commands, cancel)
	go c.listen(cancel)
	wait := c.send(os.NewFile(messagesFile, "messages"))
	result := c.run(ctx)
	c.messages.push(message{Result: &result})
	wait()
	if c.orphan.Load() {
		// Nobody else removes it.
		_ = c.Folder.Remove()
	}
	return 0
}

// child is the process of one operation.
type child struct {
	greeting
	programs map[string]Program
	spec     sealed
	held     []*os.File
	messages *queue[message]
	scrub    scrubber

	canceled, orphan atomic.Bool
	kill             chan struct{}
	killOnce         sync.Once
	killed           atomic.Bool
}

// inherit makes the operation's environment the process's: programs may look there.
func (c *child) inherit() error {
	for _, variable := range c.spec.Environment {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("the environment of an operation: %s: %w", name, err)
		}
	}
	return nil
}

// obey does what the parent says until it is gone.
func (c *child) obey(commands *json.Decoder, cancel func()) {
	for {
		var next command
		if err := commands.Decode(&next); err != nil {
			// Nobody waits for the result any more, but the cloud does not know:
			// what has begun is finished and written down.
			c.orphan.Store(true)
			c.canceled.Store(true)
			cancel()
			return
		}
		if next.Do == doMask {
			c.scrub.learn(next.Secrets)
			continue
		}
		c.do(next.Do, cancel)
	}
}

func (c *child) do(what string, cancel func()) {
	c.canceled.Store(true)
	cancel()
	if what == doKill {
		c.killed.Store(true)
		c.killOnce.Do(func() { close(c.kill) })
	}
}

// listen takes signals as the parent takes Control-C: the first cancels, the
// next one kills.
func (c *child) listen(cancel func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	for range signals {
		if c.canceled.Load() {
			c.do(doKill, cancel)
		} else {
			c.do(doCancel, cancel)
		}
	}
}

// send writes messages to the parent, which may be slow, or gone. wait waits
// until all are written.
func (c *child) send(to io.WriteCloser) (wait func()) {
	c.messages = newQueue[message]()
	done := make(chan struct{})
	go func() {
		defer close(done)
		encoder, broken := json.NewEncoder(to), false
		for {
			m, ok := c.messages.next()
			if !ok {
				return
			}
			broken = broken || encoder.Encode(m) != nil
		}
	}()
	return func() {
		c.messages.close()
		<-done
		_ = to.Close() // the parent is told or gone
	}
}

// run runs the operation.
func (c *child) run(ctx context.Context) ending {
	out, err := c.operate(ctx)
	out = c.scrub.outcome(out)
	if err == nil {
		return ending{Outcome: out}
	}
	return ending{Outcome: out, Error: c.explain(err, out)}
}

func (c *child) operate(ctx context.Context) (engine.Outcome, error) {
	program, ok := c.programs[c.spec.Blueprint]
	if !ok {
		return engine.Outcome{}, &Error{CodeInvalid, fmt.Sprintf("there is no blueprint %q: one of %v", c.spec.Blueprint, slices.Sorted(maps.Keys(c.programs)))}
	}
	project, err := c.spec.project()
	if err != nil {
		return engine.Outcome{}, &Error{CodeInvalid, err.Error()}
	}
	env, err := c.environment()
	if err != nil {
		return engine.Outcome{}, err
	}
	concluded := make(chan struct{})
	command := &watched{Command: &engine.Command{
		CLI: c.spec.CLI, Env: c.spec.Environment, Folder: c.Folder.Output(), Grace: c.spec.Grace, Kill: c.kill, Concluded: concluded, Traces: c.spec.Traces,
		Started: func(pid int) { c.messages.push(message{CLI: pid}) }, Held: c.held,
	}, ended: make(chan error, 1), forked: func(f Fork) { c.messages.push(message{Fork: &f}) }}
	stack, err := engine.OpenStack(ctx, engine.StackOptions{
		Name: c.spec.Stack, Project: project.Project, Settings: project.Settings, Program: informed(program(project.Keys()), c.spec.Inputs),
		Folder: c.Folder.Work(), Command: command, Env: env,
		Policy: c.spec.Policy, PolicyConfig: c.spec.PolicyConfig, Create: c.spec.Create,
		RefreshFirst: c.spec.RefreshFirst, ClearPending: c.spec.ClearPending,
		Message: c.spec.Message, SavePlan: c.spec.SavePlan, Plan: c.spec.Plan,
	})
	if err != nil {
		return engine.Outcome{}, err
	}
	do := map[Kind]func(context.Context, *engine.Recorder) (engine.Outcome, error){
		Preview: stack.Preview, PreviewRefresh: stack.PreviewRefresh, PreviewDestroy: stack.PreviewDestroy,
		Up: stack.Up, Refresh: stack.Refresh, Destroy: stack.Destroy,
	}[c.spec.Kind]
	t := &translator{scrub: c.scrub, now: time.Now, preview: c.spec.Kind.Dry()}
	return command.finish(func() (engine.Outcome, error) {
		return do(ctx, &engine.Recorder{OnEnd: sync.OnceFunc(func() { close(concluded) }), OnEvent: func(e apitype.EngineEvent) {
			for _, event := range t.translate(e) {
				c.messages.push(message{Event: &event})
			}
		}})
	})
}

func (c *child) environment() (map[string]string, error) {
	env, err := c.Folder.Variables(c.spec.Passphrase, c.spec.Acquire)
	if err != nil {
		return nil, err
	}
	if err := c.Folder.SharePlugins(c.spec.Plugins, c.spec.Acquire); err != nil {
		return nil, err
	}
	maps.Copy(env, c.spec.Backend.Variables())
	maps.Copy(env, c.spec.Env)
	return env, nil
}

// explain finds out why an operation failed. Only the backend's and the CLI's
// words tell, and they are stable: the Automation API reads them too.
func (c *child) explain(err error, out engine.Outcome) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	text := c.scrub.text(err.Error())
	contains := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case c.killed.Load() || errors.Is(err, engine.ErrKilled):
		return errKilled
	case c.canceled.Load():
		return errCanceled
	case len(out.Mandatory()) > 0:
		return &Error{CodePolicy, text}
	case contains("no stack named"):
		return &Error{CodeMissing, fmt.Sprintf("there is no stack %s in %s", c.spec.Stack, c.spec.Backend.URL)}
	case contains("[409]", "Another update is currently in progress", "the stack is currently locked by"):
		return &Error{CodeBusy, text}
	case contains("[401]", "[403]", "Unauthorized:", "invalid access token"):
		return &Error{CodeUnauthorized, text}
	default:
		return &Error{CodeFailed, text}
	}
}

// watched notices when the operation's own run of the CLI has ended.
type watched struct {
	*engine.Command
	ended  chan error
	forked func(Fork)
}

func (w *watched) Run(ctx context.Context, dir string, stdin io.Reader, stdout, stderr []io.Writer, env []string, args ...string) (string, string, int, error) {
	began := time.Now()
	out, errs, code, err := w.Command.Run(ctx, dir, stdin, stdout, stderr, env, args...)
	w.forked(Fork{Command: commandOf(args), Code: code, Took: time.Since(began)})
	if slices.Contains(args, "--event-log") {
		w.ended <- reason(err, errs)
	}
	return out, errs, code, err
}

// reason is why the CLI failed, or nil: that it was killed or died, which the
// Automation API's own error does not say, or its own words.
func reason(err error, stderr string) error {
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, engine.ErrKilled):
		return err
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled():
		return &Error{CodeLost, fmt.Sprintf("the Pulumi CLI died (%v); %s", exit, pending)}
	default:
		return errors.New(strings.TrimSpace(stderr))
	}
}

var _ auto.PulumiCommand = (*watched)(nil)

// patience is how long a program may go on after the CLI has ended. Tests have
// less.
var patience = 10 * time.Second

// finish runs an operation, and gives up on it where it does not end although
// the CLI has: the Automation API waits for the program (go/auto/stack.go,
// languageRuntimeServer.Close), and this one may wait for something that never
// comes. The process ends with the operation, and the program with it.
func (w *watched) finish(do func() (engine.Outcome, error)) (engine.Outcome, error) {
	type result struct {
		out engine.Outcome
		err error
	}
	done := make(chan result, 1)
	go func() {
		out, err := do()
		done <- result{out, err}
	}()
	select {
	case r := <-done:
		return r.out, r.err
	case err := <-w.ended:
		select {
		case r := <-done:
			if CodeOf(err) != "" || errors.Is(err, engine.ErrKilled) {
				return r.out, err
			}
			return r.out, r.err
		case <-time.After(patience):
			return engine.Outcome{}, errors.Join(errors.New("the program did not end when the engine did"), err)
		}
	}
}
