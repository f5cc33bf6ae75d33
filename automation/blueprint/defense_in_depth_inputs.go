package blueprint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/config"
	"redoubt/infra/singleton"
	"redoubt/infra/stack"
	"redoubt/infra/workload"
)

// serverPaths are fields of the configuration that name files of the machine
// that runs the program: whoever orders has no say about those.
var serverPaths = []string{"functions.dir", "detection.conformancePack"}

const wholeExample = `{
  "region": "eu-central-1",
  "environment": "dev",
  "domain": {"name": "app.dev.example.org", "zoneId": "Z0123456789DEVEXAMPLE"},
  "compute": {"image": "public.ecr.aws/docker/library/node:22-slim"},
  "tags": {"owner": "platform-team", "data-class": "internal", "cost-center": "1000"}
}`

// wholeInputs are the configuration of a stack (docs/config.md) as inputs: what
// an order leaves out is the default of its environment.
func wholeInputs() *Inputs {
	s := wholeSchema()
	text, secrets := encode(s), s.secrets("")
	v := newValidator(text, secrets)
	return &Inputs{
		Schema: text, Example: json.RawMessage(wholeExample), Secrets: secrets,
		Check: func(document json.RawMessage) (json.RawMessage, []provision.FieldError) {
			found := v.check(document)
			src, err := newSource(document)
			if err != nil {
				return nil, found
			}
			c, err := stack.Load(src, src.keys())
			var wrong config.Findings
			if err != nil && !errors.As(err, &wrong) {
				return nil, []provision.FieldError{{Message: err.Error()}}
			}
			if err := workload.CheckSize(c.Compute.CPU, c.Compute.Memory); err != nil && c.Layer.Workload() {
				found = append(found, provision.FieldError{Pointer: "/compute/memory", Message: err.Error()})
			}
			if found = merged(found, wrong); len(found) > 0 {
				return nil, found
			}
			return src.filled(c), nil
		},
	}
}

// merged joins what the schema and the configuration find; where both find
// something in one place, the configuration's advice is the better one.
func merged(found []provision.FieldError, wrong config.Findings) []provision.FieldError {
	at := map[string]bool{}
	var out []provision.FieldError
	for _, w := range wrong {
		f := provision.FieldError{Pointer: pointerOf(w.Field), Message: w.Reason}
		if w.Fix != "" {
			f.Message += " (" + w.Fix + ")"
		}
		at[f.Pointer] = true
		out = append(out, f)
	}
	for _, f := range found {
		if !at[f.Pointer] {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b provision.FieldError) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return out
}

var itemOf = regexp.MustCompile(`\[(\w+)\]`)

// pointerOf is a configuration field ("redoubt:api.routes[0].path") as a pointer
// into the inputs.
func pointerOf(field string) string {
	if field == "aws:region" {
		return "/region"
	}
	path := itemOf.ReplaceAllString(strings.TrimPrefix(field, config.Project+":"), ".$1")
	return "/" + strings.ReplaceAll(path, ".", "/")
}

// wholeSchema is the schema of the configuration: the structure, its comments,
// and the values that validation admits.
func wholeSchema() *schema {
	s := schemaOf(reflect.TypeFor[config.Config]())
	d := describer{allowed: config.AllowedValues(), comments: config.Comments()}
	d.describe(s, reflect.TypeFor[config.Config](), "")
	s.Dialect, s.Title, s.Description = dialect, "Inputs of defense-in-depth", ""
	where := schemaOf(reflect.TypeFor[Where]())
	s.Properties = append(properties{{"region", where.Properties.find("region")}}, s.Properties...)
	for _, k := range config.SecretKeys {
		s.Properties = append(s.Properties, property{k.Name, &schema{Type: "string", Description: k.Meaning, WriteOnly: true, Bounds: bounds{"maxLength": 2048}}})
	}
	s.Required = []string{"region", "environment"}
	return s
}

// describer adds to a schema what the configuration's source says.
type describer struct {
	allowed  map[string]config.Allowed
	comments map[string]string
}

func (d describer) describe(s *schema, t reflect.Type, prefix string) {
	s.Required = nil // what is left out is the environment's default
	s.Properties = slices.DeleteFunc(s.Properties, func(p property) bool { return slices.Contains(serverPaths, prefix+p.name) })
	for _, f := range fieldsOf(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		one := s.Properties.find(name)
		if one == nil {
			continue
		}
		path := prefix + name
		one.Description = d.comments[t.Name()+"."+f.Name]
		if a, ok := d.allowed[path]; ok {
			one.admit(a)
		}
		switch inner := f.Type; {
		case inner == reflect.TypeFor[singleton.Singleton]():
			one.Required = []string{"mode"}
			if mode := one.Properties.find("mode"); len(mode.Enum) == 0 {
				for _, m := range singleton.Modes {
					mode.Enum = append(mode.Enum, string(m))
				}
			}
		case inner.Kind() == reflect.Struct:
			one.Description = cmp.Or(one.Description, d.comments[inner.Name()])
			d.describe(one, inner, path+".")
		case inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct:
			d.describe(one, inner.Elem(), path+".")
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
			d.describe(one.Items, inner.Elem(), path+"[].")
		}
	}
}

// admit bounds a schema by what validation admits.
func (s *schema) admit(a config.Allowed) {
	if mode := s.Properties.find("mode"); mode != nil {
		s = mode
	} else if s.Items != nil {
		s = s.Items
	}
	if a.OneOf == nil {
		s.Bounds = bounds{"minimum": a.Min, "maximum": a.Max}
		return
	}
	for _, text := range a.OneOf {
		if n, err := strconv.ParseFloat(text, 64); err == nil && s.Type != "string" {
			s.Enum = append(s.Enum, n)
			continue
		}
		s.Enum = append(s.Enum, text)
	}
}

// source is an order as a configuration.
type source map[string]json.RawMessage

func newSource(document json.RawMessage) (source, error) {
	var s source
	if err := json.Unmarshal(document, &s); err != nil {
		return nil, errors.New("the inputs are no JSON object")
	}
	return s, nil
}

// GetConfig implements config.Source: a text is itself, all else is JSON.
func (s source) GetConfig(key string) (string, bool) {
	name := strings.TrimPrefix(key, config.Project+":")
	if key == "aws:region" {
		name = "region"
	}
	raw, ok := s[name]
	if !ok {
		return "", false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

func (s source) keys() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if name != "region" {
			out = append(out, config.Project+":"+name)
		}
	}
	return out
}

// filled is the order with its environment's defaults. A name that was not given
// stays so: the stack's own is used.
func (s source) filled(c config.Config) json.RawMessage {
	var all map[string]any
	if err := json.Unmarshal(encode(c), &all); err != nil {
		panic("a configuration is an object: " + err.Error()) // encode has just written it
	}
	if _, named := s["name"]; !named {
		delete(all, "name")
	}
	all["region"] = c.Region
	for _, k := range config.SecretKeys {
		if text, ok := s.GetConfig(config.Project + ":" + k.Name); ok {
			all[k.Name] = text
		}
	}
	for _, path := range serverPaths {
		section, field, _ := strings.Cut(path, ".")
		if inner, ok := all[section].(map[string]any); ok {
			delete(inner, field)
		}
	}
	return encode(withoutNulls(all))
}

// withoutNulls leaves out what is not there: null is no value of the schema.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner == nil {
				delete(v, name)
				continue
			}
			v[name] = withoutNulls(inner)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}

// orderWhole makes the program of an order of the whole stack.
func orderWhole(in func() *Inputs) func(json.RawMessage) pulumi.RunFunc {
	return func(document json.RawMessage) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			document, err := documentOf(ctx, document)
			if err != nil {
				return err
			}
			if _, found := in().Check(document); len(found) > 0 {
				return refusal(found)
			}
			src, err := newSource(document)
			if err != nil {
				return err
			}
			if _, named := src["name"]; !named {
				src["name"] = encode(physicalPrefix(ctx.Organization(), ctx.Project(), ctx.Stack(), wholeNameLength))
			}
			if err := src.setFunctions(); err != nil {
				return err
			}
			return stack.ProgramOf(src, src.keys())(ctx)
		}
	}
}

// wholeNameLength is the longest name of the whole stack.
const wholeNameLength = 15

// setFunctions names the folder of this machine's archives.
func (s source) setFunctions() error {
	section := map[string]any{}
	if raw, ok := s["functions"]; ok {
		if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&section); err != nil {
			return errors.New("functions is no object")
		}
	}
	section["dir"] = functionsFolder()
	s["functions"] = encode(section)
	return nil
}

// FunctionsVariable names the folder of the archives of the stack's own
// functions, where it is none of those that functionsFolder looks for.
const FunctionsVariable = "REDOUBT_FUNCTIONS"

// functionsFolder is where the archives of the stack's own functions are: beside
// the executable as it is shipped, else where make functions puts them.
func functionsFolder() string {
	if folder := os.Getenv(FunctionsVariable); folder != "" {
		return folder
	}
	candidates := []string{filepath.Join("dist", "functions")}
	if path, err := os.Executable(); err == nil {
		folder := filepath.Dir(path)
		candidates = []string{filepath.Join(folder, "functions"), filepath.Join(folder, "..", "dist", "functions"), candidates[0]}
	}
	for _, c := range candidates {
		if absolute, err := filepath.Abs(c); err == nil {
			if _, err := os.Stat(absolute); err == nil {
				return absolute
			}
		}
	}
	return candidates[len(candidates)-1]
}
