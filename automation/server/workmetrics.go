package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"redoubt/automation/provision"
	"redoubt/automation/river"
	"redoubt/automation/runner"
	"redoubt/automation/worker"
)

// workMetrics counts what a worker does.
type workMetrics struct{ *metrics }

var _ worker.Metrics = workMetrics{}

// Began implements worker.Metrics.
func (m workMetrics) Began(queue string, _ provision.OperationKind) {
	m.slots.WithLabelValues(queue).Inc()
}

// Left implements worker.Metrics.
func (m workMetrics) Left(queue string, kind provision.OperationKind, state provision.State, after time.Duration, err error) {
	m.slots.WithLabelValues(queue).Dec()
	m.operation.WithLabelValues(string(kind), string(state)).Observe(after.Seconds())
	if errors.Is(err, provision.ErrClaimLost) {
		m.claimsLost.Inc()
	}
}

// Swept implements worker.Metrics.
func (m workMetrics) Swept(n int) { m.swept.Add(float64(n)) }

// delivered is told of each attempt to deliver to a webhook.
func (m *metrics) delivered(status int, late time.Duration) {
	m.deliveries.WithLabelValues(fmt.Sprint(status)).Inc()
	m.webhookLate.Observe(late.Seconds())
}

// Found implements worker.Metrics.
func (m workMetrics) Found(pack, policy, level string) {
	m.findings.WithLabelValues(pack, policy, level).Inc()
}

// forked is told of each run of the Pulumi CLI.
func (m *metrics) forked(f runner.Fork) {
	m.forks.WithLabelValues(f.Command, fmt.Sprint(f.Code)).Inc()
	m.fork.WithLabelValues(f.Command).Observe(f.Took.Seconds())
}

// works is told what this process runs, before it runs anything: what it does then is
// zero, and not unknown.
func (m *metrics) works(slots int) {
	for queue, n := range river.Share(slots) {
		m.slotLimit.WithLabelValues(queue).Set(float64(n))
		m.slots.WithLabelValues(queue)
	}
	m.registry.MustRegister(&runners{prometheus.NewDesc("redoubt_runner_rss_bytes",
		"Memory of the processes of the operations that this process runs: children, CLI, plugins. What they share counts for each.", nil, nil)})
}

// runners collects the memory of operations.
type runners struct{ memory *prometheus.Desc }

// Describe implements prometheus.Collector.
func (r *runners) Describe(c chan<- *prometheus.Desc) { c <- r.memory }

// Collect implements prometheus.Collector. It is missing where it is not known.
func (r *runners) Collect(c chan<- prometheus.Metric) {
	if bytes, ok := descendantsMemory(); ok {
		c <- prometheus.MustNewConstMetric(r.memory, prometheus.GaugeValue, bytes)
	}
}
