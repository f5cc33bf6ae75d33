package rules

import (
	"slices"
	"strings"

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

// unless is the verdict of a requirement with exceptions: what fails is not
// certain while a value that may make an exception is unknown.
func unless(v rule.Verdict, exceptions ...rule.Value) rule.Verdict {
	if v.Outcome != rule.Failed {
		return v
	}
	for _, e := range exceptions {
		if e.Unknown() {
			return rule.Unsure("%s is unknown, and may make an exception", e.Path())
		}
	}
	return v
}

// link is a way in which resources of one type point at those of another.
type link struct{ property, from, to string }

// unlessLinked is the verdict of a requirement with exceptions that other
// resources make: what fails is not certain while one of them points at
// something unknown.
func unlessLinked(s *rule.Stack, v rule.Verdict, links ...link) rule.Verdict {
	if v.Outcome != rule.Failed {
		return v
	}
	for _, l := range links {
		if s.Loose(l.property, l.from, l.to) {
			return rule.Unsure("%s of a %s is unknown, and may make an exception", l.property, l.from)
		}
	}
	return v
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
			return rule.Fail("%s of %s allows every principal, and no condition binds it to an organization, an account, a network or a source",
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

// atLeast is the verdict of a whole number that must be set and not too small.
func atLeast(v rule.Value, least int, what string) rule.Verdict {
	n, known := v.Int()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case known && n >= least:
		return rule.Pass()
	default:
		return rule.Fail("%s is %s and must be %d or more: %s", v.Path(), v.Show(), least, what)
	}
}

// number is the verdict of a whole number that must be set and fit.
func number(v rule.Value, fits func(int) bool, what string) rule.Verdict {
	if v.Unknown() {
		return rule.Unsure("%s is unknown", v.Path())
	}
	if n, ok := v.Int(); ok && fits(n) {
		return rule.Pass()
	}
	return rule.Fail("%s is %s: %s", v.Path(), v.Show(), what)
}

// empty is the verdict of a list that must have no elements.
func empty(v rule.Value, what string) rule.Verdict {
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case v.Empty():
		return rule.Pass()
	default:
		return rule.Fail("%s is set: %s", v.Path(), what)
	}
}

// containsAll is the verdict of a list that must hold the values.
func containsAll(list rule.Value, wanted []string) rule.Verdict {
	var have []string
	unknown := false
	for _, v := range list.Items() {
		s, _ := v.Str()
		have = append(have, s)
		unknown = unknown || v.Unknown()
	}
	missing := slices.DeleteFunc(slices.Clone(wanted), func(w string) bool { return slices.Contains(have, w) })
	switch {
	case len(missing) == 0:
		return rule.Pass()
	case unknown:
		return rule.Unsure("%s is unknown", list.Path())
	default:
		return rule.Fail("%s is without %s", list.Path(), strings.Join(missing, ", "))
	}
}

// inWords is a known value as a message shows it, or the words in its place.
func inWords(v rule.Value, otherwise string) string {
	if _, known := v.Str(); known {
		return v.Show()
	}
	return otherwise
}
