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

func TestSetInListChangesOnlyWhatItIsAbout(t *testing.T) {
	t.Parallel()
	object := func(m resource.PropertyMap) resource.PropertyValue { return resource.NewObjectProperty(m) }
	name := func(s string) resource.PropertyMap {
		return resource.PropertyMap{"name": resource.NewStringProperty(s)}
	}
	isB := func(v Value) bool { s, _ := v.Get("name").Str(); return s == "b" }
	in := resource.PropertyMap{
		"list":   resource.NewArrayProperty([]resource.PropertyValue{object(name("a")), object(name("b"))}),
		"hidden": resource.NewArrayProperty([]resource.PropertyValue{resource.MakeSecret(object(name("b")))}),
		"later":  unknown,
	}
	out, ok := SetInList("list", "on", true, isB)(res(in), Params{})
	require.True(t, ok)
	changed := out["list"].ArrayValue()
	require.Equal(t, object(name("a")), changed[0])
	require.True(t, changed[1].ObjectValue()["on"].BoolValue())
	require.NotContains(t, in["list"].ArrayValue()[1].ObjectValue(), resource.PropertyKey("on"), "the inputs are not changed")

	for _, list := range []string{"hidden", "later", "missing"} {
		_, ok := SetInList(list, "on", true, isB)(res(in), Params{})
		require.False(t, ok, list)
	}
	_, ok = SetInList("list", "on", true, func(Value) bool { return false })(res(in), Params{})
	require.False(t, ok, "nothing to repair")
}
