// Package eventpattern reads EventBridge event patterns and says which events
// they match, so that a pattern's grammar is checked before AWS sees it and a
// rule can be tried on a sample event without an account.
//
// It follows the user guide's pages "Event patterns" and "Comparison operators
// for use in event patterns" as far as event buses support them.
package eventpattern

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Limit is how many characters EventBridge takes in a rule's pattern.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const Limit = 2048

// Pattern is a compiled event pattern.
type Pattern struct{ root node }

// node is a place in a pattern: the tests of a leaf, or the fields below it
// together with the alternatives of its $or clauses.
type node struct {
	tests  []test
	fields map[string]node
	// either holds one of its nodes at the place itself.
	either [][]node
}

// Compile reads a pattern. The error joins every finding, each with its place:
// "detail.severity[0]: why (fix)".
func Compile(text []byte) (*Pattern, error) {
	if n := len([]rune(string(text))); n > Limit {
		return nil, fmt.Errorf("pattern: %d characters, EventBridge takes %d (split the rule)", n, Limit)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var raw any
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("pattern: not JSON: %w", err)
	}
	if d.More() {
		return nil, errors.New("pattern: more than one JSON value (keep the first)")
	}
	fields, ok := raw.(map[string]any)
	if !ok || len(fields) == 0 {
		return nil, errors.New("pattern: not an object with fields (for example {\"source\":[\"aws.ec2\"]})")
	}
	c := compiler{}
	p := &Pattern{root: c.object("", fields)}
	return p, errors.Join(c.errs...)
}

// compiler collects findings while it walks.
type compiler struct{ errs []error }

func (c *compiler) add(path, why, fix string) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s (%s)", path, why, fix))
}

func (c *compiler) object(path string, raw map[string]any) node {
	n := node{fields: map[string]node{}}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		at := join(path, key)
		switch v := raw[key].(type) {
		case map[string]any:
			if len(v) == 0 {
				c.add(at, "an empty object", "name fields below it, or use exists on one of them")
			}
			n.fields[key] = c.object(at, v)
		case []any:
			if key == "$or" {
				n.either = append(n.either, c.alternatives(at, v))
				continue
			}
			n.fields[key] = node{tests: c.leaf(at, v)}
		default:
			c.add(at, "a value outside a list", "write the values that match as a list")
		}
	}
	return n
}

func (c *compiler) alternatives(path string, raw []any) []node {
	if len(raw) < 2 {
		c.add(path, fmt.Sprintf("%d alternatives", len(raw)), "$or has two or more")
	}
	var out []node
	for i, v := range raw {
		at := fmt.Sprintf("%s[%d]", path, i)
		fields, ok := v.(map[string]any)
		if !ok || len(fields) == 0 {
			c.add(at, "not an object with fields", "each alternative of $or is a pattern")
			continue
		}
		out = append(out, c.object(at, fields))
	}
	return out
}

func (c *compiler) leaf(path string, raw []any) []test {
	if len(raw) == 0 {
		c.add(path, "an empty list matches nothing", "list the values that match")
	}
	var out []test
	for i, v := range raw {
		t, err := newTest(v)
		if err != nil {
			c.errs = append(c.errs, fmt.Errorf("%s[%d]: %w", path, i, err))
			continue
		}
		out = append(out, t)
	}
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
