package rules

import (
	"strings"

	"redoubt/policy/rule"
)

// ownKey is the verdict of a property that must name a key of our own. The keys
// that AWS manages have the aliases alias/aws/….
func ownKey(v rule.Value, what string) rule.Verdict {
	if s, _ := v.Str(); strings.Contains(s, "alias/aws/") {
		return rule.Fail("%s is %s, a key of AWS: %s", v.Path(), v.Show(), what)
	}
	return v.Set(what)
}

// stillOn is the verdict of a property that is true where it is not set, and
// must not be switched off.
func stillOn(v rule.Value, what string) rule.Verdict {
	if v.Absent() {
		return rule.Pass()
	}
	return v.True(what)
}
