package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var declared = []Param{
	{Name: "days", Kind: Integer, Default: 30, Min: 7, Max: 30, Description: "Days."},
	{Name: "strict", Kind: Boolean, Default: false, Description: "Strict."},
	{Name: "mode", Kind: String, Default: "a", Enum: []string{"a", "b"}, Description: "Mode."},
	{Name: "names", Kind: Strings, Default: []string{"x"}, Enum: []string{"x", "y"}, Description: "Names."},
}

func TestDecodeFillsDefaults(t *testing.T) {
	t.Parallel()
	p, err := Decode(declared, map[string]any{"days": float64(14), "names": []any{"y"}})
	require.NoError(t, err)
	require.Equal(t, 14, p.Int("days"))
	require.False(t, p.Bool("strict"))
	require.Equal(t, "a", p.Str("mode"))
	require.Equal(t, []string{"y"}, p.Strs("names"))
	require.Zero(t, p.Int("undeclared"))
}

func TestDecodeReportsEveryField(t *testing.T) {
	t.Parallel()
	_, err := Decode(declared, map[string]any{
		"days": 3.5, "strict": "yes", "mode": "c", "names": []any{"x", "z"}, "extra": 1,
	})
	for _, want := range []string{
		"days must be a whole number, not 3.5", "strict must be true or false, not yes", `mode must be one of a, b, not "c"`,
		`names [1] must be one of x, y, not "z"`, "extra is not a setting: this policy has days, mode, names, strict",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = Decode(declared, map[string]any{"days": 99})
	require.EqualError(t, err, "days must be between 7 and 30, not 99")
	_, err = Decode(nil, map[string]any{"x": 1})
	require.EqualError(t, err, "x is not a setting: this policy has only enforcementLevel")
}

func TestParamSchema(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]any{"type": "integer", "description": "Days.", "default": 30, "minimum": 7, "maximum": 30}, declared[0].Schema())
	require.Equal(t, map[string]any{
		"type": "array", "description": "Names.", "default": []any{"x"},
		"items": map[string]any{"type": "string", "enum": []any{"x", "y"}},
	}, declared[3].Schema())
}

func TestRuleValidateReportsEverything(t *testing.T) {
	t.Parallel()
	err := Rule{Name: "Bad Name", Guide: nil, Params: []Param{{Name: "n", Kind: Integer, Default: "x", Description: "d"}}}.Validate()
	for _, want := range []string{
		"kebab-case", "Summary, Fix and URL", "at least one resource type", "exactly one of Check and CheckStack",
		"Severity", "Level", `parameter "n": must be a whole number`,
	} {
		require.ErrorContains(t, err, want)
	}
}
