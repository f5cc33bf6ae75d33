package analyzer

import (
	"fmt"

	"redoubt/policy/exempt"
	"redoubt/policy/report"
	"redoubt/policy/rule"
)

// Report is what the pack has found since it was configured, with Options.Keep.
// After AnalyzeStack that is all about the stack. Subject.Stack and Time are the
// caller's.
func (a *Analyzer) Report(about report.Subject) report.Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reportNow(about)
}

func (a *Analyzer) reportNow(about report.Subject) report.Report {
	r := report.Report{Run: report.Run{
		Time: a.opts.Now(), Pack: report.Pack{Name: a.opts.Name, Version: a.opts.Version}, Subject: about,
		Summary: report.Summary{Resources: a.resources},
	}}
	passed := map[string]int{}
	for key, result := range a.kept {
		f, isFinding := a.findingOf(key, result)
		switch {
		case isFinding:
			r.Findings = append(r.Findings, f)
		case result.Verdict.Outcome == rule.Undetermined:
			r.Undetermined = append(r.Undetermined, report.Undetermined{Policy: key.rule, URN: string(key.urn), Reason: result.Verdict.Reason()})
		default:
			passed[key.rule]++
		}
	}
	for _, one := range a.rules {
		level := a.config.levels[one.Name]
		if level == rule.Disabled {
			continue
		}
		r.Summary.Rules++
		of := report.RuleOf(one, level)
		of.Verdicts.Passed = passed[one.Name]
		r.Rules = append(r.Rules, of)
	}
	return report.New(r)
}

// findingOf is a verdict as a finding, where it is one by the configuration: what
// judge makes a diagnostic of, or would but for an exemption.
func (a *Analyzer) findingOf(key finding, r Result) (report.Finding, bool) {
	f := report.Finding{
		Policy: key.rule, Level: r.Level, Severity: r.Severity, URN: string(key.urn), Message: r.Verdict.Reason(),
	}
	if r.Verdict.Outcome == rule.Undetermined && a.config.unknowns == UnknownsFail {
		f.Message = "cannot be decided: " + f.Message
	} else if r.Verdict.Outcome != rule.Failed {
		return f, false
	}
	if e := r.Exemption; e != nil {
		f.Exemption = &report.Exemption{ID: e.ID, Until: e.Expires.Format(exempt.DateLayout), Owner: e.Owner, Reason: e.Reason}
	}
	if e := r.Expired; e != nil {
		f.Message += fmt.Sprintf("; the exemption expired on %s (owner %s)", e.Expires.Format(exempt.DateLayout), e.Owner)
	}
	return f, true
}

// keep remembers the newest verdict about a resource; what does not apply is none.
func (a *Analyzer) keep(r Result) {
	if !a.opts.Keep {
		return
	}
	key := finding{r.Rule, r.URN}
	if r.Verdict.Outcome == rule.NotApplicable {
		delete(a.kept, key)
		return
	}
	a.kept[key] = r
}

// phaseName is the phase as reports say it.
func (a *Analyzer) phaseName() string {
	return [...]string{phaseUnknown: report.PhaseState, phasePreview: report.PhasePreview, phaseUpdate: report.PhaseUpdate}[a.phase]
}

// stackName is the stack as ConfigureStack named it, else as the resources' URNs do,
// which have no organization.
func (a *Analyzer) stackName(all []*rule.Resource) string {
	if a.stack != "" {
		return a.stack
	}
	for _, r := range all {
		if r.URN.IsValid() {
			return string(r.URN.Project()) + "/" + string(r.URN.Stack())
		}
	}
	return "an empty stack"
}
