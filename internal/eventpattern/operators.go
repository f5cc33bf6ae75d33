package eventpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strings"
)

// test is one element of a leaf's list: a value, or an operator.
type test struct {
	// presence says that the test is about being there, not about the value;
	// exists is what it asks for.
	presence, exists bool
	holds            func(value any) bool
}

// operators reads the argument of each comparison operator.
var operators map[string]func(arg any) (test, error)

func init() {
	operators = map[string]func(any) (test, error){
		"prefix":       affix(strings.HasPrefix),
		"suffix":       affix(strings.HasSuffix),
		"anything-but": anythingBut,
		"numeric":      numeric,
		"exists":       exists,
		"cidr":         cidr,
		"equals-ignore-case": text("equals-ignore-case", func(arg string) (func(string) bool, error) {
			return func(s string) bool { return strings.EqualFold(s, arg) }, nil
		}),
		"wildcard": text("wildcard", wildcard),
	}
}

func newTest(raw any) (test, error) {
	operator, ok := raw.(map[string]any)
	if !ok {
		return literal(raw)
	}
	if len(operator) != 1 {
		return test{}, fmt.Errorf("%d operators in one object (one, for example {\"prefix\":\"a\"})", len(operator))
	}
	for name, arg := range operator {
		read, known := operators[name]
		if !known {
			return test{}, fmt.Errorf("%q is not an operator (prefix, suffix, anything-but, numeric, exists, cidr, equals-ignore-case or wildcard)", name)
		}
		return read(arg)
	}
	return test{}, nil
}

// literal matches one value. Numbers are compared as numbers; EventBridge
// compares how they are written where they have more than fifteen digits.
func literal(want any) (test, error) {
	switch want := want.(type) {
	case nil, bool, string:
		return test{holds: func(v any) bool { return v == want }}, nil
	case json.Number:
		number, ok := rational(want)
		if !ok {
			return test{}, fmt.Errorf("%s is not a number (write it in decimal)", want)
		}
		return test{holds: func(v any) bool { n, ok := rational(v); return ok && n.Cmp(number) == 0 }}, nil
	default:
		return test{}, errors.New("a list in a list (a leaf holds strings, numbers, true, false, null and operators)")
	}
}

// text is an operator with a string as its argument, on strings.
func text(name string, compile func(arg string) (func(string) bool, error)) func(any) (test, error) {
	return func(raw any) (test, error) {
		arg, ok := raw.(string)
		if !ok || arg == "" {
			return test{}, fmt.Errorf("%s of %v (a string of one character or more)", name, raw)
		}
		holds, err := compile(arg)
		if err != nil {
			return test{}, err
		}
		return test{holds: func(v any) bool { s, ok := v.(string); return ok && holds(s) }}, nil
	}
}

// affix is prefix or suffix, also without regard to case.
func affix(has func(s, affix string) bool) func(any) (test, error) {
	return func(raw any) (test, error) {
		if folded, ok := raw.(map[string]any); ok && len(folded) == 1 && folded["equals-ignore-case"] != nil {
			return text("equals-ignore-case", func(arg string) (func(string) bool, error) {
				return func(s string) bool { return has(strings.ToLower(s), strings.ToLower(arg)) }, nil
			})(folded["equals-ignore-case"])
		}
		return text("prefix or suffix", func(arg string) (func(string) bool, error) {
			return func(s string) bool { return has(s, arg) }, nil
		})(raw)
	}
}

// anythingBut takes a value, a list of strings or of numbers, or another
// operator on strings. A field that is not there does not match it.
func anythingBut(raw any) (test, error) {
	var not []any
	switch v := raw.(type) {
	case []any:
		not = v
	default:
		not = []any{v}
	}
	if len(not) == 0 {
		return test{}, errors.New("anything-but nothing (list the values to leave out)")
	}
	var tests []test
	for _, v := range not {
		if operator, ok := v.(map[string]any); ok {
			for name := range operator {
				if name == "exists" || name == "numeric" || name == "anything-but" || name == "cidr" {
					return test{}, fmt.Errorf("anything-but of %s (prefix, suffix, equals-ignore-case or wildcard)", name)
				}
			}
			if _, list := raw.([]any); list {
				return test{}, errors.New("an operator in a list of anything-but (list values, or name one operator)")
			}
		}
		t, err := newTest(v)
		if err != nil {
			return test{}, fmt.Errorf("anything-but: %w", err)
		}
		tests = append(tests, t)
	}
	return test{holds: func(v any) bool {
		for _, t := range tests {
			if t.holds(v) {
				return false
			}
		}
		return true
	}}, nil
}

var comparisons = map[string]func(order int) bool{
	"=":  func(o int) bool { return o == 0 },
	"<":  func(o int) bool { return o < 0 },
	"<=": func(o int) bool { return o <= 0 },
	">":  func(o int) bool { return o > 0 },
	">=": func(o int) bool { return o >= 0 },
}

// numeric takes one comparison, or two for a range, between ±5e9.
func numeric(raw any) (test, error) {
	list, ok := raw.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return test{}, errors.New(`numeric without a comparison (for example {"numeric":[">=",4,"<",7]})`)
	}
	limit := big.NewRat(5_000_000_000, 1)
	var checks []func(*big.Rat) bool
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		compare, known := comparisons[name]
		bound, isNumber := rational(list[i+1])
		if !known || !isNumber || new(big.Rat).Abs(bound).Cmp(limit) > 0 {
			return test{}, fmt.Errorf("numeric %v %v (one of = < <= > >=, and a number between -5e9 and 5e9)", list[i], list[i+1])
		}
		checks = append(checks, func(n *big.Rat) bool { return compare(n.Cmp(bound)) })
	}
	return test{holds: func(v any) bool {
		n, ok := rational(v)
		for _, check := range checks {
			ok = ok && check(n)
		}
		return ok
	}}, nil
}

func exists(raw any) (test, error) {
	want, ok := raw.(bool)
	if !ok {
		return test{}, fmt.Errorf("exists of %v (true or false)", raw)
	}
	return test{presence: true, exists: want}, nil
}

func cidr(raw any) (test, error) {
	s, _ := raw.(string)
	block, err := netip.ParsePrefix(s)
	if err != nil {
		return test{}, fmt.Errorf("cidr of %v (a block such as 10.0.0.0/8)", raw)
	}
	return test{holds: func(v any) bool {
		s, _ := v.(string)
		addr, err := netip.ParseAddr(s)
		return err == nil && block.Contains(addr)
	}}, nil
}

// wildcard has "*" for any characters and a backslash before a literal one.
func wildcard(arg string) (func(string) bool, error) {
	if strings.Contains(arg, "**") {
		return nil, fmt.Errorf("wildcard %q with two stars in a row (one is enough)", arg)
	}
	var expr strings.Builder
	for i := 0; i < len(arg); i++ {
		switch {
		case arg[i] == '*':
			expr.WriteString("(?s:.*)")
		case arg[i] == '\\' && i+1 < len(arg) && (arg[i+1] == '*' || arg[i+1] == '\\'):
			i++
			expr.WriteString(regexp.QuoteMeta(arg[i : i+1]))
		default:
			expr.WriteString(regexp.QuoteMeta(arg[i : i+1]))
		}
	}
	compiled, err := regexp.Compile("^" + expr.String() + "$")
	if err != nil {
		return nil, fmt.Errorf("wildcard %q (letters, digits and *)", arg)
	}
	return compiled.MatchString, nil
}

func rational(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}
