package eventpattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Matches says whether the pattern matches an event, a JSON object.
func (p *Pattern) Matches(event []byte) (bool, error) {
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return false, fmt.Errorf("event: not a JSON object: %w", err)
	}
	return p.MatchesFields(fields), nil
}

// MatchesFields says whether the pattern matches an event that is decoded
// already. Its numbers are json.Number.
func (p *Pattern) MatchesFields(fields map[string]any) bool { return p.root.matches(fields, true) }

// matches tries a place of the event; there is false where the event has
// nothing at that place.
func (n node) matches(value any, there bool) bool {
	if n.fields == nil {
		return n.leafMatches(value, there)
	}
	// EventBridge reads a list of objects as alternatives: one object of it
	// has to match as a whole.
	if list, ok := value.([]any); ok && len(list) > 0 {
		return slices.ContainsFunc(list, func(v any) bool { return n.matches(v, true) })
	}
	object, _ := value.(map[string]any)
	for key, below := range n.fields {
		v, ok := object[key]
		if !below.matches(v, ok) {
			return false
		}
	}
	for _, alternatives := range n.either {
		if !slices.ContainsFunc(alternatives, func(a node) bool { return a.matches(value, there) }) {
			return false
		}
	}
	return true
}

// leafMatches says whether one test of a leaf holds for the value, or for one
// of its elements if it is a list.
func (n node) leafMatches(value any, there bool) bool {
	values := []any{value}
	if list, ok := value.([]any); ok && len(list) > 0 {
		values = list
	}
	return slices.ContainsFunc(n.tests, func(t test) bool {
		if t.presence {
			// Only leaves exist: an object at the place has fields, not a value.
			_, object := value.(map[string]any)
			return t.exists == (there && !object)
		}
		return there && slices.ContainsFunc(values, t.holds)
	})
}
