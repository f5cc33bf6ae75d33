package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"redoubt/automation/provision"
	"redoubt/automation/river"
)

// Options of a worker. The zero value of each has a meaning.
type Options struct {
	// Node is the worker's name, unique among all that run; by default of machine,
	// process and chance.
	Node string
	// Slots is how many operations run at once; see Slots.
	Slots int
	// Grace is how long what runs may go on when the node stops, before it is asked
	// to end; 0 for 20 s. What has begun by then is finished, however long it takes.
	Grace time.Duration
	// Lease is how long a claim holds without a heartbeat; 0 for 45 s.
	Lease time.Duration
	// Look is how often the worker looks for what the queue has lost, and for what
	// other workers have left; 0 for five seconds.
	Look time.Duration
	// Metrics is told what happens; nil for nobody.
	Metrics Metrics
	// Tracer makes a span of each operation and each phase of it; nil for none.
	Tracer trace.Tracer
	// Log is for what only operators see; nil for none.
	Log *slog.Logger
}

// Queue is what wakes the worker; package river's is one.
type Queue interface {
	// Listen calls wake with each job until ctx ends.
	Listen(ctx context.Context, wake func(context.Context, river.Job)) error
	// Paused says whether nothing is to be taken from a queue.
	Paused(ctx context.Context, queue string) (bool, error)
}

// Worker runs operations.
type Worker struct {
	service *provision.Service
	engine  provision.Engine
	queue   Queue
	opts    Options
	lanes   map[string]*lane
	running sync.WaitGroup
}

// lane is one queue's slots.
type lane struct {
	queue string
	// slots has an element for each operation that runs.
	slots chan struct{}
	// look has an element where it is time to look.
	look chan struct{}
}

func (l *lane) wake() {
	select {
	case l.look <- struct{}{}:
	default: // somebody has said so
	}
}

// New makes a worker.
func New(service *provision.Service, engine provision.Engine, queue Queue, o Options) *Worker {
	if o.Node == "" {
		o.Node = nodeID()
	}
	if o.Slots == 0 {
		o.Slots = Slots(0)
	}
	if o.Grace == 0 {
		o.Grace = 20 * time.Second
	}
	if o.Look == 0 {
		o.Look = 5 * time.Second
	}
	if o.Metrics == nil {
		o.Metrics = nobody{}
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Worker{service: service, engine: engine, queue: queue, opts: o, lanes: map[string]*lane{}}
	for queue, slots := range river.Share(o.Slots) {
		w.lanes[queue] = &lane{queue: queue, slots: make(chan struct{}, slots), look: make(chan struct{}, 1)}
	}
	return w
}

// Node is the worker's name.
func (w *Worker) Node() string { return w.opts.Node }

// Run works until ctx ends; then it takes nothing more, lets what runs end within
// the grace, asks the rest to end, and returns when all has.
func (w *Worker) Run(ctx context.Context) error {
	// What runs goes on when ctx ends.
	performing, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	taking, stop := context.WithCancel(ctx)
	defer stop()
	var loops sync.WaitGroup
	for _, l := range w.lanes {
		loops.Go(func() { w.serve(taking, performing, l) })
	}
	loops.Go(func() { w.sweep(taking) })
	defer w.service.Near(w.told)()
	failed := make(chan error, 1)
	go func() {
		failed <- w.queue.Listen(taking, w.heard)
	}()
	var err error
	select {
	case err = <-failed:
		stop() // without the queue there would be the clock; but it says that something is wrong
	case <-ctx.Done():
		err = <-failed
	}
	loops.Wait()
	w.finish(end)
	if err != nil {
		return fmt.Errorf("the worker %s: %w", w.opts.Node, err)
	}
	return nil
}

// finish waits for what runs.
func (w *Worker) finish(end func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.running.Wait()
	}()
	timer := time.NewTimer(w.opts.Grace)
	defer timer.Stop()
	select {
	case <-ended:
		return
	case <-timer.C:
		w.opts.Log.Info("operations are asked to end: the node stops", "node", w.opts.Node)
		end()
	}
	<-ended
}

// told is what an order in this process does: as a job, and before it.
func (w *Worker) told(kind provision.OperationKind) {
	if l, ok := w.lanes[river.QueueOf(kind)]; ok {
		l.wake()
	}
}

// patience is how long a job waits for a free slot. Meanwhile the queue gives this
// node none, and other nodes more.
const patience = 10 * time.Second

// heard is what a job does: it says that it is time to look.
func (w *Worker) heard(ctx context.Context, j river.Job) {
	l, ok := w.lanes[j.Queue]
	if !ok {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.slots <- struct{}{}:
		<-l.slots
		l.wake()
	case <-timer.C:
	case <-ctx.Done():
	}
}

// serve fills a queue's slots whenever it is time to look.
func (w *Worker) serve(taking, performing context.Context, l *lane) {
	clock := time.NewTicker(w.opts.Look)
	defer clock.Stop()
	for {
		if err := w.fill(taking, performing, l); err != nil && taking.Err() == nil {
			w.opts.Log.Error("operations cannot be looked for", "queue", l.queue, "error", err)
		}
		select {
		case <-taking.Done():
			return
		case <-l.look:
		case <-clock.C:
		}
	}
}

// fill takes what waits until there is no slot, or nothing to take.
func (w *Worker) fill(taking, performing context.Context, l *lane) error {
	if len(l.slots) == cap(l.slots) {
		return nil
	}
	if paused, err := w.queue.Paused(taking, l.queue); err != nil || paused {
		return err
	}
	for taking.Err() == nil {
		ids, err := w.service.Runnable(taking, l.queue == river.Drift)
		if err != nil {
			return err
		}
		took, err := w.take(taking, performing, l, ids)
		if err != nil || !took {
			return err
		}
	}
	return nil
}

// take takes the first of some that can be taken. Who has most to wait for changes
// with each that is taken: so one at a time.
func (w *Worker) take(taking, performing context.Context, l *lane, ids []string) (took bool, err error) {
	var failed []error
	for _, id := range ids {
		select {
		case l.slots <- struct{}{}:
		default:
			return false, errors.Join(failed...)
		}
		work, err := w.service.Claim(taking, id, provision.Node{ID: w.opts.Node, Lease: w.opts.Lease})
		if err == nil {
			w.running.Go(func() { w.perform(performing, l, work) })
			return true, nil
		}
		<-l.slots
		if taking.Err() != nil {
			return false, nil
		}
		if !errors.Is(err, provision.ErrNotNow) {
			failed = append(failed, fmt.Errorf("operation %s: %w", id, err)) // others may fare better
			continue
		}
		w.opts.Log.Debug("an operation waits", "operation", id, "why", err)
	}
	return false, errors.Join(failed...)
}

// perform runs an operation, and gives its slot back.
func (w *Worker) perform(ctx context.Context, l *lane, work *provision.Work) {
	o := work.Operation()
	began := time.Now()
	w.opts.Metrics.Began(l.queue, o.Kind)
	w.opts.Log.Info("an operation is taken", "operation", o.ID, "kind", o.Kind, "stack", o.Stack, "node", w.opts.Node)
	spanning, span := w.span(o)
	err := w.service.Perform(ctx, work, traced{w.engine, w.opts.Tracer, spanning})
	<-l.slots
	l.wake()
	o = work.Operation()
	left(span, o, err)
	w.opts.Metrics.Left(l.queue, o.Kind, o.State, time.Since(began), err)
	switch {
	case errors.Is(err, provision.ErrClaimLost):
		w.opts.Log.Warn("an operation is not this worker's any more", "operation", o.ID, "node", w.opts.Node)
	case err != nil:
		w.opts.Log.Error("an operation could not be moved along; the sweep will find it", "operation", o.ID, "node", w.opts.Node, "error", err)
	default:
		w.opts.Log.Info("an operation is left", "operation", o.ID, "state", o.State, "node", w.opts.Node)
	}
}

// sweep looks again and again for what others have left.
func (w *Worker) sweep(ctx context.Context) {
	clock := time.NewTicker(w.opts.Look)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		}
		n, err := w.service.Sweep(ctx)
		w.opts.Metrics.Swept(n)
		if err != nil && ctx.Err() == nil {
			w.opts.Log.Error("what other workers have left cannot be looked for", "error", err)
		}
	}
}
