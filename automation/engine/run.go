package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// DefaultGrace is how long the CLI may take to end after it was interrupted:
// the longest operations of AWS, a database cluster or a distribution of
// CloudFront, are done in half an hour.
const DefaultGrace = 30 * time.Minute

// DefaultConclusion is enough to send the rest of a journal to a backend that starts
// again meanwhile.
const DefaultConclusion = time.Minute

// Command runs the CLI for the Automation API, which would do it in another way:
//
//   - it kills the CLI ten seconds after an interrupt (go/auto/cmd.go,
//     WaitDelay), in the middle of a create that then is in no state. Here the
//     CLI gets the time to wait for what it has begun and to write it down;
//   - it hands the CLI the whole environment of this process. Here the CLI gets
//     Env and nothing else;
//   - it reads the CLI's output from pipes, so that the CLI dies of SIGPIPE when
//     this process dies. Here output goes to files, and the CLI ends by itself.
type Command struct {
	CLI CLI
	// Env is the whole environment, but for what the Automation API adds.
	Env []string
	// Folder is where the output is kept while the CLI runs; its owner's alone.
	Folder string
	// Grace is how long the CLI may take to end after ctx; 0 for DefaultGrace.
	Grace time.Duration
	// Traces is where it sends its spans; the zero value for nowhere.
	Traces Traces
	// Kill ends the CLI at once when it is closed; nil for never.
	Kill <-chan struct{}
	// Concluded is closed when the engine has done all that it does, and what is left
	// to the CLI is to write that down; nil for never. See Recorder.OnEnd.
	Concluded <-chan struct{}
	// Conclusion is how long the CLI may take for that where it was interrupted before;
	// 0 for DefaultConclusion.
	Conclusion time.Duration
	// Started is told the id of each process, which leads a group of its own;
	// nil for nobody.
	Started func(pid int)
	// Held are files that the CLI and its plugins keep open as long as they live.
	Held []*os.File
}

var _ auto.PulumiCommand = (*Command)(nil)

// Version implements auto.PulumiCommand.
func (c *Command) Version() semver.Version { return c.CLI.Version }

// Run implements auto.PulumiCommand. The end of ctx interrupts the CLI, as
// Control-C does.
func (c *Command) Run(ctx context.Context, dir string, stdin io.Reader, stdout, stderr []io.Writer, env []string, args ...string) (string, string, int, error) {
	out, err := newOutput(c.Folder, "stdout-", stdout)
	if err != nil {
		return "", "", unknownCode, err
	}
	defer out.close()
	errs, err := newOutput(c.Folder, "stderr-", stderr)
	if err != nil {
		return "", "", unknownCode, err
	}
	defer errs.close()

	cmd := exec.Command(c.CLI.Executable, c.Traces.flags(nonInteractive(plainMessage(args)))...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, stdin, out.file, errs.file
	cmd.Env = c.environment(env)
	cmd.ExtraFiles = c.Held
	// A group of its own: Control-C at the terminal is for us to hand on, once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err = ctx.Err(); err == nil {
		err = c.wait(ctx, cmd)
	}
	code := unknownCode
	var exit *exec.ExitError
	switch {
	case err == nil:
		code = 0
	case errors.As(err, &exit):
		code = exit.ExitCode()
	}
	outText, outErr := out.finish()
	errText, errErr := errs.finish()
	return outText, errText, code, errors.Join(err, outErr, errErr)
}

// unknownCode is the Automation API's exit code of a process that had none.
const unknownCode = -2

// wait starts the process and waits for its end.
func (c *Command) wait(ctx context.Context, cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the Pulumi CLI cannot be started: %w", err)
	}
	if c.Started != nil {
		c.Started(cmd.Process.Pid)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	canceled, concluded := ctx.Done(), c.Concluded
	interrupted := false
	late := time.NewTimer(time.Hour)
	late.Stop()
	defer late.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-canceled:
			canceled = nil
			if interrupted = !c.concluded(); interrupted {
				// The process alone: its plugins are told by the CLI. Where it has
				// ended already there is nothing to do.
				_ = cmd.Process.Signal(os.Interrupt)
			}
			late.Reset(cmp.Or(c.Grace, DefaultGrace))
		case <-concluded:
			// An interrupt that comes when the engine has just ended is the CLI's
			// deadlock: it tells of it on a channel that nobody reads any more (pkg/v3,
			// backend/cancellation_scope.go). Later it is its death, before it has told
			// the backend of the end.
			concluded = nil
			if interrupted {
				late.Reset(cmp.Or(c.Conclusion, DefaultConclusion))
			}
		case <-late.C:
			KillGroup(cmd.Process.Pid)
			return errors.Join(ErrKilled, <-ended)
		case <-c.Kill:
			KillGroup(cmd.Process.Pid)
			return errors.Join(ErrKilled, <-ended)
		}
	}
}

// concluded says whether the engine has ended.
func (c *Command) concluded() bool {
	select {
	case <-c.Concluded:
		return true
	default:
		return false
	}
}

// ErrKilled says that the CLI did not end by itself.
var ErrKilled = errors.New("the Pulumi CLI was killed")

// KillGroup kills a process and those of its group. Plugins of the CLI lead
// groups of their own, and end by themselves when they miss it.
func KillGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL) // gone already: good
}

// environment is Env with what the Automation API adds, and with the CLI's
// folder first on PATH, where its own plugins are.
func (c *Command) environment(added []string) []string {
	env := slices.Concat(c.Env, added, c.Traces.variables(), []string{"PULUMI_AUTOMATION_API=true"})
	path := filepath.Dir(c.CLI.Executable)
	for i := len(env) - 1; i >= 0; i-- {
		if list, ok := strings.CutPrefix(env[i], "PATH="); ok {
			path += string(os.PathListSeparator) + list
			break
		}
	}
	return append(env, "PATH="+path)
}

// plainMessage takes the quotes from an update's message that the Automation API puts
// around it (go/auto/stack.go), as if a shell came between: the history would have them.
func plainMessage(args []string) []string {
	const flag = "--message="
	args = slices.Clone(args)
	for i, a := range args {
		text, ok := strings.CutPrefix(a, flag)
		if !ok {
			continue
		}
		if plain, err := strconv.Unquote(text); err == nil {
			args[i] = flag + plain
		}
	}
	return args
}

// nonInteractive makes the CLI fail where it would ask. What follows a "--" is
// no flag.
func nonInteractive(args []string) []string {
	const flag = "--non-interactive"
	flags := args
	if i := slices.Index(args, "--"); i >= 0 {
		flags = args[:i]
	}
	if slices.Contains(flags, flag) {
		return args
	}
	return append([]string{flag}, args...)
}
