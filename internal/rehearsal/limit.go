package rehearsal

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// limit is what a single property's values must look like. The provider itself
// checks it, so that it is refused at preview already. Only what is given is
// checked.
type limit struct {
	path string
	// shortest and longest are lengths of text.
	shortest, longest int
	// pattern is what text must match, and meaning says it in words.
	pattern *regexp.Regexp
	meaning string
	// least and most are bounds of numbers, both inclusive, if most > 0.
	least, most float64
	// oneOf are the allowed values.
	oneOf []string
	// numbers are the allowed numbers.
	numbers []float64
	// cidr is for text that must be an IPv4 network.
	cidr bool
	// json is for text that must be JSON.
	json bool
	// source is where the limit is documented.
	source string
}

// outOfLimits is a failure for every value that is out of its limits.
func (c *call) outOfLimits() []plugin.CheckFailure {
	var out []plugin.CheckFailure
	for _, l := range c.kind.limits {
		for _, v := range valuesAt(c.in, l.path) {
			if reason := l.breaks(v); reason != "" {
				out = append(out, plugin.CheckFailure{Property: resource.PropertyKey(topProperty(l.path)), Reason: c.hush(l.path + ": " + reason)})
			}
		}
	}
	return out
}

// breaks says what is wrong with a value, or nothing.
func (l limit) breaks(v resource.PropertyValue) string {
	switch {
	case v.IsString():
		return l.breaksText(v.StringValue())
	case v.IsNumber():
		return l.breaksNumber(v.NumberValue())
	}
	return ""
}

func (l limit) breaksText(s string) string {
	n := len([]rune(s))
	switch {
	case l.longest > 0 && n > l.longest:
		return fmt.Sprintf("%q has %d characters; at most %d are allowed", s, n, l.longest)
	case n < l.shortest:
		return fmt.Sprintf("%q has %d characters; at least %d are needed", s, n, l.shortest)
	case l.pattern != nil && !l.pattern.MatchString(s):
		return fmt.Sprintf("%q is not allowed: %s", s, l.meaning)
	case len(l.oneOf) > 0 && !slices.Contains(l.oneOf, s):
		return fmt.Sprintf("expected one of [%s], got %s", strings.Join(l.oneOf, ", "), s)
	case l.cidr:
		return notCanonical(s)
	case l.json:
		return notJSON(s)
	}
	return ""
}

func (l limit) breaksNumber(n float64) string {
	switch {
	case l.most > 0 && (n < l.least || n > l.most):
		return fmt.Sprintf("%s is out of the range (%s - %s)", number(n), number(l.least), number(l.most))
	case len(l.numbers) > 0 && !slices.Contains(l.numbers, n):
		allowed := make([]string, len(l.numbers))
		for i, a := range l.numbers {
			allowed[i] = number(a)
		}
		return fmt.Sprintf("expected one of [%s], got %s", strings.Join(allowed, ", "), number(n))
	case n != math.Trunc(n) && l.most > 0:
		return fmt.Sprintf("%s is not a whole number", number(n))
	}
	return ""
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
