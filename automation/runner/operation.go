package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"redoubt/automation/engine"
)

// Operation is one that runs, in a process of its own.
type Operation struct {
	spec   Spec
	folder engine.Folder
	claim  *os.File
	child  *exec.Cmd
	events *queue[Event]
	done   chan struct{}

	mu      sync.Mutex
	control *os.File
	// cli is the process of the CLI that was started last.
	cli    int
	killed bool

	// result and err are there when done is closed.
	result Result
	err    error
}

// Result is what an operation did, also where it did not succeed.
type Result struct {
	Kind  Kind   `json:"kind"`
	Stack string `json:"stack"`
	engine.Outcome
	Seconds float64 `json:"seconds"`
}

// handOver is how long the child may take to read its specification.
const handOver = 30 * time.Second

// Start starts an operation. The end of ctx cancels it, as Cancel does. Wait
// must be called.
func Start(ctx context.Context, spec Spec) (_ *Operation, err error) {
	if spec, err = spec.checked(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, &Error{CodeCanceled, "it was canceled before it began"}
	}
	folder, claim, err := engine.MakeFolder(engine.OperationFolder)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, folder.Remove(), claim.Close())
		}
	}()
	specification, err := spec.seal(folder)
	if err != nil {
		return nil, err
	}
	p, err := newPipes()
	if err != nil {
		return nil, err
	}
	defer p.closeChild()
	o := &Operation{spec: spec, folder: folder, claim: claim, control: p.control, events: newQueue[Event](), done: make(chan struct{})}
	if err := o.start(p); err != nil {
		p.closeParent()
		return nil, err
	}
	began := time.Now()
	handed := make(chan error, 1)
	o.mu.Lock() // before Cancel can say anything
	go func() {
		defer o.mu.Unlock()
		handed <- o.write(specification)
	}()
	go o.supervise(p, handed, began)
	go func() {
		select {
		case <-ctx.Done():
			o.Cancel()
		case <-o.done:
		}
	}()
	return o, nil
}

// start starts the child, with files as its output: what it prints last, of a
// panic, is there when it is gone.
func (o *Operation) start(p *pipes) error {
	stdout, err := o.outputFile("stdout")
	if err != nil {
		return err
	}
	defer stdout.Close() //nolint:errcheck // the child has its own
	stderr, err := o.outputFile("stderr")
	if err != nil {
		return err
	}
	defer stderr.Close() //nolint:errcheck // the child has its own
	o.child = exec.Command(o.spec.Command[0], o.spec.Command[1:]...)
	o.child.Dir = o.folder.Work()
	o.child.Env = o.spec.Inherit.Environment()
	o.child.Stdout, o.child.Stderr = stdout, stderr
	o.child.ExtraFiles = []*os.File{p.childControl, p.childMessages, p.childHeld, o.claim}
	// A group of its own: Control-C at the terminal is the parent's.
	o.child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := o.child.Start(); err != nil {
		return fmt.Errorf("the operation's process cannot be started: %w", err)
	}
	return nil
}

func (o *Operation) outputFile(name string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(o.folder.Output(), name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the operation's output: %w", err)
	}
	return file, nil
}

// say hands something to the child, in order.
func (o *Operation) say(v any) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.write(v)
}

func (o *Operation) write(v any) error {
	if o.control == nil {
		return os.ErrClosed
	}
	if err := o.control.SetWriteDeadline(time.Now().Add(handOver)); err != nil {
		return err
	}
	return json.NewEncoder(o.control).Encode(v)
}

// Cancel asks the operation to end: nothing more is begun, and what has begun
// is finished, within the grace. It may be called again.
func (o *Operation) Cancel() {
	_ = o.say(command{doCancel}) // the child has ended: good
	if pid := o.orphanedCLI(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGINT) // gone already: good
	}
}

// Kill ends the operation at once. What has begun is pending in the state, and
// may be there or not in the cloud.
func (o *Operation) Kill() {
	o.mu.Lock()
	o.killed = true
	o.mu.Unlock()
	_ = o.say(command{doKill}) // the child has ended: good
	if pid := o.orphanedCLI(); pid != 0 {
		engine.KillGroup(pid)
	}
	go func() {
		// A child that does not listen.
		timer := time.NewTimer(lingering)
		defer timer.Stop()
		select {
		case <-o.done:
		case <-timer.C:
			engine.KillGroup(o.PID())
		}
	}()
}

func (o *Operation) wasKilled() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.killed
}

// orphanedCLI is the CLI of a child that is gone, else 0.
func (o *Operation) orphanedCLI() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.control != nil {
		return 0
	}
	return o.cli
}

// Events are all events, from the first; they end with the operation. Who reads
// them slowly, or not at all, holds up nothing. Each event is given once.
func (o *Operation) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for {
			event, ok := o.events.next()
			if !ok || !yield(event) {
				return
			}
		}
	}
}

// Wait waits until the operation has ended, all its processes have, and what
// they wrote is removed. The error is an *Error.
func (o *Operation) Wait() (Result, error) {
	<-o.done
	return o.result, o.err
}

// PID is the child's process.
func (o *Operation) PID() int { return o.child.Process.Pid }

// supervise reads what the child says until its end, and then cleans up.
func (o *Operation) supervise(p *pipes, handed <-chan error, began time.Time) {
	defer close(o.done)
	defer o.events.close()
	alone := make(chan struct{})
	go func() {
		defer close(alone)
		_, _ = io.Copy(io.Discard, p.held) // nothing is written; it ends with its last holder
	}()
	end := o.listen(p.messages)
	exit := o.child.Wait()
	o.mu.Lock()
	_ = o.control.Close() // the child is gone
	o.control = nil
	o.mu.Unlock()
	notHanded := <-handed
	o.outlive(alone, end == nil)
	p.closeParent()
	<-alone

	o.result = Result{Kind: o.spec.Kind, Stack: o.spec.Stack, Seconds: time.Since(began).Seconds()}
	switch {
	case end == nil:
		o.err = o.lost(exit, notHanded)
	default:
		o.result.Outcome = end.Outcome
		if end.Error != nil {
			o.err = end.Error
		}
	}
	if err := o.folder.Remove(); err != nil && o.err == nil {
		o.err = &Error{CodeFailed, fmt.Sprintf("it succeeded, but its folder cannot be removed: %v; it holds credentials, so remove %s yourself", err, o.folder)}
	}
	_ = o.claim.Close() // nothing was written
}

// listen reads messages until the child closes the pipe or dies; nil without a
// result.
func (o *Operation) listen(messages io.Reader) *ending {
	decoder := json.NewDecoder(messages)
	var end *ending
	for {
		var m message
		if err := decoder.Decode(&m); err != nil {
			return end
		}
		switch {
		case m.Event != nil:
			o.events.push(*m.Event)
		case m.CLI != 0:
			o.mu.Lock()
			o.cli = m.CLI
			o.mu.Unlock()
		case m.Fork != nil:
			if o.spec.Forked != nil {
				o.spec.Forked(*m.Fork)
			}
		case m.Result != nil:
			end = m.Result
		}
	}
}

// lingering is how long plugins may take to end after the CLI.
const lingering = 10 * time.Second

// outlive waits until CLI and plugins have ended. If the child died they may
// have much to do: without the program the engine begins nothing more, and
// finishes what has begun.
func (o *Operation) outlive(alone <-chan struct{}, died bool) {
	limit := lingering
	if died {
		if limit = o.spec.Grace; limit == 0 {
			limit = engine.DefaultGrace
		}
		if o.wasKilled() {
			limit = 0
		}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-alone:
	case <-timer.C:
		if o.cli != 0 {
			engine.KillGroup(o.cli)
		}
	}
}

// lost says why the child is gone without a result.
func (o *Operation) lost(exit, notHanded error) *Error {
	scrub := newScrubber(o.spec.secrets())
	text, err := os.ReadFile(filepath.Join(o.folder.Output(), "stderr"))
	if err != nil {
		text = nil
	}
	if said := panicOf(string(text)); said != "" {
		return &Error{CodePanic, "the program panicked: " + scrub.text(said)}
	}
	switch {
	case o.wasKilled():
		return errKilled
	case notHanded != nil && len(text) > 0:
		return &Error{CodeLost, "the operation's process does not start: " + scrub.text(lastLine(string(text)))}
	default:
		return &Error{CodeLost, fmt.Sprintf("the operation's process died (%v); %s", exit, pending)}
	}
}
