package rehearsal

import (
	_ "embed"
	"sort"
	"strings"
	"sync"
)

// schemaText says, a line per resource type of pulumi-aws, which properties it
// has. TestSchemaIsFresh makes it from the SDK's sources:
//
//	go test ./internal/rehearsal -run TestSchemaIsFresh -update
//
// A line is "token|inputs|outputs", properties are separated by commas, and each
// is "name:K" with K one of S (text), B (boolean), N (number), L (list), M (map
// or object), A (a choice of these), followed by marks: ! required, ~ decided by AWS if not given, ^ a
// change makes a new resource (as far as the SDK's documentation says so).
//
//go:embed schema.txt
var schemaText string

// property is what the schema says of one property.
type property struct {
	kind                         byte
	required, computed, replaces bool
}

// schema is what a type's resources have.
type schema struct {
	inputs, outputs map[string]property
}

func (s schema) taggable() bool {
	return s.inputs["tags"].kind != 0 && s.outputs["tagsAll"].kind != 0
}

var (
	schemaLines = sync.OnceValue(func() []string { return strings.Split(strings.TrimSpace(schemaText), "\n") })
	schemas     sync.Map // token → schema
)

// schemaOf is the schema of a type; empty if there is no such type.
func schemaOf(token string) schema {
	if s, ok := schemas.Load(token); ok {
		return s.(schema)
	}
	s, _ := findSchema(token)
	schemas.Store(token, s)
	return s
}

// knownType is true if pulumi-aws has the type.
func knownType(token string) bool {
	_, ok := findSchema(token)
	return ok
}

func findSchema(token string) (schema, bool) {
	lines := schemaLines()
	i := sort.SearchStrings(lines, token+"|")
	if i == len(lines) || !strings.HasPrefix(lines[i], token+"|") {
		return schema{}, false
	}
	parts := strings.SplitN(lines[i], "|", 3)
	return schema{inputs: readProperties(parts[1]), outputs: readProperties(parts[2])}, true
}

func readProperties(text string) map[string]property {
	out := map[string]property{}
	for one := range strings.SplitSeq(text, ",") {
		name, marks, ok := strings.Cut(one, ":")
		if !ok {
			continue
		}
		out[name] = property{
			kind:     marks[0],
			required: strings.Contains(marks, "!"),
			computed: strings.Contains(marks, "~"),
			replaces: strings.Contains(marks, "^"),
		}
	}
	return out
}
