package provision

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// emitEvery and emitMost are when events are written: together, because each
	// transaction costs a sync of the disk.
	emitEvery = 100 * time.Millisecond
	emitMost  = 200
)

// emitter writes a worker's events in batches.
type emitter struct {
	w       *Work
	mu      sync.Mutex
	waiting []Event
	full    chan struct{}
	// writing is held while a batch is, so that batches stay in order.
	writing sync.Mutex
}

// emit takes an event, and never blocks for the database.
func (e *emitter) emit(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if event.Type == EventProgress {
		// How far it was is nobody's concern any more: there would be one of these for
		// each resource, a third of all that is written.
		e.waiting = slices.DeleteFunc(e.waiting, func(earlier Event) bool { return earlier.Type == EventProgress })
	}
	e.waiting = append(e.waiting, event)
	if len(e.waiting) >= emitMost {
		select {
		case e.full <- struct{}{}:
		default:
		}
	}
}

// run writes until ctx ends.
func (e *emitter) run(ctx context.Context) {
	ticker := time.NewTicker(emitEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-e.full:
		}
		e.flush()
	}
}

// flush writes what waits. Events of an operation that is lost are its new worker's
// to tell; those that cannot be written are lost, and the operation goes on.
func (e *emitter) flush() {
	e.writing.Lock()
	defer e.writing.Unlock()
	for {
		e.mu.Lock()
		batch := e.waiting[:min(len(e.waiting), emitMost)]
		e.waiting = e.waiting[len(batch):]
		e.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), e.w.node.lease())
		err := e.w.service.store.Update(ctx, func(tx Tx) error {
			if err := e.w.holds(tx); err != nil {
				return err
			}
			return tx.AddEvents(e.w.claim.OperationID, batch)
		})
		cancel()
		if err != nil {
			e.w.service.opts.Log.Warn("events of an operation could not be written", "operation", e.w.claim.OperationID, "events", len(batch), "error", err)
			continue
		}
		e.w.service.changed.tell(e.w.claim.OperationID)
	}
}
