package rules

import (
	"slices"
	"strings"

	"redoubt/policy/rule"
)

// series is a metric that an alarm watches, as its own or in one of its queries.
type series struct {
	// at is where the series stands in the alarm: "" or "metricQueries.metric.".
	at                string
	metric, namespace rule.Value
	stats             []rule.Value // the first that is set counts
	dimensions        rule.Value
}

func (x series) stat() (v rule.Value) {
	for _, v = range x.stats {
		if !v.Empty() {
			break
		}
	}
	return v
}

func seriesOf(alarm *rule.Resource) []series {
	var out []series
	if alarm.Get("metricName").Present() {
		out = append(out, series{
			"", alarm.Get("metricName"), alarm.Get("namespace"),
			[]rule.Value{alarm.Get("extendedStatistic"), alarm.Get("statistic")},
			alarm.Get("dimensions"),
		})
	}
	for _, q := range alarm.Each("metricQueries.metric") {
		out = append(out, series{"metricQueries.metric.", q.Get("metricName"), q.Get("namespace"), []rule.Value{q.Get("stat")}, q.Get("dimensions")})
	}
	return out
}

// watchesFilter says whether an alarm watches the metric of a filter: Failed is no.
func watchesFilter(s *rule.Stack, alarm, filter *rule.Resource) rule.Verdict {
	var parts []rule.Verdict
	for _, x := range seriesOf(alarm) {
		parts = append(parts, rule.All(
			sameText(s, alarm, x.at+"metricName", x.metric, filter, "metricTransformation.name"),
			sameText(s, alarm, x.at+"namespace", x.namespace, filter, "metricTransformation.namespace")))
	}
	if len(parts) == 0 {
		return rule.Fail("%s watches no metric", alarm.Label())
	}
	return rule.Any(parts...)
}

func sameText(s *rule.Stack, from *rule.Resource, path string, v rule.Value, to *rule.Resource, property string) rule.Verdict {
	a, known := v.Str()
	b, alsoKnown := to.Get(property).Str()
	switch {
	case known && alsoKnown && a == b:
		return rule.Pass()
	case known && alsoKnown || v.Absent() || to.Get(property).Absent():
		return rule.Fail("%s is another", path)
	}
	if refs := s.Refs(from, path, to.Type); refs.Has(to) {
		return rule.Pass()
	} else if len(refs.Targets) > 0 {
		return rule.Fail("%s is of another", path)
	}
	return rule.Unsure("%s of %s is unknown", path, from.Label())
}

// watch is what an alarm must watch of a resource.
type watch struct {
	namespace string
	metrics   []string
	// dimension names the resource; value is what it then says, where that is an
	// input of the resource and not an output.
	dimension, value string
	// percentile asks for a statistic of the slowest requests, not the average.
	percentile bool
	// band asks for an alarm on what is unusual.
	band bool
	// of says whether a series is of the resource, where one dimension does not
	// tell; nil asks dimension.
	of func(s *rule.Stack, alarm *rule.Resource, x series, r *rule.Resource) rule.Verdict
}

// watched is the verdict of a resource that an alarm must watch: with a metric
// of it, a dimension that is it, and somebody who is told.
func (w watch) watched(s *rule.Stack, r *rule.Resource) rule.Verdict {
	var parts []rule.Verdict
	for _, alarm := range s.Of("cloudwatch/metricAlarm") {
		if v := w.by(s, alarm, r); v.Outcome != rule.Failed {
			parts = append(parts, certain(v, alarmActs(s, alarm, anyTopic)))
		}
	}
	if len(parts) == 0 {
		return rule.Fail("no alarm watches %s of %s", strings.Join(w.metrics, " or "), r.Label())
	}
	return rule.Any(parts...)
}

func (w watch) by(s *rule.Stack, alarm, r *rule.Resource) rule.Verdict {
	banded := rule.Skip()
	if w.band {
		banded = hasBand(alarm)
	}
	parts := []rule.Verdict{rule.Fail("no such metric")}
	for _, x := range seriesOf(alarm) {
		if known, ok := x.metric.Str(); ok && !slices.Contains(w.metrics, known) {
			continue
		}
		if known, ok := x.namespace.Str(); ok && known != w.namespace {
			continue
		}
		switch {
		case x.metric.Unknown() || x.namespace.Unknown():
			parts = append(parts, rule.Unsure("the metric of %s is unknown", alarm.Label()))
		case w.percentile && x.stat().Unknown():
			parts = append(parts, rule.Unsure("the statistic of %s is unknown", alarm.Label()))
		case w.percentile && !isPercentile(x.stat()):
		default:
			parts = append(parts, w.isOf(s, alarm, x, r))
		}
	}
	return rule.All(banded, rule.Any(parts...))
}

// isOf says whether the series is of the resource.
func (w watch) isOf(s *rule.Stack, alarm *rule.Resource, x series, r *rule.Resource) rule.Verdict {
	if w.of != nil {
		return w.of(s, alarm, x, r)
	}
	v := x.dimensions.Get(w.dimension)
	text, known := v.Str()
	want, alsoKnown := r.Get(w.value).Str()
	switch {
	case v.Absent():
		return rule.Fail("no dimension %s", w.dimension)
	case known && alsoKnown:
		if text == want {
			return rule.Pass()
		}
		return rule.Fail("another %s", w.dimension)
	}
	path := x.at + "dimensions." + w.dimension
	refs := s.Refs(alarm, path, r.Type)
	switch {
	case refs.Has(r) && len(refs.Targets) == 1 || refs.Has(r) && x.at != "":
		return rule.Pass()
	case refs.Has(r) || refs.Unknown || len(refs.External) > 0 && len(refs.Targets) == 0:
		return rule.Unsure("%s of %s is not known to be %s", path, alarm.Label(), r.Label())
	default:
		return rule.Fail("another %s", w.dimension)
	}
}

func isPercentile(stat rule.Value) bool {
	s, _ := stat.Str()
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "p") || strings.HasPrefix(s, "tm") || strings.HasPrefix(s, "iqm") || strings.HasPrefix(s, "wm")
}

// hasBand says whether the alarm is on what is unusual: Failed is no.
func hasBand(alarm *rule.Resource) rule.Verdict {
	out := rule.Fail("no band")
	for _, e := range alarm.Each("metricQueries.expression") {
		text, _ := e.Str()
		switch {
		case strings.Contains(strings.ToUpper(text), "ANOMALY_DETECTION_BAND"):
			return rule.Pass()
		case e.Unknown():
			out = rule.Unsure("%s of %s is unknown", e.Path(), alarm.Label())
		}
	}
	return out
}
