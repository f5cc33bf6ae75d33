package provision

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// emitEvery and emitMost are when events are written: together, because each
	// transaction costs a sync of the disk, for which the engine's journal waits too.
	emitEvery = 250 * time.Millisecond
	emitMost  = 500
	// emitBytes is what a worker writes of an operation's words: a provider that prints
	// without end fills no database.
	emitBytes = 8 << 20
)

// wordy are the types of events that are left out beyond that. What was done to which
// resource is written always: a blueprint bounds how many there are.
var wordy = map[EventType]bool{EventLog: true, EventDiagnostic: true, EventPolicy: true}

// emitter writes a worker's events in batches.
type emitter struct {
	w       *Work
	mu      sync.Mutex
	waiting []Event
	// room is what is left of emitBytes; omitted counts what found none.
	room    int
	omitted int
	full    chan struct{}
	// writing is held while a batch is, so that batches stay in order.
	writing sync.Mutex
}

// emit takes an event, and never blocks for the database.
func (e *emitter) emit(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if wordy[event.Type] {
		if e.room -= len(event.Data); e.room < 0 {
			e.omitted++
			return
		}
	}
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

// close writes the rest, and how much was left out.
func (e *emitter) close() {
	e.mu.Lock()
	if e.omitted > 0 {
		e.waiting = append(e.waiting, Event{At: time.Now(), Type: EventLog, Data: textual(map[string]string{
			"message": fmt.Sprintf("%d more messages were left out: an operation keeps %d MiB of them", e.omitted, emitBytes>>20),
		})})
		e.omitted = 0
	}
	e.mu.Unlock()
	e.flush()
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
