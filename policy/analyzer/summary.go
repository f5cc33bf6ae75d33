package analyzer

import (
	"fmt"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

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
// about undetermined checks, one that lists the exemptions in force, and one
// about exemptions that matched nothing. They are always advisory.
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
	active, unused := a.exemptionSummary()
	add(policyExemptions, active)
	add(policyExemptions, unused)
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
		return head + strings.Join(parts, ", ")
	}
	sort.Slice(found, func(i, j int) bool {
		return found[i].rule < found[j].rule || found[i].rule == found[j].rule && found[i].urn < found[j].urn
	})
	lines := []string{strings.TrimSuffix(head, " ")}
	for _, f := range found {
		lines = append(lines, fmt.Sprintf("  %s on %s: %s", f.rule, f.urn.Name(), a.deferred[f]))
	}
	return strings.Join(lines, "\n")
}

func (a *Analyzer) exemptionSummary() (active, unused string) {
	var inForce, idle []string
	for i, e := range a.config.exemptions.entries {
		line := fmt.Sprintf("%s on %s until %s (%s: %s)", e.Rule, e.Resource, e.Expires.Format(dateLayout), e.Owner, e.Reason)
		switch {
		case !a.config.exemptions.used[i]:
			idle = append(idle, line)
		case e.activeAt(a.opts.Now()):
			inForce = append(inForce, line)
		}
	}
	if len(inForce) > 0 {
		active = fmt.Sprintf("%s in force: %s", count(len(inForce), "exemption"), strings.Join(inForce, "; "))
	}
	if len(idle) > 0 {
		unused = fmt.Sprintf("%s matched no violation and can go: %s", count(len(idle), "exemption"), strings.Join(idle, "; "))
	}
	return active, unused
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
