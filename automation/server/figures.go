package server

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
	"redoubt/automation/river"
	"redoubt/automation/sql"
)

// figures collects what the database says, at each scrape and in one transaction: it
// is the same on all nodes, and right whichever of them are there.
type figures struct {
	store provision.Store
	// answers is 1 where the database answered the scrape.
	answers *prometheus.Desc
	of      []figure
}

// figure is one metric of the database's.
type figure struct {
	desc *prometheus.Desc
	read func(seen, func(value float64, labels ...string))
}

// seen is what one scrape saw.
type seen struct {
	provision.Figures
	at      time.Time
	updates int64
	audit   int64
	signed  provision.AuditCheckpoint
}

func newFigures(store backend.Store) (*figures, bool) {
	records, ok := sql.Provisioning(store)
	if !ok {
		return nil, false
	}
	f := &figures{store: records, answers: prometheus.NewDesc("redoubt_database_up", "Whether the database answered this scrape: without an answer what it says is missing.", nil, nil)}
	for _, m := range databaseMetrics {
		f.of = append(f.of, figure{prometheus.NewDesc("redoubt_"+m.name, m.help, m.labels, nil), m.read})
	}
	return f, true
}

// databaseMetrics are all of them.
var databaseMetrics = []struct {
	name, help string
	labels     []string
	read       func(s seen, tell func(value float64, labels ...string))
}{
	{"operations_open", "Operations that have not ended, by state and kind.", []string{"kind", "state"}, func(s seen, tell func(float64, ...string)) {
		for _, o := range s.Open {
			tell(float64(o.Count), string(o.Kind), string(o.State))
		}
	}},
	{"needs_recovery", "Operations that died in mid-update and wait for somebody to recover them.", nil, func(s seen, tell func(float64, ...string)) {
		tell(s.in(provision.NeedsRecovery))
	}},
	{"approvals_pending", "Operations that wait for somebody to approve them.", nil, func(s seen, tell func(float64, ...string)) {
		tell(s.in(provision.AwaitingApproval))
	}},
	{"queue_depth", "Operations that wait for a worker, whatever keeps them waiting.", []string{"queue"}, func(s seen, tell func(float64, ...string)) {
		for queue, waits := range s.queues() {
			tell(float64(waits.Count), queue)
		}
	}},
	{"queue_oldest_seconds", "How long the first of them has waited.", []string{"queue"}, func(s seen, tell func(float64, ...string)) {
		for queue, waits := range s.queues() {
			tell(s.since(waits.Oldest), queue)
		}
	}},
	{"drifted_stacks", "Stacks in which the last look found drift, by project.", []string{"project"}, func(s seen, tell func(float64, ...string)) {
		for project, n := range s.Drifted {
			tell(float64(n), project)
		}
	}},
	{"drift_run_age_seconds", "How long ago the last look for drift ended; 0 where there was none.", nil, func(s seen, tell func(float64, ...string)) {
		tell(s.since(s.DriftChecked))
	}},
	{"ttl_overdue", "Stacks whose life has ended, and that are still there.", nil, func(s seen, tell func(float64, ...string)) {
		tell(float64(s.Overdue))
	}},
	{"webhooks_due", "Deliveries to webhooks whose time has come.", nil, func(s seen, tell func(float64, ...string)) {
		tell(float64(s.Due))
	}},
	{"audit_sequence", "The number of the newest entry of the audit log.", nil, func(s seen, tell func(float64, ...string)) {
		tell(float64(s.audit))
	}},
	{"audit_checkpoint_age_seconds", "How long ago the audit log's end was signed; 0 where no entry has come since.", nil, func(s seen, tell func(float64, ...string)) {
		if s.audit == s.signed.Sequence {
			tell(0)
			return
		}
		tell(s.since(s.signed.At))
	}},
	{"state_bytes", "How large the database is that keeps the states.", []string{"backend"}, func(s seen, tell func(float64, ...string)) {
		tell(float64(s.Bytes), s.Database)
	}},
	{"updates_active", "Updates that hold a lease.", nil, func(s seen, tell func(float64, ...string)) {
		tell(float64(s.updates))
	}},
}

// in counts the operations in a state.
func (s seen) in(state provision.State) (n float64) {
	for _, o := range s.Open {
		if o.State == state {
			n += float64(o.Count)
		}
	}
	return n
}

// queues are the operations that wait for a worker, by queue.
func (s seen) queues() map[string]provision.OpenOperations {
	waits := map[string]provision.OpenOperations{}
	for _, queue := range river.Queues {
		waits[queue] = provision.OpenOperations{} // an alert needs the zero
	}
	for _, o := range s.Open {
		if !o.State.Runnable() {
			continue
		}
		of := waits[river.QueueOf(o.Kind)]
		if of.Count == 0 || o.Oldest.Before(of.Oldest) {
			of.Oldest = o.Oldest
		}
		of.Count += o.Count
		waits[river.QueueOf(o.Kind)] = of
	}
	return waits
}

// since is how long ago something was, in seconds of the database's clock.
func (s seen) since(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return max(0, s.at.Sub(at).Seconds())
}

// look asks the database.
func (f *figures) look(ctx context.Context) (s seen, err error) {
	err = f.store.View(ctx, func(tx provision.Tx) (err error) {
		s = seen{at: tx.Now()}
		if s.Figures, err = tx.Figures(s.at); err != nil {
			return err
		}
		if s.updates, err = tx.Running(); err != nil {
			return err
		}
		last, err := tx.LastAudit()
		if err != nil && !errors.Is(err, backend.ErrNotFound) {
			return err
		}
		s.audit = last.Sequence
		if s.signed, err = tx.LastAuditCheckpoint(); errors.Is(err, backend.ErrNotFound) {
			// Nothing was signed: it has been time to since the first entry, of which
			// the last one is as good a guess.
			s.signed, err = provision.AuditCheckpoint{At: last.At}, nil
		}
		return err
	})
	return s, err
}

// Describe implements prometheus.Collector.
func (f *figures) Describe(c chan<- *prometheus.Desc) {
	c <- f.answers
	for _, m := range f.of {
		c <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (f *figures) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s, err := f.look(ctx)
	if err != nil {
		c <- prometheus.MustNewConstMetric(f.answers, prometheus.GaugeValue, 0)
		return
	}
	c <- prometheus.MustNewConstMetric(f.answers, prometheus.GaugeValue, 1)
	for _, m := range f.of {
		m.read(s, func(value float64, labels ...string) {
			c <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, value, labels...)
		})
	}
}
