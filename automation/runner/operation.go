package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"redoubt/automation/engine"
)

// Operation is one that runs, in a process of its own.
type Operation struct {
	*prepared
	spec   Spec
	events *queue[Event]
	done   chan struct{}
	idle   func()

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
func Start(ctx context.Context, spec Spec) (*Operation, error) {
	return launch(ctx, spec, prepare, func([]string) {})
}

// launch has a child that it obtains run an operation. idle is called once, when
// child and machine have less to do: the engine is being started, or, where nothing
// follows the operation, it has ended.
func launch(ctx context.Context, spec Spec, obtain func(command []string) (*prepared, error), idle func(command []string)) (*Operation, error) {
	spec, err := spec.checked()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, &Error{CodeCanceled, "it was canceled before it began"}
	}
	specification, err := spec.seal()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	p, err := obtain(spec.Command)
	if err != nil {
		return nil, err
	}
	o := &Operation{
		prepared: p, spec: spec, control: p.pipes.control, events: newQueue[Event](), done: make(chan struct{}),
		idle: sync.OnceFunc(func() { idle(spec.Command) }),
	}
	handed := make(chan error, 1)
	o.mu.Lock() // before Cancel can say anything
	go func() {
		defer o.mu.Unlock()
		handed <- o.write(specification)
	}()
	go o.supervise(handed, began)
	go func() {
		select {
		case <-ctx.Done():
			o.Cancel()
		case <-o.done:
		}
	}()
	return o, nil
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
	_ = o.say(command{Do: doCancel}) // the child has ended: good
	if pid := o.orphanedCLI(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGINT) // gone already: good
	}
}

// Mask adds values that no event may hold, for secrets that there were not yet when
// the operation began.
func (o *Operation) Mask(secrets ...string) {
	o.mu.Lock()
	o.spec.Secrets = append(slices.Clone(o.spec.Secrets), secrets...)
	o.mu.Unlock()
	_ = o.say(command{Do: doMask, Secrets: secrets}) // the child has ended: good
}

// Kill ends the operation at once. What has begun is pending in the state, and
// may be there or not in the cloud.
func (o *Operation) Kill() {
	o.mu.Lock()
	o.killed = true
	o.mu.Unlock()
	_ = o.say(command{Do: doKill}) // the child has ended: good
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
func (o *Operation) supervise(handed <-chan error, began time.Time) {
	defer close(o.done)
	defer o.events.close()
	defer o.idle()
	alone := make(chan struct{})
	go func() {
		defer close(alone)
		_, _ = io.Copy(io.Discard, o.pipes.held) // nothing is written; it ends with its last holder
	}()
	end := o.listen(o.pipes.messages)
	<-o.exited
	o.mu.Lock()
	_ = o.control.Close() // the child is gone
	o.control = nil
	o.mu.Unlock()
	notHanded := <-handed
	o.outlive(alone, end == nil)
	o.pipes.closeParent()
	<-alone

	o.result = Result{Kind: o.spec.Kind, Stack: o.spec.Stack, Seconds: time.Since(began).Seconds()}
	switch {
	case end == nil:
		o.err = o.lost(notHanded)
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
			if !o.spec.Last {
				o.idle()
			}
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
func (o *Operation) lost(notHanded error) *Error {
	o.mu.Lock()
	scrub := newScrubber(o.spec.secrets())
	o.mu.Unlock()
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
		return &Error{CodeLost, fmt.Sprintf("the operation's process died (%v); %s", o.exit, pending)}
	}
}
