package provision

import (
	"context"
	"slices"
	"time"
)

// The queues. Checks for drift have one of their own, so that a thousand of them keep
// no order waiting.
const (
	QueueDefault = "default"
	QueueDrift   = "drift"
)

// QueueNames are all queues.
var QueueNames = []string{QueueDefault, QueueDrift}

// Queues is what pauses them, for all workers and over restarts. Package river's
// dispatcher does.
type Queues interface {
	// Pause keeps workers from taking operations of a queue; what runs goes on.
	Pause(ctx context.Context, queue string) error
	// Resume ends a pause.
	Resume(ctx context.Context, queue string) error
	// Paused says whether a queue is.
	Paused(ctx context.Context, queue string) (bool, error)
}

// Queue is what waits for a worker.
type Queue struct {
	Name   string
	Paused bool
	// Waiting are operations without a worker, Running those with one.
	Waiting, Running int
	// Oldest is since when the first of those that wait does; zero where none does.
	Oldest time.Time
	// Age is how long that is.
	Age time.Duration
}

// Queues returns all queues. They are the installation's: it takes who manages that.
func (s *Service) Queues(ctx context.Context, p Principal) ([]Queue, error) {
	if err := s.allow(ctx, p, ActionManageSettings, Resource{}, "the queues"); err != nil {
		return nil, err
	}
	queues := make([]Queue, len(QueueNames))
	for i, name := range QueueNames {
		paused, err := s.opts.Queues.Paused(ctx, name)
		if err != nil {
			return nil, err
		}
		queues[i] = Queue{Name: name, Paused: paused}
	}
	err := s.read(ctx, func(tx Tx) error {
		depths, err := tx.QueueDepths()
		if err != nil {
			return err
		}
		for _, d := range depths {
			q := &queues[slices.Index(QueueNames, queueOf(d.Drift))]
			q.Waiting, q.Oldest, q.Age = d.Waiting, d.Oldest, max(0, tx.Now().Sub(d.Oldest))
		}
		running, err := tx.Operations(OperationQuery{States: claimedStates()})
		for _, o := range running {
			queues[slices.Index(QueueNames, queueOf(o.Kind == KindDrift))].Running++
		}
		return err
	})
	return queues, err
}

func queueOf(drift bool) string {
	if drift {
		return QueueDrift
	}
	return QueueDefault
}

// PauseQueue keeps workers from taking operations of a queue, until it is resumed.
func (s *Service) PauseQueue(ctx context.Context, p Principal, name string) (Queue, error) {
	return s.switchQueue(ctx, p, name, "queue.pause", s.opts.Queues.Pause)
}

// ResumeQueue ends a pause.
func (s *Service) ResumeQueue(ctx context.Context, p Principal, name string) (Queue, error) {
	return s.switchQueue(ctx, p, name, "queue.resume", s.opts.Queues.Resume)
}

// switchQueue records first, and then does it: what was done is never without its
// entry.
func (s *Service) switchQueue(ctx context.Context, p Principal, name, action string, do func(context.Context, string) error) (Queue, error) {
	if err := s.allow(ctx, p, ActionManageSettings, Resource{}, "the queues"); err != nil {
		return Queue{}, err
	}
	i := slices.Index(QueueNames, name)
	if i < 0 {
		return Queue{}, Fail(CodeNotFound, "there is no %s: one of %q", named("queue", name), QueueNames)
	}
	if err := s.write(ctx, func(tx Tx) error { return recordBy(tx, p, action, name, nil) }); err != nil {
		return Queue{}, err
	}
	if err := do(context.WithoutCancel(ctx), name); err != nil {
		return Queue{}, err
	}
	queues, err := s.Queues(ctx, p)
	if err != nil {
		return Queue{}, err
	}
	return queues[i], nil
}

// noQueues are those of a service without workers.
type noQueues struct{}

func (noQueues) Pause(context.Context, string) error          { return errNoQueues }
func (noQueues) Resume(context.Context, string) error         { return errNoQueues }
func (noQueues) Paused(context.Context, string) (bool, error) { return false, nil }

var errNoQueues = Fail(CodeUnavailable, "no worker has queues that could be paused")
