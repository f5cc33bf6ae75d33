package provision_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

// planned is an operation and its plan, with something in each field that counts.
func planned() (provision.Operation, provision.Plan) {
	o := provision.Operation{
		Kind: provision.KindUp, StackID: "stk_1", Blueprint: provision.BlueprintRef{Name: "box", Version: "1", Digest: "sha256:b"},
		Inputs: json.RawMessage(`{"a":1,"big":9007199254740992,"s":{"$sealed":"eA==","$fingerprint":"f1"},"list":[1,2]}`),
	}
	plan := provision.Plan{
		StateVersion: 3, PackDigests: []provision.Pack{{Name: "p", Digest: "sha256:p"}, {Name: "q", Digest: "sha256:q"}},
		Result: provision.Result{Changes: []provision.Change{
			{URN: "u1", Type: "t", Op: "create"},
			{URN: "u2", Type: "t", Op: "update", Properties: []string{"a", "b"}, Inputs: "sha256:i"},
			{URN: "u2", Type: "t", Op: "replace"},
			{URN: "u3", Type: "t", Op: "delete"},
		}},
	}
	return o, plan
}

func planDigest(t *testing.T, o provision.Operation, p provision.Plan) string {
	t.Helper()
	d, err := provision.PlanDigest(o, p)
	require.NoError(t, err)
	require.Len(t, d, len("sha256:")+64)
	return d
}

func TestPlanDigestDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	o, p := planned()
	want := planDigest(t, o, p)
	changes, err := provision.ChangeDigest(p.Changes)
	require.NoError(t, err)
	for range 100 {
		_, again := planned()
		rand.Shuffle(len(again.Changes), func(i, j int) { again.Changes[i], again.Changes[j] = again.Changes[j], again.Changes[i] })
		for _, c := range again.Changes {
			rand.Shuffle(len(c.Properties), func(i, j int) { c.Properties[i], c.Properties[j] = c.Properties[j], c.Properties[i] })
		}
		slices.Reverse(again.PackDigests)
		require.Equal(t, want, planDigest(t, o, again))
		same, err := provision.ChangeDigest(again.Changes)
		require.NoError(t, err)
		require.Equal(t, changes, same)
	}
	other := o
	other.Inputs = json.RawMessage(`{ "list":[1,2], "s":{"$fingerprint":"f1","$sealed":"another sealing"}, "big":9007199254740992, "a":1 }`)
	require.Equal(t, want, planDigest(t, other, p))
	unchanged := p
	unchanged.Changes = append(slices.Clone(p.Changes), provision.Change{URN: "u9", Type: "t", Op: "same"})
	require.Equal(t, want, planDigest(t, o, unchanged), "what stays as it is does not count")
}

func TestPlanDigestTellsOfEveryChange(t *testing.T) {
	t.Parallel()
	o, p := planned()
	seen := map[string]string{planDigest(t, o, p): "the plan itself"}
	for name, change := range map[string]func(*provision.Operation, *provision.Plan){
		"blueprint's digest":        func(o *provision.Operation, _ *provision.Plan) { o.Blueprint.Digest = "sha256:x" },
		"blueprint's version":       func(o *provision.Operation, _ *provision.Plan) { o.Blueprint.Version = "2" },
		"kind":                      func(o *provision.Operation, _ *provision.Plan) { o.Kind = provision.KindDestroy },
		"stack":                     func(o *provision.Operation, _ *provision.Plan) { o.StackID = "stk_2" },
		"an input":                  func(o *provision.Operation, _ *provision.Plan) { o.Inputs = json.RawMessage(`{"a":2}`) },
		"no inputs":                 func(o *provision.Operation, _ *provision.Plan) { o.Inputs = nil },
		"a large number, a bit off": func(o *provision.Operation, _ *provision.Plan) { replaced(o, "9007199254740992", "9007199254740993") },
		"a text for a number":       func(o *provision.Operation, _ *provision.Plan) { replaced(o, `"a":1`, `"a":"1"`) },
		"an object that looks like a number": func(o *provision.Operation, _ *provision.Plan) {
			replaced(o, `"a":1`, `"a":{"$number":"1"}`)
		},
		"an object that looks like a fingerprint": func(o *provision.Operation, _ *provision.Plan) {
			replaced(o, `{"$sealed":"eA==","$fingerprint":"f1"}`, `{"$fingerprint":"f1"}`)
		},
		"a secret":             func(o *provision.Operation, _ *provision.Plan) { replaced(o, "f1", "f2") },
		"the order of a list":  func(o *provision.Operation, _ *provision.Plan) { replaced(o, "[1,2]", "[2,1]") },
		"the state's version":  func(_ *provision.Operation, p *provision.Plan) { p.StateVersion = 4 },
		"a pack's digest":      func(_ *provision.Operation, p *provision.Plan) { p.PackDigests[0].Digest = "sha256:x" },
		"a pack less":          func(_ *provision.Operation, p *provision.Plan) { p.PackDigests = p.PackDigests[1:] },
		"a change's resource":  func(_ *provision.Operation, p *provision.Plan) { p.Changes[0].URN = "u0" },
		"a change's type":      func(_ *provision.Operation, p *provision.Plan) { p.Changes[0].Type = "x" },
		"a change's operation": func(_ *provision.Operation, p *provision.Plan) { p.Changes[0].Op = "delete" },
		"a property more":      func(_ *provision.Operation, p *provision.Plan) { p.Changes[0].Properties = []string{"c"} },
		"another property":     func(_ *provision.Operation, p *provision.Plan) { p.Changes[1].Properties[0] = "c" },
		"other values":         func(_ *provision.Operation, p *provision.Plan) { p.Changes[1].Inputs = "sha256:x" },
		"a change less":        func(_ *provision.Operation, p *provision.Plan) { p.Changes = p.Changes[1:] },
		"a change twice":       func(_ *provision.Operation, p *provision.Plan) { p.Changes = append(p.Changes, p.Changes[0]) },
		"that it refreshes":    func(o *provision.Operation, _ *provision.Plan) { o.Options.Refresh = true },
	} {
		o, p := planned()
		change(&o, &p)
		d := planDigest(t, o, p)
		require.Empty(t, seen[d], "%s has the digest of another", name)
		seen[d] = name
	}
}

func replaced(o *provision.Operation, old, with string) {
	o.Inputs = json.RawMessage(strings.Replace(string(o.Inputs), old, with, 1))
}
