package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestInTurnRepairsWhatFails(t *testing.T) {
	t.Parallel()
	short := func(r *Resource, _ Params) Verdict {
		if n, _ := r.Get("length").Int(); n < 14 {
			return Fail("short")
		}
		return Pass()
	}
	repair := InTurn(Where(short, SetTo("length", 14)), SetTo("symbols", true))
	for length, want := range map[float64]float64{8: 14, 20: 20} {
		in := resource.PropertyMap{"length": resource.NewNumberProperty(length)}
		out, ok := repair(res(in), Params{})
		require.True(t, ok)
		require.Equal(t, want, out["length"].NumberValue())
		require.True(t, out["symbols"].BoolValue())
		require.Len(t, in, 1, "the inputs are not changed")
	}
	_, ok := repair(res(resource.PropertyMap{"symbols": unknown}), Params{})
	require.False(t, ok, "one repair that is refused refuses all")
}
