package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rule"
	"redoubt/policy/rules"
)

// A value that is unknown may be any value, the one of the example too: where
// the example passes no rule may fail, and where it fails none may pass.
func TestUnknownNeverTurnsAVerdictRound(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(report func(string, ...any), v variant) {
		for _, known := range []bool{true, false} {
			changed := v.with(resource.MakeComputed(resource.NewStringProperty("")), known)
			for urn, before := range v.verdicts {
				after, judged := v.judge(changed)[urn]
				switch {
				case !judged, before.Outcome == rule.Undetermined:
				case before.Outcome != rule.Failed && after.Outcome == rule.Failed,
					before.Outcome == rule.Failed && after.Outcome != rule.Failed && after.Outcome != rule.Undetermined:
					report("%s unknown (dependencies known: %v): %s was %s and is %s: %s", v, known, urn.Name(), before.Outcome, after.Outcome, after.Reason())
				}
			}
		}
	})
}

// The mark of a secret says who may read a value, not what it is.
func TestSecrecyNeverChangesAVerdict(t *testing.T) {
	t.Parallel()
	eachVariant(t, func(report func(string, ...any), v variant) {
		if slices.Contains(judgeSecrecy, v.rule) {
			return
		}
		after := v.judge(v.with(resource.MakeSecret(v.value), true))
		for urn, before := range v.verdicts {
			if after[urn].Outcome != before.Outcome {
				report("%s secret: %s was %s and is %s: %s", v, urn.Name(), before.Outcome, after[urn].Outcome, after[urn].Reason())
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

// eachVariant calls the test with every value of every example of every rule,
// and shows what it reports of a rule at once.
func eachVariant(t *testing.T, test func(report func(string, ...any), v variant)) {
	t.Helper()
	files := map[string]fixture.File{}
	for _, f := range fixtures(t) {
		files[f.Rule] = f
	}
	for _, r := range rules.All() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range files[r.Name].Cases {
				s, judge := play(t, r, c)
				base := judge(s)
				for i := range s.inputs {
					places(resource.NewObjectProperty(s.inputs[i].Properties), nil, func(path resource.PropertyPath, value resource.PropertyValue) {
						test(func(format string, args ...any) { t.Errorf(format, args...) },
							variant{r.Name, c.Name, s, base, judge, i, path, value})
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
