package analyzer

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"redoubt/policy/rule"
)

// The engine takes each policy for passed that an answer about a resource does not
// name, and tells that resource by resource: a pack that names only what it found
// claims for every resource that it keeps all rules, of which it was asked none,
// and most of a preview's events are their names (pkg/v3 v3.259.0,
// resource/analyzer/policy_summary.go).

// elsewhere are the rules that look at one resource, but at none of the type.
func (a *Analyzer) elsewhere(typ string) []plugin.PolicyNotApplicable {
	about := a.checks[typ]
	if len(about) == 0 {
		typ = "" // one list for all types that no rule is about
	}
	out, known := a.foreign[typ]
	if !known {
		for i, r := range a.rules {
			if !r.IsJoin() && !slices.Contains(about, i) {
				out = append(out, plugin.PolicyNotApplicable{PolicyName: r.Name, Reason: "it is about other types"})
			}
		}
		a.foreign[typ] = out
	}
	return slices.Clip(out)
}

// unanswered names a rule that neither passed nor was broken: that does not apply,
// that values unknown yet will decide, or whose violation is exempt.
func unanswered(r rule.Rule, v rule.Verdict, found []plugin.AnalyzeDiagnostic) []plugin.PolicyNotApplicable {
	if v.Outcome == rule.Passed || len(found) > 0 {
		return nil
	}
	return []plugin.PolicyNotApplicable{{PolicyName: r.Name, Reason: v.Reason()}}
}
