package blueprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
)

// InputsKey is the configuration key that holds a stack's inputs, an object.
const InputsKey = "redoubt:inputs"

// Inputs are what an order says: a schema, an example, and what the schema
// cannot say.
type Inputs struct {
	// Schema is the JSON Schema (2020-12); secrets are "writeOnly".
	Schema json.RawMessage
	// Example is inputs that are valid.
	Example json.RawMessage
	// Secrets are the JSON pointers of those that are secret.
	Secrets []string
	// Check finds everything that is wrong with a document, all at once, and
	// returns it with defaults filled in. Pointers are into the document: "/region".
	Check func(json.RawMessage) (json.RawMessage, []provision.FieldError)
}

// parameters are inputs of a blueprint as a structure.
type parameters interface {
	// complete fills in what a default in the schema cannot say, because it
	// depends on another input.
	complete()
	// check notes what a schema cannot say.
	check(f *findings)
}

// inputsOf makes a blueprint's inputs from their structure, of which example is
// a valid document.
func inputsOf[T any, P interface {
	*T
	parameters
}](title, example string) func() *Inputs {
	return sync.OnceValue(func() *Inputs { return makeInputs[T, P](title, example) })
}

func makeInputs[T any, P interface {
	*T
	parameters
}](title, example string) *Inputs {
	s := schemaOf(reflect.TypeFor[T]())
	s.Dialect, s.Title = dialect, title
	text := encode(s)
	secrets := s.secrets("")
	v := newValidator(text, secrets)
	return &Inputs{
		Schema: text, Example: json.RawMessage(example), Secrets: secrets,
		Check: func(document json.RawMessage) (json.RawMessage, []provision.FieldError) {
			if found := v.check(document); len(found) > 0 {
				return nil, found
			}
			p, err := decode[T, P](s, document)
			if err != nil {
				return nil, []provision.FieldError{{Message: err.Error()}}
			}
			var found findings
			p.check(&found)
			if len(found) > 0 {
				return nil, found
			}
			return encode(p), nil
		},
	}
}

// decode reads a document strictly, with defaults filled in.
func decode[T any, P interface {
	*T
	parameters
}](s *schema, document json.RawMessage) (P, error) {
	var open any
	if err := json.Unmarshal(document, &open); err != nil {
		return nil, errors.New("the inputs are not one JSON document: check commas, quotes and brackets")
	}
	s.fill(open)
	decoder := json.NewDecoder(bytes.NewReader(encode(open)))
	decoder.DisallowUnknownFields()
	p := P(new(T))
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("the inputs do not fit: %s", withoutValue(err))
	}
	p.complete()
	return p, nil
}

// withoutValue says what is wrong and not with which value, which may be secret.
func withoutValue(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%s is not a %s", wrong.Field, wrong.Type)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// encode writes what this package has built; HTML escapes would make patterns
// unreadable.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", v, err)) // a mistake in this package
	}
	return bytes.TrimSpace(b.Bytes())
}

// order makes the program of a document from what it decodes to. Without a
// document it is the one in the stack's configuration, under InputsKey: an order
// with secrets never stands there, and comes in memory.
func order[T any, P interface {
	*T
	parameters
}](in func() *Inputs, deploy func(*pulumi.Context, P) error) func(json.RawMessage) pulumi.RunFunc {
	return func(document json.RawMessage) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			document, err := documentOf(ctx, document)
			if err != nil {
				return err
			}
			if _, found := in().Check(document); len(found) > 0 {
				return refusal(found)
			}
			p, err := decode[T, P](schemaOf(reflect.TypeFor[T]()), document)
			if err != nil {
				return err
			}
			return deploy(ctx, p)
		}
	}
}

// documentOf is the order in memory, or that of the stack's configuration.
func documentOf(ctx *pulumi.Context, document json.RawMessage) (json.RawMessage, error) {
	if len(document) > 0 {
		return document, nil
	}
	text, ok := ctx.GetConfig(InputsKey)
	if !ok {
		return nil, fmt.Errorf("the stack has no inputs: set %s to an object", InputsKey)
	}
	return json.RawMessage(text), nil
}

// refusal is all findings as one error of a program.
func refusal(found []provision.FieldError) error {
	var b strings.Builder
	b.WriteString("the inputs are not valid:")
	for _, f := range found {
		fmt.Fprintf(&b, "\n  %s: %s", strings.TrimPrefix(f.Pointer, "/"), f.Message)
	}
	return errors.New(b.String())
}
