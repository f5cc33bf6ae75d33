package main

import (
	"redoubt/policy/rule"
)

// logGroupForwarded is a join: what it asks of a log group stands in another
// resource, the subscription filter.
var logGroupForwarded = rule.Rule{
	Name:     "log-group-forwarded",
	Summary:  "A log group sends its events to the company's collector.",
	Severity: rule.High,
	Level:    rule.Mandatory,
	Types:    []string{"cloudwatch/logGroup"},
	Params: []rule.Param{{
		Name: "destination", Kind: rule.String, Default: "arn:aws:logs:*:999988887777:destination:*",
		Description: "Pattern of the collector's ARN with * and ?.",
	}},
	CheckStack: func(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
		verdict := rule.Fail("no subscription filter sends its events to %s", p.Str("destination"))
		if s.Loose("logGroup", subscriptionFilter, r.Type) {
			// A filter of this stack has a log group that nobody knows yet.
			verdict = rule.Unsure("a subscription filter's logGroup is unknown")
		}
		for _, filter := range s.Pointing(r, "logGroup", subscriptionFilter) {
			verdict = rule.Any(verdict, toCollector(filter, p.Str("destination")))
		}
		return verdict
	},
	Fix: `cloudwatch.LogSubscriptionFilterArgs{LogGroup: group.Name, DestinationArn: pulumi.String("arn:aws:logs:eu-central-1:999988887777:destination:collector")}`,
	URL: "https://wiki.example.com/security/collector",
}

const subscriptionFilter = "cloudwatch/logSubscriptionFilter"

func toCollector(filter *rule.Resource, collector string) rule.Verdict {
	to := filter.Get("destinationArn")
	arn, known := to.Str()
	switch {
	case to.Unknown():
		return rule.Unsure("destinationArn of %s is unknown", filter.Label())
	case known && rule.WildcardMatch(collector, arn):
		return rule.Pass()
	default:
		return rule.Fail("%s sends them to %s", filter.Label(), to.Show())
	}
}
