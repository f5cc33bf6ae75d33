package rules_test

import (
	"maps"
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

// What is wrong with a program's text is told, with the rule and the resource,
// and does not stop the rest.
func TestBadInputIsToldOfAndStopsNothing(t *testing.T) {
	t.Parallel()
	role := func(properties m) []fixture.Resource {
		return []fixture.Resource{{Type: "aws:iam/policy:Policy", Name: "app", Properties: properties}}
	}
	nested := any(m{"$unknown": true})
	for range 100 {
		nested = []any{m{"deeper": nested}}
	}
	for name, c := range map[string]struct {
		resources []fixture.Resource
		says      []string // each in some finding
	}{
		"a policy that is not JSON": {role(m{"policy": `{"Statement":`}), []string{
			"iam/policy app: policy is not a policy document: it is not a JSON object", "iam-no-star-star",
		}},
		"a policy without a statement": {role(m{"policy": `{"Version":"2012-10-17"}`}), []string{"iam/policy app: policy is not a policy document: it has no Statement"}},
		"a policy of another type":     {role(m{"policy": 7}), []string{"iam/policy app: policy is not a policy document", "iam-no-star-star"}},
		"a policy longer than any":     {role(m{"policy": `{"Statement":[{"Effect":"` + strings.Repeat("x", 1<<20) + `"}]}`}), []string{"longer than AWS takes"}},
		"containers that are no list": {
			[]fixture.Resource{{Type: "aws:ecs/taskDefinition:TaskDefinition", Name: "web", Properties: m{"containerDefinitions": `{"name":"web"}`}}},
			[]string{"ecs/taskDefinition web: containerDefinitions is not a JSON list", "ecs-no-privileged-containers"},
		},
		"unknown values far down": {
			[]fixture.Resource{{Type: "aws:kms/key:Key", Name: "key", Properties: m{"policy": nested, "enableKeyRotation": nested}}},
			[]string{"kms-key-rotation-enabled on kms/key key"},
		},
		"a setting of another type": {
			[]fixture.Resource{{Type: "aws:kms/key:Key", Name: "key", Properties: m{"enableKeyRotation": []any{"yes"}}}},
			[]string{"kms-key-rotation-enabled on kms/key key"},
		},
		"a type that nobody has seen": {
			[]fixture.Resource{
				{Type: "acme:index/rocket:Rocket", Name: "x", Properties: m{"policy": 7}},
				{Type: "aws:new/thing:Thing", Name: "y", Properties: m{"a": m{"$ref": "x.id"}}},
				{Type: "aws:kms/key:Key", Name: "key", Properties: m{}},
			},
			[]string{"kms-key-rotation-enabled on kms/key key"},
		},
		"references in a circle": {
			[]fixture.Resource{
				{Type: "aws:kms/key:Key", Name: "a", Properties: m{"policy": ref("b.policy")}},
				{Type: "aws:kms/key:Key", Name: "b", Properties: m{"policy": ref("a.policy")}},
			},
			[]string{"kms-key-rotation-enabled on kms/key a", "kms-key-rotation-enabled on kms/key b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack, inputs, err := fixture.Case{Name: name, Resources: c.resources}.Stack(fixture.Preview)
			require.NoError(t, err)
			all := strings.Join(messages(send(t, pack(t, rules.All(), nil), inputs, stack)), "\n")
			require.NotContains(t, all, "broke while judging")
			for _, part := range c.says {
				require.Contains(t, all, part)
			}
		})
	}
}

// A configuration of the wrong type names the rule and the setting, for every
// setting of every rule.
func TestConfigurationOfAnotherTypeNamesTheRule(t *testing.T) {
	t.Parallel()
	client := pack(t, rules.All(), nil)
	for _, r := range rules.All() {
		for _, p := range r.Params {
			err := client.Configure(t.Context(), map[string]plugin.AnalyzerPolicyConfig{r.Name: {EnforcementLevel: rule.Advisory, Properties: m{p.Name: m{"of": []any{"another type"}}}}})
			require.ErrorContains(t, err, r.Name+": "+p.Name+" must be", "%s %s", r.Name, p.Name)
		}
	}
}

// The kinds of values that only the engine makes reach no rule as something that
// it cannot take.
func TestValuesOfTheEngineAreJudged(t *testing.T) {
	t.Parallel()
	client := pack(t, rules.All(), nil)
	values := map[string]resource.PropertyValue{
		"unknown":           resource.MakeComputed(resource.NewStringProperty("")),
		"a secret unknown":  resource.MakeSecret(resource.MakeComputed(resource.NewStringProperty(""))),
		"an unknown output": resource.NewOutputProperty(resource.Output{Secret: true}),
		"an output":         resource.NewOutputProperty(resource.Output{Element: resource.NewBoolProperty(true), Known: true}),
		"a reference":       resource.MakeCustomResourceReference("urn:pulumi:dev::p::a:b:C::d", "id", "1.0.0"),
	}
	for _, f := range fixtures(t) {
		for _, c := range f.Cases[:1] {
			for _, name := range slices.Sorted(maps.Keys(values)) {
				stack, inputs, err := c.Stack(fixture.Preview)
				require.NoError(t, err)
				for i := range inputs {
					for key := range inputs[i].Properties {
						inputs[i].Properties[key], stack[i].Properties[key] = values[name], values[name]
					}
				}
				for _, d := range send(t, client, inputs, stack) {
					require.NotContains(t, d.Message, "broke while judging", "%s: %s", f.Rule, name)
				}
			}
		}
	}
}
