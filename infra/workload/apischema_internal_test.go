package workload

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestModelName(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"order.json": "Order", "order-line.json": "OrderLine", "v2-order.json": "V2Order", "a--b.json": "AB",
	} {
		require.Equal(t, want, modelName(file))
	}
}

// Two paths with one logical name would be two resources with one URN.
func TestLogicalPathsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, path := range []string{"/orders/{id}", "/orders/id", "/orders-id", "/orders/{id}/lines", "/orders/id-lines"} {
		require.Regexp(t, pathForm, path)
		require.Empty(t, seen[logicalPath(path)], path)
		seen[logicalPath(path)] = path
	}
}

// Whatever a file holds, reading it ends without a panic, and a schema without
// findings is closed at its top.
func FuzzLoadSchema(f *testing.F) {
	f.Add(`{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","additionalProperties":false}`)
	f.Add(`{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","additionalProperties":false,"properties":{"a":{"type":"array","maxItems":1,"items":{"$ref":"#/definitions/b"}}}}`)
	f.Add(`{"properties":[],"items":1,"anyOf":[null,{"not":true}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		compact, findings := loadSchema(fstest.MapFS{"x.json": {Data: []byte(text)}}, "x.json")
		if len(findings) > 0 {
			return
		}
		var s map[string]any
		require.NoError(t, json.Unmarshal([]byte(compact), &s))
		require.Equal(t, draft4, s["$schema"])
		require.Equal(t, "object", s["type"])
		require.Equal(t, false, s["additionalProperties"])
	})
}
