package report

import "redoubt/policy/rule"

// FailOn is the level from which on a finding makes a report a failure.
type FailOn string

// The levels. A finding that an exemption lets pass never counts.
const (
	FailOnMandatory FailOn = "mandatory"
	FailOnAdvisory  FailOn = "advisory"
	FailOnNever     FailOn = "never"
)

func (on FailOn) fails(f Finding) bool {
	switch {
	case f.Exemption != nil || on == FailOnNever:
		return false
	case on == FailOnAdvisory:
		return true
	default:
		return f.Level == rule.Mandatory
	}
}
