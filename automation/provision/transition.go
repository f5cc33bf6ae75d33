package provision

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"redoubt/automation/backend"
)

// stateChange is the data of an event of type EventState.
type stateChange struct {
	From State  `json:"from,omitempty"`
	To   State  `json:"to"`
	By   string `json:"by"`
	Why  string `json:"why,omitempty"`
}

// move is one transition of an operation: its row, its event, its entry in the
// audit log and its deliveries to webhooks, all in the caller's transaction. The
// operation was read in the same transaction, with its lock; what else changed in
// it is saved too.
func move(tx Tx, o *Operation, next State, by Actor, why string) error {
	if !o.State.May(next) {
		return &Error{Code: CodeConflict, Operation: o.ID, Message: fmt.Sprintf("operation %s is %s, and cannot become %s", o.ID, o.State, next)}
	}
	from := o.State
	o.State, o.UpdatedAt = next, tx.Now()
	if next.Final() {
		o.EndedAt, o.Node = o.UpdatedAt, ""
	}
	if !next.Claimed() {
		o.Node, o.Fence = "", 0
	}
	if next != Queued && next != AwaitingApproval {
		o.DeadlineAt = time.Time{} // waiting is over
	}
	if err := tx.SaveOperation(o); err != nil {
		return err
	}
	return announce(tx, *o, stateChange{From: from, To: next, By: by.Name, Why: why}, by)
}

// announce tells of an operation's state: to who watches, to the audit log, to
// webhooks.
func announce(tx Tx, o Operation, change stateChange, by Actor) error {
	events := []Event{eventOf(tx, EventState, change)}
	if o.State.Final() {
		events = append(events, eventOf(tx, EventEnd, change))
	}
	if err := tx.AddEvents(o.ID, events); err != nil {
		return err
	}
	detail := map[string]string{"operation": o.ID, "kind": string(o.Kind), "state": string(change.To)}
	if change.From != "" {
		detail["from"] = string(change.From)
	}
	if change.Why != "" {
		detail["why"] = change.Why
	}
	if o.Plan != nil {
		detail["plan"] = o.Plan.Digest
	}
	if err := record(tx, by, "operation."+string(change.To), o.Stack.String(), detail); err != nil {
		return err
	}
	return notify(tx, o.Stack.Org, o.ProjectID, "operation."+string(change.To), map[string]string{
		"operation_id": o.ID, "stack_id": o.StackID, "stack": o.Stack.String(), "kind": string(o.Kind), "state": string(change.To),
		"url": "/v1/operations/" + o.ID,
	})
}

// eventOf is an event as it happens now.
func eventOf(tx Tx, kind EventType, data any) Event {
	text, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", data, err)) // a mistake in model.go
	}
	return Event{At: tx.Now(), Type: kind, Data: text}
}

// record adds an entry to the audit log, in the transaction of what it records.
func record(tx Tx, by Actor, action, target string, detail map[string]string) error {
	if by.Human != "" && by.Human != by.Name {
		with := map[string]string{"human": by.Human}
		maps.Copy(with, detail)
		detail = with
	}
	return backend.Record(tx, backend.AuditEntry{Principal: by.Name, Action: action, Target: target, Detail: detail})
}

// Actor is how the principal is recorded.
func (p Principal) Actor() Actor { return Actor{Kind: p.Kind, Name: p.Name, Human: p.Human} }

// systemActor is the service itself.
var systemActor = Actor{Kind: System, Name: "redoubt"}
