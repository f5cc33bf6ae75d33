package server

import (
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"redoubt/automation/backend"
)

// metricsOff is the path of no metrics.
const metricsOff = "off"

// scrapeTimeout is how long a scrape waits for the database.
const scrapeTimeout = 2 * time.Second

// metrics are what Prometheus reads. No label has a value of a client's: names
// of stacks and people are in the audit log, not here.
type metrics struct {
	registry *prometheus.Registry

	requests      *prometheus.CounterVec
	took          *prometheus.HistogramVec
	unknown       *prometheus.CounterVec
	inFlight      prometheus.Gauge
	turnedAway    prometheus.Counter
	leaseRefusals prometheus.Counter
	unauthorized  prometheus.Counter

	started, ended *prometheus.CounterVec
	entries        prometheus.Counter
	append         prometheus.Histogram
	decrypted      prometheus.Counter
	tokens         *prometheus.CounterVec
	audit          *prometheus.CounterVec
	sweeps, prunes *prometheus.CounterVec

	operations  *prometheus.CounterVec
	inState     *prometheus.HistogramVec
	pending     prometheus.Counter
	stale       prometheus.Counter
	findings    *prometheus.CounterVec
	forks       *prometheus.CounterVec
	fork        *prometheus.HistogramVec
	replayed    prometheus.Counter
	streams     prometheus.Gauge
	slots       *prometheus.GaugeVec
	slotLimit   *prometheus.GaugeVec
	operation   *prometheus.HistogramVec
	claimsLost  prometheus.Counter
	swept       prometheus.Counter
	rounds      *prometheus.CounterVec
	deliveries  *prometheus.CounterVec
	webhookLate prometheus.Histogram
}

func newMetrics(version string) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "redoubt_" + name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "redoubt_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.requests = counters("http_requests_total", "Requests that were answered.", "method", "route", "status")
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "redoubt_http_request_duration_seconds", Help: "How long requests took.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"method", "route"})
	m.unknown = counters("http_unknown_endpoints_total", "Requests for endpoints that there are not; the log has their shapes.", "method")
	m.inFlight = prometheus.NewGauge(prometheus.GaugeOpts{Name: "redoubt_http_in_flight", Help: "Requests that are being served."})
	m.turnedAway = counter("http_turned_away_total", "Requests that were answered 503 because limits.inFlight were being served.")
	m.leaseRefusals = counter("lease_refusals_total", "Requests of updates that had lost their lease.")
	m.unauthorized = counter("authentication_failures_total", "Requests without a good token.")

	m.started = counters("updates_started_total", "Updates that took a stack's lease, by kind.", "kind")
	m.ended = counters("updates_ended_total", "Updates that were closed, by status; interrupted ones lost their lease.", "status")
	m.entries = counter("journal_entries_total", "Journal entries that were committed.")
	m.append = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "redoubt_journal_append_seconds", Help: "How long it took to commit a batch of journal entries.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
	})
	m.decrypted = counter("secrets_decrypted_total", "Secrets that were decrypted for somebody.")
	m.tokens = counters("tokens_total", "Access tokens that were made or revoked.", "event")
	m.audit = counters("audit_entries_total", "Entries of the audit log, by action.", "action", "denied")
	m.sweeps = counters("sweeps_total", "Looks for ended leases.", "result")
	m.prunes = counters("prunes_total", "Deletions of what is kept for a while only.", "result")

	m.operations = counters("operations_total", "Transitions of operations, by kind, blueprint and the state that they led to.", "kind", "blueprint", "state")
	m.inState = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "redoubt_operation_state_seconds", Help: "How long operations were in a state that they left, by kind.",
		Buckets: []float64{.1, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600},
	}, []string{"kind", "state"})
	m.pending = counter("pending_operations_found_total", "Resources of operations that died of which nobody knows whether they exist.")
	m.stale = counter("plan_stale_total", "Approved operations that were sent back to who approves, because their plan was another one by then.")
	m.findings = counters("policy_violations_total", "Findings of policies, in each run of the engine, by pack, policy and level.", "pack", "policy", "level")
	m.forks = counters("cli_forks_total", "Runs of the Pulumi CLI for operations, by its command and exit code.", "command", "code")
	m.fork = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "redoubt_cli_fork_seconds", Help: "How long they took.", Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
	}, []string{"command"})
	m.replayed = counter("idempotency_replays_total", "Requests that were answered with what the first request of their idempotency key was answered.")
	m.streams = prometheus.NewGauge(prometheus.GaugeOpts{Name: "redoubt_sse_clients", Help: "Open streams of events."})
	m.slots = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "redoubt_slots_busy", Help: "Operations that this process runs, by queue."}, []string{"queue"})
	m.slotLimit = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "redoubt_slots", Help: "How many operations this process may run at once, by queue."}, []string{"queue"})
	m.operation = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "redoubt_operation_slot_seconds", Help: "How long operations had a slot each time, by kind and the state that they left it in.",
		Buckets: []float64{.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 7200},
	}, []string{"kind", "state"})
	m.claimsLost = counter("claims_lost_total", "Operations that this process lost to a sweep because it was not heard of.")
	m.swept = counter("operations_swept_total", "Operations that were taken from workers that are not heard of, or ended because they had waited too long.")
	m.rounds = counters("rounds_total", "Rounds of what is done in the background.", "job", "result")
	m.deliveries = counters("webhook_deliveries_total", "Attempts to deliver to webhooks, by the answer's status; 0 for none.", "status")
	m.webhookLate = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "redoubt_webhook_lag_seconds", Help: "How long after its time an attempt was made.", Buckets: []float64{.1, .5, 1, 5, 30, 60, 300, 3600},
	})

	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "redoubt_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.took, m.inFlight, m.append, build, m.inState, m.fork, m.streams, m.slots, m.slotLimit, m.operation, m.webhookLate,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// An alert on a rate needs the zero.
	for _, status := range []backend.UpdateStatus{backend.StatusSucceeded, backend.StatusFailed, backend.StatusCancelled, backend.StatusInterrupted} {
		m.ended.WithLabelValues(string(status))
	}
	for _, result := range []string{"ok", "failed"} {
		m.sweeps.WithLabelValues(result)
		m.prunes.WithLabelValues(result)
	}
	return m
}

// watch adds what is read from the database at each scrape.
func (m *metrics) watch(store backend.Store) {
	if f, ok := newFigures(store); ok {
		m.registry.MustRegister(f)
	}
	m.watchPools(store)
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Request is told of an answered request, by the handlers that know routes.
func (m *metrics) Request(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, fmt.Sprint(status)).Inc()
	m.took.WithLabelValues(method, route).Observe(took.Seconds())
	if status == http.StatusUnauthorized {
		m.unauthorized.Inc()
	}
}

// Replayed is told of a request whose answer was known.
func (m *metrics) Replayed() { m.replayed.Inc() }

// Streaming is told of streams of events that begin and end.
func (m *metrics) Streaming(more int) { m.streams.Add(float64(more)) }

// UnknownEndpoint is told of a request that no endpoint answers.
func (m *metrics) UnknownEndpoint(method, _ string) { m.unknown.WithLabelValues(method).Inc() }

// result is the label of how something went.
func result(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}
