package rule

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

// Kind is the type of a parameter's value.
type Kind string

// The kinds, in JSON Schema's words.
const (
	Integer Kind = "integer"
	Boolean Kind = "boolean"
	String  Kind = "string"
	Strings Kind = "array" // of strings
)

// Param is one setting of a rule, as it stands in the policy pack's configuration.
type Param struct {
	Name        string
	Description string
	Kind        Kind
	// Default is the value without configuration: int, bool, string or []string.
	Default any
	// Min and Max bound an Integer; both zero means no bound.
	Min, Max int
	// Enum, where set, lists the values that a String, or each of Strings, may have.
	Enum []string
}

// Schema returns the parameter as JSON Schema.
func (p Param) Schema() map[string]any {
	s := map[string]any{"type": string(p.Kind), "description": p.Description, "default": jsonValue(p.Default)}
	if p.bounded() {
		s["minimum"], s["maximum"] = p.Min, p.Max
	}
	enum := jsonValue(p.Enum)
	switch {
	case p.Kind == Strings && len(p.Enum) > 0:
		s["items"] = map[string]any{"type": "string", "enum": enum}
	case p.Kind == Strings:
		s["items"] = map[string]any{"type": "string"}
	case len(p.Enum) > 0:
		s["enum"] = enum
	}
	return s
}

func (p Param) bounded() bool { return p.Kind == Integer && (p.Min != 0 || p.Max != 0) }

func (p Param) validate() error {
	if p.Name == "" || p.Description == "" {
		return errors.New("its Name and Description must be set")
	}
	_, err := p.decode(jsonValue(p.Default))
	return err
}

// decode turns a JSON value into the parameter's Go value.
func (p Param) decode(v any) (any, error) {
	switch p.Kind {
	case Integer:
		n, ok := v.(float64)
		if i, isInt := v.(int); isInt {
			n, ok = float64(i), true
		}
		if !ok || n != math.Trunc(n) {
			return nil, fmt.Errorf("must be a whole number, not %v", v)
		}
		if p.bounded() && (n < float64(p.Min) || n > float64(p.Max)) {
			return nil, fmt.Errorf("must be between %d and %d, not %v", p.Min, p.Max, v)
		}
		return int(n), nil
	case Boolean:
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, fmt.Errorf("must be true or false, not %v", v)
	case String:
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("must be a string, not %v", v)
		}
		return s, p.inEnum(s)
	case Strings:
		list, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("must be a list of strings, not %v", v)
		}
		out := make([]string, 0, len(list))
		for i, e := range list {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("[%d] must be a string, not %v", i, e)
			}
			if err := p.inEnum(s); err != nil {
				return nil, fmt.Errorf("[%d] %w", i, err)
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, fmt.Errorf("has the kind %q, which is not one of integer, boolean, string, array", p.Kind)
}

func (p Param) inEnum(s string) error {
	if len(p.Enum) == 0 || slices.Contains(p.Enum, s) {
		return nil
	}
	return fmt.Errorf("must be one of %s, not %q", strings.Join(p.Enum, ", "), s)
}

// Params are the decoded settings that a check gets.
type Params struct {
	values map[string]any
	now    time.Time
}

// At returns the settings with the time at which the check is made.
func (p Params) At(now time.Time) Params { p.now = now; return p }

// Now is the time at which the check is made.
func (p Params) Now() time.Time { return p.now }

// Int returns an Integer parameter, and 0 for a name that the rule does not declare.
func (p Params) Int(name string) int { v, _ := p.values[name].(int); return v }

// Bool returns a Boolean parameter, and false for a name that the rule does not declare.
func (p Params) Bool(name string) bool { v, _ := p.values[name].(bool); return v }

// Str returns a String parameter, and "" for a name that the rule does not declare.
func (p Params) Str(name string) string { v, _ := p.values[name].(string); return v }

// Strs returns a Strings parameter, and nil for a name that the rule does not declare.
func (p Params) Strs(name string) []string { v, _ := p.values[name].([]string); return v }

// Decode reads a rule's configuration over the defaults and reports every wrong
// field at once.
func Decode(decls []Param, config map[string]any) (Params, error) {
	out := Params{values: make(map[string]any, len(decls))}
	var errs []error
	known := make([]string, 0, len(decls))
	for _, d := range decls {
		known = append(known, d.Name)
		v, given := config[d.Name]
		if !given {
			v = jsonValue(d.Default)
		}
		decoded, err := d.decode(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %w", d.Name, err))
			continue
		}
		out.values[d.Name] = decoded
	}
	sort.Strings(known)
	var unknown []string
	for name := range config {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		if len(known) == 0 {
			errs = append(errs, fmt.Errorf("%s is not a setting: this policy has only enforcementLevel", name))
			continue
		}
		errs = append(errs, fmt.Errorf("%s is not a setting: this policy has %s", name, strings.Join(known, ", ")))
	}
	return out, errors.Join(errs...)
}

// jsonValue is v with the slice type that JSON and structpb use.
func jsonValue(v any) any {
	list, ok := v.([]string)
	if !ok {
		return v
	}
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
