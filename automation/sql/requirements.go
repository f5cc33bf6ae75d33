package sql

import "redoubt/automation/backend"

var requirementColumns = columns{"org_key", "org", "pack", "tag", "config"}

var (
	replaceRequirement = requirementColumns.replace("requirements", "org_key", "pack")
	selectRequirements = "SELECT " + requirementColumns.list() + " FROM requirements WHERE org_key = $1 ORDER BY pack"
)

func scanRequirement(r row) (q backend.PackRequirement, err error) {
	var key string
	err = r.Scan(&key, &q.Org, &q.Pack, &q.Tag, rawOf{&q.Config})
	return q, err
}

// PutRequirement implements backend.Tx.
func (t *tx) PutRequirement(q backend.PackRequirement) error {
	_, err := t.exec(replaceRequirement, fold(q.Org), q.Org, q.Pack, q.Tag, string(q.Config))
	return err
}

// DeleteRequirement implements backend.Tx.
func (t *tx) DeleteRequirement(org, pack string) error {
	return t.change("DELETE FROM requirements WHERE org_key = $1 AND pack = $2", fold(org), pack)
}

// Requirements implements backend.Tx.
func (t *tx) Requirements(org string) ([]backend.PackRequirement, error) {
	return all(t, scanRequirement, selectRequirements, fold(org))
}
