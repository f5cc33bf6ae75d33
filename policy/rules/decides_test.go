package rules_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// What a rule reads must decide something: for each property that a rule looks
// at in an example that passes, some other value of it changes the verdict of
// some example. A property that decides nothing is a mistake in the rule, or the
// example that would show it is missing.
func TestEveryPropertyThatARuleReadsDecides(t *testing.T) {
	t.Parallel()
	idle := allowed(t, "idle.yaml")
	files := filesByRule(t)
	for _, r := range rules.All() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			p := newProbe(t, r, files[r.Name].Cases)
			var undecided []string
			for _, property := range slices.Sorted(maps.Keys(p.read)) {
				if !p.decides(property) {
					undecided = append(undecided, property)
				}
			}
			want := slices.Sorted(maps.Keys(idle[r.Name]))
			require.Equal(t, want, undecided, "testdata/allowed/idle.yaml says which properties decide nothing, and why; all others must decide")
		})
	}
}

// probe tries other values for what a rule reads.
type probe struct {
	scenes []probed
	// read is where each property that the rule looked at stands, by the type of
	// the resource and the path without positions.
	read map[string][]place
	// values are what the examples have for a property.
	values map[string][]resource.PropertyValue
}

// probed is an example with its verdicts.
type probed struct {
	variant
	passes bool
}

// place is a property in one example.
type place struct {
	scene, resource int
	path            resource.PropertyPath
}

func newProbe(t *testing.T, r rule.Rule, cases []fixture.Case) probe {
	t.Helper()
	p := probe{read: map[string][]place{}, values: map[string][]resource.PropertyValue{}}
	for _, c := range cases {
		s, judge := play(t, r, c)
		p.scenes = append(p.scenes, probed{
			variant{rule: r.Name, example: c.Name, scene: s, verdicts: judge(s), judge: judge}, c.Want == "pass",
		})
		n := len(p.scenes) - 1
		params, err := rule.Decode(r.Params, c.Config)
		require.NoError(t, err)
		for i, reads := range watch(r, params.At(today), s) {
			for path := range reads {
				if parsed, err := resource.ParsePropertyPath(path); err == nil && len(parsed) > 0 && !strings.Contains(path, "*") {
					property := propertyOf(s.inputs[i], path)
					p.read[property] = append(p.read[property], place{n, i, parsed})
				}
			}
			places(resource.NewObjectProperty(s.inputs[i].Properties), nil, func(path resource.PropertyPath, v resource.PropertyValue) {
				property := propertyOf(s.inputs[i], path.String())
				p.values[property] = append(p.values[property], v)
			})
		}
	}
	return p
}

var position = regexp.MustCompile(`\[\d+\]`)

func propertyOf(r plugin.AnalyzerResource, path string) string {
	return rule.Canonical(string(r.Type)) + " " + position.ReplaceAllString(path, "")
}

// watch runs the rule on the scene as the analyzer does, and tells what it read
// of each resource.
func watch(r rule.Rule, p rule.Params, s scene) []rule.Reads {
	var all []*rule.Resource
	var reads []rule.Reads
	for i, in := range s.inputs {
		res := rule.Resource{
			URN: in.URN, Token: string(in.Type), Type: rule.Canonical(string(in.Type)), Name: in.Name,
			Inputs: in.Properties, State: s.stack[i].Properties, Protect: in.Options.Protect, IgnoreChanges: in.Options.IgnoreChanges,
		}
		if in.Provider != nil {
			res.Provider = in.Provider.Properties
		}
		watched, seen := res.WithDependencies(s.stack[i].PropertyDependencies).Watched()
		all, reads = append(all, watched), append(reads, seen)
	}
	stack := rule.NewStack(all)
	for i := range reads {
		clear(reads[i]) // a stack reads every name that another resource may call by
	}
	for _, res := range all {
		switch {
		case !res.Is(r.Types...):
		case r.IsJoin():
			r.CheckStack(stack, res, p)
		default:
			r.Check(res, p)
		}
	}
	return reads
}

// decides says that another value of the property changes a verdict.
func (p probe) decides(property string) bool {
	for _, at := range p.read[property] {
		v := p.scenes[at.scene].variant
		v.resource, v.path = at.resource, at.path
		old, _ := at.path.Get(resource.NewObjectProperty(v.scene.inputs[at.resource].Properties))
		for _, other := range append(flips(old), p.values[property]...) {
			for _, dependencies := range []bool{true, false} {
				if !maps.EqualFunc(v.verdicts, v.judge(v.with(other, dependencies)), sameOutcome) {
					return true
				}
			}
		}
	}
	return false
}

func sameOutcome(a, b rule.Verdict) bool { return a.Outcome == b.Outcome }

// flips are other values in the place of one, which may be of another type.
func flips(v resource.PropertyValue) []resource.PropertyValue {
	text, number := resource.NewStringProperty, resource.NewNumberProperty
	list := func(of ...resource.PropertyValue) resource.PropertyValue { return resource.NewArrayProperty(of) }
	out := []resource.PropertyValue{
		resource.NewNullProperty(), resource.MakeComputed(text("")), resource.MakeSecret(v),
		resource.NewBoolProperty(true), resource.NewBoolProperty(false), text(""), text("changed"), text("*"), text("0.0.0.0/0"),
		number(0), number(-1), number(1e6), list(), list(text("changed")),
	}
	for v.IsSecret() {
		v = v.SecretValue().Element
	}
	switch {
	case v.IsNumber():
		out = append(out, number(v.NumberValue()*1000), number(v.NumberValue()+1))
	case v.IsArray():
		for i := range v.ArrayValue() {
			out = append(out, list(slices.Delete(slices.Clone(v.ArrayValue()), i, i+1)...))
		}
	}
	return out
}
