package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"redoubt/policy/rule"
)

// apiOperation is one method of one path of an OpenAPI document.
type apiOperation struct {
	// method is upper case, and ANY for the one that stands for all.
	method, label                               string
	checksBody, checksParameters, describesBody bool
}

// openAPIMethods maps the keys of a path item that are operations.
var openAPIMethods = map[string]string{
	"get": "GET", "put": "PUT", "post": "POST", "delete": "DELETE", "options": "OPTIONS", "head": "HEAD", "patch": "PATCH",
	"x-amazon-apigateway-any-method": "ANY",
}

type openAPIDocument struct {
	Validators map[string]struct {
		Body       bool `json:"validateRequestBody"`
		Parameters bool `json:"validateRequestParameters"`
	} `json:"x-amazon-apigateway-request-validators"`
	Validator string                                `json:"x-amazon-apigateway-request-validator"`
	Paths     map[string]map[string]json.RawMessage `json:"paths"`
}

type openAPIOperation struct {
	Validator   string `json:"x-amazon-apigateway-request-validator"`
	RequestBody struct {
		Ref     string                        `json:"$ref"`
		Content map[string]openAPISchemaOwner `json:"content"`
	} `json:"requestBody"`
	Parameters []openAPIParameter `json:"parameters"`
}

type openAPIParameter struct {
	openAPISchemaOwner
	In string `json:"in"`
}

type openAPISchemaOwner struct {
	Schema map[string]any `json:"schema"`
}

// describesBody reads OpenAPI 3's requestBody and version 2's body parameter.
func (o openAPIOperation) describesBody() bool {
	if o.RequestBody.Ref != "" {
		return true
	}
	for _, c := range o.RequestBody.Content {
		if len(c.Schema) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(o.Parameters, func(p openAPIParameter) bool { return p.In == "body" && len(p.Schema) > 0 })
}

// operationsOf reads the document that a REST API is made from, sorted by path
// and method. The verdict is Passed with operations, Skip without a document.
func operationsOf(body rule.Value) ([]apiOperation, rule.Verdict) {
	switch {
	case body.Empty():
		return nil, rule.Skip()
	case body.HasUnknown():
		return nil, rule.Unsure("%s is unknown", body.Path())
	}
	text, _ := body.Str()
	var doc openAPIDocument
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return nil, rule.Unsure("%s is not an OpenAPI document in JSON", body.Path())
	}
	var out []apiOperation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for _, key := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			method, is := openAPIMethods[key]
			if !is {
				continue
			}
			var o openAPIOperation
			if err := json.Unmarshal(doc.Paths[path][key], &o); err != nil {
				return nil, rule.Unreadable("an operation of %s cannot be read", body.Path())
			}
			name := o.Validator
			if name == "" {
				name = doc.Validator
			}
			v := doc.Validators[name]
			label := method + " " + path
			if body.Secret() {
				label = "an operation"
			}
			out = append(out, apiOperation{method, label, v.Body, v.Parameters, o.describesBody()})
		}
	}
	return out, rule.Pass()
}

// everyOperation is the verdict of a document whose operations must all be good.
func everyOperation(body rule.Value, good func(apiOperation) bool, what string) rule.Verdict {
	list, v := operationsOf(body)
	var bad []string
	for _, o := range list {
		if !good(o) && !slices.Contains(bad, o.label) {
			bad = append(bad, o.label)
		}
	}
	if len(bad) > 0 {
		return rule.Fail("%s in body: %s", strings.Join(bad, ", "), what)
	}
	return v
}
