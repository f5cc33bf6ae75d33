package blueprint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"redoubt/automation/blueprint"
	"redoubt/automation/provision"
)

// document is a blueprint's example, to be changed.
func document(t *testing.T, b blueprint.Blueprint) map[string]any {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(b.Inputs().Example, &doc))
	return doc
}

func text(t testing.TB, v any) json.RawMessage {
	t.Helper()
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return out
}

func pointers(found []provision.FieldError) []string {
	out := []string{}
	for _, f := range found {
		out = append(out, f.Pointer)
	}
	return out
}

// schemaNode is a schema as a client reads it.
type schemaNode struct {
	Type        string                `json:"type"`
	Description string                `json:"description"`
	Enum        []any                 `json:"enum"`
	Properties  map[string]schemaNode `json:"properties"`
	Items       *schemaNode           `json:"items"`
	MaxLength   *int                  `json:"maxLength"`
	Minimum     *float64              `json:"minimum"`
	Maximum     *float64              `json:"maximum"`
	Pattern     string                `json:"pattern"`
	WriteOnly   bool                  `json:"writeOnly"`
	Additional  json.RawMessage       `json:"additionalProperties"`
	Required    []string              `json:"required"`
}

func schemaNodeOf(t testing.TB, b blueprint.Blueprint) schemaNode {
	t.Helper()
	var s schemaNode
	require.NoError(t, json.Unmarshal(b.Inputs().Schema, &s))
	return s
}

func each(t *testing.T, test func(*testing.T, blueprint.Blueprint)) {
	t.Helper()
	for _, b := range blueprint.All {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

func TestSchemasAreSchemas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Inputs().Schema))
		require.NoError(t, err)
		require.Equal(t, "https://json-schema.org/draft/2020-12/schema", doc.(map[string]any)["$schema"])
		compiler := jsonschema.NewCompiler()
		require.NoError(t, compiler.AddResource("s.json", doc))
		_, err = compiler.Compile("s.json")
		require.NoError(t, err)
		explained(t, "", schemaNodeOf(t, b))
	})
}

// explained wants a description of every input, and objects that take no others.
func explained(t *testing.T, at string, s schemaNode) {
	t.Helper()
	if len(s.Properties) > 0 {
		require.Equal(t, "false", string(s.Additional), "%s takes what it does not know", at)
	}
	for name, p := range s.Properties {
		if len(p.Properties) == 0 && !strings.HasSuffix(at, "]") && name != "mode" && name != "id" {
			require.NotEmpty(t, p.Description, "%s/%s says nothing", at, name)
		}
		explained(t, at+"/"+name, p)
	}
	if s.Items != nil {
		explained(t, at+"[]", *s.Items)
	}
}

// An example is valid; with defaults filled in it is valid too, and stays so.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		filled, found := b.Inputs().Check(b.Inputs().Example)
		require.Empty(t, found)
		again, found := b.Inputs().Check(filled)
		require.Empty(t, found, "%s", filled)
		require.JSONEq(t, string(filled), string(again))
		var given, all map[string]any
		require.NoError(t, json.Unmarshal(b.Inputs().Example, &given))
		require.NoError(t, json.Unmarshal(filled, &all))
		require.Greater(t, len(all), len(given), "no defaults")
	})
}

// Each input of the wrong type, out of bounds or unknown is found where it is.
func TestWhatIsWrongIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		for name, p := range schemaNodeOf(t, b).Properties {
			for _, wrong := range wrongValues(p) {
				doc := document(t, b)
				doc[name] = wrong
				_, found := b.Inputs().Check(text(t, doc))
				require.NotEmpty(t, found, "%s: %.60v", name, wrong)
				require.True(t, strings.HasPrefix(pointers(found)[0], "/"), "%v", found)
				hit := false
				for _, at := range pointers(found) {
					hit = hit || at == "/"+name || strings.HasPrefix(at, "/"+name+"/")
				}
				require.True(t, hit, "%s: %.60v: %v", name, wrong, found)
			}
		}
		doc := document(t, b)
		doc["regoin"], doc["tags"] = "x", "text"
		delete(doc, "region")
		_, found := b.Inputs().Check(text(t, doc))
		require.Subset(t, pointers(found), []string{"/regoin", "/tags", "/region"}, "all at once")
		_, found = b.Inputs().Check(json.RawMessage(`{"region":`))
		require.Len(t, found, 1)
	})
}

// wrongValues are values that a schema refuses.
func wrongValues(s schemaNode) []any {
	out := []any{nil}
	if s.Type != "string" {
		out = append(out, "text")
	} else {
		out = append(out, 7)
	}
	if s.Type != "object" {
		out = append(out, map[string]any{"a": map[string]any{}})
	}
	if s.MaxLength != nil && s.Type == "string" {
		out = append(out, strings.Repeat("x", *s.MaxLength+1))
	}
	if s.Pattern != "" && s.Type == "string" {
		out = append(out, "no such text\n")
	}
	if len(s.Enum) > 0 {
		out = append(out, "none of these")
	}
	if s.Maximum != nil {
		out = append(out, *s.Maximum+1)
	}
	if s.Minimum != nil {
		out = append(out, *s.Minimum-1)
	}
	if s.Type == "object" && len(s.Properties) > 0 {
		out = append(out, map[string]any{"noSuchInput": 1})
	}
	return out
}

func TestSecretsAreWrittenAndNotShown(t *testing.T) {
	t.Parallel()
	b := blueprint.DefenseInDepth
	require.Equal(t, []string{"/pagerUrl", "/pagerDutyRoutingKey"}, b.Inputs().Secrets)
	for _, at := range b.Inputs().Secrets {
		require.True(t, schemaNodeOf(t, b).Properties[at[1:]].WriteOnly)
	}
	doc := document(t, b)
	const canary = "hunter2hunter2"
	doc["pagerUrl"] = strings.Repeat(canary, 200)
	doc["pagerDutyRoutingKey"] = map[string]any{"a": canary}
	_, found := b.Inputs().Check(text(t, doc))
	require.Equal(t, []string{"/pagerDutyRoutingKey", "/pagerUrl"}, pointers(found))
	require.NotContains(t, fmt.Sprint(found), canary)
}

// What a schema cannot say.
func TestInputsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		b      blueprint.Blueprint
		set    map[string]any
		wanted []string
	}{
		{
			blueprint.SecureBucket,
			map[string]any{"retention": map[string]any{"mode": "compliance", "days": 500}, "forceDestroy": true, "tags": map[string]any{"aws:x": "y"}},
			[]string{"/expireAfterDays", "/forceDestroy", "/retention/acknowledge", "/tags/aws:x"},
		},
		{blueprint.SecureBucket, map[string]any{"kmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1"}, []string{"/kmsKeyArn"}},
		{blueprint.SecureBucket, map[string]any{"replicaRegion": "eu-central-1"}, []string{"/replicaRegion"}},
		{blueprint.SecureFunction, map[string]any{"replicaRegion": "eu-central-1"}, []string{"/replicaRegion"}},
		{blueprint.StaticSite, map[string]any{"replicaRegion": "eu-central-1"}, []string{"/replicaRegion"}},
		{blueprint.SecureService, map[string]any{"memory": 512, "certificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/1"}, []string{"/certificateArn", "/memory"}},
		{blueprint.SecureService, map[string]any{"variables": map[string]any{"API_TOKEN": "x"}, "minTasks": 5, "maxTasks": 2}, []string{"/maxTasks", "/variables/API_TOKEN"}},
		{blueprint.SecureService, map[string]any{"allowedCidrs": []any{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.1/8"}}, []string{"/allowedCidrs/1", "/allowedCidrs/2"}},
		{blueprint.SecureService, map[string]any{"environment": "prod", "exec": true, "logDays": 31}, []string{"/exec", "/logDays"}},
		{blueprint.SecureFunction, map[string]any{"permissions": []any{map[string]any{"actions": []any{"s3:*"}, "resources": []any{"*"}}}}, []string{"/permissions/0"}},
		{blueprint.SecureFunction, map[string]any{"variables": map[string]any{"AWS_REGION": "x"}}, []string{"/variables/AWS_REGION"}},
		{blueprint.SecureDatabase, map[string]any{"minAcu": 0.7, "maxAcu": 1, "environment": "prod", "skipFinalSnapshot": true}, []string{"/minAcu", "/skipFinalSnapshot"}},
		{blueprint.StaticSite, map[string]any{"singlePage": true, "zoneId": "Z1", "certificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/1"}, []string{"/certificateArn", "/notFoundPath"}},
		{blueprint.DefenseInDepth, map[string]any{"network": map[string]any{"cidr": "10.0.0.0/8"}, "compute": map[string]any{"image": "node:latest", "cpu": 3}}, []string{"/compute/memory", "/network/cidr"}},
		{blueprint.DefenseInDepth, map[string]any{"functions": map[string]any{"dir": "/etc"}, "detection": map[string]any{"conformancePack": "/etc/passwd"}}, []string{"/detection/conformancePack", "/functions/dir"}},
	} {
		doc := document(t, tc.b)
		for name, v := range tc.set {
			doc[name] = v
		}
		_, found := tc.b.Inputs().Check(text(t, doc))
		require.Subset(t, pointers(found), tc.wanted, "%s %v: %v", tc.b.Name, tc.set, found)
	}
}

// Whatever people send, a check ends with findings or with inputs.
func TestChecksNeverPanic(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b blueprint.Blueprint) {
		r := rand.New(rand.NewPCG(1, 2))
		s := schemaNodeOf(t, b)
		for range 400 {
			doc := document(t, b)
			for name, p := range s.Properties {
				if r.IntN(4) == 0 {
					doc[name] = anything(r, p, 0)
				}
			}
			filled, found := b.Inputs().Check(text(t, doc))
			require.NotEqual(t, len(found) == 0, filled == nil, "findings or inputs, and not both")
		}
	})
}

// anything is a value that mostly fits a schema.
func anything(r *rand.Rand, s schemaNode, depth int) any {
	if r.IntN(12) == 0 || depth > 4 {
		return []any{nil, true, -1, 1.5, "", "x", []any{}, map[string]any{"a": "b"}}[r.IntN(8)]
	}
	if len(s.Enum) > 0 {
		return s.Enum[r.IntN(len(s.Enum))]
	}
	switch s.Type {
	case "boolean":
		return r.IntN(2) == 0
	case "integer":
		return r.IntN(4000) - 5
	case "number":
		return float64(r.IntN(100)) / 2
	case "string":
		return []string{"a", "arn:aws:s3:::x", "10.0.0.0/8", "eu-central-1", "x.example.org", "/p", "é\x00"}[r.IntN(7)]
	case "array":
		var out []any
		for range r.IntN(4) {
			out = append(out, anything(r, *s.Items, depth+1))
		}
		return out
	}
	out := map[string]any{}
	for name, p := range s.Properties {
		if r.IntN(2) == 0 {
			out[name] = anything(r, p, depth+1)
		}
	}
	if len(s.Properties) == 0 {
		out["KEY"] = "value"
	}
	return out
}
