package rules_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// TestNoSmallChangeBreaksARule changes every example in every small way: a
// value flipped, unset, unknown, secret or of another type, a resource left out.
// Whatever the answer then is, the rule must give one.
func TestNoSmallChangeBreaksARule(t *testing.T) {
	t.Parallel()
	files := filesByRule(t)
	for _, r := range rules.All() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			r.Level = rule.Mandatory // some are off by default
			judged := 0
			a, err := analyzer.New(analyzer.Options{
				Name: "test", Version: "1.0.0", Rules: []rule.Rule{r}, Observe: func(analyzer.Result) { judged++ },
				Now: func() time.Time { return today },
			})
			require.NoError(t, err)
			for _, c := range files[r.Name].Cases {
				for _, mutant := range mutants(c) {
					stack, inputs, err := mutant.Stack(fixture.Preview)
					require.NoError(t, err)
					for _, d := range send(t, a, inputs, stack) {
						require.NotContains(t, d.Message, "broke while judging", "%s: %v", c.Name, mutant.Resources)
					}
				}
			}
			require.Positive(t, judged)
		})
	}
}

// mutants are the case with one small change each.
func mutants(c fixture.Case) []fixture.Case {
	var out []fixture.Case
	with := func(resources []fixture.Resource) {
		m := c
		m.Resources = resources
		out = append(out, m)
	}
	for i, r := range c.Resources {
		if !referred(c, r.Name) {
			with(slices.Delete(slices.Clone(c.Resources), i, i+1))
		}
		for _, key := range slices.Sorted(maps.Keys(r.Properties)) {
			for _, v := range changes(r.Properties[key]) {
				changed := slices.Clone(c.Resources)
				changed[i].Properties = maps.Clone(r.Properties)
				changed[i].Properties[key] = v
				with(changed)
			}
		}
	}
	return out
}

func referred(c fixture.Case, name string) bool {
	return slices.ContainsFunc(c.Resources, func(r fixture.Resource) bool {
		return refersTo(r.Properties, name)
	})
}

func refersTo(v any, name string) bool {
	switch v := v.(type) {
	case m:
		for k, e := range v {
			if s, ok := e.(string); ok && k == "$ref" && len(s) > len(name) && s[:len(name)+1] == name+"." {
				return true
			}
			if refersTo(e, name) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return refersTo(e, name) })
	}
	return false
}

// changes returns the values that differ from v in one place.
func changes(v any) []any {
	out := []any{nil, m{"$unknown": true}, m{"$secret": v}, "changed", 7.5, true, []any{}, m{}}
	switch v := v.(type) {
	case bool:
		out = append(out, !v)
	case int:
		out = append(out, 0, v+1, -v)
	case string:
		out = append(out, "", "*", "{", "0.0.0.0/0")
	case []any:
		for i, e := range v {
			out = append(out, slices.Delete(slices.Clone(v), i, i+1))
			for _, changed := range changes(e) {
				list := slices.Clone(v)
				list[i] = changed
				out = append(out, list)
			}
		}
	case m:
		if _, isRef := v["$ref"]; isRef {
			return append(out, "elsewhere")
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			for _, changed := range changes(v[k]) {
				block := maps.Clone(v)
				block[k] = changed
				out = append(out, block)
			}
		}
	}
	return out
}
