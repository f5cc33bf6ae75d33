package river

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"redoubt/automation/provision"
)

// Options of a dispatcher.
type Options struct {
	// Slots is how many operations the worker of this process runs at once; 0
	// for a process without one, which may wake others.
	Slots int
	// Log is for what only operators see; nil for none.
	Log *slog.Logger
}

// Job is a wake-up call.
type Job struct {
	Queue     string
	Operation string
}

// Dispatcher is the queues of one process; it is safe for concurrent use.
type Dispatcher struct {
	client   client
	close    func() error
	listener *listener
}

var _ provision.Dispatcher = (*Dispatcher)(nil)

// client is what is used of River's, whose type depends on the database.
type client interface {
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	Start(context.Context) error
	StopAndCancel(context.Context) error
	QueuePause(ctx context.Context, name string, opts *river.QueuePauseOpts) error
	QueueResume(ctx context.Context, name string, opts *river.QueuePauseOpts) error
	QueueGet(ctx context.Context, name string) (*rivertype.Queue, error)
}

// tick is the job's arguments.
type tick struct {
	Operation string `json:"operation" river:"unique"`
}

// Kind implements river.JobArgs.
func (tick) Kind() string { return "operation.wake" }

const (
	// handOver is how long a job may take: a worker without a free slot lets it
	// wait a little, so that one elsewhere gets the next.
	handOver = time.Minute
	// rescue is when a job of a process that died is anybody's again.
	rescue = 2 * time.Minute
	// kept is how long finished jobs are, for whoever looks into the queue.
	kept = time.Hour
	// attempts is how often a job is tried: it is lost after that, and found.
	attempts = 3
)

// waiting are the states in which a second job of an operation says nothing new.
var waiting = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

func newDispatcher[T any](driver riverdriver.Driver[T], o Options, schema string) (*Dispatcher, error) {
	d := &Dispatcher{listener: &listener{}}
	config := &river.Config{
		Schema: schema, Logger: quiet(o.Log), MaxAttempts: attempts, JobTimeout: handOver, RescueStuckJobsAfter: rescue,
		CompletedJobRetentionPeriod: kept, CancelledJobRetentionPeriod: kept, DiscardedJobRetentionPeriod: kept,
		FetchCooldown: 10 * time.Millisecond, FetchPollInterval: time.Second,
	}
	config.Workers = river.NewWorkers()
	river.AddWorker(config.Workers, d.listener)
	if o.Slots > 0 {
		config.Queues = map[string]river.QueueConfig{}
		for queue, slots := range Share(o.Slots) {
			config.Queues[queue] = river.QueueConfig{MaxWorkers: slots}
		}
	}
	c, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("the queue: %w", err)
	}
	d.client = c
	return d, nil
}

// Wake implements provision.Dispatcher.
func (d *Dispatcher) Wake(ctx context.Context, operationID string, kind provision.OperationKind, p int) error {
	_, err := d.client.Insert(ctx, tick{operationID}, &river.InsertOpts{
		Queue: QueueOf(kind), Priority: priority(p), MaxAttempts: attempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: waiting},
	})
	if err != nil {
		return fmt.Errorf("the queue takes no job: %w", err)
	}
	return nil
}

// Close closes what Open opened. It may be called again.
func (d *Dispatcher) Close() error { return d.close() }

// Pause keeps workers from taking operations of a queue; what runs goes on.
func (d *Dispatcher) Pause(ctx context.Context, queue string) error {
	return d.ofQueue(queue, d.client.QueuePause(ctx, queue, nil))
}

// Resume ends a pause.
func (d *Dispatcher) Resume(ctx context.Context, queue string) error {
	return d.ofQueue(queue, d.client.QueueResume(ctx, queue, nil))
}

// Paused says whether a queue is.
func (d *Dispatcher) Paused(ctx context.Context, queue string) (bool, error) {
	q, err := d.client.QueueGet(ctx, queue)
	if missing(err) {
		return false, nil // nobody has listened to it yet, and so nobody has paused it
	}
	if err != nil {
		return false, fmt.Errorf("the queue %s cannot be read: %w", queue, err)
	}
	return q.PausedAt != nil, nil
}

func (*Dispatcher) ofQueue(queue string, err error) error {
	switch {
	case err == nil:
		return nil
	case missing(err):
		return provision.Fail(provision.CodeNotFound, "there is no queue %s that a worker has listened to: one of %v, once a worker has been started", queue, Queues)
	default:
		return fmt.Errorf("the queue %s cannot be changed: %w", queue, err)
	}
}

// missing is what River says of what is not there; some paths hand on the
// driver's own word.
func missing(err error) bool {
	return errors.Is(err, rivertype.ErrNotFound) || errors.Is(err, sql.ErrNoRows) || errors.Is(err, pgx.ErrNoRows)
}

// Stat is a queue as metrics show it.
type Stat struct {
	Queue  string
	Paused bool
}

// Stats are all queues'. How much waits in them is for the table of operations to
// say: a queue that lost a job does not know of it.
func (d *Dispatcher) Stats(ctx context.Context) ([]Stat, error) {
	stats := make([]Stat, 0, len(Queues))
	for _, queue := range Queues {
		paused, err := d.Paused(ctx, queue)
		if err != nil {
			return nil, err
		}
		stats = append(stats, Stat{queue, paused})
	}
	return stats, nil
}
