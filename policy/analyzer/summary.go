package analyzer

import (
	"fmt"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// phase says what the engine is doing, as far as ConfigureStack told.
type phase int

const (
	phaseUnknown phase = iota // `pulumi policy analyze` does not say
	phasePreview
	phaseUpdate
)

// summaries returns the pack's own diagnostics about the stack: at most one
// about undetermined checks, one that lists what exemptions let pass, one about
// exemptions that matched nothing, and one about those for rules that the pack does
// not have. They are always advisory.
func (a *Analyzer) summaries() []plugin.AnalyzeDiagnostic {
	var out []plugin.AnalyzeDiagnostic
	add := func(policy, message string) {
		if message != "" {
			out = append(out, plugin.AnalyzeDiagnostic{
				PolicyName: policy, PolicyPackName: a.opts.Name, PolicyPackVersion: a.opts.Version,
				Description: settings[policy].description, Message: message,
				EnforcementLevel: rule.Advisory, Severity: rule.Low,
			})
		}
	}
	if a.config.levels[policyUnknowns] != rule.Disabled {
		add(policyUnknowns, a.deferredSummary())
	}
	add(policyExemptions, a.exemptedSummary())
	add(policyExemptions, a.unusedSummary())
	add(policyExemptions, a.unknownSummary())
	return out
}

func (a *Analyzer) deferredSummary() string {
	if len(a.deferred) == 0 {
		return ""
	}
	found := make([]finding, 0, len(a.deferred))
	perRule := map[string]int{}
	for f := range a.deferred {
		found = append(found, f)
		perRule[f.rule]++
	}
	head := fmt.Sprintf("%s %s: ", count(len(found), "check"), [...]string{
		phaseUnknown: "undetermined",
		phasePreview: "deferred to the update",
		phaseUpdate:  "undetermined, because values live outside this stack",
	}[a.phase])
	if a.config.unknowns == UnknownsSummary {
		parts := make([]string, 0, len(perRule))
		for _, name := range sortedNames(perRule) {
			parts = append(parts, fmt.Sprintf("%s (%d)", name, perRule[name]))
		}
		return strings.Join(append([]string{head + strings.Join(parts, ", ")}, a.unreadable()...), "\n")
	}
	sort.Slice(found, func(i, j int) bool {
		return found[i].rule < found[j].rule || found[i].rule == found[j].rule && found[i].urn < found[j].urn
	})
	lines := []string{strings.TrimSuffix(head, " ")}
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("  %s on %s: %s", f.rule, f.urn.Name(), a.deferred[f].reason))
	}
	return strings.Join(lines, "\n")
}

// unreadable is a line for each text that no update will make readable, however
// many checks asked it.
func (a *Analyzer) unreadable() []string {
	rules := map[string][]string{}
	for f, d := range a.deferred {
		if d.unreadable {
			text := fmt.Sprintf("  %s: %s", d.resource, d.reason)
			rules[text] = append(rules[text], f.rule)
		}
	}
	lines := sortedNames(rules)
	for i, text := range lines {
		sort.Strings(rules[text])
		lines[i] = fmt.Sprintf("%s, so that these do not check it: %s", text, strings.Join(rules[text], ", "))
	}
	return lines
}

// letPass is a violation that an exemption lets pass.
func letPass(r rule.Rule, res *rule.Resource, level rule.Level, v rule.Verdict, e Exemption) exempt.Finding {
	return exempt.Finding{
		Rule: r.Name, URN: string(res.URN), Level: string(level), Severity: string(r.Severity), Message: v.Reason(),
		Until: e.Expires, Owner: e.Owner, Reason: e.Reason, ID: e.ID,
	}
}

func (a *Analyzer) exemptedSummary() string {
	if len(a.exempted) == 0 {
		return ""
	}
	found := make([]exempt.Finding, 0, len(a.exempted))
	for _, f := range a.exempted {
		found = append(found, f)
	}
	sort.Slice(found, func(i, j int) bool {
		return found[i].Rule < found[j].Rule || found[i].Rule == found[j].Rule && found[i].URN < found[j].URN
	})
	return exempt.Format(found)
}

// unusedSummary leaves out exemptions with an id: who has handed them on keeps them,
// and for more than this stack.
func (a *Analyzer) unusedSummary() string {
	var idle []string
	for i, e := range a.config.exemptions.entries {
		if !a.config.exemptions.used[i] && e.ID == "" {
			idle = append(idle, e.String())
		}
	}
	if len(idle) == 0 {
		return ""
	}
	return fmt.Sprintf("%s matched no violation and can go: %s", count(len(idle), "exemption"), strings.Join(idle, "; "))
}

func (a *Analyzer) unknownSummary() string {
	unknown := a.config.exemptions.unknown
	if len(unknown) == 0 {
		return ""
	}
	lines := make([]string, len(unknown))
	for i, e := range unknown {
		lines[i] = e.String()
		if near := a.near(e.Rule); near != "" {
			lines[i] += fmt.Sprintf("; did you mean %s?", near)
		}
	}
	return fmt.Sprintf("%s passed over, because this pack has no such policy: %s", count(len(unknown), "exemption"), strings.Join(lines, "; "))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
