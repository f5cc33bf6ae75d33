package monitoring

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"redoubt/guide"
)

//go:embed metric-filters.json
var metricFilterTable []byte

// LogSource is what a log group holds, and so which filters read it.
type LogSource string

// The sources of logs.
const (
	// TrailLog is the log group of a multi-region trail: it sees all regions.
	TrailLog LogSource = "trail"
	// ApplicationLog holds the application's JSON lines, with the fields
	// status, and event: "auth.failure" or "authz.denied".
	ApplicationLog LogSource = "application"
	// FlowLog holds a VPC's flow logs, version 2's fields first.
	FlowLog LogSource = "flow"
	// APIAccessLog holds API Gateway's access log as JSON, with the field status.
	APIAccessLog LogSource = "api"
	// WAFLog holds a web ACL's log.
	WAFLog LogSource = "waf"
)

// logSources are all of them.
var logSources = []LogSource{TrailLog, ApplicationLog, FlowLog, APIAccessLog, WAFLog}

// metricFilter is a row of metric-filters.json: lines to count, and how many
// in five minutes are too many.
type metricFilter struct {
	Name string `json:"name"`
	// Control is the Security Hub control that asks for the filter. It reads
	// the pattern letter by letter: a name more or a blank less fails it, so
	// what CIS left out is in event-patterns.json instead.
	// https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
	Control string    `json:"control"`
	Guide   guide.ID  `json:"guide"`
	Group   LogSource `json:"group"`
	// Level and Threshold make the alarm; without them there is the metric only.
	Level     Level   `json:"level"`
	Threshold float64 `json:"threshold"`
	Metric    string  `json:"metric"`
	About     string  `json:"about"`
	Pattern   string  `json:"pattern"`
}

func metricFilters() ([]metricFilter, error) {
	d := json.NewDecoder(bytes.NewReader(metricFilterTable))
	d.DisallowUnknownFields()
	var out []metricFilter
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("metric-filters.json: %w", err)
	}
	return out, nil
}

// MetricNamespace is the namespace of a stack's own metrics.
func MetricNamespace(prefix string) string { return "Redoubt/" + prefix }

// alarm is the filter's alarm; ok is false for a filter that only counts.
func (m metricFilter) alarm(prefix string) (a alarm, ok bool) {
	return alarm{
		name: m.Name, level: m.Level, about: m.about(), serves: m.Guide,
		metric: series{MetricNamespace(prefix), m.Metric, "Sum", nil},
		period: 300, threshold: m.Threshold,
	}, m.Threshold > 0
}

func (m metricFilter) about() string {
	if m.Control == "" {
		return m.About
	}
	return m.About + " Security Hub " + m.Control + "."
}
