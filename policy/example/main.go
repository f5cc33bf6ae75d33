// The policy pack of a company that has rules of its own beside Redoubt's: two of
// its own, the whole catalogue, and another opinion on some of the catalogue's
// levels. docs/authoring.md says how such a pack is made in a module of its own.
package main

import (
	"redoubt/policy/analyzer"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

func main() { analyzer.Main(options()) }

// own are the company's rules.
var own = []rule.Rule{databaseInstanceClassApproved, logGroupForwarded}

func options() analyzer.Options {
	return analyzer.Options{
		Name:        "acme",
		Version:     "1.0.0",
		DisplayName: "Acme",
		Description: "What Acme demands of its stacks on AWS, with the Security Guide's rules.",
		Rules:       append(rules.All(), own...),
		Levels: map[string]rule.Level{
			// Every role of Acme has a boundary.
			"iam-role-permissions-boundary": rule.Mandatory,
			// Costs are watched by the finance team's own tool.
			"cost-anomaly-alerts": rule.Disabled,
		},
	}
}
