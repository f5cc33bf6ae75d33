package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// costs holds the rule of "Cost anomalies".
var costs = []rule.Rule{{
	Name:     "cost-anomaly-alerts",
	Summary:  "Somebody is told of unusual costs: mining shows there first.",
	Guide:    []guide.ID{guide.OperationsLowCostAnomalies, guide.OperationsGuardDutyCryptocurrencyMining},
	Severity: rule.Low, Level: rule.Advisory,
	Controls:   mapped(nist("SI-4")),
	Types:      []string{stackType},
	CheckStack: costsWatched,
	Fix: `costexplorer.NewAnomalyMonitor, and costexplorer.AnomalySubscriptionArgs{MonitorArnLists: pulumi.StringArray{monitor.Arn}, ` +
		`Subscribers: …, ThresholdExpression: …}`,
	URL: "https://docs.aws.amazon.com/cost-management/latest/userguide/manage-ad.html",
}}

// costsWatched accepts anomaly detection, and a budget that warns: an account
// has one anomaly monitor of its services, which may be another stack's.
func costsWatched(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	parts := []rule.Verdict{rule.Fail("no anomaly subscription and no budget tells anybody of costs")}
	for _, sub := range s.Of("costexplorer/anomalySubscription") {
		if sub.Get("monitorArnLists").Empty() {
			parts = append(parts, rule.Fail("%s has no monitor", sub.Label()))
			continue
		}
		parts = append(parts, sub.Get("subscribers").Set("nobody is told of "+sub.Label()))
	}
	for _, budget := range s.Of("budgets/budget") {
		parts = append(parts, budget.Get("notifications").Set("nobody is told of "+budget.Label()))
	}
	return rule.Any(parts...)
}
