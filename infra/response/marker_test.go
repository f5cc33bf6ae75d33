package response_test

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/response"
)

// parameters answers the one invoke that CheckContainment makes.
type parameters struct {
	names, values []any
	err           error
	asked         resource.PropertyMap
}

func (p *parameters) NewResource(a pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return a.Name, a.Inputs, nil
}

func (p *parameters) Call(a pulumi.MockCallArgs) (resource.PropertyMap, error) {
	p.asked = a.Args
	return resource.NewPropertyMapFromMap(map[string]any{
		"id": "/security/dev", "path": "/security/dev", "names": p.names, "values": p.values, "arns": p.names, "types": p.names,
	}), p.err
}

func TestContainmentHoldsDeployments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		there parameters
		want  []string
	}{
		{"nothing there", parameters{}, nil},
		{"other parameters", parameters{names: []any{"/security/dev/response/targets", "/security/dev/containment-active-not"}, values: []any{"{}", "x"}}, nil},
		{"two incidents", parameters{
			names:  []any{"/security/dev/containment-active/run-2", "/security/dev/containment-active/run-1", "/security/dev/response/targets"},
			values: []any{"Backdoor on function f", "Trojan on instance i", "{}"},
		}, []string{"run-1 (Trojan on instance i), run-2 (Backdoor on function f)", "approve the recovery"}},
		{"set by hand", parameters{names: []any{"/security/dev/containment-active"}, values: []any{"incident 7"}}, []string{"(incident 7)"}},
		{"no right to look", parameters{err: errors.New("AccessDenied")}, []string{"AccessDenied", "ssm:GetParametersByPath"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := pulumi.RunErr(func(ctx *pulumi.Context) error { return response.CheckContainment(ctx, "dev") }, pulumi.WithMocks("p", "s", &tc.there))
			if tc.want == nil {
				require.NoError(t, err)
			}
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.Equal(t, "/security/dev", tc.there.asked["path"].StringValue())
			require.True(t, tc.there.asked["recursive"].BoolValue())
		})
	}
}
