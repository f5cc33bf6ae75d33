package sql

import (
	"fmt"
	"strings"
	"time"

	"redoubt/automation/provision"
)

const (
	// numberEvents gives numbers, and makes who wants some for the same operation
	// wait until the transaction ends. It is a row of its own: to write over the
	// operation's, which has the whole plan in it, for each line of a log would
	// cost more than the line.
	numberEvents = `INSERT INTO operation_event_numbers (operation_id, last) VALUES ($1, $2)
		ON CONFLICT (operation_id) DO UPDATE SET last = operation_event_numbers.last + excluded.last RETURNING last`
	selectOperationEvents = "SELECT seq, at, type, data FROM operation_events WHERE operation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
	ofEndedOperations     = "operation_id IN (SELECT id FROM operations WHERE ended_at > 0 AND ended_at < $1)"
)

// AddEvents implements provision.Tx.
func (t *tx) AddEvents(operationID string, events []provision.Event) error {
	if len(events) == 0 {
		return nil
	}
	last, err := one(t, value[int64], numberEvents, operationID, int64(len(events)))
	if err != nil {
		return err
	}
	for i := range events {
		events[i].Seq = last - int64(len(events)-1-i)
	}
	for start := 0; start < len(events); start += chunk {
		part := events[start:min(start+chunk, len(events))]
		values := make([]string, len(part))
		args := make([]any, 0, 1+4*len(part))
		args = append(args, operationID)
		for i, e := range part {
			values[i] = fmt.Sprintf("($1, %s)", placeholders(4*i+2, 4))
			args = append(args, e.Seq, micros(e.At), string(e.Type), string(e.Data))
		}
		if _, err := t.exec("INSERT INTO operation_events (operation_id, seq, at, type, data) VALUES "+strings.Join(values, ", "), args...); err != nil {
			return err
		}
	}
	return nil
}

func scanOperationEvent(r row) (e provision.Event, err error) {
	err = r.Scan(&e.Seq, moment{&e.At}, &e.Type, rawOf{&e.Data})
	return e, err
}

// EventsAfter implements provision.Tx.
func (t *tx) EventsAfter(operationID string, after int64, limit int) ([]provision.Event, error) {
	return all(t, scanOperationEvent, selectOperationEvents, operationID, after, atMost(limit))
}

// EventsOfTypes implements provision.Tx.
func (t *tx) EventsOfTypes(operationID string, types []provision.EventType, after int64, limit int) ([]provision.Event, error) {
	if len(types) == 0 {
		return nil, nil
	}
	var w where
	w.and("operation_id = " + w.arg(operationID))
	w.and("seq > " + w.arg(after))
	w.in("type", texts(types))
	bound := w.arg(atMost(limit))
	return all(t, scanOperationEvent, "SELECT seq, at, type, data FROM operation_events"+w.String()+" ORDER BY seq LIMIT "+bound, w.args...)
}

// PruneOperationEvents implements provision.Tx.
func (t *tx) PruneOperationEvents(before time.Time, limit int) (int64, error) {
	return t.prune("operation_events", "operation_id, seq", ofEndedOperations, before, limit)
}
