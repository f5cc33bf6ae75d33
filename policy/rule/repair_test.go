package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestSetToKeepsEverythingElse(t *testing.T) {
	t.Parallel()
	in := resource.PropertyMap{
		"block":  resource.NewObjectProperty(resource.PropertyMap{"on": resource.NewBoolProperty(false), "id": unknown}),
		"hidden": resource.MakeSecret(resource.NewBoolProperty(false)),
	}
	out, ok := SetTo("block.on", true)(res(in), Params{})
	require.True(t, ok)
	require.Equal(t, resource.PropertyMap{
		"block":  resource.NewObjectProperty(resource.PropertyMap{"on": resource.NewBoolProperty(true), "id": unknown}),
		"hidden": in["hidden"],
	}, out)
	require.False(t, in["block"].ObjectValue()["on"].BoolValue(), "the inputs are not changed")

	out, ok = SetTo("new.inner", "x")(res(in), Params{})
	require.True(t, ok)
	require.Equal(t, "x", out["new"].ObjectValue()["inner"].StringValue())

	out, ok = SetTo("hidden", true)(res(in), Params{})
	require.True(t, ok)
	require.Equal(t, resource.MakeSecret(resource.NewBoolProperty(true)), out["hidden"])
}

func TestSetToRefusesWhatItCannotSee(t *testing.T) {
	t.Parallel()
	in := resource.PropertyMap{
		"later": unknown, "text": resource.NewStringProperty("x"),
		"hidden": resource.MakeSecret(resource.NewObjectProperty(resource.PropertyMap{})),
	}
	for _, path := range []string{"later", "later.x", "text.x", "hidden.x"} {
		_, ok := SetTo(path, true)(res(in), Params{})
		require.False(t, ok, path)
	}
}

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
