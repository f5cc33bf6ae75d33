package filterpattern

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

type match func(event map[string]any) bool

// parser reads a JSON expression from left to right and keeps its first error.
type parser struct {
	rest string
	err  error
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *parser) fail(wanted string) {
	if p.err == nil {
		p.err = fmt.Errorf("expected %s at %q", wanted, p.rest)
	}
}

// take reads a token if it comes next.
func (p *parser) take(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// either reads alternatives: || binds less than &&.
func (p *parser) either() match {
	left := p.both()
	for p.err == nil && p.take("||") {
		a, b := left, p.both()
		left = func(e map[string]any) bool { return a(e) || b(e) }
	}
	return left
}

func (p *parser) both() match {
	left := p.single()
	for p.err == nil && p.take("&&") {
		a, b := left, p.single()
		left = func(e map[string]any) bool { return a(e) && b(e) }
	}
	return left
}

func (p *parser) single() match {
	if p.take("(") {
		inner := p.either()
		if !p.take(")") {
			p.fail(")")
		}
		return inner
	}
	return p.comparison()
}

func (p *parser) comparison() match {
	find := p.selector()
	for _, test := range presenceTests {
		if p.words(test.words) {
			return func(e map[string]any) bool { return test.holds(find(e)) }
		}
	}
	for _, op := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.take(op) {
			compare := p.operand(op)
			return func(e map[string]any) bool {
				v, there := find(e)
				return there && compare(v)
			}
		}
	}
	p.fail("a comparison")
	return nil
}

var presenceTests = []struct {
	words []string
	holds func(v any, there bool) bool
}{
	{[]string{"NOT", "EXISTS"}, func(_ any, there bool) bool { return !there }},
	{[]string{"EXISTS"}, func(_ any, there bool) bool { return there }},
	{[]string{"IS", "NULL"}, func(v any, there bool) bool { return there && v == nil }},
	{[]string{"IS", "TRUE"}, func(v any, there bool) bool { return v == true }},
	{[]string{"IS", "FALSE"}, func(v any, there bool) bool { return v == false }},
}

// words reads a sequence of words, or nothing.
func (p *parser) words(words []string) bool {
	before := p.rest
	for _, w := range words {
		if !p.take(w) {
			p.rest = before
			return false
		}
	}
	return true
}

// selector reads $.a.b[0].c.
func (p *parser) selector() func(map[string]any) (any, bool) {
	if !p.take("$") {
		p.fail("a selector such as $.eventName")
	}
	end := strings.IndexAny(p.rest, " \t\r\n=!<>()&|")
	if end < 0 {
		end = len(p.rest)
	}
	var path []string
	for _, key := range strings.FieldsFunc(p.rest[:end], func(r rune) bool { return strings.ContainsRune(`.[]`, r) }) {
		path = append(path, strings.Trim(key, `'"`))
	}
	p.rest = p.rest[end:]
	return func(event map[string]any) (any, bool) { return lookup(event, path) }
}

func lookup(v any, path []string) (any, bool) {
	for _, key := range path {
		switch at := v.(type) {
		case map[string]any:
			next, there := at[key]
			if !there {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// operand reads the right side of a comparison.
func (p *parser) operand(op string) func(any) bool {
	text, quoted := p.value()
	bound, isNumber := new(big.Rat).SetString(text)
	switch {
	case p.err != nil:
		return nil
	case op == "=" || op == "!=":
		equal := func(v any) bool {
			if n, ok := number(v); ok && isNumber && !quoted {
				return n.Cmp(bound) == 0
			}
			s, ok := scalar(v)
			return ok && glob(text, s)
		}
		if op == "=" {
			return equal
		}
		return func(v any) bool { return !equal(v) }
	case !isNumber:
		p.fail("a number after " + op)
		return nil
	default:
		return func(v any) bool {
			n, ok := number(v)
			return ok && ordered(n.Cmp(bound), op)
		}
	}
}

func ordered(order int, op string) bool {
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

// value reads a quoted or a bare text.
func (p *parser) value() (text string, quoted bool) {
	p.space()
	if strings.HasPrefix(p.rest, `"`) {
		end := 1
		for end < len(p.rest) && p.rest[end] != '"' {
			if p.rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(p.rest) {
			p.fail("a closing quote")
			return "", true
		}
		text = strings.ReplaceAll(p.rest[1:end], `\"`, `"`)
		p.rest = p.rest[end+1:]
		return text, true
	}
	end := strings.IndexAny(p.rest, " \t\r\n()&|")
	if end < 0 {
		end = len(p.rest)
	}
	text, p.rest = p.rest[:end], p.rest[end:]
	if text == "" || strings.HasPrefix(text, "%") {
		p.fail("a value, and no regular expression, before")
	}
	return text, false
}

func number(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

// glob matches a text, in which * is any text.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}
