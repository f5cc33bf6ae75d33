// Package profile gives every rule of a pack a level by one name: the pack's own
// levels, those of a published framework, or advice on everything. A profile is no
// list of rules: it follows from the controls, the severity and the level that each
// rule has.
package profile

import (
	"fmt"
	"slices"
	"strings"

	"redoubt/policy/rule"
)

const (
	// Policy is the name of the pack's policy that chooses the profile.
	Policy = "profile"
	// Variable chooses the profile in the environment of a pack, for who has no
	// configuration file. A file's choice goes over it.
	Variable = "REDOUBT_POLICY_PROFILE"
	// Guide is the profile where nothing is chosen.
	Guide = "guide"
)

// Profile says how strictly each rule holds.
type Profile struct {
	Name string
	// Summary is one sentence that says what the profile is for.
	Summary string
	// Framework is the one whose controls choose the rules; empty for every rule.
	Framework rule.Framework
	// Audit shows everything and stops nothing, not even what is exempt or off.
	Audit bool
}

var profiles = []Profile{
	{Name: Guide, Summary: "The Security Guide: every rule at the pack's own level."},
	{Name: "fsbp", Summary: "AWS Foundational Security Best Practices.", Framework: rule.FSBP},
	{Name: "cis-5", Summary: "CIS AWS Foundations Benchmark v5.0.", Framework: rule.CIS},
	{Name: "nist-800-53", Summary: "NIST SP 800-53 revision 5.", Framework: rule.NIST},
	{Name: "pci-4", Summary: "PCI DSS v4.0.", Framework: rule.PCI},
	{Name: "audit", Summary: "Every rule as advice, also those that are off; what is exempt is shown as well.", Audit: true},
}

// All are the profiles there are. The slice is the caller's.
func All() []Profile { return slices.Clone(profiles) }

// Names are the names of the profiles there are.
func Names() []string {
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.Name
	}
	return names
}

// Find returns the profile of a name. The error names those there are.
func Find(name string) (Profile, error) {
	for _, p := range profiles {
		if p.Name == name {
			return p, nil
		}
	}
	near := ""
	if n := rule.Nearest(name, Names()); n != "" {
		near = fmt.Sprintf(": did you mean %s?", n)
	}
	return Profile{}, fmt.Errorf("%.100q is no profile%s (there are %s)", name, near, strings.Join(Names(), ", "))
}

// Level is the enforcement level of a rule. A framework turns off the rules that
// have none of its controls. Of the others it makes mandatory those of critical or
// high severity, except where the rule is advice of itself: such a rule may fail for
// what is right, because what it looks for is in another stack or because stacks
// differ on purpose, and no framework knows better. A rule that is off as a matter
// of taste or cost is on where the framework asks for it.
func (p Profile) Level(r rule.Rule) rule.Level {
	switch {
	case p.Audit:
		return rule.Advisory
	case p.Framework == "":
		return r.Level
	case !p.Has(r):
		return rule.Disabled
	case r.Level != rule.Advisory && (r.Severity == rule.Critical || r.Severity == rule.High):
		return rule.Mandatory
	default:
		return rule.Advisory
	}
}

// Has says that the rule is one of the profile's.
func (p Profile) Has(r rule.Rule) bool {
	return p.Framework == "" || slices.ContainsFunc(r.Controls, func(c rule.Control) bool { return c.Framework == p.Framework })
}

// Check finds that a profile would turn off each of the rules: a pack that looks at
// nothing passes everything.
func (p Profile) Check(rules []rule.Rule) error {
	if len(rules) == 0 || slices.ContainsFunc(rules, p.Has) {
		return nil
	}
	return fmt.Errorf("profile %s turns off every rule (%d): none has a control of %s", p.Name, len(rules), p.Framework)
}
