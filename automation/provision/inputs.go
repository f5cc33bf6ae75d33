package provision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// mostInputs bounds the inputs of an order, in bytes.
const mostInputs = 256 << 10

// checkInputs finds everything that is wrong with the inputs of an order, and
// returns them with defaults filled in. No message quotes a secret.
func checkInputs(b Blueprint, inputs json.RawMessage) (json.RawMessage, findings) {
	var f findings
	if len(bytes.TrimSpace(inputs)) == 0 {
		inputs = json.RawMessage("{}")
	}
	if len(inputs) > mostInputs {
		f.add("/inputs", "has %d bytes: at most %d", len(inputs), mostInputs)
		return nil, f
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(inputs))
	if err != nil {
		f.add("/inputs", "is no JSON")
		return nil, f
	}
	marked(&f, "/inputs", value)
	schema, err := b.compiled()
	if err != nil {
		// A mistake in the blueprint: nothing can be ordered of it.
		f.add("/blueprint", "%s %s has a schema that cannot be read: tell who runs the service", b.Name, b.Version)
		return nil, f
	}
	if err := schema.Validate(value); err != nil {
		var invalid *jsonschema.ValidationError
		if !errors.As(err, &invalid) {
			f.add("/inputs", "cannot be validated")
			return nil, f
		}
		violations(&f, invalid, b.SecretInputs)
	}
	if len(f) > 0 {
		return nil, unique(f)
	}
	// What is kept is what was looked at: of a key that is there twice, one.
	text, err := json.Marshal(value)
	if err != nil {
		f.add("/inputs", "cannot be written as JSON")
		return nil, f
	}
	if b.Check == nil {
		return text, nil
	}
	complete, wrong := b.Check(text)
	for _, w := range wrong {
		f.add("/inputs"+w.Pointer, "%s", w.Message)
	}
	return complete, unique(f)
}

// compiled is the blueprint's schema.
func (b Blueprint) compiled() (*jsonschema.Schema, error) {
	text := b.Schema
	if len(text) == 0 {
		text = json.RawMessage("true")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	const place = "urn:blueprint"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(place, doc); err != nil {
		return nil, err
	}
	return c.Compile(place)
}

// inEnglish prints the validator's messages.
var inEnglish = message.NewPrinter(language.English)

// violations are the leaves of a validation's tree, each at its field.
func violations(f *findings, e *jsonschema.ValidationError, secrets []string) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			violations(f, cause, secrets)
		}
		return
	}
	at := "/inputs" + pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			f.add(at+pointer([]string{name}), "is missing")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.add(at+pointer([]string{name}), "is no input of the blueprint")
		}
	case *kind.Format:
		f.add(at, "is no valid %s", k.Want)
	case *kind.Pattern:
		f.add(at, "does not match %s", k.Want)
	default:
		if slices.ContainsFunc(secrets, func(secret string) bool { return touches(secret, e.InstanceLocation) }) {
			f.add(at, "is not what the schema allows (%s)", strings.Join(e.ErrorKind.KeywordPath(), "/"))
			return
		}
		f.add(at, "%s", e.ErrorKind.LocalizedString(inEnglish))
	}
}

// touches says whether a place is a secret's, or in or around it.
func touches(secret string, place []string) bool {
	tokens := tokens(secret)
	for i := range min(len(tokens), len(place)) {
		if tokens[i] != "*" && tokens[i] != place[i] {
			return false
		}
	}
	return true
}

// unique leaves each finding once.
func unique(f findings) findings {
	var out findings
	for _, one := range f {
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// marked finds keys that only this service writes, see sealed.
func marked(f *findings, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, of := range v {
			if k == sealedKey {
				f.add(at, "has the key %q, which only the service writes", k)
			}
			marked(f, at+pointer([]string{k}), of)
		}
	case []any:
		for i, of := range v {
			marked(f, fmt.Sprintf("%s/%d", at, i), of)
		}
	}
}

// pointer is a JSON pointer (RFC 6901) of its tokens.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}

// tokens are those of a JSON pointer.
func tokens(pointer string) []string {
	parts := strings.Split(pointer, "/")[1:]
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}
