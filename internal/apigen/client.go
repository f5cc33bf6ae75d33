package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"maps"
	"slices"
	"strings"
	"text/template"

	"redoubt/internal/openapi"
)

//go:embed client.go.tmpl
var source string

// field is a field of a type in Go, or of a method's parameters.
type field struct {
	Name, Type, Tag, Comment string
	// Wire is the parameter's name in the query or the header.
	Wire string
}

// goType is a type in Go.
type goType struct {
	Name   string
	Fields []field
}

// method is a method of the client.
type method struct {
	Name, Comment, HTTP string
	// Path is an expression in Go.
	Path string
	// Arguments are those for the path.
	Arguments []string
	// Version says that it changes what has a version, Keyed that it starts work.
	Version, Keyed bool
	// Body is the type of what is sent, Answer that of what is answered; empty for
	// none.
	Body, Answer string
	// Params are the optional ones, in the query.
	Params []field
}

// client is the client's source.
func client(document []byte) ([]byte, error) {
	d, err := openapi.Parse(document)
	if err != nil {
		return nil, err
	}
	var data struct {
		Types   []goType
		Methods []method
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		if name != "Problem" && name != "ProblemField" { // written by hand, as errors
			data.Types = append(data.Types, typeOf(name, d.Components.Schemas[name]))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, verb := range slices.Sorted(maps.Keys(d.Paths[path])) {
			m, err := methodOf(path, verb, d.Paths[path][verb])
			if err != nil {
				return nil, err
			}
			data.Methods = append(data.Methods, m)
		}
	}
	t, err := template.New("client").Funcs(template.FuncMap{"lower": strings.ToLower}).Parse(source)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the client is no Go: %w\n%s", err, out.Bytes())
	}
	return text, nil
}

func typeOf(name string, s *openapi.Schema) goType {
	t := goType{Name: name}
	for _, property := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[property]
		f := field{Name: goName(property), Comment: p.Description, Type: goTypeOf(p), Tag: property}
		if !slices.Contains(s.Required, property) {
			f.Type, f.Tag = optional(name, f.Type, p, property)
		}
		t.Fields = append(t.Fields, f)
	}
	return t
}

// optional is the type of a property that may be missing: a pointer where its
// zero value means something else than that it is not there.
func optional(in, kind string, p *openapi.Schema, property string) (string, string) {
	switch {
	case p.Ref != "":
		return "*" + kind, property + ",omitempty"
	case kind == "time.Time":
		return kind, property + ",omitzero"
	case strings.HasSuffix(in, "Patch") && (kind == "string" || kind == "bool"), strings.HasPrefix(in, "New") && kind == "bool":
		return "*" + kind, property + ",omitempty"
	default:
		return kind, property + ",omitempty"
	}
}

// goTypeOf is a schema as a type in Go.
func goTypeOf(s *openapi.Schema) string {
	if s == nil {
		return "any"
	}
	if s.Ref != "" {
		return s.RefName()
	}
	kind := ""
	if len(s.Type) > 0 {
		kind = s.Type[0]
	}
	switch kind {
	case "string":
		if s.Format == "date-time" {
			return "time.Time"
		}
		return "string"
	case "integer":
		return "int64"
	case "number":
		return "float64"
	case "boolean":
		return "bool"
	case "array":
		return "[]" + goTypeOf(s.Items)
	case "object":
		if of := s.AdditionalProperties.Schema; of != nil && len(of.Type) == 0 && of.Ref == "" {
			return "map[string]any"
		}
		return "map[string]" + goTypeOf(s.AdditionalProperties.Schema)
	default:
		return "json.RawMessage"
	}
}

func methodOf(path, verb string, op *openapi.Operation) (method, error) {
	m := method{Name: goName(op.ID), Comment: op.Summary, HTTP: strings.ToUpper(verb), Path: fmt.Sprintf("%q", path)}
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			m.Arguments = append(m.Arguments, p.Name)
			m.Path = strings.Replace(m.Path, "{"+p.Name+"}", `" + url.PathEscape(`+p.Name+`) + "`, 1)
		case p.Name == "If-Match":
			m.Version = true
		case p.Name == "Idempotency-Key":
			m.Keyed = true
		case p.In == "query":
			m.Params = append(m.Params, field{Name: goName(p.Name), Type: goTypeOf(p.Schema), Comment: p.Description, Wire: p.Name})
		case p.Name == "Accept", p.Name == "Last-Event-ID": // those of streams, see Client.Events and Client.ExportAudit
		case p.Name == "If-None-Match": // the client keeps nothing
		default:
			return m, fmt.Errorf("%s %s: nobody knows how to send parameter %s %s", verb, path, p.In, p.Name)
		}
	}
	m.Path = strings.TrimSuffix(m.Path, ` + ""`)
	if op.RequestBody != nil {
		m.Body = goTypeOf(op.RequestBody.Content["application/json"].Schema)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if media, ok := op.Responses[status].Content["application/json"]; ok && strings.HasPrefix(status, "2") {
			m.Answer = goTypeOf(media.Schema)
		}
	}
	return m, nil
}

// initials are written in capitals.
var initials = map[string]string{"id": "ID", "url": "URL", "urn": "URN", "ttl": "TTL", "ts": "TS"}

// goName is a name as Go has it: "expires_at" is ExpiresAt.
func goName(name string) string {
	out := ""
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '-' }) {
		if all, ok := initials[part]; ok {
			out += all
			continue
		}
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}
