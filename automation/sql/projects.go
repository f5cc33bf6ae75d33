package sql

import (
	"redoubt/automation/provision"
)

// What a save writes: the names of a project do not change.
var projectColumns = columns{"id", "version", "doc"}

var (
	insertProject  = append(projectColumns[:3:3], "org", "name", "org_key", "name_key").insert("projects")
	swapProject    = projectColumns.swap("projects")
	selectProjects = "SELECT doc, id, org, name, version FROM projects"
)

func projectArgs(p provision.Project) []any {
	doc := p
	doc.ID, doc.Org, doc.Name, doc.Version = "", "", "", 0
	return []any{p.ID, p.Version, asJSON(doc)}
}

func scanProject(r row) (p provision.Project, err error) {
	err = r.Scan(docOf{&p}, &p.ID, &p.Org, &p.Name, &p.Version)
	return p, err
}

// CreateProject implements provision.Tx.
func (t *tx) CreateProject(p provision.Project) error {
	return t.insert(insertProject, append(projectArgs(p), p.Org, p.Name, fold(p.Org), fold(p.Name))...)
}

// Project implements provision.Tx.
func (t *tx) Project(id string) (provision.Project, error) {
	return one(t, scanProject, selectProjects+" WHERE id = $1", id)
}

// ProjectByName implements provision.Tx.
func (t *tx) ProjectByName(org, name string) (provision.Project, error) {
	return one(t, scanProject, selectProjects+" WHERE org_key = $1 AND name_key = $2", fold(org), fold(name))
}

// SaveProject implements provision.Tx.
func (t *tx) SaveProject(p *provision.Project) error {
	return t.swap("projects", p.ID, &p.Version, swapProject, projectArgs(*p)...)
}

// Projects implements provision.Tx. Without an organization they are those of all.
func (t *tx) Projects(org, after string, limit int) ([]provision.Project, error) {
	var w where
	if org != "" {
		w.and("org_key = " + w.arg(fold(org)))
	}
	w.and("id > " + w.arg(after))
	bound := w.arg(atMost(limit))
	return all(t, scanProject, selectProjects+w.String()+" ORDER BY id LIMIT "+bound, w.args...)
}
