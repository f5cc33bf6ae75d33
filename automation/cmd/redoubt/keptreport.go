package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"redoubt/automation/engine"
	"redoubt/automation/rehearse"
	reports "redoubt/policy/report"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// keptReport is a report of findings that came from the engine: what passed is in
// none of its events, and not known.
func keptReport(about reports.Subject, at time.Time, found []engine.Finding) reports.Report {
	r := reports.Report{
		Run:          reports.Run{Time: at, Pack: reports.Pack{Name: "redoubt", Version: packVersion()}, Subject: about},
		FindingsOnly: true,
	}
	for _, one := range rules.All() {
		r.Rules = append(r.Rules, reports.RuleOf(one, one.Level))
	}
	for _, f := range found {
		kept := reports.Finding{
			Policy: f.Policy, Level: rule.Level(f.Level), Severity: rule.Severity(f.Severity), URN: f.URN, Message: reasonOf(f),
		}
		if e := f.Exemption; e != nil {
			kept.Exemption = &reports.Exemption{ID: e.ID, Until: e.Until.UTC().Format(time.DateOnly), Owner: e.Owner, Reason: e.Reason}
		}
		r.Findings = append(r.Findings, kept)
	}
	return reports.New(r)
}

// reasonOf is what is wrong, without the rule's name before it and its advice below:
// a report has those from the rule.
func reasonOf(f engine.Finding) string {
	message := f.Message
	if rest, ok := strings.CutPrefix(message, f.Severity+": "+f.Policy+" on "); ok {
		first, _, _ := strings.Cut(rest, "\n")
		if _, reason, ok := strings.Cut(first, ": "); ok {
			message = strings.TrimSuffix(reason, ".")
		}
	}
	return message
}

// stackMark is the stack's name in the name of a report's file.
const stackMark = "{stack}"

// reportTargets are the files of --report, checked before the rehearsal.
func (c *rehearseCommand) reportTargets() ([]target, error) {
	if len(c.Report) == 0 {
		return nil, nil
	}
	var errs []error
	for _, path := range c.Report {
		if len(c.Stack) > 1 && !strings.Contains(path, stackMark) {
			errs = append(errs, fmt.Errorf("--report %s: %d stacks would write to it: put %s in its name", path, len(c.Stack), stackMark))
		}
		if c.Break != "" {
			errs = append(errs, fmt.Errorf("--report %s: it is of a rehearsal, and --break makes none: leave one of them out", path))
		}
	}
	targets, err := reportFlags{Output: c.Report}.targets()
	return targets, errors.Join(append(errs, err)...)
}

// writeRehearsed writes what the pack found in each stack at the preview.
func writeRehearsed(rehearsed rehearse.Report, targets []target) error {
	var errs []error
	for _, s := range rehearsed.Stacks {
		r := keptReport(reports.Subject{Stack: s.Stack, Phase: reports.PhasePreview}, time.Now(), s.Findings)
		for _, t := range targets {
			errs = append(errs, r.WriteFile(strings.ReplaceAll(t.path, stackMark, s.Stack), t.format))
		}
	}
	return errors.Join(errs...)
}
