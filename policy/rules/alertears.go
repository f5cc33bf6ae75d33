package rules

import (
	"strings"

	"redoubt/internal/eventpattern"
	"redoubt/internal/filterpattern"
	"redoubt/policy/rule"
)

// ears are the ways in which a stack hears of events: metric filters on the
// trail's log group, and EventBridge rules.
type ears struct {
	s       *rule.Stack
	topic   string
	filters []*ear
	rules   []*ear
}

// ear is one metric filter or event rule.
type ear struct {
	r *rule.Resource
	// hears says whether it matches the form; nil where that is not known.
	hears func(form) bool
	// unclear says why nothing certain can be said, if so.
	unclear rule.Verdict
	tells   func() rule.Verdict
	told    *rule.Verdict
}

// delivery is the verdict of what comes after the match: an alarm, a target, a topic.
func (e *ear) delivery() rule.Verdict {
	if e.told == nil {
		v := e.tells()
		e.told = &v
	}
	return *e.told
}

func listen(s *rule.Stack, topic string) *ears {
	out := &ears{s: s, topic: topic}
	for _, f := range s.Of("cloudwatch/logMetricFilter") {
		if readsTrail(s, f) {
			e := &ear{r: f, tells: func() rule.Verdict { return alarmed(s, f, topic) }}
			e.compile("pattern", func(text string) (func(form) bool, error) {
				p, err := filterpattern.Compile(text)
				return func(f form) bool { return f.log != nil && p.Matches(f.log) }, err
			})
			out.filters = append(out.filters, e)
		}
	}
	for _, r := range s.Of("cloudwatch/eventRule") {
		if !switchedOff(r) && !r.Get("eventPattern").Empty() {
			e := &ear{r: r, tells: func() rule.Verdict { return targeted(s, r, topic) }, unclear: rule.All(onDefaultBus(r), perhapsOff(r))}
			e.compile("eventPattern", func(text string) (func(form) bool, error) {
				p, err := eventpattern.Compile([]byte(text))
				return func(f form) bool { return f.bus != nil && p.MatchesFields(f.bus) }, err
			})
			out.rules = append(out.rules, e)
		}
	}
	return out
}

func (e *ear) compile(property string, read func(string) (func(form) bool, error)) {
	text, known := e.r.Get(property).Str()
	if !known {
		e.unclear = rule.Unsure("%s of %s is unknown", property, e.r.Label())
		return
	}
	hears, err := read(text)
	if err != nil {
		e.unclear = rule.Unreadable("%s of %s cannot be read", property, e.r.Label())
		return
	}
	e.hears = hears
}

// about says whether the ear matches one of the signal's forms: Failed is no.
func (e *ear) about(g signal) rule.Verdict {
	if e.hears == nil {
		return e.unclear
	}
	for _, f := range g.forms {
		if e.hears(f) {
			return rule.All(rule.Pass(), e.unclear)
		}
	}
	return rule.Fail("%s does not match", e.r.Label())
}

// hear is the verdict about one signal. heard is false where nothing matches it.
func (o *ears) hear(g signal) (v rule.Verdict, heard bool) {
	var parts []rule.Verdict
	for _, e := range o.filters {
		if m := e.about(g); m.Outcome != rule.Failed {
			parts = append(parts, certain(m, e.delivery()))
		}
	}
	for _, e := range o.rules {
		m := e.about(g)
		if m.Outcome == rule.Failed {
			continue
		}
		if g.global {
			m = rule.All(m, o.inGlobalRegion(e, g))
		}
		parts = append(parts, certain(m, e.delivery()))
	}
	return rule.Any(parts...), len(parts) > 0
}

// certain is the verdict of a match and what comes after it: what leads nowhere
// is no answer to an open question.
func certain(match, delivery rule.Verdict) rule.Verdict {
	if match.Outcome == rule.Undetermined && delivery.Outcome == rule.Failed {
		return match
	}
	return rule.All(match, delivery)
}

// inGlobalRegion is the verdict of a rule on an event that is only in us-east-1:
// the rule is there, or another one there sends such events on to a bus.
func (o *ears) inGlobalRegion(e *ear, g signal) rule.Verdict {
	region := e.r.Region()
	switch {
	case region == "us-east-1" || !commercial(region):
		return rule.Pass()
	case region == "":
		return rule.Unsure("the region of %s is unknown, and the event is in us-east-1 only", e.r.Label())
	}
	for _, other := range o.rules {
		if other.r.Region() == "us-east-1" && other.about(g).Outcome == rule.Passed && sendsOn(o.s, other.r) {
			return rule.Pass()
		}
	}
	return rule.Fail("%s is in %s, and the event is in us-east-1 only", e.r.Label(), region)
}

// commercial says that the region is of the partition whose global services are
// in us-east-1.
func commercial(region string) bool {
	return !strings.HasPrefix(region, "cn-") && !strings.HasPrefix(region, "us-gov-") && !strings.HasPrefix(region, "us-iso")
}

func sendsOn(s *rule.Stack, eventRule *rule.Resource) bool {
	for _, t := range s.Pointing(eventRule, "rule", "cloudwatch/eventTarget") {
		if len(s.Refs(t, "arn", "cloudwatch/eventBus").Targets) > 0 {
			return true
		}
		if arn, _ := t.Get("arn").Str(); strings.Contains(arn, ":event-bus/") {
			return true
		}
	}
	return false
}

// readsTrail says that the filter may read the trail's log group: it does not
// where both are in the stack and are two.
func readsTrail(s *rule.Stack, filter *rule.Resource) bool {
	own := s.Refs(filter, "logGroupName", "cloudwatch/logGroup")
	if len(own.Targets) == 0 {
		return true
	}
	elsewhere := false
	for _, trail := range s.Of("cloudtrail/trail") {
		groups := s.Refs(trail, "cloudWatchLogsGroupArn", "cloudwatch/logGroup").Targets
		for _, g := range groups {
			if own.Has(g) {
				return true
			}
		}
		elsewhere = elsewhere || len(groups) > 0
	}
	return !elsewhere
}

func switchedOff(eventRule *rule.Resource) bool {
	state, _ := eventRule.Get("state").Str()
	on, known := eventRule.Get("isEnabled").Bool()
	return state == "DISABLED" || known && !on
}

// perhapsOff is Unsure for a rule of which that is not known.
func perhapsOff(eventRule *rule.Resource) rule.Verdict {
	for _, property := range []string{"state", "isEnabled"} {
		if v := eventRule.Get(property); v.Unknown() {
			return rule.Unsure("%s of %s is unknown", property, eventRule.Label())
		}
	}
	return rule.Skip()
}

// onDefaultBus is Unsure for a rule on another bus: AWS's own events are there
// only where something sends them on.
func onDefaultBus(eventRule *rule.Resource) rule.Verdict {
	bus := eventRule.Get("eventBusName")
	name, _ := bus.Str()
	if bus.Empty() || name == "default" || strings.HasSuffix(name, "event-bus/default") {
		return rule.Skip()
	}
	return rule.Unsure("%s is on another bus than the default one", eventRule.Label())
}

// alarmed is the verdict of a metric filter whose metric an alarm must watch.
func alarmed(s *rule.Stack, filter *rule.Resource, topic string) rule.Verdict {
	var parts []rule.Verdict
	for _, alarm := range s.Of("cloudwatch/metricAlarm") {
		if w := watchesFilter(s, alarm, filter); w.Outcome != rule.Failed {
			parts = append(parts, certain(w, alarmActs(s, alarm, topic)))
		}
	}
	if len(parts) == 0 {
		return rule.Fail("no alarm watches the metric of %s", filter.Label())
	}
	return rule.Any(parts...)
}

// targeted is the verdict of an event rule whose targets must tell somebody.
func targeted(s *rule.Stack, eventRule *rule.Resource, topic string) rule.Verdict {
	var parts []rule.Verdict
	for _, t := range s.Pointing(eventRule, "rule", "cloudwatch/eventTarget") {
		parts = append(parts, leads(s, t, "arn", topic))
	}
	if len(parts) == 0 {
		return missing(s, "rule", "cloudwatch/eventTarget", "cloudwatch/eventRule", eventRule.Label()+" has no target")
	}
	return rule.Any(parts...)
}
