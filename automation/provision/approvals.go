package provision

import (
	"path"
	"slices"
	"strings"
	"time"
)

// defaultRule is what holds in a project without rules: what deletes or replaces
// something takes one person.
var defaultRule = ApprovalRule{Name: "default", Destructive: true, Required: 1}

// RequiredApprovals returns what approval a plan takes by the project's rules, and
// within what time; none for a plan that may be applied at once. Destroys count as
// destructive whatever their plan says.
func (s *Service) RequiredApprovals(project Project, o Operation, plan Plan) (required []RequiredApproval, deadline time.Duration) {
	rules := matchingRules(project.Settings.ApprovalRules, o, plan)
	for _, r := range rules {
		if r.Required == 0 {
			continue // it says that nobody is needed, instead of the default
		}
		required = append(required, RequiredApproval{Rule: r.Name, Required: r.Required, Groups: slices.Clone(r.Groups)})
		if expiry := orDuration(r.Expiry, s.opts.ApprovalExpiry); deadline == 0 || expiry < deadline {
			deadline = expiry
		}
	}
	return required, deadline
}

// Reapproves says whether all rules that apply keep approvals where the state
// moved and the plan is the same nevertheless.
func Reapproves(project Project, o Operation, plan Plan) bool {
	rules := matchingRules(project.Settings.ApprovalRules, o, plan)
	return len(rules) > 0 && !slices.ContainsFunc(rules, func(r ApprovalRule) bool { return r.Required > 0 && !r.ReapproveIdentical })
}

// matchingRules are the rules that apply to a plan.
func matchingRules(rules []ApprovalRule, o Operation, plan Plan) []ApprovalRule {
	if !o.Kind.Changes() {
		return nil
	}
	if len(rules) == 0 {
		rules = []ApprovalRule{defaultRule}
	}
	var matching []ApprovalRule
	for _, r := range rules {
		if r.matches(o, plan) {
			matching = append(matching, r)
		}
	}
	return matching
}

func (r ApprovalRule) matches(o Operation, plan Plan) bool {
	return (r.Stacks == "" || nameMatches(r.Stacks, o.Stack.Stack)) &&
		(len(r.Kinds) == 0 || slices.Contains(r.Kinds, o.Kind)) &&
		(!r.Destructive || o.Kind == KindDestroy || plan.destructive()) &&
		(!r.Advisory || plan.advisory())
}

// nameMatches is path.Match without case, which does not distinguish names.
func nameMatches(pattern, name string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok && err == nil
}

// destructive says whether a plan deletes or replaces something. The engine's
// words for that are delete, replace, create-replacement, delete-replaced and a
// few more.
func (r Result) destructive() bool {
	destroys := func(op string) bool {
		return strings.Contains(op, "delete") || strings.Contains(op, "replace") || strings.Contains(op, "discard")
	}
	for op, n := range r.Counts {
		if n > 0 && destroys(op) {
			return true
		}
	}
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return destroys(c.Op) })
}

// advisory says whether a policy found something that did not stop the plan: an
// advisory finding, or a mandatory one with a waiver.
func (r Result) advisory() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Level == "advisory" || f.Exemption != nil })
}

// ApprovalsFor are the approvals of one plan, by its digest: those of another plan
// do not count. Each human counts once, with the newest decision.
func ApprovalsFor(digest string, all []Approval) []Approval {
	var found []Approval
	for _, a := range all {
		if a.PlanDigest != digest {
			continue
		}
		found = slices.DeleteFunc(found, func(older Approval) bool { return older.By.Human == a.By.Human })
		found = append(found, a)
	}
	return slices.DeleteFunc(found, func(a Approval) bool { return a.Decision != Approve })
}

// granted counts approvals for each rule, and says whether all have enough.
func granted(required []RequiredApproval, approvals []Approval) (counted []RequiredApproval, enough bool) {
	counted, enough = slices.Clone(required), true
	for i, r := range counted {
		counted[i].Granted = 0
		for _, a := range approvals {
			if r.counts(a.Groups) {
				counted[i].Granted++
			}
		}
		enough = enough && counted[i].Granted >= r.Required
	}
	return counted, enough
}

// counts says whether somebody of these groups counts for a rule.
func (r RequiredApproval) counts(groups []string) bool {
	return len(r.Groups) == 0 || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(r.Groups, g) })
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
