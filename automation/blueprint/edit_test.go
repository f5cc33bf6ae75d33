package blueprint

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestEdit(t *testing.T) {
	t.Parallel()
	props := func() pulumi.Map {
		return pulumi.Map{
			"on": pulumi.Bool(true), "arn": pulumi.String("a").ToStringOutput(),
			"rules": pulumi.Array{
				pulumi.Map{"name": pulumi.String("first.one"), "days": pulumi.Int(7)},
				pulumi.Map{"name": pulumi.String("second"), "days": pulumi.Int(30)},
			},
			"flows": pulumi.Array{pulumi.String("code")},
		}
	}
	rows := map[string]struct {
		path  string
		value any
		got   func(pulumi.Map) pulumi.Input
		want  pulumi.Input
	}{
		"a property":              {"on", false, func(m pulumi.Map) pulumi.Input { return m["on"] }, pulumi.Bool(false)},
		"one that was not set":    {"off", "no", func(m pulumi.Map) pulumi.Input { return m["off"] }, pulumi.String("no")},
		"one taken away":          {"on", Gone, func(m pulumi.Map) pulumi.Input { return m["on"] }, nil},
		"an unknown one":          {"arn", "b", func(m pulumi.Map) pulumi.Input { return m["arn"] }, pulumi.String("b")},
		"of a named element":      {"rules[name=first.one].days", 1, func(m pulumi.Map) pulumi.Input { return m["rules"].(pulumi.Array)[0] }, pulumi.Map{"name": pulumi.String("first.one"), "days": pulumi.Int(1)}},
		"an element taken away":   {"rules[name=first.one]", Gone, func(m pulumi.Map) pulumi.Input { return m["rules"].(pulumi.Array)[0].(pulumi.Map)["name"] }, pulumi.String("second")},
		"of the first element":    {"rules[0].days", 2, func(m pulumi.Map) pulumi.Input { return m["rules"].(pulumi.Array)[0].(pulumi.Map)["days"] }, pulumi.Int(2)},
		"an element that is text": {"flows[code]", "implicit", func(m pulumi.Map) pulumi.Input { return m["flows"] }, pulumi.Array{pulumi.String("implicit")}},
		"a list": {
			"flows",
			[]any{"code", map[string]any{"n": 1}},
			func(m pulumi.Map) pulumi.Input { return m["flows"] },
			pulumi.Array{pulumi.String("code"), pulumi.Map{"n": pulumi.Int(1)}},
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := props()
			out, err := edit(before, map[string]any{row.path: row.value})
			require.NoError(t, err)
			require.Equal(t, row.want, row.got(out))
			require.Equal(t, pulumi.Bool(true), before["on"], "the argument stays as it is")
			require.Len(t, before["rules"], 2)
			require.Equal(t, pulumi.Int(7), before["rules"].(pulumi.Array)[0].(pulumi.Map)["days"])
		})
	}
}

// A mistake that changes nothing would be one that no rule can find.
func TestEditSaysWhatItCannotReach(t *testing.T) {
	t.Parallel()
	props := pulumi.Map{
		"arn":   pulumi.String("a").ToStringOutput(),
		"rules": pulumi.Array{pulumi.Map{"name": pulumi.String("first")}},
	}
	for path, want := range map[string]string{
		"off":                  "off is not set",
		"arn.inner":            "inner is in no known object",
		"rules[name=third]":    "no element is [name=third]",
		"missing[name=x].days": "[name=x] is in no known list",
	} {
		_, err := edit(props, map[string]any{path: Gone})
		require.ErrorContains(t, err, path+": ")
		require.ErrorContains(t, err, want)
	}
}
