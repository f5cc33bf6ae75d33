package openapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/internal/openapi"
)

// api is a small API that the rows change.
const api = `{"paths": {"/v1/things": {
	"get": {"operationId": "list", "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}}],
		"responses": {"200": {"headers": {"ETag": {}}, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}},
	"post": {"operationId": "make", "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}}},
		"responses": {"201": {}}}}},
"components": {"schemas": {
	"Thing": {"type": "object", "properties": {"id": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}, "required": ["id"]},
	"NewThing": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 100}, "kind": {"type": "string", "enum": ["a", "b"]}, "extra": {}, "size": {"type": "integer", "minimum": 1},
		"labels": {"type": "object", "additionalProperties": {"type": "string"}}}, "required": ["name"]}}}}`

func TestBreaking(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		old, now string
		want     string // empty for nothing
	}{
		"nothing changes":             {"", "", ""},
		"a new path":                  {`{"paths": {`, `{"paths": {"/v1/new": {},`, ""},
		"a path is gone":              {`/v1/things`, `/v1/stuff`, "GET /v1/things is gone"},
		"a method is gone":            {`"post": {`, `"put": {`, "POST /v1/things is gone"},
		"another name in the client":  {`"list"`, `"listThings"`, "is called listThings, no longer list"},
		"a parameter is gone":         {`"limit"`, `"size"`, "lacks parameter query limit"},
		"a new parameter":             {`"parameters": [`, `"parameters": [{"name": "q", "in": "query"},`, ""},
		"a new required parameter":    {`"parameters": [`, `"parameters": [{"name": "q", "in": "query", "required": true},`, "requires now parameter query q"},
		"a parameter takes less":      {`200}`, `100}`, "query limit has a lower maximum"},
		"a parameter takes more":      {`200}`, `300}`, ""},
		"another status":              {`"201"`, `"202"`, "no longer answers 201"},
		"a header is gone":            {`"ETag"`, `"X"`, "GET /v1/things 200 lacks header ETag"},
		"an answer lacks a property":  {`"id": {"type": "string"}, `, ``, "GET /v1/things 200 lacks property id"},
		"an answer has one more":      {`"id": {"type": "string"}, `, `"id": {"type": "string"}, "x": {}, `, ""},
		"an answer may lack it":       {`"required": ["id"]`, `"required": []`, "may leave out now id"},
		"an answer's type":            {`"id": {"type": "string"}`, `"id": {"type": "integer"}`, "200.id is no longer string alone"},
		"an answer may be null":       {`"id": {"type": "string"}`, `"id": {"type": ["string", "null"]}`, "200.id is no longer string alone"},
		"a request's type is wider":   {`"size": {"type": "integer"`, `"size": {"type": ["integer", "null"]`, ""},
		"a request's type":            {`"size": {"type": "integer"`, `"size": {"type": "string"`, "body.size takes string only"},
		"a request's any has a type":  {`"extra": {}`, `"extra": {"type": "object"}`, "body.extra takes object only"},
		"a request's property":        {`"extra": {},`, ``, "lacks property extra"},
		"a request has one more":      {`"extra": {},`, `"extra": {}, "more": {},`, ""},
		"a newly required property":   {`"required": ["name"]`, `"required": ["name", "kind"]`, "requires now kind"},
		"no longer required":          {`"required": ["name"]`, `"required": []`, ""},
		"fewer values":                {`["a", "b"]`, `["a"]`, "body.kind takes fewer values"},
		"more values":                 {`["a", "b"]`, `["a", "b", "c"]`, ""},
		"shorter texts":               {`"maxLength": 100`, `"maxLength": 10`, "body.name has a lower maxLength"},
		"longer texts":                {`"maxLength": 100`, `"maxLength": 1000`, ""},
		"a pattern":                   {`"maxLength": 100`, `"maxLength": 100, "pattern": "^a"`, "body.name must match ^a"},
		"a higher minimum":            {`"minimum": 1`, `"minimum": 2`, "body.size has a higher minimum"},
		"values of a map":             {`{"type": "string"}}`, `{"type": "integer"}}`, "body.labels.* takes integer only"},
		"a body that must be there":   {`"requestBody": {`, `"requestBody": {"required": true, `, "requires now a body"},
		"a body in another type":      {`"requestBody": {"content": {"application/json"`, `"requestBody": {"content": {"text/plain"`, "is no longer application/json"},
		"a description is no promise": {`"extra": {}`, `"extra": {"description": "x"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, api, row.old)
			old, err := openapi.Parse([]byte(api))
			require.NoError(t, err)
			now, err := openapi.Parse([]byte(strings.Replace(api, row.old, row.now, 1)))
			require.NoError(t, err)
			found := openapi.Breaking(old, now)
			if row.want == "" {
				require.Empty(t, found)
				return
			}
			require.Contains(t, strings.Join(found, "\n"), row.want)
		})
	}
}
