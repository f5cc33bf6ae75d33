// Package openapi reads the parts of OpenAPI 3.1 that docs/openapi.json has: to
// make a client of it, and to find what would break clients that there are.
package openapi

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Document is an API.
type Document struct {
	// Paths are by path and then by method in lower case.
	Paths      map[string]map[string]*Operation `json:"paths"`
	Components struct {
		Schemas map[string]*Schema `json:"schemas"`
	} `json:"components"`
}

// Operation is what a method of a path does.
type Operation struct {
	ID          string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Parameters  []Parameter         `json:"parameters"`
	RequestBody *Body               `json:"requestBody"`
	Responses   map[string]Response `json:"responses"`
}

// Parameter is in a path, a query or a header.
type Parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Required    bool    `json:"required"`
	Description string  `json:"description"`
	Schema      *Schema `json:"schema"`
}

// Body is a request's.
type Body struct {
	Required bool             `json:"required"`
	Content  map[string]Media `json:"content"`
}

// Response is an answer.
type Response struct {
	Content map[string]Media     `json:"content"`
	Headers map[string]Parameter `json:"headers"`
}

// Media is a body in one media type.
type Media struct {
	Schema *Schema `json:"schema"`
}

// Schema is a JSON Schema as far as we use it.
type Schema struct {
	Ref                  string             `json:"$ref"`
	Type                 Types              `json:"type"`
	Format               string             `json:"format"`
	Description          string             `json:"description"`
	Properties           map[string]*Schema `json:"properties"`
	Required             []string           `json:"required"`
	Items                *Schema            `json:"items"`
	AdditionalProperties Additional         `json:"additionalProperties"`
	Enum                 []any              `json:"enum"`
	Pattern              string             `json:"pattern"`
	Minimum              *float64           `json:"minimum"`
	Maximum              *float64           `json:"maximum"`
	MinLength            *float64           `json:"minLength"`
	MaxLength            *float64           `json:"maxLength"`
	MinItems             *float64           `json:"minItems"`
	MaxItems             *float64           `json:"maxItems"`
}

// Types are one type or several: "string", ["string", "null"]. None is any.
type Types []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Types) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = Types{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// Additional are properties that are not named: Schema is nil where there are
// none, or where they may be anything.
type Additional struct{ Schema *Schema }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Additional) UnmarshalJSON(text []byte) error {
	if string(text) == "true" || string(text) == "false" {
		return nil
	}
	return json.Unmarshal(text, &a.Schema)
}

// Read reads a document from a file.
func Read(file string) (*Document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse reads a document.
func Parse(text []byte) (*Document, error) {
	d := &Document{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("OpenAPI: %w", err)
	}
	return d, nil
}

// RefName is the name of the schema that a reference is to; empty for none.
func (s *Schema) RefName() string {
	if s == nil {
		return ""
	}
	return strings.TrimPrefix(s.Ref, "#/components/schemas/")
}

// Resolve follows a reference.
func (d *Document) Resolve(s *Schema) *Schema {
	for s != nil && s.Ref != "" {
		s = d.Components.Schemas[s.RefName()]
	}
	return s
}
