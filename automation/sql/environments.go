package sql

import (
	"strings"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// What a save writes. Blueprint, drift and expiry are copies of what doc has, to look up.
var environmentColumns = columns{
	"id", "project_id", "blueprint", "drift_status", "due_at", "created_at", "deleted_at", "version", "labels", "inputs", "doc", "expires_at",
}

var (
	insertEnvironment = append(environmentColumns[:12:12], "org", "project", "name", "org_key", "project_key", "name_key").insert("environments")
	swapEnvironment   = environmentColumns.swap("environments")
	// The name is the stack's, which may be renamed; the record's own is for when
	// the stack is gone.
	selectEnvironments = `SELECT e.doc, e.id, e.project_id, e.due_at, e.created_at, e.deleted_at, e.version, e.labels, e.inputs, ` +
		stackNameColumns + ` FROM environments AS e LEFT JOIN stacks AS s ON s.id = e.id`
)

const (
	stackNameColumns = "coalesce(s.org, e.org), coalesce(s.project, e.project), coalesce(s.name, e.name)"

	keepStackName = `UPDATE environments
		SET (org, project, name, org_key, project_key, name_key) =
			(SELECT org, project, name, org_key, project_key, name_key FROM stacks WHERE id = $1)
		WHERE id = $1 AND EXISTS (SELECT 1 FROM stacks WHERE id = $1)`

	// newestState is that of the newest operation that may have changed the stack.
	newestState = `(SELECT newest.state FROM operations AS newest WHERE newest.stack_id = e.id AND newest.kind NOT IN ('preview', 'drift')
		ORDER BY newest.id DESC LIMIT 1)`

	countEnvironments = "SELECT count(*) FROM environments WHERE project_id = $1 AND deleted_at = 0"
)

func environmentArgs(e provision.Environment) []any {
	doc := e
	doc.ID, doc.ProjectID, doc.Labels, doc.Inputs, doc.Version = "", "", nil, nil, 0
	doc.DueAt, doc.CreatedAt, doc.DeletedAt = time.Time{}, time.Time{}, time.Time{}
	return []any{
		e.ID, e.ProjectID, e.Blueprint.Name, e.Drift.Status, micros(e.DueAt), micros(e.CreatedAt), micros(e.DeletedAt), e.Version,
		asJSON(e.Labels), string(e.Inputs), asJSON(doc), micros(e.ExpiresAt),
	}
}

func scanEnvironment(r row) (e provision.Environment, err error) {
	err = r.Scan(docOf{&e}, &e.ID, &e.ProjectID, moment{&e.DueAt}, moment{&e.CreatedAt}, moment{&e.DeletedAt}, &e.Version,
		jsonOf{&e.Labels}, rawOf{&e.Inputs}, &e.Name.Org, &e.Name.Project, &e.Name.Stack)
	return e, err
}

// CreateEnvironment implements provision.Tx. The name is the stack's, whatever
// the environment says.
func (t *tx) CreateEnvironment(e provision.Environment) error {
	if err := checkTags(e.Labels); err != nil {
		return err
	}
	stack, err := one(t, scanStack, selectStacks+" WHERE id = $1"+t.in.forReference, e.ID)
	if err != nil {
		return err
	}
	n := stack.Name
	return t.insert(insertEnvironment, append(environmentArgs(e), n.Org, n.Project, n.Stack, fold(n.Org), fold(n.Project), fold(n.Stack))...)
}

// Environment implements provision.Tx.
func (t *tx) Environment(id string) (provision.Environment, error) {
	return one(t, scanEnvironment, selectEnvironments+" WHERE e.id = $1", id)
}

// EnvironmentByName implements provision.Tx. Deleted ones are not found: their
// name may be another's by now.
func (t *tx) EnvironmentByName(n backend.StackName) (provision.Environment, error) {
	stack, err := t.Stack(n)
	if err != nil {
		return provision.Environment{}, err
	}
	return one(t, scanEnvironment, selectEnvironments+" WHERE e.id = $1 AND e.deleted_at = 0", stack.ID)
}

// LockEnvironment implements provision.Tx.
func (t *tx) LockEnvironment(id string) (provision.Environment, error) {
	if err := t.lock("environments", id); err != nil {
		return provision.Environment{}, err
	}
	return t.Environment(id)
}

// SaveEnvironment implements provision.Tx. It does not rename.
func (t *tx) SaveEnvironment(e *provision.Environment) error {
	if err := checkTags(e.Labels); err != nil {
		return err
	}
	return t.swap("environments", e.ID, &e.Version, swapEnvironment, environmentArgs(*e)...)
}

// Environments implements provision.Tx.
func (t *tx) Environments(query provision.EnvironmentQuery) ([]provision.Environment, error) {
	if query.ProjectIDs != nil && len(query.ProjectIDs) == 0 {
		return nil, nil
	}
	var w where
	w.and("e.deleted_at = 0")
	if query.ProjectIDs != nil {
		w.in("e.project_id", texts(query.ProjectIDs))
	}
	if query.Blueprint != "" {
		w.and("e.blueprint = " + w.arg(query.Blueprint))
	}
	if query.Drift != "" {
		w.and("e.drift_status = " + w.arg(query.Drift))
	}
	if !query.ExpiresBefore.IsZero() {
		w.and("e.expires_at > 0 AND e.expires_at < " + w.arg(micros(query.ExpiresBefore)))
	}
	if len(query.States) > 0 {
		w.in(newestState, texts(query.States))
	}
	if query.Label != "" {
		name, text, valued := strings.Cut(query.Label, "=")
		label := "label.key = " + w.arg(name)
		if valued {
			label += " AND label.value = " + w.arg(text)
		}
		w.and("EXISTS (SELECT 1 FROM " + t.in.textRows("e.labels") + " AS label WHERE " + label + ")")
	}
	if query.After != "" {
		w.and("e.id > " + w.arg(query.After))
	}
	limit := w.arg(atMost(query.Limit))
	return all(t, scanEnvironment, selectEnvironments+w.String()+" ORDER BY e.id LIMIT "+limit, w.args...)
}

// CountEnvironments implements provision.Tx. Deleted ones do not count.
func (t *tx) CountEnvironments(projectID string) (int, error) {
	return one(t, value[int], countEnvironments, projectID)
}

// DueEnvironments implements provision.Tx. Deleted ones are never due.
func (t *tx) DueEnvironments(at time.Time, limit int) ([]provision.Environment, error) {
	return all(t, scanEnvironment, selectEnvironments+
		" WHERE e.due_at > 0 AND e.due_at <= $1 AND e.deleted_at = 0 ORDER BY e.due_at, e.id LIMIT $2", micros(at), atMost(limit))
}
