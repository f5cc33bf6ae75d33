package sql

import (
	"time"

	"redoubt/automation/provision"
)

const (
	selectOpen = "SELECT state, kind, count(*), min(updated_at) FROM operations WHERE ended_at = 0 GROUP BY state, kind ORDER BY state, kind"
	// The names are of stacks that are there: the newest, not those of the order.
	selectDrifted = `SELECT p.org || '/' || p.name, count(*) FROM environments e JOIN projects p ON p.id = e.project_id
		WHERE e.deleted_at = 0 AND e.drift_status = 'drifted' GROUP BY p.org, p.name`
	lastDrift       = "SELECT coalesce(max(ended_at), 0) FROM operations WHERE kind = 'drift' AND ended_at > 0"
	countDeliveries = "SELECT count(*) FROM deliveries WHERE due_at > 0 AND due_at <= $1"
)

// Figures implements provision.Tx.
func (t *tx) Figures(at time.Time) (f provision.Figures, err error) {
	f.Database, f.Drifted = t.in.kind, map[string]int{}
	if f.Open, err = all(t, scanOpen, selectOpen); err != nil {
		return f, err
	}
	if err := t.each(func(r row) error {
		var project string
		var n int
		err := r.Scan(&project, &n)
		f.Drifted[project] = n
		return err
	}, selectDrifted); err != nil {
		return f, err
	}
	for _, one := range []struct {
		into  any
		query string
		args  []any
	}{
		{moment{&f.DriftChecked}, lastDrift, nil},
		{&f.Overdue, "SELECT count(*) FROM environments WHERE deleted_at = 0 AND " + t.in.docMicros("expires_at") + " <= $1", []any{micros(at)}},
		{&f.Due, countDeliveries, []any{micros(at)}},
		{&f.Bytes, t.in.size, nil},
	} {
		if err := t.each(func(r row) error { return r.Scan(one.into) }, one.query, one.args...); err != nil {
			return f, err
		}
	}
	return f, nil
}

func scanOpen(r row) (o provision.OpenOperations, err error) {
	err = r.Scan(&o.State, &o.Kind, &o.Count, moment{&o.Oldest})
	return o, err
}
