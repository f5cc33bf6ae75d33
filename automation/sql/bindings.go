package sql

import "redoubt/automation/provision"

var (
	insertBinding  = columns{"id", "subject", "version", "doc"}.insert("bindings")
	selectBindings = "SELECT doc, id, subject, version FROM bindings"
)

func scanBinding(r row) (b provision.Binding, err error) {
	err = r.Scan(docOf{&b}, &b.ID, &b.Subject, &b.Version)
	return b, err
}

// CreateBinding implements provision.Tx.
func (t *tx) CreateBinding(b provision.Binding) error {
	return t.insert(insertBinding, b.ID, b.Subject, b.Version, asJSON(b))
}

// DeleteBinding implements provision.Tx.
func (t *tx) DeleteBinding(id string) error {
	return t.change("DELETE FROM bindings WHERE id = $1", id)
}

// Bindings implements provision.Tx.
func (t *tx) Bindings(subjects ...string) ([]provision.Binding, error) {
	var w where
	if len(subjects) > 0 {
		w.in("subject", texts(subjects))
	}
	return all(t, scanBinding, selectBindings+w.String()+" ORDER BY id", w.args...)
}
