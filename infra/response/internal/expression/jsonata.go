package expression

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// JSONata is an expression of the states whose query language is JSONata. The
// machine needs it for the one thing JSONPath cannot do: arithmetic on times.
// It covers paths from $states, numbers, + - * /, $floor, $toMillis and
// $fromMillis.
type JSONata struct{ root node }

// node is an evaluated part of a JSONata expression.
type node func(states any) (any, error)

// ParseJSONata reads "{% … %}".
func ParseJSONata(text string) (JSONata, error) {
	inner, opened := strings.CutPrefix(text, "{%")
	inner, closed := strings.CutSuffix(inner, "%}")
	if !opened || !closed {
		return JSONata{}, fmt.Errorf("%q is not {%% … %%}", text)
	}
	p := &jsonataParser{rest: strings.TrimSpace(inner)}
	n, err := p.sum()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%q is left over", p.rest)
	}
	if err != nil {
		return JSONata{}, fmt.Errorf("%q: %w", text, err)
	}
	return JSONata{n}, nil
}

// Eval evaluates the expression with the value of $states.
func (j JSONata) Eval(states any) (any, error) { return j.root(states) }

type jsonataParser struct{ rest string }

func (p *jsonataParser) take(prefix string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " "), prefix)
	if ok {
		p.rest = strings.TrimLeft(rest, " ")
	}
	return ok
}

func (p *jsonataParser) sum() (node, error) { return p.chain(p.product, "+", "-") }

func (p *jsonataParser) product() (node, error) { return p.chain(p.value, "*", "/") }

func (p *jsonataParser) chain(operand func() (node, error), operators ...string) (node, error) {
	left, err := operand()
	for err == nil {
		operator := ""
		for _, o := range operators {
			if p.take(o) {
				operator = o
				break
			}
		}
		if operator == "" {
			return left, nil
		}
		var right node
		if right, err = operand(); err == nil {
			left = arithmetic(operator, left, right)
		}
	}
	return nil, err
}

func arithmetic(operator string, left, right node) node {
	return func(states any) (any, error) {
		l, err := number(left, states)
		if err != nil {
			return nil, err
		}
		r, err := number(right, states)
		if err != nil {
			return nil, err
		}
		switch operator {
		case "+":
			return l + r, nil
		case "-":
			return l - r, nil
		case "*":
			return l * r, nil
		}
		return l / r, nil
	}
}

func number(n node, states any) (float64, error) {
	v, err := n(states)
	if err != nil {
		return 0, err
	}
	f, ok := v.(float64)
	if !ok {
		return 0, fmt.Errorf("%v is no number", v)
	}
	return f, nil
}

// functions of JSONata. https://docs.jsonata.org/date-time-functions
var functions = map[string]func(any) (any, error){
	"$floor": func(v any) (any, error) {
		f, ok := v.(float64)
		if !ok {
			return nil, fmt.Errorf("$floor: %v is no number", v)
		}
		return math.Floor(f), nil
	},
	"$toMillis": func(v any) (any, error) {
		text, _ := v.(string)
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, fmt.Errorf("$toMillis: %v is no time of the form 2006-01-02T15:04:05Z", v)
		}
		return float64(t.UnixMilli()), nil
	},
	"$fromMillis": func(v any) (any, error) {
		f, ok := v.(float64)
		if !ok {
			return nil, fmt.Errorf("$fromMillis: %v is no number", v)
		}
		return time.UnixMilli(int64(f)).UTC().Format("2006-01-02T15:04:05.000Z"), nil
	},
}

func (p *jsonataParser) value() (node, error) {
	if p.take("(") {
		n, err := p.sum()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("no closing parenthesis before %q", p.rest)
		}
		return n, err
	}
	end := strings.IndexFunc(p.rest, func(r rune) bool { return strings.ContainsRune(" ()+-*/,", r) })
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	if f, known := functions[word]; known {
		p.rest = p.rest[end:]
		argument, err := p.value()
		return func(states any) (any, error) {
			v, err := argument(states)
			if err != nil {
				return nil, err
			}
			return f(v)
		}, err
	}
	p.rest = strings.TrimLeft(p.rest[end:], " ")
	if path, ok := strings.CutPrefix(word, "$states."); ok {
		return statesPath(path)
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no number, function or path from $states", word)
	}
	return func(any) (any, error) { return f, nil }, nil
}

func statesPath(text string) (node, error) {
	path, err := ParsePath("$." + text)
	if err != nil {
		return nil, err
	}
	return func(states any) (any, error) { return path.eval(Scope{Input: states}) }, nil
}
