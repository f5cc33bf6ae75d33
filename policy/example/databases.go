package main

import (
	"slices"
	"strings"

	"redoubt/policy/rule"
)

// finance is Acme's own framework of controls, beside the published ones.
const finance rule.Framework = "ACME"

// databaseInstanceClassApproved is a rule about one resource: it needs nothing but
// the resource's inputs.
var databaseInstanceClassApproved = rule.Rule{
	Name:     "database-instance-class-approved",
	Summary:  "A database has an instance class that the company has reserved capacity of.",
	Severity: rule.Medium,
	Controls: rule.Controls(finance, "FIN-3"),
	Level:    rule.Mandatory,
	Types:    []string{"rds/clusterInstance", "rds/instance"},
	Params: []rule.Param{{
		Name: "classes", Kind: rule.Strings, Default: []string{"db.t4g.*", "db.r7g.*"},
		Description: "Patterns of instance classes with * and ?.",
	}},
	Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
		class := r.Get("instanceClass")
		name, known := class.Str()
		approved := p.Strs("classes")
		switch {
		case class.Unknown():
			return rule.Unsure("instanceClass is unknown")
		case !known:
			return rule.Skip() // of a replica AWS takes the source's
		case slices.ContainsFunc(approved, func(pattern string) bool { return rule.WildcardMatch(pattern, name) }):
			return rule.Pass()
		default:
			return rule.Fail("instanceClass is %s, and capacity is reserved of %s", class.Show(), strings.Join(approved, ", "))
		}
	},
	Fix: `rds.ClusterInstanceArgs{InstanceClass: pulumi.String("db.r7g.large")}`,
	URL: "https://wiki.example.com/finance/reserved-capacity",
}
