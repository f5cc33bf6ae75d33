package rules

import (
	"slices"

	"redoubt/policy/rule"
)

// missing is the verdict where no partner was found: a violation, unless a
// resource of the partner's type points somewhere that cannot be traced.
func missing(s *rule.Stack, property, partner, to, what string) rule.Verdict {
	if s.Loose(property, partner, to) {
		return rule.Unsure("a %s belongs to an unknown %s", partner, to)
	}
	return rule.Fail("%s", what)
}

// documentNotPublic is the verdict of a resource policy that must not let
// everybody in.
func documentNotPublic(r *rule.Resource, path string) rule.Verdict {
	doc, v := r.Document(path)
	if v.Outcome != rule.Passed {
		return v
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		if st.Allows() && st.AnyPrincipal() && !st.Narrowed() {
			return rule.Fail("%s of %s allows every principal, and no condition binds it to an organisation, an account, a network or a source",
				st.Label(), path)
		}
		return rule.Pass()
	})
}

// oneOf is the verdict of a property that must have one of the values.
func oneOf(v rule.Value, allowed []string, what string) rule.Verdict {
	if v.Unknown() {
		return rule.Unsure("%s is unknown", v.Path())
	}
	if s, ok := v.Str(); ok && slices.Contains(allowed, s) {
		return rule.Pass()
	}
	return rule.Fail("%s is %s: %s", v.Path(), v.Show(), what)
}
