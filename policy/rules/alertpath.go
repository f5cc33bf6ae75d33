package rules

import (
	"strings"

	"redoubt/policy/rule"
)

// anyTopic is the pattern of a topic's name that asks for none in particular.
const anyTopic = "*"

// receivers are what an alert may go to, by the type of a resource and by the
// service in an ARN. A log group is not among them: nobody is woken by it.
var receivers = []struct{ typ, service string }{
	{"sns/topic", "sns"},
	{"lambda/function", "lambda"},
	{"sfn/stateMachine", "states"},
	{"ssmincidents/responsePlan", "ssm-incidents"},
	{"", "ssm"}, // OpsItems
}

// leads is the verdict of a property that must have the ARN of somebody who is
// told: a topic whose name matches, or, where no topic in particular is asked
// for, anything that acts.
func leads(s *rule.Stack, r *rule.Resource, path, topic string) rule.Verdict {
	var types []string
	for _, to := range receivers {
		if to.typ != "" {
			types = append(types, to.typ)
		}
	}
	refs := s.Refs(r, path, types...)
	var unnamed rule.Verdict
	for _, t := range refs.Targets {
		switch {
		case topic == anyTopic:
			return rule.Pass()
		case !t.Is("sns/topic"):
		case t.Get("name").Unknown():
			unnamed = rule.Unsure("the name of %s is unknown", t.Label())
		case rule.WildcardMatch(topic, physicalName(t)):
			return rule.Pass()
		}
	}
	for _, v := range refs.External {
		if arn, _ := v.Str(); receives(arn, topic) {
			return rule.Pass()
		}
	}
	if refs.Unknown {
		return rule.Unsure("%s of %s is unknown", path, r.Label())
	}
	if unnamed.Outcome == rule.Undetermined {
		return unnamed
	}
	return rule.Fail("%s of %s leads to no topic%s", path, r.Label(), topicNamed(topic))
}

func topicNamed(topic string) string {
	if topic == anyTopic {
		return ""
	}
	return " named " + topic
}

func receives(arn, topic string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return false
	}
	for _, to := range receivers {
		if parts[2] == to.service {
			return topic == anyTopic || to.service == "sns" && rule.WildcardMatch(topic, parts[5])
		}
	}
	return false
}

// physicalName is the name that AWS knows the resource by, or its logical one
// where the provider makes it up.
func physicalName(r *rule.Resource) string {
	if name, known := r.Get("name").Str(); known && name != "" {
		return name
	}
	return r.Name
}

// alarmActs is the verdict of an alarm that must tell somebody: by an action of
// its own, or by those of a composite alarm that reads it.
func alarmActs(s *rule.Stack, alarm *rule.Resource, topic string) rule.Verdict {
	parts := []rule.Verdict{ownAction(s, alarm, topic)}
	for _, c := range s.Of("cloudwatch/compositeAlarm") {
		if named := reads(s, c, alarm); named.Outcome != rule.Failed {
			parts = append(parts, rule.All(named, ownAction(s, c, topic)))
		}
	}
	return rule.Any(parts...)
}

func ownAction(s *rule.Stack, alarm *rule.Resource, topic string) rule.Verdict {
	enabled := alarm.Get("actionsEnabled")
	if on, known := enabled.Bool(); known && !on {
		return rule.Fail("actionsEnabled of %s is false", alarm.Label())
	}
	v := leads(s, alarm, "alarmActions", topic)
	if v.Outcome == rule.Passed && enabled.Unknown() {
		return rule.Unsure("actionsEnabled of %s is unknown", alarm.Label())
	}
	return v
}

// reads says whether a composite alarm's rule names the alarm: Failed is no.
func reads(s *rule.Stack, composite, alarm *rule.Resource) rule.Verdict {
	text, _ := composite.Get("alarmRule").Str()
	name, known := alarm.Get("name").Str()
	refs := s.Refs(composite, "alarmRule", "cloudwatch/metricAlarm")
	switch {
	case refs.Has(alarm), known && name != "" && (strings.Contains(text, `"`+name+`"`) || strings.Contains(text, "("+name+")")):
		return rule.Pass()
	case refs.Unknown || alarm.Get("name").Unknown():
		return rule.Unsure("whether %s reads %s is unknown", composite.Label(), alarm.Label())
	default:
		return rule.Fail("%s does not read %s", composite.Label(), alarm.Label())
	}
}
