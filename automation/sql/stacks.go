package sql

import (
	"fmt"
	"strings"
	"time"

	"redoubt/automation/backend"
)

var stackColumns = columns{
	"id", "org", "project", "name", "org_key", "project_key", "name_key", "tags", "protected", "version",
	"resources", "pending_creates", "restored_at", "active_update", "fence", "created_at", "updated_at",
}

var (
	insertStack  = stackColumns.insert("stacks")
	selectStacks = "SELECT " + stackColumns.list() + " FROM stacks"
	// A name that is taken is seen before the constraint: in PostgreSQL the
	// constraint would end the transaction.
	updateStack = "UPDATE stacks SET " + stackColumns.set() + ` WHERE id = $1 AND NOT EXISTS (
		SELECT 1 FROM stacks AS other
		WHERE other.org_key = $5 AND other.project_key = $6 AND other.name_key = $7 AND other.id <> $1)`
)

func stackArgs(s backend.Stack) []any {
	return []any{
		s.ID, s.Name.Org, s.Name.Project, s.Name.Stack, fold(s.Name.Org), fold(s.Name.Project), fold(s.Name.Stack),
		asJSON(s.Tags), s.Protected, s.Version, s.Resources, int64(s.PendingCreates), micros(s.RestoredAt), s.ActiveUpdate, s.Fence,
		micros(s.CreatedAt), micros(s.UpdatedAt),
	}
}

func scanStack(r row) (s backend.Stack, err error) {
	var orgKey, projectKey, nameKey string
	err = r.Scan(&s.ID, &s.Name.Org, &s.Name.Project, &s.Name.Stack, &orgKey, &projectKey, &nameKey,
		jsonOf{&s.Tags}, &s.Protected, &s.Version, &s.Resources, &s.PendingCreates, moment{&s.RestoredAt}, &s.ActiveUpdate, &s.Fence,
		moment{&s.CreatedAt}, moment{&s.UpdatedAt})
	return s, err
}

// checkTags refuses tags that PostgreSQL cannot look into.
func checkTags(tags map[string]string) error {
	for name, value := range tags {
		if err := checkTexts([]any{name, value}); err != nil {
			return err
		}
	}
	return nil
}

// CreateStack implements backend.Tx.
func (t *tx) CreateStack(s backend.Stack) error {
	if err := checkTags(s.Tags); err != nil {
		return err
	}
	return t.insert(insertStack, stackArgs(s)...)
}

// Stack implements backend.Tx.
func (t *tx) Stack(n backend.StackName) (backend.Stack, error) {
	return one(t, scanStack, selectStacks+" WHERE org_key = $1 AND project_key = $2 AND name_key = $3",
		fold(n.Org), fold(n.Project), fold(n.Stack))
}

// StackByID implements backend.Tx.
func (t *tx) StackByID(id string) (backend.Stack, error) {
	return one(t, scanStack, selectStacks+" WHERE id = $1", id)
}

// LockStack implements backend.Tx.
func (t *tx) LockStack(id string) (backend.Stack, error) {
	t.at = time.Time{}
	return one(t, scanStack, selectStacks+" WHERE id = $1"+t.in.forUpdate, id)
}

// SaveStack implements backend.Tx.
func (t *tx) SaveStack(s backend.Stack) error {
	if err := checkTags(s.Tags); err != nil {
		return err
	}
	n, err := t.exec(updateStack, stackArgs(s)...)
	if err != nil || n > 0 {
		return err
	}
	if _, err := t.StackByID(s.ID); err != nil {
		return err
	}
	return backend.ErrExists
}

// DeleteStack implements backend.Tx. What hangs on it goes by ON DELETE CASCADE;
// the record of what was ordered stays, with the stack's last name.
func (t *tx) DeleteStack(id string) error {
	if _, err := t.exec(keepStackName, id); err != nil {
		return err
	}
	return t.change("DELETE FROM stacks WHERE id = $1", id)
}

// Stacks implements backend.Tx.
func (t *tx) Stacks(query backend.StackQuery) ([]backend.Stack, error) {
	if query.Orgs != nil && len(query.Orgs) == 0 {
		return nil, nil
	}
	var w where
	if query.Orgs != nil {
		keys := make([]string, len(query.Orgs))
		for i, org := range query.Orgs {
			keys[i] = w.arg(fold(org))
		}
		w.and("org_key IN (" + strings.Join(keys, ", ") + ")")
	}
	if query.Project != "" {
		w.and("project_key = " + w.arg(fold(query.Project)))
	}
	if query.TagName != "" {
		tag := "tag.key = " + w.arg(query.TagName)
		if query.TagValue != "" {
			tag += " AND tag.value = " + w.arg(query.TagValue)
		}
		w.and("EXISTS (SELECT 1 FROM " + t.in.textRows("stacks.tags") + " AS tag WHERE " + tag + ")")
	}
	if query.After != "" {
		w.and("id > " + w.arg(query.After))
	}
	limit := w.arg(atMost(query.Limit))
	return all(t, scanStack, selectStacks+w.String()+" ORDER BY id LIMIT "+limit, w.args...)
}

// where collects conditions and the arguments of their placeholders.
type where struct {
	conditions []string
	args       []any
}

// arg is the placeholder of an argument.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

func (w *where) and(condition string) { w.conditions = append(w.conditions, condition) }

// String is the clause.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// ProjectExists implements backend.Tx.
func (t *tx) ProjectExists(org, project string) (bool, error) {
	found, err := all(t, value[int64], "SELECT 1 FROM stacks WHERE org_key = $1 AND project_key = $2 LIMIT 1", fold(org), fold(project))
	return len(found) > 0, err
}
