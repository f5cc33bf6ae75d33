package rule

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

var unknown = resource.MakeComputed(resource.NewStringProperty(""))

func res(props resource.PropertyMap) *Resource { return &Resource{Inputs: props} }

func TestValueIsThreeValued(t *testing.T) {
	t.Parallel()
	r := res(resource.PropertyMap{
		"on":     resource.NewBoolProperty(true),
		"text":   resource.NewStringProperty("false"),
		"later":  unknown,
		"hidden": resource.MakeSecret(resource.NewBoolProperty(true)),
		"output": resource.NewOutputProperty(resource.Output{Element: resource.NewNumberProperty(7), Known: true, Secret: true}),
		"open":   resource.NewOutputProperty(resource.Output{}),
		"null":   resource.NewNullProperty(),
		"block":  resource.NewArrayProperty([]resource.PropertyValue{resource.NewObjectProperty(resource.PropertyMap{"a": resource.NewStringProperty("x")})}),
	})
	for path, want := range map[string]struct {
		present, unknown, secret bool
		show                     string
	}{
		"on":      {present: true, show: "true"},
		"text":    {present: true, show: `"false"`},
		"later":   {present: true, unknown: true, show: "unknown until the update"},
		"later.x": {present: true, unknown: true, show: "unknown until the update"},
		"hidden":  {present: true, secret: true, show: "[secret]"},
		"output":  {present: true, secret: true, show: "[secret]"},
		"open":    {present: true, unknown: true, show: "unknown until the update"},
		"null":    {show: "not set"},
		"none":    {show: "not set"},
		"on.x":    {show: "not set"},
		"block.a": {present: true, show: `"x"`},
	} {
		v := r.Get(path)
		require.Equal(t, want.present, v.Present(), path)
		require.Equal(t, !want.present, v.Absent(), path)
		require.Equal(t, want.unknown, v.Unknown(), path)
		require.Equal(t, want.secret, v.Secret(), path)
		require.Equal(t, want.show, v.Show(), path)
	}

	b, ok := r.Get("text").Bool()
	require.True(t, ok)
	require.False(t, b)
	n, ok := r.Get("output").Int()
	require.True(t, ok)
	require.Equal(t, 7, n)
	_, ok = r.Get("later").Str()
	require.False(t, ok)
}

func TestValueVerdicts(t *testing.T) {
	t.Parallel()
	r := res(resource.PropertyMap{
		"yes": resource.NewBoolProperty(true), "no": resource.NewBoolProperty(false), "later": unknown,
		"empty": resource.NewArrayProperty(nil),
	})
	for name, c := range map[string]struct {
		got  Verdict
		want Outcome
	}{
		"true":              {r.Get("yes").True("x"), Passed},
		"not true":          {r.Get("no").True("x"), Failed},
		"not set":           {r.Get("none").True("x"), Failed},
		"unknown":           {r.Get("later").True("x"), Undetermined},
		"false":             {r.Get("no").False("x"), Passed},
		"unset is false":    {r.Get("none").False("x"), Passed},
		"not false":         {r.Get("yes").False("x"), Failed},
		"set":               {r.Get("no").Set("x"), Passed},
		"unknown is set":    {r.Get("later").Set("x"), Passed},
		"an empty list":     {r.Get("empty").Set("x"), Failed},
		"not set is no set": {r.Get("none").Set("x"), Failed},
	} {
		require.Equal(t, c.want, c.got.Outcome, name)
	}
}

func TestEachSpreadsLists(t *testing.T) {
	t.Parallel()
	obj := func(v resource.PropertyValue) resource.PropertyValue {
		return resource.NewObjectProperty(resource.PropertyMap{"to": v})
	}
	r := res(resource.PropertyMap{
		"rules": resource.NewArrayProperty([]resource.PropertyValue{
			obj(resource.NewStringProperty("a")), obj(unknown),
			obj(resource.NewArrayProperty([]resource.PropertyValue{resource.NewStringProperty("b"), resource.NewStringProperty("c")})),
			resource.NewObjectProperty(resource.PropertyMap{}),
		}),
		"later": unknown,
	})
	var got []string
	for _, v := range r.Each("rules.to") {
		got = append(got, v.Path()+"="+v.Show())
	}
	require.Equal(t, []string{
		`rules[0].to="a"`, "rules[1].to=unknown until the update", `rules[2].to[0]="b"`, `rules[2].to[1]="c"`,
	}, got)
	require.Len(t, r.Each("later.to"), 1)
	require.Empty(t, r.Each("none.to"))
}

func TestVerdictsCombine(t *testing.T) {
	t.Parallel()
	fail, unsure := Fail("a"), Unsure("b")
	require.Equal(t, Verdict{Outcome: Failed, Reasons: []string{"a", "c"}}, All(Pass(), fail, unsure, Fail("c"), Fail("a")))
	require.Equal(t, Undetermined, All(Pass(), unsure).Outcome)
	require.True(t, All(Unreadable("d"), unsure).Unreadable)
	require.False(t, All(Unreadable("d"), fail).Unreadable)
	require.Equal(t, Passed, All(Skip(), Pass()).Outcome)
	require.Equal(t, NotApplicable, All().Outcome)
	require.Equal(t, Passed, Any(fail, unsure, Pass()).Outcome)
	require.Equal(t, Undetermined, Any(fail, unsure).Outcome)
	require.Equal(t, Failed, Any(fail, Skip()).Outcome)
	require.Equal(t, NotApplicable, Any(Skip()).Outcome)
}
