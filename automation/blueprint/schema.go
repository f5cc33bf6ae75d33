package blueprint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// dialect is the JSON Schema that inputs are described in.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// schema is as much of JSON Schema as inputs need.
type schema struct {
	Dialect     string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Type        string `json:"type,omitempty"`
	Enum        []any  `json:"enum,omitempty"`
	Default     any    `json:"default,omitempty"`
	Pattern     string `json:"pattern,omitempty"`
	// Bounds are keywords with a number: minLength, maximum and so on.
	Bounds     bounds     `json:"-"`
	Items      *schema    `json:"items,omitempty"`
	Properties properties `json:"properties,omitempty"`
	Required   []string   `json:"required,omitempty"`
	// Additional is false, or the schema of a map's values.
	Additional    any     `json:"additionalProperties,omitempty"`
	PropertyNames *schema `json:"propertyNames,omitempty"`
	WriteOnly     bool    `json:"writeOnly,omitempty"`
}

// properties keep the order in which the structure declares them: a form shows
// them so.
type properties []property

type property struct {
	name string
	*schema
}

func (ps properties) find(name string) *schema {
	for _, p := range ps {
		if p.name == name {
			return p.schema
		}
	}
	return nil
}

// MarshalJSON writes an object.
func (ps properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(p.schema)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", p.name, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// bounds are numbers by keyword.
type bounds map[string]float64

// boundTags are the keywords by the tag that sets them.
var boundTags = map[string]string{
	"min": "minimum", "max": "maximum", "minLength": "minLength", "maxLength": "maxLength",
	"minItems": "minItems", "maxItems": "maxItems", "maxProperties": "maxProperties",
}

// MarshalJSON puts the bounds among the other keywords.
func (s *schema) MarshalJSON() ([]byte, error) {
	type plain schema // without this method
	text, err := json.Marshal((*plain)(s))
	if err != nil || len(s.Bounds) == 0 {
		return text, err
	}
	more, err := json.Marshal(s.Bounds)
	if err != nil {
		return nil, err
	}
	if len(text) == len("{}") {
		return more, nil
	}
	return append(append(text[:len(text)-1], ','), more[1:]...), nil
}

// schemaOf describes a structure by the tags of its fields:
//
//	json       the name; with omitempty it may be left out
//	doc        what it means
//	default    what it is where it is left out
//	enum       the choices, with commas between
//	pattern    a regular expression of a text, or of a map's or a list's texts
//	names      a regular expression of a map's keys
//	min, max   of numbers; minLength, maxLength, minItems, maxItems, maxProperties
//	secret     "true" for what may be written and never read
//
// It panics over a type that inputs cannot have: that is a mistake in this
// package, and a test finds it.
func schemaOf(t reflect.Type) *schema {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int:
		return &schema{Type: "integer"}
	case reflect.Float64:
		return &schema{Type: "number"}
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Slice:
		return &schema{Type: "array", Items: schemaOf(t.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Additional: schemaOf(t.Elem())}
	case reflect.Struct:
		s := &schema{Type: "object", Additional: false}
		for _, f := range fieldsOf(t) {
			one := schemaOf(f.Type)
			one.tagged(f)
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			if option != "omitempty" && one.Default == nil {
				s.Required = append(s.Required, name)
			}
			s.Properties = append(s.Properties, property{name, one})
		}
		return s
	}
	panic("inputs cannot be of type " + t.String())
}

// fieldsOf are a structure's fields, those of embedded ones in their place.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for i := range t.NumField() {
		switch f := t.Field(i); {
		case f.Anonymous:
			out = append(out, fieldsOf(f.Type)...)
		case f.Tag.Get("json") != "-":
			out = append(out, f)
		}
	}
	return out
}

// tagged takes over what a field's tags say.
func (s *schema) tagged(f reflect.StructField) {
	s.Description, s.WriteOnly = f.Tag.Get("doc"), f.Tag.Get("secret") == "true"
	texts := s // what enum and pattern are about
	switch values, isMap := s.Additional.(*schema); {
	case s.Items != nil:
		texts = s.Items
	case isMap:
		texts = values
	}
	texts.Pattern = f.Tag.Get("pattern")
	if choices := f.Tag.Get("enum"); choices != "" {
		for _, c := range strings.Split(choices, ",") {
			texts.Enum = append(texts.Enum, literal(f, texts.Type, c))
		}
	}
	if names := f.Tag.Get("names"); names != "" {
		s.PropertyNames = &schema{Pattern: names}
	}
	if text, ok := f.Tag.Lookup("default"); ok {
		s.Default = literal(f, s.Type, text)
	}
	for tag, keyword := range boundTags {
		text, ok := f.Tag.Lookup(tag)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(fmt.Sprintf("tag %s of %s: %v", tag, f.Name, err))
		}
		of := s
		if strings.HasSuffix(tag, "Length") {
			of = texts
		}
		if of.Bounds == nil {
			of.Bounds = bounds{}
		}
		of.Bounds[keyword] = n
	}
}

// literal is a tag's text as a value of a type.
func literal(f reflect.StructField, kind, text string) any {
	if kind == "string" {
		return text
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("a tag of %s holds %q, which is no %s", f.Name, text, kind))
	}
	return v
}

// fill puts the defaults into what is left out of a value, at every depth.
func (s *schema) fill(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, p := range s.Properties {
			inner, given := v[p.name]
			if !given && p.Default != nil {
				v[p.name] = p.Default
				continue
			}
			p.fill(inner)
		}
	case []any:
		if s.Items == nil {
			return
		}
		for _, item := range v {
			s.Items.fill(item)
		}
	}
}

// secrets are the JSON pointers of what may be written and never read.
func (s *schema) secrets(at string) []string {
	var out []string
	for _, p := range s.Properties {
		here := at + "/" + escape(p.name)
		if p.WriteOnly {
			out = append(out, here)
		}
		out = append(out, p.secrets(here)...)
	}
	return out
}

// escape writes a name as a part of a JSON pointer (RFC 6901).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }
