package blueprint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"redoubt/automation/provision"
)

// validator checks documents against a schema.
type validator struct {
	schema  *jsonschema.Schema
	secrets []string
}

// newValidator compiles a schema; it panics over one that is none, which is a
// mistake in this package.
func newValidator(text json.RawMessage, secrets []string) *validator {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(fmt.Sprintf("schema of inputs: %v", err))
	}
	const name = "inputs.json"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(name, doc); err != nil {
		panic(fmt.Sprintf("schema of inputs: %v", err))
	}
	return &validator{schema: c.MustCompile(name), secrets: secrets}
}

// check lists everything that is wrong with a document, sorted by pointer.
func (v *validator) check(text json.RawMessage) []provision.FieldError {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return []provision.FieldError{{Message: "the inputs are not one JSON document: check commas, quotes and brackets"}}
	}
	failure, ok := v.schema.Validate(doc).(*jsonschema.ValidationError)
	if !ok {
		return nil
	}
	var out []provision.FieldError
	v.collect(failure, &out)
	slices.SortFunc(out, func(a, b provision.FieldError) int {
		if c := strings.Compare(a.Pointer, b.Pointer); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.Compact(out)
}

var english = message.NewPrinter(language.English)

// collect takes the leaves of the tree of errors: the branches only say that
// something below them is wrong.
func (v *validator) collect(e *jsonschema.ValidationError, out *[]provision.FieldError) {
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			v.collect(cause, out)
		}
		return
	}
	at := pointer(e.InstanceLocation)
	add := func(at, text string) { *out = append(*out, provision.FieldError{Pointer: at, Message: text}) }
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add(at+"/"+escape(name), "there is no such input")
		}
	case *kind.Required:
		for _, name := range k.Missing {
			add(at+"/"+escape(name), "is missing")
		}
	case *kind.FalseSchema:
		add(at, "there is no such input")
	case *kind.PropertyNames:
		add(at+"/"+escape(k.Property), "is not a name that may stand here")
	default:
		if v.secret(at) {
			add(at, "has not the form that is wanted (the value is a secret and is not shown)")
			return
		}
		add(at, e.ErrorKind.LocalizedString(english))
	}
}

// secret is true for a secret input and for what is in it.
func (v *validator) secret(at string) bool {
	return slices.ContainsFunc(v.secrets, func(s string) bool { return at == s || strings.HasPrefix(at, s+"/") })
}

func pointer(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteString("/" + escape(name))
	}
	return b.String()
}

// findings collects what a schema cannot say.
type findings []provision.FieldError

// refuse notes a finding where something is wrong. The pointer is of the inputs:
// "/tags/owner".
func (f *findings) refuse(wrong bool, pointer, format string, args ...any) {
	if wrong {
		*f = append(*f, provision.FieldError{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
	}
}

// lines notes an error of several lines, each a finding of its own.
func (f *findings) lines(pointer string, err error) {
	if err == nil {
		return
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		f.refuse(true, pointer, "%s", strings.TrimSpace(line))
	}
}

// index is a part of a pointer that names an item of a list.
func index(i int) string { return "/" + strconv.Itoa(i) }
