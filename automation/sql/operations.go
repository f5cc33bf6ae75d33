package sql

import (
	"strings"
	"time"

	"redoubt/automation/provision"
)

var operationColumns = columns{
	"id", "stack_id", "project_id", "kind", "state", "priority", "version",
	"created_at", "updated_at", "started_at", "deadline_at", "ended_at", "inputs", "doc", "requested_by",
}

var (
	insertOperation = operationColumns.insert("operations")
	swapOperation   = operationColumns.swap("operations")
	// The name of the stack is its environment's, see there.
	operationFields = "o.doc, o." + strings.Join(operationColumns[:13], ", o.") + ", " + stackNameColumns
	operationTables = " operations AS o JOIN environments AS e ON e.id = o.stack_id LEFT JOIN stacks AS s ON s.id = o.stack_id"
	selectOperation = "SELECT " + operationFields + " FROM" + operationTables
	// The conditions are those of the partial indexes, word for word.
	runnableStates = "state IN (" + quoted(provision.State.Runnable) + ")"
	claimedStates  = "state IN (" + quoted(provision.State.Claimed) + ")"
	// Sorting is done on ids and what they are sorted by, and not on documents.
	//
	// What waits beside drift is no drift itself: else two of them would wait for
	// each other. An operation that waits for people does not keep drift out.
	selectRunnable = `WITH next AS (
		SELECT o.id, o.priority, o.created_at, coalesce(busy.running, 0) AS running
		FROM operations AS o
		LEFT JOIN (SELECT project_id, count(*) AS running FROM operations WHERE ` + claimedStates + ` GROUP BY project_id) AS busy
			ON busy.project_id = o.project_id
		WHERE o.` + runnableStates + `
			AND NOT EXISTS (SELECT 1 FROM claims WHERE claims.stack_id = o.stack_id AND claims.expires_at > $1)
			AND (o.kind <> 'drift' OR NOT EXISTS (
				SELECT 1 FROM operations AS other WHERE other.stack_id = o.stack_id AND other.` + runnableStates + ` AND other.kind <> 'drift'))
		ORDER BY o.priority DESC, running, o.created_at, o.id LIMIT $2)
		SELECT ` + operationFields + ` FROM next JOIN` + strings.Replace(operationTables, "operations AS o", "operations AS o ON o.id = next.id", 1) +
		` ORDER BY next.priority DESC, next.running, next.created_at, next.id`
	selectDepths  = `SELECT kind = 'drift', count(*), min(updated_at) FROM operations WHERE ` + runnableStates + ` GROUP BY kind = 'drift' ORDER BY 1`
	selectOverdue = selectOperation + ` WHERE o.deadline_at > 0 AND o.deadline_at <= $1 AND o.state IN ('queued', 'awaiting_approval')
		ORDER BY o.deadline_at, o.id LIMIT $2`
)

const countOperationsSince = "SELECT count(*) FROM operations WHERE project_id = $1 AND created_at >= $2"

// quoted are the states for which something holds, as a list of SQL's.
func quoted(holds func(provision.State) bool) string {
	var list []string
	for _, s := range provision.States() {
		if holds(s) {
			list = append(list, "'"+string(s)+"'")
		}
	}
	return strings.Join(list, ", ")
}

// operationDoc is an operation with what its own JSON hides: a plan and the result
// in it have a field of the same name.
type operationDoc struct {
	*provision.Operation
	Left int64 `json:"plan_result_state_version,omitempty"`
}

func operationArgs(o provision.Operation) []any {
	rest := o
	rest.ID, rest.StackID, rest.ProjectID, rest.Kind, rest.State, rest.Priority, rest.Version, rest.Inputs = "", "", "", "", "", 0, 0, nil
	rest.CreatedAt, rest.UpdatedAt, rest.StartedAt, rest.DeadlineAt, rest.EndedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	doc := operationDoc{Operation: &rest}
	if o.Plan != nil {
		doc.Left = o.Plan.Result.StateVersion
	}
	return []any{
		o.ID, o.StackID, o.ProjectID, string(o.Kind), string(o.State), int64(o.Priority), o.Version,
		micros(o.CreatedAt), micros(o.UpdatedAt), micros(o.StartedAt), micros(o.DeadlineAt), micros(o.EndedAt), string(o.Inputs), asJSON(doc), subjectOf(o.RequestedBy),
	}
}

// subjectOf is an actor as bindings name it; empty for nobody.
func subjectOf(a provision.Actor) string {
	if a.Name == "" {
		return ""
	}
	return string(a.Kind) + ":" + a.Name
}

func scanOperation(r row) (o provision.Operation, err error) {
	doc := operationDoc{Operation: &o}
	err = r.Scan(docOf{&doc}, &o.ID, &o.StackID, &o.ProjectID, &o.Kind, &o.State, &o.Priority, &o.Version,
		moment{&o.CreatedAt}, moment{&o.UpdatedAt}, moment{&o.StartedAt}, moment{&o.DeadlineAt}, moment{&o.EndedAt}, rawOf{&o.Inputs},
		&o.Stack.Org, &o.Stack.Project, &o.Stack.Stack)
	if o.Plan != nil {
		o.Plan.Result.StateVersion = doc.Left
	}
	return o, err
}

// CreateOperation implements provision.Tx. Its environment and its project are
// there before it.
func (t *tx) CreateOperation(o provision.Operation) error {
	return t.insert(insertOperation, operationArgs(o)...)
}

// Operation implements provision.Tx.
func (t *tx) Operation(id string) (provision.Operation, error) {
	return one(t, scanOperation, selectOperation+" WHERE o.id = $1", id)
}

// Position implements provision.Tx.
func (t *tx) Position(operationID string) (provision.Position, error) {
	return one(t, func(r row) (p provision.Position, err error) {
		err = r.Scan(&p.State, &p.Version)
		return p, err
	}, "SELECT state, version FROM operations WHERE id = $1", operationID)
}

// LockOperation implements provision.Tx.
func (t *tx) LockOperation(id string) (provision.Operation, error) {
	if err := t.lock("operations", id); err != nil {
		return provision.Operation{}, err
	}
	return t.Operation(id)
}

// SaveOperation implements provision.Tx.
func (t *tx) SaveOperation(o *provision.Operation) error {
	return t.swap("operations", o.ID, &o.Version, swapOperation, operationArgs(*o)...)
}

// Operations implements provision.Tx. Newest first is by id: ids are ULIDs.
func (t *tx) Operations(query provision.OperationQuery) ([]provision.Operation, error) {
	if query.ProjectIDs != nil && len(query.ProjectIDs) == 0 {
		return nil, nil
	}
	var w where
	if query.ProjectIDs != nil {
		w.in("project_id", texts(query.ProjectIDs))
	}
	if query.StackID != "" {
		w.and("stack_id = " + w.arg(query.StackID))
	}
	if len(query.States) > 0 {
		w.in("state", texts(query.States))
	}
	if len(query.Kinds) > 0 {
		w.in("kind", texts(query.Kinds))
	}
	if query.RequestedBy != "" {
		w.and("requested_by = " + w.arg(query.RequestedBy))
	}
	if !query.Since.IsZero() {
		w.and("created_at >= " + w.arg(micros(query.Since)))
	}
	if query.Before != "" {
		w.and("id < " + w.arg(query.Before))
	}
	limit := w.arg(atMost(query.Limit))
	// The page is found by the index alone; only what is on it is read.
	page := "SELECT id FROM operations" + w.String() + " ORDER BY id DESC LIMIT " + limit
	return all(t, scanOperation, selectOperation+" WHERE o.id IN ("+page+") ORDER BY o.id DESC", w.args...)
}

// CountOperations implements provision.Tx.
func (t *tx) CountOperations(projectID string, states ...provision.State) (int, error) {
	if len(states) == 0 {
		return 0, nil
	}
	var w where
	w.and("project_id = " + w.arg(projectID))
	w.in("state", texts(states))
	return one(t, value[int], "SELECT count(*) FROM operations"+w.String(), w.args...)
}

// CountOperationsSince implements provision.Tx.
func (t *tx) CountOperationsSince(projectID string, since time.Time) (int, error) {
	return one(t, value[int], countOperationsSince, projectID, micros(since))
}

// Runnable implements provision.Tx.
func (t *tx) Runnable(at time.Time, limit int) ([]provision.Operation, error) {
	return all(t, scanOperation, selectRunnable, micros(at), atMost(limit))
}

// OverdueOperations implements provision.Tx.
func (t *tx) OverdueOperations(at time.Time, limit int) ([]provision.Operation, error) {
	return all(t, scanOperation, selectOverdue, micros(at), atMost(limit))
}

// QueueDepths implements provision.Tx.
func (t *tx) QueueDepths() ([]provision.QueueDepth, error) {
	return all(t, func(r row) (d provision.QueueDepth, err error) {
		err = r.Scan(&d.Drift, &d.Waiting, moment{&d.Oldest})
		return d, err
	}, selectDepths)
}

// endedWithSecrets has in its pattern what a sealed value is in JSON; one that was
// erased is empty.
const endedWithSecrets = ` WHERE o.ended_at > 0 AND o.ended_at >= $1 AND o.ended_at < $2 AND o.inputs LIKE '%"$sealed":"_%'
	AND o.inputs NOT LIKE '%"$sealed":""%' ORDER BY o.ended_at, o.id LIMIT $3`

// EndedWithSecrets implements provision.Tx.
func (t *tx) EndedWithSecrets(from, before time.Time, limit int) ([]provision.Operation, error) {
	return all(t, scanOperation, selectOperation+endedWithSecrets, micros(from), micros(before), atMost(limit))
}
