package analyzer

import (
	"fmt"
	"slices"
	"strings"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// violation words a finding: one line that says what is wrong and where, then
// what is to be said of an exemption, the guide's words, the controls, the fix and
// the page to read.
func violation(r rule.Rule, res *rule.Resource, v rule.Verdict, exemption []string) string {
	first := fmt.Sprintf("%s: %s on %s: %s.", r.Severity, r.Name, res.Label(), v.Reason())
	return strings.Join(slices.Concat([]string{first}, exemption, advice(r)), "\n")
}

func undecided(r rule.Rule, res *rule.Resource, v rule.Verdict, exemption []string) string {
	first := fmt.Sprintf("%s: %s on %s: cannot be decided: %s (policy %q is set to %q).",
		r.Severity, r.Name, res.Label(), v.Reason(), policyUnknowns, UnknownsFail)
	return strings.Join(slices.Concat([]string{first}, exemption, advice(r)), "\n")
}

// renew is what to do about an exemption that has expired; nothing without one.
func (e *Exemption) renew() []string {
	if e == nil {
		return nil
	}
	return []string{fmt.Sprintf("  exemption: expired on %s (owner %s): renew it with a new date, or fix the resource",
		e.Expires.Format(exempt.DateLayout), e.Owner)}
}

// holds is what a finding says that is shown although it is exempt.
func (e *Exemption) holds() []string {
	id := ""
	if e.ID != "" {
		id = ", " + e.ID
	}
	return []string{fmt.Sprintf("  exemption: exempt until %s (owner %s%s): %s", e.Expires.Format(exempt.DateLayout), e.Owner, id, e.Reason)}
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
