// Package rules is the catalogue: the Security Guide's bullets as policy rules,
// a file for each of the guide's subjects.
package rules

import (
	"slices"
	"sort"

	"redoubt/policy/rule"
)

// sections are the catalogue's parts in the order of the guide.
var sections = [][]rule.Rule{
	network, networkACL, securityGroups, groupTopology, edge, waf,
	s3, s3Lifecycle, kms, secrets, database, openSearch, ecs, lambda,
	iam, authentication, logs, audit, provider,
	guardDuty, accountPosture, instanceMetadata, alerts, alarms, alertDelivery, messaging, costs, backups, response,
}

// All returns every rule, sorted by name. The slice is the caller's.
func All() []rule.Rule {
	out := slices.Concat(sections...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
