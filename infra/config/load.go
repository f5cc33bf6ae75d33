package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/agext/levenshtein"
)

// Source is where values come from: a Pulumi context, or a stack's file.
type Source interface {
	// GetConfig returns the value under a full key ("redoubt:network"): text
	// for a scalar, JSON for an object or an array.
	GetConfig(key string) (string, bool)
}

// Load decodes the configuration strictly over the environment's defaults and
// validates it. keys are all full keys that the stack sets; one in the
// project's namespace that does not exist is a finding, because a misspelt key
// would otherwise switch a control off unseen. The error is of type Findings
// and lists everything that is wrong.
func Load(src Source, keys []string) (Config, error) {
	var found Findings
	env, _ := src.GetConfig(Project + ":environment")
	c := Defaults(Environment(env))
	if layer, ok := src.GetConfig(Project + ":layer"); ok {
		c = c.inLayer(Layer(layer))
	}
	root := reflect.ValueOf(&c).Elem()

	known := map[string]reflect.Value{}
	for i := range root.NumField() {
		if name := jsonName(root.Type().Field(i)); name != "" {
			known[name] = root.Field(i)
		}
	}
	for _, name := range sortedKeys(known) {
		if text, ok := src.GetConfig(Project + ":" + name); ok {
			decode(name, rawJSON(known[name], text), known[name], &found)
		}
	}
	for _, key := range keys {
		name, ours := strings.CutPrefix(key, Project+":")
		if _, ok := known[name]; ours && !ok && !isSecret(name) {
			found.add(name, "there is no such key", didYouMean(name, sortedKeys(known)))
		}
	}
	c.Region, _ = src.GetConfig("aws:region")
	found = append(found, c.validate()...)
	sort.SliceStable(found, func(i, j int) bool { return found[i].Field < found[j].Field })
	return c, found.orNil()
}

// rawJSON turns a scalar's plain text into JSON; objects and arrays are JSON already.
func rawJSON(v reflect.Value, text string) json.RawMessage {
	if v.Kind() == reflect.String {
		quoted, _ := json.Marshal(text) // a string always marshals
		return quoted
	}
	return json.RawMessage(text)
}

// decode writes raw into v, field by field, so that every unknown field and
// every value of the wrong type is found, not only the first.
func decode(path string, raw json.RawMessage, v reflect.Value, found *Findings) {
	switch {
	case v.Kind() == reflect.Struct:
		decodeStruct(path, raw, v, found)
	case v.Kind() == reflect.Pointer && string(raw) != "null":
		fresh := reflect.New(v.Type().Elem())
		decode(path, raw, fresh.Elem(), found)
		v.Set(fresh)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		decodeList(path, raw, v, found)
	default:
		fresh := reflect.New(v.Type())
		if err := json.Unmarshal(raw, fresh.Interface()); err != nil {
			found.add(path, fmt.Sprintf("%s is not %s", abbreviate(raw), Describe(v.Type())), "write "+Describe(v.Type()))
			return
		}
		v.Set(fresh.Elem())
	}
}

func decodeStruct(path string, raw json.RawMessage, v reflect.Value, found *Findings) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		found.add(path, fmt.Sprintf("%s is not an object", abbreviate(raw)), "write a map of fields")
		return
	}
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		fields[jsonName(v.Type().Field(i))] = v.Field(i)
	}
	for _, name := range sortedKeys(object) {
		field, ok := fields[name]
		if !ok {
			found.add(path+"."+name, "there is no such field", didYouMean(name, sortedKeys(fields)))
			continue
		}
		decode(path+"."+name, object[name], field, found)
	}
}

// decodeList replaces a list of objects as a whole: a stack's list is not
// merged with the default one.
func decodeList(path string, raw json.RawMessage, v reflect.Value, found *Findings) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		found.add(path, fmt.Sprintf("%s is not a list", abbreviate(raw)), "write a list of maps")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		decode(fmt.Sprintf("%s[%d]", path, i), item, list.Index(i), found)
	}
	v.Set(list)
}

func isSecret(name string) bool {
	return slices.ContainsFunc(SecretKeys, func(k SecretKey) bool { return k.Name == name })
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// Describe says in words what a field of that type takes: "a whole number".
func Describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list of " + plural(t.Elem())
	case reflect.Map:
		return "a map of " + plural(t.Elem())
	default:
		return "a text"
	}
}

func plural(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float64, reflect.Int:
		return "numbers"
	case reflect.Slice:
		return "lists"
	case reflect.Struct:
		return "maps"
	default:
		return "texts"
	}
}

func abbreviate(raw json.RawMessage) string {
	const limit = 60
	text := strings.Join(strings.Fields(string(raw)), " ")
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}

func didYouMean(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := levenshtein.Distance(name, k, nil); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known: " + strings.Join(known, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		if k != "" {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}
