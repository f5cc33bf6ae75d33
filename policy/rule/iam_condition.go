package rule

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator: how one of the policy's values compares
// with one of the request's, and whether the outcome is turned round.
type operator struct {
	match   func(pattern, value string) bool
	negated bool
}

// operators are IAM's, in lower case.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]operator{
	"stringequals":              {equalText, false},
	"stringnotequals":           {equalText, true},
	"stringequalsignorecase":    {equalFold, false},
	"stringnotequalsignorecase": {equalFold, true},
	"stringlike":                {likeText, false},
	"stringnotlike":             {likeText, true},
	"arnequals":                 {likeARN, false},
	"arnlike":                   {likeARN, false},
	"arnnotequals":              {likeARN, true},
	"arnnotlike":                {likeARN, true},
	"bool":                      {equalFold, false},
	"binaryequals":              {equalText, false},
	"ipaddress":                 {inNetwork, false},
	"notipaddress":              {inNetwork, true},
	"numericequals":             {ordered(numeric, 0), false},
	"numericnotequals":          {ordered(numeric, 0), true},
	"numericlessthan":           {ordered(numeric, -1), false},
	"numericlessthanequals":     {ordered(numeric, -1, 0), false},
	"numericgreaterthan":        {ordered(numeric, 1), false},
	"numericgreaterthanequals":  {ordered(numeric, 1, 0), false},
	"dateequals":                {ordered(instant, 0), false},
	"datenotequals":             {ordered(instant, 0), true},
	"datelessthan":              {ordered(instant, -1), false},
	"datelessthanequals":        {ordered(instant, -1, 0), false},
	"dategreaterthan":           {ordered(instant, 1), false},
	"dategreaterthanequals":     {ordered(instant, 1, 0), false},
}

// met says that a request with these values of the key meets the condition; a
// request without values does not have the key. An operator that IAM does not
// know is never met.
func (c Condition) met(patterns, values []string) bool {
	if c.Operator == "null" {
		return slices.Contains(patterns, strconv.FormatBool(len(values) == 0))
	}
	op, known := operators[c.Operator]
	if !known {
		return false
	}
	if len(values) == 0 {
		return c.IfExists || c.ForAll || op.negated && !c.ForAny
	}
	holds := func(value string) bool {
		matches := slices.ContainsFunc(patterns, func(p string) bool { return op.match(p, value) })
		return matches != op.negated
	}
	if c.ForAll {
		return !slices.ContainsFunc(values, func(v string) bool { return !holds(v) })
	}
	return slices.ContainsFunc(values, holds)
}

func equalText(pattern, value string) bool { return pattern == literal.Replace(value) }

func equalFold(pattern, value string) bool { return strings.EqualFold(pattern, literal.Replace(value)) }

func likeText(pattern, value string) bool { return WildcardMatch(pattern, literal.Replace(value)) }

// likeARN matches each of the six parts of an ARN by itself, so that a * does
// not reach over a colon, except in the last part.
func likeARN(pattern, value string) bool {
	want, have := strings.SplitN(pattern, ":", 6), strings.SplitN(literal.Replace(value), ":", 6)
	if len(want) != 6 || len(have) != 6 {
		return pattern == "*"
	}
	for i := range want {
		if !WildcardMatch(want[i], have[i]) {
			return false
		}
	}
	return true
}

func inNetwork(pattern, value string) bool {
	address, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(pattern); err == nil {
		return network.Contains(address)
	}
	one, err := netip.ParseAddr(pattern)
	return err == nil && one == address
}

// ordered compares two values that a reader turns into numbers; any of the
// signs will do. What cannot be read does not match.
func ordered(read func(string) (float64, bool), signs ...int) func(pattern, value string) bool {
	return func(pattern, value string) bool {
		p, okP := read(pattern)
		v, okV := read(value)
		if !okP || !okV {
			return false
		}
		sign := 0
		switch {
		case v < p:
			sign = -1
		case v > p:
			sign = 1
		}
		return slices.Contains(signs, sign)
	}
}

func numeric(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// instant reads a date as IAM has it: ISO 8601, or seconds since 1970.
func instant(s string) (float64, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.Unix()), true
		}
	}
	return numeric(s)
}
