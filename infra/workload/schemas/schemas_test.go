package schemas_test

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload/schemas"
)

func schema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	data, err := fs.ReadFile(schemas.Files, file)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource(file, doc))
	s, err := c.Compile(file)
	require.NoError(t, err)
	require.Equal(t, 4, s.DraftVersion)
	return s
}

func TestEveryFileIsASchema(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(schemas.Files, "*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		schema(t, f)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	s := schema(t, "order.json")
	for body, want := range map[string]string{
		`{"reference":"A-1","lines":[{"article":"X1","quantity":2}]}`:                           "",
		`{"reference":"A-1","lines":[{"article":"X1","quantity":2,"gift":true}],"note":"ring"}`: "",
		`{"reference":"A-1"}`: "lines",
		`{"reference":"A-1","lines":[{"article":"X1","quantity":2}],"price":0}`:                                                  "price",
		`{"reference":"` + strings.Repeat("A", 65) + `","lines":[{"article":"X1","quantity":2}]}`:                                "maxLength",
		`{"reference":"<script>","lines":[{"article":"X1","quantity":2}]}`:                                                       "pattern",
		`{"reference":"A-1","lines":[{"article":"X1","quantity":0}]}`:                                                            "minimum",
		`{"reference":"A-1","lines":[{"article":"X1' OR 1=1","quantity":1}]}`:                                                    "pattern",
		`{"reference":"A-1","lines":[` + strings.Repeat(`{"article":"X","quantity":1},`, 100) + `{"article":"X","quantity":1}]}`: "maxItems",
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		require.NoError(t, err, body)
		err = s.Validate(value)
		if want == "" {
			require.NoError(t, err, body)
			continue
		}
		require.ErrorContains(t, err, want, body)
	}
}
