package rehearse

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/internal/built"
)

// production changes each example to what a production environment would order. It
// lives under the policies of policy/profiles/prod.json.
var production = map[string]map[string]any{
	"secure-bucket":   {"replicaRegion": "eu-west-1", "retention": map[string]any{"mode": "governance", "days": 30}},
	"secure-database": {},
	"secure-function": {"replicaRegion": "eu-west-1"},
	"secure-service":  {"database": true, "allowedCidrs": []string{"203.0.113.0/24", "2001:db8::/32"}, "architecture": "X86_64"},
	"static-site":     {"region": "us-east-1", "singlePage": false, "replicaRegion": "us-west-2"},
}

// The whole life of an order of each blueprint, from preview to destroy, with the
// guide's policies and without an exemption: its example, and one for production.
func TestOrdersLiveUnderTheGuidesPolicies(t *testing.T) {
	t.Parallel()
	pack, err := built.Pack()
	require.NoError(t, err)
	for _, b := range blueprint.All {
		changes, ok := production[b.Name]
		if !ok {
			continue // the whole stack is rehearsed by the command's tests
		}
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			live(t, b, b.Inputs().Example, pack, "")
			var inputs map[string]any
			require.NoError(t, json.Unmarshal(b.Inputs().Example, &inputs))
			inputs["environment"] = "prod"
			for name, v := range changes {
				inputs[name] = v
			}
			text, err := json.Marshal(inputs)
			require.NoError(t, err)
			live(t, b, text, pack, "../../policy/profiles/prod.json")
		})
	}
}

func live(t *testing.T, b blueprint.Blueprint, inputs json.RawMessage, pack, config string) {
	t.Helper()
	report, err := Run(t.Context(), Options{
		Project: "../..", Stacks: []string{"orders"}, Blueprint: b, Inputs: inputs, Policy: pack, PolicyConfig: config,
	})
	require.NoError(t, err)
	require.Len(t, report.Stacks, 1)
	s := report.Stacks[0]
	require.Zero(t, s.Mandatory, "%v", s.Findings)
	for _, p := range s.Phases {
		require.True(t, p.OK, "%s: %s", p.Name, p.Problem)
	}
	require.True(t, report.OK)
	require.Len(t, s.Phases, 7)
	require.LessOrEqual(t, s.Phases[0].Counts["create"], b.Limits.Resources)
}

func TestAnOrderThatIsNotValidIsNotRehearsed(t *testing.T) {
	t.Parallel()
	_, err := Run(t.Context(), Options{
		Project: "../..", Stacks: []string{"orders"}, Blueprint: blueprint.SecureBucket, Inputs: json.RawMessage(`{"regoin":"x"}`),
	})
	require.ErrorContains(t, err, "/regoin: there is no such input")
	require.ErrorContains(t, err, "/region: is missing")
}
