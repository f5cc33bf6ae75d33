package workload

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// draft4 is what API Gateway reads, and the only one.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
const draft4 = "http://json-schema.org/draft-04/schema#"

// laterKeywords came after draft 4: API Gateway takes a model with them and
// checks nothing of what they say.
var laterKeywords = []string{
	"const", "contains", "dependentRequired", "dependentSchemas", "else", "if", "propertyNames", "then", "unevaluatedProperties",
}

// loadSchema reads a body's schema and holds it to be closed: nothing that it
// does not name, and nothing without an end. The findings name the place as a
// JSON pointer.
func loadSchema(files fs.FS, name string) (text string, findings []error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return "", []error{fmt.Errorf("schema %s: %w (a file of Schemas)", name, err)}
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		return "", []error{fmt.Errorf("schema %s: %w (a JSON object)", name, err)}
	}
	w := schemaWalk{name: name}
	if root["$schema"] != draft4 {
		w.add("", "$schema is %v (API Gateway reads %s)", root["$schema"], draft4)
	}
	if root["type"] != "object" {
		w.add("", "type is %v (a body is an object)", root["type"])
	}
	w.schema("", root)
	// Without line breaks and blanks, which count against the model's size.
	compact, err := json.Marshal(root)
	if err != nil {
		w.add("", "%v (plain JSON)", err)
	}
	return string(compact), w.findings
}

// schemaWalk visits every schema inside a schema, in a fixed order.
type schemaWalk struct {
	name     string
	findings []error
}

func (w *schemaWalk) add(at, format string, a ...any) {
	w.findings = append(w.findings, fmt.Errorf("schema %s#%s: "+format, append([]any{w.name, at}, a...)...))
}

func (w *schemaWalk) schema(at string, s map[string]any) {
	if ref, ok := s["$ref"]; ok {
		if text, _ := ref.(string); !strings.HasPrefix(text, "#/definitions/") {
			w.add(at, "$ref is %v (#/definitions/<name>: API Gateway follows no other file)", ref)
		}
		return
	}
	for _, keyword := range laterKeywords {
		if _, used := s[keyword]; used {
			w.add(at, "%s is not in draft 4 (API Gateway would check nothing of it)", keyword)
		}
	}
	w.bounds(at, s)
	w.children(at, s)
}

// bounds wants an end for everything that a client could make long.
func (w *schemaWalk) bounds(at string, s map[string]any) {
	has := func(keyword string) bool { _, ok := s[keyword]; return ok }
	switch s["type"] {
	case "object":
		if s["additionalProperties"] != false {
			w.add(at, "additionalProperties is %v (false: what is not named is refused)", s["additionalProperties"])
		}
	case "string":
		if !has("maxLength") && !has("enum") {
			w.add(at, "a string without maxLength (say how long it may be, or an enum)")
		}
	case "array":
		if !has("maxItems") {
			w.add(at, "an array without maxItems (say how many there may be)")
		}
		if !has("items") {
			w.add(at, "an array without items (say what they are)")
		}
	case "integer", "number", "boolean", "null":
	default:
		if !has("enum") && !has("anyOf") && !has("oneOf") && !has("allOf") {
			w.add(at, "type is %v (one of object, array, string, integer, number, boolean, null)", s["type"])
		}
	}
}

func (w *schemaWalk) children(at string, s map[string]any) {
	for _, keyword := range []string{"properties", "definitions", "patternProperties"} {
		named, _ := s[keyword].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(named)) {
			w.child(at+"/"+keyword+"/"+name, named[name])
		}
	}
	for _, keyword := range []string{"anyOf", "oneOf", "allOf"} {
		list, _ := s[keyword].([]any)
		for i, one := range list {
			w.child(fmt.Sprintf("%s/%s/%d", at, keyword, i), one)
		}
	}
	for _, keyword := range []string{"items", "not"} {
		if one, ok := s[keyword]; ok {
			w.child(at+"/"+keyword, one)
		}
	}
}

func (w *schemaWalk) child(at string, value any) {
	s, ok := value.(map[string]any)
	if !ok {
		w.add(at, "not a schema (a JSON object)")
		return
	}
	w.schema(at, s)
}

// modelName makes the name of an API Gateway model, letters and digits, of a
// file's: "order-line.json" is OrderLine.
func modelName(file string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(strings.TrimSuffix(file, ".json"), func(r rune) bool { return r == '-' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
