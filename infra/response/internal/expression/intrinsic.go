package expression

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Scope is what expressions read: the state's input ("$") and the context
// object ("$$").
type Scope struct{ Input, Context any }

// Expression is a parsed path or intrinsic function.
type Expression interface {
	eval(Scope) (any, error)
}

// Eval evaluates an expression, with JSON data as encoding/json decodes it.
func Eval(e Expression, scope Scope) (any, error) { return e.eval(scope) }

// Parse reads the value of a payload template's field whose name ends in ".$".
func Parse(text string) (Expression, error) {
	if !strings.HasPrefix(text, "States.") {
		return ParsePath(text)
	}
	p := &callParser{text: text}
	e, err := p.call()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	if p.at != len(text) {
		return nil, fmt.Errorf("%q: %q is left over", text, text[p.at:])
	}
	return e, nil
}

type literal struct{ value any }

func (l literal) eval(Scope) (any, error) { return l.value, nil }

type call struct {
	name string
	args []Expression
}

// intrinsics are the functions with how many arguments each takes; -1 is any
// number from one.
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
var intrinsics = map[string]struct {
	arity int
	run   func(args []any) (any, error)
}{
	"States.Array":         {-1, func(a []any) (any, error) { return a, nil }},
	"States.ArrayContains": {2, arrayContains},
	"States.ArrayLength": {1, func(a []any) (any, error) {
		list, ok := a[0].([]any)
		if !ok {
			return nil, fmt.Errorf("%v is no array", a[0])
		}
		return float64(len(list)), nil
	}},
	"States.ArrayUnique": {1, func(a []any) (any, error) {
		list, ok := a[0].([]any)
		if !ok {
			return nil, fmt.Errorf("%v is no array", a[0])
		}
		out := []any{}
		for _, v := range list {
			if known, err := arrayContains([]any{out, v}); err != nil || known == false {
				out = append(out, v)
			}
		}
		return out, nil
	}},
	"States.Format": {-1, format},
	"States.JsonToString": {1, func(a []any) (any, error) {
		text, err := json.Marshal(a[0])
		return string(text), err
	}},
	"States.MathAdd": {2, func(a []any) (any, error) {
		x, okX := a[0].(float64)
		y, okY := a[1].(float64)
		if !okX || !okY {
			return nil, fmt.Errorf("%v and %v are not both numbers", a[0], a[1])
		}
		return x + y, nil
	}},
	"States.StringToJson": {1, func(a []any) (any, error) {
		text, ok := a[0].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no string", a[0])
		}
		var v any
		err := json.Unmarshal([]byte(text), &v)
		return v, err
	}},
	// A constant, so that runs are the same.
	"States.UUID": {0, func([]any) (any, error) { return "00000000-0000-4000-8000-000000000000", nil }},
}

func arrayContains(a []any) (any, error) {
	list, ok := a[0].([]any)
	if !ok {
		return nil, fmt.Errorf("%v is no array", a[0])
	}
	for _, v := range list {
		if reflect.DeepEqual(v, a[1]) {
			return true, nil
		}
	}
	return false, nil
}

func format(a []any) (any, error) {
	template, ok := a[0].(string)
	if !ok || strings.Count(template, "{}") != len(a)-1 {
		return nil, fmt.Errorf("%v has not as many {} as the call has values", a[0])
	}
	for _, v := range a[1:] {
		text, isText := v.(string)
		if n, isNumber := v.(float64); isNumber {
			text, isText = strconv.FormatFloat(n, 'f', -1, 64), true
		}
		if !isText {
			return nil, fmt.Errorf("%v is neither string nor number", v)
		}
		template = strings.Replace(template, "{}", text, 1)
	}
	return template, nil
}

func (c call) eval(scope Scope) (any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		var err error
		if args[i], err = a.eval(scope); err != nil {
			return nil, err
		}
	}
	v, err := intrinsics[c.name].run(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return v, nil
}

type callParser struct {
	text string
	at   int
}

func (p *callParser) call() (Expression, error) {
	open := strings.IndexByte(p.text[p.at:], '(')
	if open < 0 {
		return nil, fmt.Errorf("%q has no arguments", p.text[p.at:])
	}
	c := call{name: p.text[p.at : p.at+open]}
	f, known := intrinsics[c.name]
	if !known {
		return nil, fmt.Errorf("%s is no intrinsic function that this machine uses (add it to intrinsics)", c.name)
	}
	p.at += open + 1
	if f.arity == 0 {
		if !strings.HasPrefix(p.text[p.at:], ")") {
			return nil, fmt.Errorf("%s takes no arguments", c.name)
		}
		p.at++
		return c, nil
	}
	for {
		p.blanks()
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, a)
		p.blanks()
		if p.at >= len(p.text) {
			return nil, fmt.Errorf("%s has no closing parenthesis", c.name)
		}
		p.at++
		switch p.text[p.at-1] {
		case ',':
		case ')':
			if f.arity >= 0 && f.arity != len(c.args) {
				return nil, fmt.Errorf("%s takes %d arguments, not %d", c.name, f.arity, len(c.args))
			}
			return c, nil
		default:
			return nil, fmt.Errorf("%q is neither , nor )", p.text[p.at-1:])
		}
	}
}

func (p *callParser) blanks() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *callParser) argument() (Expression, error) {
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "States."):
		return p.call()
	case strings.HasPrefix(rest, "'"):
		return p.quotedText()
	case strings.HasPrefix(rest, "$"):
		end := pathEnd(rest)
		p.at += end
		return ParsePath(rest[:end])
	}
	end := strings.IndexAny(rest, ",)")
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(rest[:end]), 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no argument", rest[:end])
	}
	p.at += end
	return literal{n}, nil
}

// quotedText reads '…' in which a backslash takes the next sign as it is.
func (p *callParser) quotedText() (Expression, error) {
	var b strings.Builder
	for i := p.at + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '\\':
			i++
			if i < len(p.text) {
				b.WriteByte(p.text[i])
			}
		case '\'':
			p.at = i + 1
			return literal{b.String()}, nil
		default:
			b.WriteByte(p.text[i])
		}
	}
	return nil, fmt.Errorf("the text %q has no end", p.text[p.at:])
}

// pathEnd is where a path among arguments ends: at a comma or parenthesis
// outside brackets.
func pathEnd(s string) int {
	depth := 0
	for i, r := range s {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth == 0 && (r == ',' || r == ')' || r == ' '):
			return i
		}
	}
	return len(s)
}
