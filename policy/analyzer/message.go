package analyzer

import (
	"fmt"
	"strings"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// violation words a finding: one line that says what is wrong and where, then
// the guide's words, the controls, the fix and the page to read.
func violation(r rule.Rule, res *rule.Resource, v rule.Verdict, expired *Exemption) string {
	lines := []string{fmt.Sprintf("%s: %s on %s: %s.", r.Severity, r.Name, res.Label(), v.Reason())}
	if expired != nil {
		lines = append(lines, fmt.Sprintf("  exemption: expired on %s (owner %s): renew it with a new date, or fix the resource",
			expired.Expires.Format(exempt.DateLayout), expired.Owner))
	}
	return strings.Join(append(lines, advice(r)...), "\n")
}

func undecided(r rule.Rule, res *rule.Resource, v rule.Verdict) string {
	first := fmt.Sprintf("%s: %s on %s: cannot be decided: %s (policy %q is set to %q).",
		r.Severity, r.Name, res.Label(), v.Reason(), policyUnknowns, UnknownsFail)
	return strings.Join(append([]string{first}, advice(r)...), "\n")
}

func advice(r rule.Rule) []string {
	var out []string
	if len(r.Guide) > 0 {
		cited := make([]string, len(r.Guide))
		for i, id := range r.Guide {
			cited[i] = id.String()
		}
		out = append(out, "  guide: "+strings.Join(cited, "; "))
	}
	if len(r.Controls) > 0 {
		out = append(out, "  controls: "+controls(r.Controls))
	}
	return append(out, "  fix: "+r.Fix, "  see: "+r.URL)
}

// controls groups the ids by framework, in the order of the rule: "FSBP KMS.4; NIST SC-12, SC-13".
func controls(list []rule.Control) string {
	var order []rule.Framework
	ids := map[rule.Framework][]string{}
	for _, c := range list {
		if ids[c.Framework] == nil {
			order = append(order, c.Framework)
		}
		ids[c.Framework] = append(ids[c.Framework], c.ID)
	}
	parts := make([]string, len(order))
	for i, f := range order {
		parts[i] = string(f) + " " + strings.Join(ids[f], ", ")
	}
	return strings.Join(parts, "; ")
}
