package river

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"
)

// listener is what River calls with each job.
type listener struct {
	river.WorkerDefaults[tick]

	mu   sync.RWMutex
	wake func(context.Context, Job)
}

// Work implements river.Worker.
func (l *listener) Work(ctx context.Context, job *river.Job[tick]) error {
	l.mu.RLock()
	wake := l.wake
	l.mu.RUnlock()
	if wake == nil {
		return errors.New("nobody listens any more")
	}
	wake(ctx, Job{Queue: job.Queue, Operation: job.Args.Operation})
	return nil
}

// stopping is how long calls of wake may take to return when listening ends.
const stopping = 10 * time.Second

// Listen calls wake with each job until ctx ends, several at a time: as many as
// the queue has slots. A wake that takes its time lets jobs go to other processes;
// its own ctx ends when it may not take longer. Listen may be called once.
func (d *Dispatcher) Listen(ctx context.Context, wake func(context.Context, Job)) error {
	d.listener.mu.Lock()
	d.listener.wake = wake
	d.listener.mu.Unlock()
	if err := d.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("the queue cannot be listened to: %w", err)
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopping)
	defer cancel()
	if err := d.client.StopAndCancel(end); err != nil {
		return fmt.Errorf("the queue does not stop: %w", err)
	}
	return nil
}
