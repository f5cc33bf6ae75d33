package config

import "slices"

// Claim is something that a stack makes and of which its account, or the
// account's region, has only one: AWS refuses a second, lets it overwrite the
// first in silence, or bills and tells everything twice, and what one stack
// deletes it often deletes for all.
type Claim struct {
	// Field is the configuration's, for example "detection.guardDuty".
	Field string
	// Of says which, where an account has one of each.
	Of string
	// Instead is what a stack writes that leaves it to another one.
	Instead string
}

// Name tells claims apart.
func (cl Claim) Name() string {
	if cl.Of == "" {
		return cl.Field
	}
	return cl.Field + "." + cl.Of
}

// SearchRole is the field of a claim that nobody has to give way to: see
// Search.CreateServiceLinkedRole.
const SearchRole = "search.createServiceLinkedRole"

// severalTrails is the singleton that a second stack may make all the same: a
// region takes five trails, and the data of a stack's own buckets is recorded
// by its own. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
const severalTrails = "audit.trail"

// madeWith are singletons that are made together with something else only.
var madeWith = map[string]func(Config) bool{
	"api.account":           func(c Config) bool { return len(c.API.Routes) > 0 || !c.Layer.Workload() },
	"backup.regionSettings": func(c Config) bool { return c.Backup.Enabled },
}

// alsoOne are what an account has one of besides its singletons.
var alsoOne = []struct {
	Claim
	makes func(Config) bool
}{
	// Events of other regions are sent home once for each stack that forwards
	// them, and each copy is told by each stack.
	{Claim{Field: "alerting.accountEvents", Instead: "false"}, func(c Config) bool { return c.Alerting.AccountEvents }},
	// A second role takes the first one's place.
	// https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_AssociateDRTRole.html
	{Claim{Field: "edge.shield.responseTeamAccess", Instead: "false"}, func(c Config) bool {
		return c.Edge.Shield.Subscription.Used() && c.Edge.Shield.ResponseTeamAccess
	}},
	{Claim{Field: "identity.organization.rootAccess", Instead: "{mode: adopt}"}, func(c Config) bool {
		return c.Identity.Organization != nil && c.Identity.Organization.RootAccess.Managed()
	}},
}

// Claims are what this stack makes for the whole account, in the order of the
// tables.
func (c Config) Claims() []Claim {
	var out []Claim
	for _, s := range slices.Concat(singletons, peopleSingletons) {
		with, conditional := madeWith[s.field]
		if s.field == severalTrails || !s.value(c).Managed() || conditional && !with(c) {
			continue
		}
		out = append(out, Claim{Field: s.field, Instead: "{mode: adopt}"})
	}
	for _, one := range alsoOne {
		if one.makes(c) {
			out = append(out, one.Claim)
		}
	}
	if d := c.Identity.DeployRole; d != nil && d.Provider.Managed() {
		out = append(out, Claim{Field: "identity.deployRole.provider", Of: d.Forge, Instead: "{mode: adopt}"})
	}
	return out
}

// Singletons are the fields that are managed, adopted or off, in the order of
// the tables.
func Singletons() []string {
	var out []string
	for _, s := range slices.Concat(singletons, peopleSingletons) {
		out = append(out, s.field)
	}
	return out
}
