package server

import (
	"database/sql"

	"github.com/prometheus/client_golang/prometheus"

	"redoubt/automation/backend"
)

// pooled is a store that tells about its connections, by pool.
type pooled interface {
	Pools() map[string]sql.DBStats
	// Busy counts what failed because somebody else had the database, or the rows.
	Busy() int64
}

// pools collects the state of the database's connections.
type pools struct {
	of          pooled
	connections *prometheus.Desc
	waits       *prometheus.Desc
	waited      *prometheus.Desc
	busy        *prometheus.Desc
}

func (m *metrics) watchPools(store backend.Store) {
	of, ok := store.(pooled)
	if !ok {
		return
	}
	m.registry.MustRegister(&pools{
		of:          of,
		connections: prometheus.NewDesc("redoubt_database_connections", "Connections to the database.", []string{"pool", "state"}, nil),
		waits:       prometheus.NewDesc("redoubt_database_waits_total", "How often somebody waited for a connection.", []string{"pool"}, nil),
		waited:      prometheus.NewDesc("redoubt_database_wait_seconds_total", "How long they waited in all.", []string{"pool"}, nil),
		busy:        prometheus.NewDesc("redoubt_database_busy_total", "What failed, or was tried again, because somebody else had the database or the rows.", nil, nil),
	})
}

// Describe implements prometheus.Collector.
func (p *pools) Describe(c chan<- *prometheus.Desc) {
	c <- p.connections
	c <- p.waits
	c <- p.waited
	c <- p.busy
}

// Collect implements prometheus.Collector.
func (p *pools) Collect(c chan<- prometheus.Metric) {
	c <- prometheus.MustNewConstMetric(p.busy, prometheus.CounterValue, float64(p.of.Busy()))
	for name, s := range p.of.Pools() {
		for state, n := range map[string]int{"in_use": s.InUse, "idle": s.Idle, "limit": s.MaxOpenConnections} {
			c <- prometheus.MustNewConstMetric(p.connections, prometheus.GaugeValue, float64(n), name, state)
		}
		c <- prometheus.MustNewConstMetric(p.waits, prometheus.CounterValue, float64(s.WaitCount), name)
		c <- prometheus.MustNewConstMetric(p.waited, prometheus.CounterValue, s.WaitDuration.Seconds(), name)
	}
}
