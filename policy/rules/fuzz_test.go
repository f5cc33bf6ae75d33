package rules_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/require"

	"redoubt/policy/analyzer"
	"redoubt/policy/fixture"
	"redoubt/policy/rules"
)

// FuzzAnalyzer gives the whole catalogue stacks of examples that lost what they
// had in random places: values of every kind, of every depth, references in
// circles, types and properties of others. Every rule answers, the answers do
// not depend on the order of the resources, and no secret is in them.
func FuzzAnalyzer(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(binary.BigEndian.AppendUint64(nil, seed))
	}
	var cases []fixture.Case
	for _, file := range fixtures(f) {
		cases = append(cases, file.Cases...)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var seed [32]byte
		copy(seed[:], data)
		g := chaos{rand.New(rand.NewChaCha8(seed)), cases}
		s := g.scene(t)
		judged := func() []string {
			a, err := analyzer.New(analyzer.Options{Name: "test", Version: "1.0.0", Rules: rules.All()})
			require.NoError(t, err)
			var out []string
			take := func(res plugin.AnalyzeResponse, err error) {
				require.NoError(t, err)
				for _, d := range res.Diagnostics {
					require.NotContains(t, d.Message, "broke while judging")
					require.NotContains(t, d.Message, confidential)
					out = append(out, fmt.Sprintf("%s %s %s", d.PolicyName, d.URN, d.Message))
				}
			}
			for _, in := range s.inputs {
				take(a.Analyze(t.Context(), in))
			}
			take(a.AnalyzeStack(t.Context(), s.stack))
			slices.Sort(out)
			return out
		}
		first := judged()
		g.Shuffle(len(s.inputs), func(i, j int) {
			s.inputs[i], s.inputs[j] = s.inputs[j], s.inputs[i]
			s.stack[i], s.stack[j] = s.stack[j], s.stack[i]
		})
		require.Equal(t, first, judged(), "the order of the resources shows")
	})
}

// confidential is the text of every secret of the random stacks.
const confidential = "s3cr3t-t3xt"

// chaos makes random stacks.
type chaos struct {
	*rand.Rand
	cases []fixture.Case
}

func (g chaos) scene(t *testing.T) scene {
	t.Helper()
	var out scene
	seen := map[resource.URN]bool{}
	for range 1 + g.IntN(4) {
		stack, inputs, err := g.cases[g.IntN(len(g.cases))].Stack(fixture.Phase(g.IntN(2)))
		require.NoError(t, err)
		for i, in := range inputs {
			if seen[in.URN] {
				continue
			}
			seen[in.URN] = true
			in.Properties = g.upset(resource.NewObjectProperty(in.Properties), 0).ObjectValue()
			res := stack[i]
			res.Properties = g.upset(resource.NewObjectProperty(res.Properties), 0).ObjectValue()
			out.inputs, out.stack = append(out.inputs, in), append(out.stack, res)
		}
	}
	for i := range out.stack {
		for key := range out.stack[i].Properties {
			if g.IntN(4) == 0 { // also in circles
				if out.stack[i].PropertyDependencies == nil {
					out.stack[i].PropertyDependencies = map[resource.PropertyKey][]resource.URN{}
				}
				out.stack[i].PropertyDependencies[key] = []resource.URN{out.stack[g.IntN(len(out.stack))].URN}
			}
		}
	}
	return out
}

// upset is the value with others in some places; the outermost stays an object.
func (g chaos) upset(v resource.PropertyValue, depth int) resource.PropertyValue {
	if depth > 0 && g.IntN(12) == 0 {
		return g.value(depth)
	}
	switch {
	case v.IsObject():
		out := resource.PropertyMap{}
		for _, k := range v.ObjectValue().StableKeys() {
			out[k] = g.upset(v.ObjectValue()[k], depth+1)
		}
		return resource.NewObjectProperty(out)
	case v.IsArray():
		var out []resource.PropertyValue
		for _, e := range v.ArrayValue() {
			out = append(out, g.upset(e, depth+1))
		}
		return resource.NewArrayProperty(out)
	default:
		return v
	}
}

var oddTexts = []string{
	"", "*", "{", "[]", "null", "0.0.0.0/0", "::/0", "arn:aws:s3:::", "arn:::::", "a:b", "true", "-1", "\x00", "${a}", "1e999",
	`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}`, `[{"name":"a"}]`, `{"source":["aws.s3"]}`, "{ $.a = 1 }", "ALL", "Enabled",
}

func (g chaos) value(depth int) resource.PropertyValue {
	kinds := 13
	if depth > 6 {
		kinds = 9
	}
	switch g.IntN(kinds) {
	case 0:
		return resource.NewNullProperty()
	case 1:
		return resource.NewBoolProperty(g.IntN(2) == 0)
	case 2:
		return resource.NewNumberProperty([]float64{0, -1, 0.5, 65536, math.MaxFloat64, math.Inf(1), math.NaN()}[g.IntN(7)])
	case 3, 4:
		return resource.NewStringProperty(oddTexts[g.IntN(len(oddTexts))])
	case 5:
		return resource.MakeComputed(resource.NewStringProperty(""))
	case 6:
		return resource.MakeSecret(resource.NewStringProperty(confidential))
	case 7:
		a, err := asset.FromText("text")
		if err != nil {
			panic(err)
		}
		return resource.NewAssetProperty(a)
	case 8:
		a, err := archive.FromAssets(map[string]any{})
		if err != nil {
			panic(err)
		}
		return resource.NewArchiveProperty(a)
	case 9:
		return resource.NewOutputProperty(resource.Output{Element: g.value(depth + 1), Known: g.IntN(2) == 0, Secret: g.IntN(2) == 0})
	case 10:
		return resource.NewResourceReferenceProperty(resource.ResourceReference{URN: "urn:pulumi:dev::fixture::a:b:C::d", ID: g.value(depth + 1)})
	case 11:
		return resource.NewArrayProperty([]resource.PropertyValue{g.value(depth + 1), g.value(depth + 1)})
	default:
		return resource.NewObjectProperty(resource.PropertyMap{"a": g.value(depth + 1), "name": g.value(depth + 1), "*": g.value(depth + 1)})
	}
}
