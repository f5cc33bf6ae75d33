package analyzer

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"redoubt/policy/rule"
)

// guarded makes a check and turns its panic into a violation: a resource that a
// mandatory rule could not judge must not be let pass.
func guarded(check func(rule.Params) rule.Verdict, p rule.Params) (v rule.Verdict, broke bool) {
	defer func() {
		if cause := recover(); cause != nil {
			v, broke = rule.Fail("the rule broke while judging it (%s%s), so that nobody knows whether it holds", kind(cause), place()), true
		}
	}()
	return check(p), false
}

// atFault is the rule with advice about itself: what it would have said of the
// resource nobody knows.
func atFault(r rule.Rule) rule.Rule {
	r.Guide, r.Controls = nil, nil
	r.Fix = "this is a fault of the rule, report it with the resource's inputs; until it is mended, exempt the resource " +
		"from the rule, or give the rule another enforcementLevel"
	return r
}

// kind says what was panicked with. The value may hold a property's, so only the
// runtime's own errors, which do not, are quoted.
func kind(cause any) string {
	if err, ok := cause.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", cause)
}

// place is the line that panicked, of which recover's caller still has the stack:
// the first frame below the panic that is not the runtime's.
func place() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for panicked := false; ; {
		f, more := frames.Next()
		if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf(" at %s:%d", filepath.Base(f.File), f.Line)
		}
		panicked = panicked || f.Function == "runtime.gopanic"
		if !more {
			return ""
		}
	}
}
