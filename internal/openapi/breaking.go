package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// side is who sends what a schema describes.
type side int

const (
	request side = iota
	response
	both
)

// rule says how a schema may not change.
type rule struct {
	// side is where it holds: what a request may hold must not shrink, what an
	// answer holds must not either.
	side side
	// broken says what is wrong; empty for nothing.
	broken func(old, now *Schema) string
}

// rules are those for one schema; its parts are compared by themselves.
var rules = []rule{
	{request, func(old, now *Schema) string {
		return unless(len(now.Type) == 0 || len(old.Type) > 0 && subset(old.Type, now.Type), "takes %s only", strings.Join(now.Type, " or "))
	}},
	{response, func(old, now *Schema) string {
		return unless(len(old.Type) == 0 || len(now.Type) > 0 && subset(now.Type, old.Type), "is no longer %s alone", strings.Join(old.Type, " or "))
	}},
	{both, func(old, now *Schema) string {
		return unless(old.Format == now.Format, "has format %q, no longer %q", now.Format, old.Format)
	}},
	{request, func(old, now *Schema) string {
		return unless(len(now.Enum) == 0 || len(old.Enum) > 0 && subset(old.Enum, now.Enum), "takes fewer values: %v", now.Enum)
	}},
	{request, func(old, now *Schema) string {
		return unless(now.Pattern == "" || now.Pattern == old.Pattern, "must match %s", now.Pattern)
	}},
	{request, func(old, now *Schema) string { return lowered("maximum", old.Maximum, now.Maximum) }},
	{request, func(old, now *Schema) string { return lowered("maxLength", old.MaxLength, now.MaxLength) }},
	{request, func(old, now *Schema) string { return lowered("maxItems", old.MaxItems, now.MaxItems) }},
	{request, func(old, now *Schema) string { return raised("minimum", old.Minimum, now.Minimum) }},
	{request, func(old, now *Schema) string { return raised("minLength", old.MinLength, now.MinLength) }},
	{request, func(old, now *Schema) string { return raised("minItems", old.MinItems, now.MinItems) }},
	{both, func(old, now *Schema) string {
		return listed("lacks property", missing(slices.Collect(maps.Keys(old.Properties)), slices.Collect(maps.Keys(now.Properties))))
	}},
	{request, func(old, now *Schema) string { return listed("requires now", missing(now.Required, old.Required)) }},
	{response, func(old, now *Schema) string { return listed("may leave out now", missing(old.Required, now.Required)) }},
}

func unless(ok bool, text string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(text, args...)
}

func listed(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return what + " " + strings.Join(names, ", ")
}

// missing are those of one list that another has not.
func missing(of, in []string) (out []string) {
	for _, name := range slices.Sorted(slices.Values(of)) {
		if !slices.Contains(in, name) {
			out = append(out, name)
		}
	}
	return out
}

func subset[T comparable](of, in []T) bool {
	return !slices.ContainsFunc(of, func(v T) bool { return !slices.Contains(in, v) })
}

func lowered(what string, old, now *float64) string {
	return unless(now == nil || old != nil && *now >= *old, "has a lower %s", what)
}

func raised(what string, old, now *float64) string {
	return unless(now == nil || *now == 0 || old != nil && *now <= *old, "has a higher %s", what)
}

// Breaking finds what a client that was made of one document could not do with
// another: what is gone, what is newly required, what takes less than it did, and
// what answers may lack. Each finding says where.
func Breaking(old, now *Document) []string {
	c := &comparison{old: old, now: now, seen: map[pair]bool{}}
	for _, path := range slices.Sorted(maps.Keys(old.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(old.Paths[path])) {
			where, was := strings.ToUpper(method)+" "+path, old.Paths[path][method]
			if is := now.Paths[path][method]; is != nil {
				c.operation(where, was, is)
			} else {
				c.found(where, "is gone")
			}
		}
	}
	return c.findings
}

// pair is two schemas that are compared; seen ones are not again, as schemas refer
// to themselves.
type pair struct {
	old, now *Schema
	side     side
}

type comparison struct {
	old, now *Document
	seen     map[pair]bool
	findings []string
}

func (c *comparison) found(where, what string) { c.findings = append(c.findings, where+" "+what) }

func (c *comparison) operation(where string, old, now *Operation) {
	if old.ID != now.ID {
		c.found(where, fmt.Sprintf("is called %s, no longer %s", now.ID, old.ID))
	}
	for _, was := range old.Parameters {
		i := slices.IndexFunc(now.Parameters, func(p Parameter) bool { return p.In == was.In && p.Name == was.Name })
		if i < 0 {
			c.found(where, "lacks parameter "+was.In+" "+was.Name)
			continue
		}
		c.schema(where+" "+was.In+" "+was.Name, was.Schema, now.Parameters[i].Schema, request)
	}
	for _, is := range now.Parameters {
		if is.Required && !slices.ContainsFunc(old.Parameters, func(p Parameter) bool { return p.In == is.In && p.Name == is.Name && p.Required }) {
			c.found(where, "requires now parameter "+is.In+" "+is.Name)
		}
	}
	c.bodies(where, old, now)
	for _, status := range slices.Sorted(maps.Keys(old.Responses)) {
		is, ok := now.Responses[status]
		if !ok {
			c.found(where, "no longer answers "+status)
			continue
		}
		for _, name := range missing(slices.Collect(maps.Keys(old.Responses[status].Headers)), slices.Collect(maps.Keys(is.Headers))) {
			c.found(where+" "+status, "lacks header "+name)
		}
		c.content(where+" "+status, old.Responses[status].Content, is.Content, response)
	}
}

func (c *comparison) bodies(where string, old, now *Operation) {
	switch {
	case old.RequestBody == nil && now.RequestBody != nil && now.RequestBody.Required:
		c.found(where, "requires now a body")
	case old.RequestBody != nil && now.RequestBody == nil:
		c.found(where, "no longer takes a body")
	case old.RequestBody != nil:
		if now.RequestBody.Required && !old.RequestBody.Required {
			c.found(where, "requires now a body")
		}
		c.content(where+" body", old.RequestBody.Content, now.RequestBody.Content, request)
	}
}

func (c *comparison) content(where string, old, now map[string]Media, s side) {
	for _, kind := range slices.Sorted(maps.Keys(old)) {
		if is, ok := now[kind]; ok {
			c.schema(where, old[kind].Schema, is.Schema, s)
		} else {
			c.found(where, "is no longer "+kind)
		}
	}
}

func (c *comparison) schema(where string, old, now *Schema, s side) {
	old, now = c.old.Resolve(old), c.now.Resolve(now)
	if old == nil || now == nil || c.seen[pair{old, now, s}] {
		return
	}
	c.seen[pair{old, now, s}] = true
	for _, r := range rules {
		if r.side == both || r.side == s {
			if what := r.broken(old, now); what != "" {
				c.found(where, what)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.Properties)) {
		if is := now.Properties[name]; is != nil {
			c.schema(where+"."+name, old.Properties[name], is, s)
		}
	}
	c.schema(where+"[]", old.Items, now.Items, s)
	c.schema(where+".*", old.AdditionalProperties.Schema, now.AdditionalProperties.Schema, s)
}
