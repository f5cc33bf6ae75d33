package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func rulesOf(blocks ...resource.PropertyMap) resource.PropertyMap {
	var items []resource.PropertyValue
	for _, b := range blocks {
		items = append(items, resource.NewObjectProperty(b))
	}
	return resource.PropertyMap{"rules": resource.NewArrayProperty(items)}
}

func TestSetInListChangesWhatWantsIt(t *testing.T) {
	t.Parallel()
	repair := SetInList("rules", "key.on", true, func(v Value) bool { s, _ := v.Get("use").Str(); return s == "kms" })
	kms, other := resource.NewStringProperty("kms"), resource.NewStringProperty("other")

	in := rulesOf(resource.PropertyMap{"use": other}, resource.PropertyMap{"use": kms, "id": unknown})
	out, ok := repair(res(in), Params{})
	require.True(t, ok)
	on := resource.NewObjectProperty(resource.PropertyMap{"on": resource.NewBoolProperty(true)})
	require.Equal(t, rulesOf(resource.PropertyMap{"use": other}, resource.PropertyMap{"use": kms, "id": unknown, "key": on}), out)
	require.Len(t, in["rules"].ArrayValue()[1].ObjectValue(), 2, "the inputs are not changed")

	for name, refused := range map[string]resource.PropertyMap{
		"nobody wants it":      rulesOf(resource.PropertyMap{"use": other}),
		"the list is unknown":  {"rules": unknown},
		"the list is secret":   {"rules": resource.MakeSecret(in["rules"])},
		"the block is unknown": rulesOf(resource.PropertyMap{"use": kms, "key": unknown}),
		"the element is secret": {"rules": resource.NewArrayProperty([]resource.PropertyValue{
			resource.MakeSecret(resource.NewObjectProperty(resource.PropertyMap{"use": kms})),
		})},
	} {
		_, ok := repair(res(refused), Params{})
		require.False(t, ok, name)
	}
}

func TestSecretsAreFoundWhereTheyStand(t *testing.T) {
	t.Parallel()
	hidden := resource.MakeSecret(resource.NewStringProperty("x"))
	in := resource.PropertyMap{
		"b": resource.NewObjectProperty(resource.PropertyMap{"inner": hidden, "open": resource.NewStringProperty("y")}),
		"a": resource.NewArrayProperty([]resource.PropertyValue{resource.NewStringProperty("z"), hidden}),
		"c": resource.MakeSecret(resource.NewObjectProperty(resource.PropertyMap{"inner": hidden})),
		"d": resource.MakeSecret(unknown),
		"e": unknown,
	}
	var found []string
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		for _, v := range res(in).Get(key).Secrets() {
			found = append(found, v.Path())
		}
	}
	require.Equal(t, []string{"a[1]", "b.inner", "c", "d"}, found)
}
