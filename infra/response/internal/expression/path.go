// Package expression reads and evaluates the expressions of the Amazon States
// Language that the response machine uses: JSONPath, intrinsic functions, and
// the arithmetic of JSONata. The builder checks definitions with it and the
// tests run them with it, so that both mean the same.
package expression

import (
	"fmt"
	"strconv"
	"strings"
)

// step is one part of a path.
type step struct {
	name     string
	index    int
	indexed  bool
	wildcard bool
	filter   []condition
}

// condition is one comparison of a filter: [?(@.Key=='owner')].
type condition struct {
	field []string
	not   bool
	value string
}

// Path is a JSONPath such as "$.detail.id", "$.Tags[?(@.Key=='owner')].Value"
// or "$$.Execution.Id". Filters compare with string literals and are joined
// by &&.
type Path struct {
	text    string
	context bool
	steps   []step
}

// ParsePath reads a path. The error says where it is not one.
func ParsePath(text string) (Path, error) {
	p := Path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return p, fmt.Errorf("%q does not start with $ (write $.field)", text)
	}
	if after, twice := strings.CutPrefix(rest, "$"); twice {
		p.context, rest = true, after
	}
	for rest != "" {
		s, after, err := parseStep(rest)
		if err != nil {
			return p, fmt.Errorf("%q: %w", text, err)
		}
		p.steps, rest = append(p.steps, s), after
	}
	return p, nil
}

func parseStep(rest string) (step, string, error) {
	if after, ok := strings.CutPrefix(rest, "."); ok {
		end := strings.IndexAny(after, ".[")
		if end < 0 {
			end = len(after)
		}
		name := after[:end]
		if name == "" || strings.ContainsAny(name, " ()'\"@?") {
			return step{}, "", fmt.Errorf("%q is no field name (use ['…'] for other signs)", name)
		}
		return step{name: name}, after[end:], nil
	}
	if strings.HasPrefix(rest, "[?(") {
		inner, after, ok := strings.Cut(rest[3:], ")]")
		if !ok {
			return step{}, "", fmt.Errorf("the filter %q has no end", rest)
		}
		conditions, err := parseFilter(inner)
		return step{filter: conditions}, after, err
	}
	inner, after, ok := strings.Cut(rest, "]")
	if !ok || !strings.HasPrefix(inner, "[") {
		return step{}, "", fmt.Errorf("%q is neither a field nor an index", rest)
	}
	inner = inner[1:]
	if inner == "*" {
		return step{wildcard: true}, after, nil
	}
	if name, ok := quoted(inner); ok {
		return step{name: name}, after, nil
	}
	n, err := strconv.Atoi(inner)
	if err != nil || n < 0 {
		return step{}, "", fmt.Errorf("[%s] is no index, field or wildcard", inner)
	}
	return step{index: n, indexed: true}, after, nil
}

func parseFilter(text string) ([]condition, error) {
	var out []condition
	for part := range strings.SplitSeq(text, "&&") {
		c := condition{}
		left, right, ok := strings.Cut(part, "==")
		if !ok {
			left, right, ok = strings.Cut(part, "!=")
			c.not = true
		}
		value, isText := quoted(strings.TrimSpace(right))
		field, isField := strings.CutPrefix(strings.TrimSpace(left), "@.")
		if !ok || !isText || !isField {
			return nil, fmt.Errorf("the filter %q compares no field with a text (write @.Field=='text')", part)
		}
		c.field, c.value = strings.Split(field, "."), value
		out = append(out, c)
	}
	return out, nil
}

func quoted(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// Reference says whether the path names exactly one place, as ResultPath and
// Choice variables have to.
func (p Path) Reference() bool {
	for _, s := range p.steps {
		if s.wildcard || s.filter != nil {
			return false
		}
	}
	return true
}

// Context says whether the path reads the context object, "$$".
func (p Path) Context() bool { return p.context }

// Fields are the names along a reference path.
func (p Path) Fields() []string {
	out := make([]string, 0, len(p.steps))
	for _, s := range p.steps {
		out = append(out, s.name)
	}
	return out
}

// eval returns the one value of a reference path, and the list of matches,
// maybe empty, of any other.
func (p Path) eval(scope Scope) (any, error) {
	root := scope.Input
	if p.context {
		root = scope.Context
	}
	values, definite := []any{root}, true
	for _, s := range p.steps {
		// Up to the first wildcard or filter everything has to be there; after
		// it, what has no such field is left out of the list.
		if definite = definite && !s.wildcard && s.filter == nil; definite && len(s.apply(values[0])) == 0 {
			return nil, fmt.Errorf("%s is not there", p.text)
		}
		var next []any
		for _, v := range values {
			next = append(next, s.apply(v)...)
		}
		values = next
	}
	if !p.Reference() {
		if values == nil {
			values = []any{}
		}
		return values, nil
	}
	return values[0], nil
}

func (s step) apply(v any) []any {
	list, isList := v.([]any)
	switch {
	case s.wildcard && isList:
		return list
	case s.filter != nil && isList:
		var out []any
		for _, e := range list {
			if matches(e, s.filter) {
				out = append(out, e)
			}
		}
		return out
	case s.indexed && isList && s.index < len(list):
		return list[s.index : s.index+1]
	case s.name != "":
		if m, ok := v.(map[string]any); ok {
			if e, ok := m[s.name]; ok {
				return []any{e}
			}
		}
	}
	return nil
}

func matches(v any, conditions []condition) bool {
	for _, c := range conditions {
		at := v
		for _, name := range c.field {
			m, _ := at.(map[string]any)
			at = m[name]
		}
		text, isText := at.(string)
		if (isText && text == c.value) == c.not {
			return false
		}
	}
	return true
}
