package sql

import "redoubt/automation/provision"

var waiverColumns = columns{"id", "project_id", "version", "doc"}

var (
	insertWaiver  = waiverColumns.insert("waivers")
	swapWaiver    = waiverColumns.swap("waivers")
	selectWaivers = "SELECT doc, id, project_id, version FROM waivers"
)

func waiverArgs(v provision.Waiver) []any {
	return []any{v.ID, v.ProjectID, v.Version, asJSON(v)}
}

func scanWaiver(r row) (v provision.Waiver, err error) {
	err = r.Scan(docOf{&v}, &v.ID, &v.ProjectID, &v.Version)
	return v, err
}

// CreateWaiver implements provision.Tx.
func (t *tx) CreateWaiver(v provision.Waiver) error { return t.insert(insertWaiver, waiverArgs(v)...) }

// Waiver implements provision.Tx.
func (t *tx) Waiver(id string) (provision.Waiver, error) {
	return one(t, scanWaiver, selectWaivers+" WHERE id = $1", id)
}

// SaveWaiver implements provision.Tx.
func (t *tx) SaveWaiver(v *provision.Waiver) error {
	return t.swap("waivers", v.ID, &v.Version, swapWaiver, waiverArgs(*v)...)
}

// Waivers implements provision.Tx.
func (t *tx) Waivers(projectID string) ([]provision.Waiver, error) {
	return all(t, scanWaiver, selectWaivers+" WHERE project_id = $1 ORDER BY id", projectID)
}
