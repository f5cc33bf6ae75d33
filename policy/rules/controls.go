package rules

import (
	"slices"

	"redoubt/policy/rule"
)

func fsbp(ids ...string) []rule.Control { return rule.Controls(rule.FSBP, ids...) }
func cis(ids ...string) []rule.Control  { return rule.Controls(rule.CIS, ids...) }
func nist(ids ...string) []rule.Control { return rule.Controls(rule.NIST, ids...) }
func pci(ids ...string) []rule.Control  { return rule.Controls(rule.PCI, ids...) }

func mapped(lists ...[]rule.Control) []rule.Control { return slices.Concat(lists...) }
