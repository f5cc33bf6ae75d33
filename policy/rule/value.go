package rule

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Value is a property as a rule may see it: absent, known, or present with a
// value that is unknown until the update. Reading never panics. A secret reads
// like any other value, and prints as "[secret]".
type Value struct {
	v      resource.PropertyValue
	path   string
	secret bool
	reads  Reads // nil but where somebody watches
}

func newValue(v resource.PropertyValue, path string, secret bool) Value {
	for {
		switch {
		case v.IsSecret():
			v, secret = v.SecretValue().Element, true
		case v.IsOutput():
			o := v.OutputValue()
			secret = secret || o.Secret
			if !o.Known {
				return Value{v: resource.MakeComputed(resource.NewStringProperty("")), path: path, secret: secret}
			}
			v = o.Element
		default:
			return Value{v: v, path: path, secret: secret}
		}
	}
}

// child is a value that stands in v.
func (v Value) child(of resource.PropertyValue, path string) Value {
	out := newValue(of, path, v.secret)
	out.reads = v.reads
	return out
}

// Path is where the value stands, for example "ingress[0].cidrBlocks".
func (v Value) Path() string { return v.path }

// Absent says that the property is not set.
func (v Value) Absent() bool { return v.read().IsNull() }

// Present says that the property is set, to a known value or an unknown one.
func (v Value) Present() bool { return !v.read().IsNull() }

// Unknown says that the property is set to a value that the update will bring.
func (v Value) Unknown() bool { return v.v.IsComputed() }

// Secret says that the value is marked secret, itself or around it.
func (v Value) Secret() bool { return v.secret }

// Get walks a dotted path of property names. A list on the way that holds one
// element is entered: the provider bridge gives some single blocks as objects
// and some as lists of one. Below an unknown value everything is unknown.
func (v Value) Get(path string) Value {
	for _, key := range strings.Split(path, ".") {
		v = v.field(key)
	}
	return v
}

func (v Value) field(key string) Value {
	if v.v.IsArray() && len(v.v.ArrayValue()) == 1 {
		v = v.items()[0]
	}
	path := key
	if v.path != "" {
		path = v.path + "." + key
	}
	switch {
	case v.Unknown():
		return v.child(v.v, path)
	case v.v.IsObject():
		return v.child(v.v.ObjectValue()[resource.PropertyKey(key)], path)
	default:
		return v.child(resource.NewNullProperty(), path)
	}
}

// Key returns one entry of a map, such as a tag, whose name may hold dots.
func (v Value) Key(key string) Value { return v.field(key) }

// Items returns a list's elements. A single value is a list of one, an absent
// one is empty, and an unknown list is one unknown element.
func (v Value) Items() []Value {
	v.read()
	return v.items()
}

func (v Value) items() []Value {
	switch {
	case v.v.IsNull():
		return nil
	case v.v.IsArray():
		list := v.v.ArrayValue()
		out := make([]Value, len(list))
		for i, e := range list {
			out[i] = v.child(e, fmt.Sprintf("%s[%d]", v.path, i))
		}
		return out
	default:
		return []Value{v}
	}
}

// Empty says that the value is absent, or known to be "", [] or {}.
func (v Value) Empty() bool {
	switch {
	case v.Absent():
		return true
	case v.v.IsString():
		return v.v.StringValue() == ""
	case v.v.IsArray():
		return len(v.v.ArrayValue()) == 0
	case v.v.IsObject():
		return len(v.v.ObjectValue()) == 0
	default:
		return false
	}
}

// Str returns a known string; ok is false where the value is absent, unknown or
// of another type.
func (v Value) Str() (s string, ok bool) {
	if v.read().IsString() {
		return v.v.StringValue(), true
	}
	return "", false
}

// Bool returns a known truth value. The strings "true" and "false" count: the
// provider keeps some truth values as strings.
func (v Value) Bool() (b, ok bool) {
	if v.read().IsBool() {
		return v.v.BoolValue(), true
	}
	if s, isStr := v.Str(); isStr && (s == "true" || s == "false") {
		return s == "true", true
	}
	return false, false
}

// Int returns a known whole number. A string of digits counts.
func (v Value) Int() (n int, ok bool) {
	if v.read().IsNumber() && v.v.NumberValue() == math.Trunc(v.v.NumberValue()) {
		return int(v.v.NumberValue()), true
	}
	if s, isStr := v.Str(); isStr {
		n, err := strconv.Atoi(s)
		return n, err == nil
	}
	return 0, false
}

// HasUnknown says that the value is unknown, or holds an unknown value somewhere.
func (v Value) HasUnknown() bool { return v.Unknown() || v.read().ContainsUnknowns() }

// Show returns the value for a message: quoted, and never a secret.
func (v Value) Show() string {
	switch {
	case v.Absent():
		return "not set"
	case v.secret:
		return "[secret]"
	case v.Unknown():
		return "unknown until the update"
	case v.v.IsString():
		return strconv.Quote(v.v.StringValue())
	case v.v.IsBool():
		return strconv.FormatBool(v.v.BoolValue())
	case v.v.IsNumber():
		return strconv.FormatFloat(v.v.NumberValue(), 'f', -1, 64)
	case v.v.IsArray():
		parts := make([]string, 0, len(v.v.ArrayValue()))
		for _, e := range v.Items() {
			parts = append(parts, e.Show())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return "an object"
	}
}

// True is the verdict of a property that must be true. what says what a
// violation means.
func (v Value) True(what string) Verdict { return v.is(true, what) }

// False is the verdict of a property that must be false or not set.
func (v Value) False(what string) Verdict {
	if v.Absent() {
		return Pass()
	}
	return v.is(false, what)
}

func (v Value) is(want bool, what string) Verdict {
	if v.Unknown() {
		return Unsure("%s is unknown", v.path)
	}
	if b, ok := v.Bool(); ok && b == want {
		return Pass()
	}
	return Fail("%s is %s: %s", v.path, v.Show(), what)
}

// Set is the verdict of a property that must have a value; one that is unknown
// until the update is a value.
func (v Value) Set(what string) Verdict {
	if v.Empty() {
		return Fail("%s is not set: %s", v.path, what)
	}
	return Pass()
}

// Each walks a dotted path and spreads every list on the way, the last one too:
// "rules.destination.bucket" gives the bucket of every rule. An unknown list
// gives one unknown value. Absent values are left out. A * stands for every
// property of an object whose names are the program's own, sorted by name:
// "requestModels.*".
func (v Value) Each(path string) []Value {
	level := v.items()
	for _, key := range strings.Split(path, ".") {
		var next []Value
		for _, e := range level {
			for _, f := range e.named(key) {
				next = append(next, f.items()...)
			}
		}
		level = next
	}
	return level
}

// Decoded returns the list or object that a text holds as JSON, and any other
// value as it is: the inputs of a provider carry lists and objects as text.
func (v Value) Decoded() Value {
	str, ok := v.Str()
	if !ok || !strings.HasPrefix(str, "[") && !strings.HasPrefix(str, "{") {
		return v
	}
	var decoded any
	if err := json.Unmarshal([]byte(str), &decoded); err != nil {
		return v
	}
	return Value{v: resource.NewPropertyValue(decoded), path: v.path, secret: v.secret}
}
