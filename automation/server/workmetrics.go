package server

import (
	"errors"
	"fmt"
	"time"

	"redoubt/automation/provision"
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
