package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

var unknown = resource.MakeComputed(resource.NewStringProperty(""))

// A value that is unknown may be any value, the one of the example too: where
// the example passes no rule may fail, whether the engine knows what the value
// is computed from or not.
func TestUnknownNeverFails(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, v variant) {
		for _, dependencies := range []bool{true, false} {
			after := v.judge(v.with(unknown, dependencies))
			for urn, before := range v.verdicts {
				if before.Outcome < rule.Undetermined && after[urn].Outcome == rule.Failed {
					t.Errorf("%s unknown (dependencies known: %v): %s was %s and fails: %s",
						v, dependencies, urn.Name(), before.Outcome, after[urn].Reason())
				}
			}
		}
	})
}

// Where the example fails, a value that is unknown must not let it pass, but
// for what testdata/allowed/unknown.yaml lists: mostly that something which is
// set to an unknown value is set.
func TestUnknownSeldomPasses(t *testing.T) {
	t.Parallel()
	table, passed := allowed(t, "unknown.yaml"), map[string]map[string]bool{}
	var mu sync.Mutex
	t.Run("examples", func(t *testing.T) {
		eachVariant(t, func(_ *testing.T, v variant) {
			after := v.judge(v.with(unknown, true))
			for urn, before := range v.verdicts {
				if before.Outcome == rule.Failed && after[urn].Outcome < rule.Undetermined {
					mu.Lock()
					if passed[v.rule] == nil {
						passed[v.rule] = map[string]bool{}
					}
					passed[v.rule][propertyOf(v.scene.inputs[v.resource], v.path.String())] = true
					mu.Unlock()
				}
			}
		})
	})
	for _, r := range rules.All() {
		assert.Equal(t, slices.Sorted(maps.Keys(table[r.Name])), slices.Sorted(maps.Keys(passed[r.Name])), r.Name)
	}
}

// The mark of a secret says who may read a value, not what it is.
func TestSecrecyNeverChangesAVerdict(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(t *testing.T, v variant) {
		if slices.Contains(judgeSecrecy, v.rule) {
			return
		}
		after := v.judge(v.with(resource.MakeSecret(v.value), true))
		for urn, before := range v.verdicts {
			if after[urn].Outcome != before.Outcome {
				t.Errorf("%s secret: %s was %s and is %s: %s", v, urn.Name(), before.Outcome, after[urn].Outcome, after[urn].Reason())
			}
		}
	})
}

// scene is an example as the engine sends it.
type scene struct {
	inputs []plugin.AnalyzerResource
	stack  []plugin.AnalyzerStackResource
}

type verdicts = map[resource.URN]rule.Verdict

// variant is one value in an example, that a property may be about.
type variant struct {
	rule, example string
	scene         scene
	verdicts      verdicts
	judge         func(scene) verdicts
	resource      int
	path          resource.PropertyPath
	value         resource.PropertyValue
}

func (v variant) String() string {
	return fmt.Sprintf("%s/%s: %s %s", v.rule, v.example, v.scene.inputs[v.resource].Name, v.path)
}

// with is the scene with another value in that place, computed from the same
// resources or from none that is known.
func (v variant) with(value resource.PropertyValue, dependencies bool) scene {
	out := scene{slices.Clone(v.scene.inputs), slices.Clone(v.scene.stack)}
	in, res := &out.inputs[v.resource], &out.stack[v.resource]
	in.Properties = replaced(in.Properties, v.path, value)
	if key := resource.PropertyKey(v.path[0].(string)); res.Properties[key].DeepEquals(v.scene.inputs[v.resource].Properties[key]) {
		res.Properties = replaced(res.Properties, v.path, value)
	}
	if !dependencies {
		res.PropertyDependencies = maps.Clone(res.PropertyDependencies)
		delete(res.PropertyDependencies, resource.PropertyKey(v.path[0].(string)))
	}
	return out
}

func replaced(m resource.PropertyMap, path resource.PropertyPath, value resource.PropertyValue) resource.PropertyMap {
	return replacedIn(resource.NewObjectProperty(m), path, value).ObjectValue()
}

func replacedIn(v resource.PropertyValue, path resource.PropertyPath, value resource.PropertyValue) resource.PropertyValue {
	if len(path) == 0 {
		return value
	}
	if v.IsSecret() {
		return resource.MakeSecret(replacedIn(v.SecretValue().Element, path, value))
	}
	switch at := path[0].(type) {
	case int:
		list := slices.Clone(v.ArrayValue())
		list[at] = replacedIn(list[at], path[1:], value)
		return resource.NewArrayProperty(list)
	default:
		object := resource.PropertyMap{}
		if v.IsObject() {
			object = maps.Clone(v.ObjectValue())
		}
		key := resource.PropertyKey(at.(string))
		object[key] = replacedIn(object[key], path[1:], value)
		return resource.NewObjectProperty(object)
	}
}

// places calls visit with every value that stands in v.
func places(v resource.PropertyValue, path resource.PropertyPath, visit func(resource.PropertyPath, resource.PropertyValue)) {
	switch {
	case v.IsSecret():
		places(v.SecretValue().Element, path, visit)
		return
	case v.IsArray():
		for i, e := range v.ArrayValue() {
			places(e, append(slices.Clone(path), i), visit)
		}
	case v.IsObject():
		for _, k := range v.ObjectValue().StableKeys() {
			places(v.ObjectValue()[k], append(slices.Clone(path), string(k)), visit)
		}
	}
	if len(path) > 0 && !v.IsNull() {
		visit(path, v)
	}
}

// eachVariant calls the test with every value of every example of every rule.
func eachVariant(t *testing.T, test func(t *testing.T, v variant)) {
	t.Helper()
	files := filesByRule(t)
	for _, r := range rules.All() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range files[r.Name].Cases {
				s, judge := play(t, r, c)
				base := judge(s)
				for i := range s.inputs {
					places(resource.NewObjectProperty(s.inputs[i].Properties), nil, func(path resource.PropertyPath, value resource.PropertyValue) {
						test(t, variant{r.Name, c.Name, s, base, judge, i, path, value})
					})
				}
			}
		})
	}
}

// play makes the example's scene, as after an update where nothing is unknown
// for good, and a judge of it who keeps nothing from one scene to the next.
func play(t *testing.T, r rule.Rule, c fixture.Case) (scene, func(scene) verdicts) {
	t.Helper()
	phase := fixture.Updated
	if c.HasUnknown() || c.Want == "undetermined" {
		phase = fixture.Preview
	}
	stack, inputs, err := c.Stack(phase)
	require.NoError(t, err)
	var seen verdicts
	a, err := analyzer.New(analyzer.Options{
		Name: "test", Version: "1.0.0", Rules: []rule.Rule{r}, Now: func() time.Time { return today },
		Observe: func(res analyzer.Result) { seen[res.URN] = res.Verdict },
	})
	require.NoError(t, err)
	require.NoError(t, a.Configure(t.Context(), map[string]plugin.AnalyzerPolicyConfig{
		r.Name: {EnforcementLevel: apitype.Mandatory, Properties: c.Config},
	}))
	return scene{inputs, stack}, func(s scene) verdicts {
		seen = verdicts{}
		for _, in := range s.inputs {
			_, err := a.Analyze(t.Context(), in)
			require.NoError(t, err)
		}
		_, err := a.AnalyzeStack(t.Context(), s.stack)
		require.NoError(t, err)
		return seen
	}
}
