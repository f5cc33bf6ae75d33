package report

import "redoubt/policy/rule"

// Summary is a report in numbers.
type Summary struct {
	// Resources that the stack has.
	Resources int `json:"resources"`
	// Rules that were not disabled.
	Rules int `json:"rules"`
	// Verdicts are the answers of all rules.
	Verdicts
	// Mandatory and Advisory are the findings that count, by level; Severities
	// are the same by severity.
	Mandatory  int                   `json:"mandatory"`
	Advisory   int                   `json:"advisory"`
	Severities map[rule.Severity]int `json:"severities"`
}

// severities are all, the worst first.
var severities = []rule.Severity{rule.Critical, rule.High, rule.Medium, rule.Low}

// count makes the summary; the numbers of resources and rules are given.
func (r Report) count() Summary {
	s := Summary{Resources: r.Summary.Resources, Rules: r.Summary.Rules, Severities: map[rule.Severity]int{}}
	for _, severity := range severities {
		s.Severities[severity] = 0
	}
	for _, one := range r.Rules {
		s.Passed += one.Verdicts.Passed
	}
	s.Undetermined = len(r.Undetermined)
	for _, f := range r.Findings {
		switch {
		case f.Exemption != nil:
			s.Exempt++
			continue
		case f.Level == rule.Mandatory:
			s.Mandatory++
		default:
			s.Advisory++
		}
		s.Failed++
		s.Severities[f.Severity]++
	}
	return s
}

// severityOf is low for a finding without one, such as a remark of the pack.
func severityOf(s rule.Severity) rule.Severity {
	if s == "" {
		return rule.Low
	}
	return s
}
