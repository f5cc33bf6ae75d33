package expression_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/response/internal/expression"
)

const document = `{"a":{"b":[{"Key":"ir:exempt","Value":"true"},{"Key":"owner","Value":"x"}],"odd name":7},"n":3,"nested":[[1,2],[3]],"json":"{\"k\":1}"}`

func scope(t *testing.T) expression.Scope {
	t.Helper()
	var in any
	require.NoError(t, json.Unmarshal([]byte(document), &in))
	return expression.Scope{Input: in, Context: map[string]any{"Execution": map[string]any{"Name": "run"}}}
}

func TestExpressionsEvaluate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"$.a.b[1].Value":    `"x"`,
		"$.a['odd name']":   `7`,
		"$$.Execution.Name": `"run"`,
		"$.a.b[?(@.Key=='ir:exempt' && @.Value=='true')].Key":     `["ir:exempt"]`,
		"$.a.b[?(@.Key!='owner')].Key":                            `["ir:exempt"]`,
		"$.a.b[?(@.Key=='none')]":                                 `[]`,
		"States.ArrayUnique(States.Array(1, 2, 1))":               `[1,2]`,
		"States.Format('a-{}', States.UUID())":                    `"a-00000000-0000-4000-8000-000000000000"`,
		"$.a.b[*].Missing":                                        `[]`,
		"$.nested[*][*]":                                          `[1,2,3]`,
		"States.Format('{}/{} it\\'s', $.n, $$.Execution.Name)":   `"3/run it's"`,
		"States.MathAdd($.n, -1)":                                 `2`,
		"States.Array($.n, States.ArrayLength($.a.b))":            `[3,2]`,
		"States.ArrayContains($.nested[0], 2)":                    `true`,
		"States.ArrayContains($.nested[0], $.n)":                  `false`,
		"States.StringToJson($.json)":                             `{"k":1}`,
		"States.JsonToString($.nested)":                           `"[[1,2],[3]]"`,
		"States.ArrayLength($.a.b[?(@.Key=='owner')])":            `1`,
		"States.Format('{}', $.a.b[0].Value)":                     `"true"`,
		"States.Array($.a.b[?(@.Key=='owner')].Value, 'literal')": `[["x"],"literal"]`,
	} {
		e, err := expression.Parse(text)
		require.NoError(t, err, text)
		got, err := expression.Eval(e, scope(t))
		require.NoError(t, err, text)
		encoded, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, want, string(encoded), text)
	}
}

func TestExpressionsFailAtRun(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"$.a.missing":               "is not there",
		"$.a.missing[*]":            "is not there",
		"States.MathAdd($.a, 1)":    "not both numbers",
		"States.Format('{}', $.a)":  "neither string nor number",
		"States.Format('{} {}', 1)": "not as many {}",
		"States.ArrayLength($.n)":   "is no array",
		"States.StringToJson($.n)":  "is no string",
	} {
		e, err := expression.Parse(text)
		require.NoError(t, err, text)
		_, err = expression.Eval(e, scope(t))
		require.ErrorContains(t, err, want, text)
	}
}

func TestMalformedExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a.b", "$.", "$.a[", "$.a[x]", "$.a[?(@.b)]", "$.a[?(@.b==1)]", "States.Nothing(1)", "States.Format",
		"States.Format('a", "States.MathAdd(1)", "States.Array(1) more", "States.Array(x)", "States.Array(1 2)", "States.UUID(1)",
	} {
		_, err := expression.Parse(text)
		require.Error(t, err, text)
	}
}

func TestReferencePathsNameOnePlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"$.a[0].b": true, "$": true, "$.a[*]": false, "$.a[?(@.b=='c')]": false} {
		p, err := expression.ParsePath(text)
		require.NoError(t, err)
		require.Equal(t, want, p.Reference(), text)
	}
}

func TestJSONataCountsTime(t *testing.T) {
	t.Parallel()
	states := map[string]any{"context": map[string]any{"Execution": map[string]any{"StartTime": "2026-01-02T03:04:05.500Z"}}}
	for text, want := range map[string]any{
		"{% $floor($toMillis($states.context.Execution.StartTime) / 1000) + 60 * 2 %}": float64(1767323165),
		"{% $fromMillis($toMillis($states.context.Execution.StartTime) - 3600000) %}":  "2026-01-02T02:04:05.500Z",
		"{% (10 - 4) / 2 - 1 %}": float64(2),
	} {
		j, err := expression.ParseJSONata(text)
		require.NoError(t, err, text)
		got, err := j.Eval(states)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"1", "{% 1 + %}", "{% $now() %}", "{% (1 %}", "{% 1 2 %}"} {
		_, err := expression.ParseJSONata(text)
		require.Error(t, err, text)
	}
	for _, text := range []string{"{% $toMillis(1) %}", "{% $floor($states.context) %}", "{% $states.none + 1 %}", "{% $fromMillis($states.context) %}"} {
		j, err := expression.ParseJSONata(text)
		require.NoError(t, err, text)
		_, err = j.Eval(states)
		require.Error(t, err, text)
	}
}
