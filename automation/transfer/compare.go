package transfer

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Difference is a place where two states are not equal. It never holds a value.
type Difference struct {
	URN  string `json:"urn,omitempty"`
	Path string `json:"path"`
	What string `json:"what"`
}

func (d Difference) String() string {
	if d.URN == "" {
		return d.Path + ": " + d.What
	}
	return d.URN + ": " + d.Path + ": " + d.What
}

const (
	onlySource = "only in the source"
	onlyTarget = "only in the target"
	different  = "different"
)

// compare says where two states differ. It leaves out what is no part of what
// they describe: when and by which CLI they were written, and how their secrets
// are encrypted; secrets are compared by their values.
func compare(source, target *state) []Difference {
	c := &comparison{}
	a, b := normal(source), normal(target)
	c.list("resource", a.resources, b.resources)
	c.list("pending operation", a.pending, b.pending)
	c.values("deployment", a.rest, b.rest)
	return c.found
}

// normalised is a state as it is compared.
type normalised struct {
	resources, pending []any
	rest               object
}

func normal(s *state) normalised {
	rest := maps.Clone(s.deployment())
	delete(rest, "resources")
	delete(rest, "pending_operations")
	delete(rest, "secrets_providers")
	if manifest, ok := rest["manifest"].(object); ok {
		manifest = maps.Clone(manifest)
		// The digest is one of the version (pkg/resource/deploy/manifest.go).
		for _, key := range []string{"time", "magic", "version"} {
			delete(manifest, key)
		}
		rest["manifest"] = manifest
	}
	out := normalised{rest: pruned(rest)}
	if features, ok := s.doc["features"].([]any); ok && len(features) > 0 {
		features = slices.Clone(features)
		slices.SortFunc(features, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		out.rest["features"] = features
	}
	for _, r := range s.resources() {
		out.resources = append(out.resources, normalResource(r))
	}
	for _, p := range s.pending() {
		if operation, ok := p.(object); ok {
			operation = maps.Clone(operation)
			operation["resource"] = normalResource(operation["resource"])
			p = operation
		}
		out.pending = append(out.pending, p)
	}
	// Their order says nothing.
	slices.SortStableFunc(out.pending, func(a, b any) int { return strings.Compare(identity(a), identity(b)) })
	return out
}

// normalResource leaves out the fields of a resource that say nothing: the CLI
// does not write them, other clients may.
func normalResource(v any) any {
	r, ok := v.(object)
	if !ok {
		return v
	}
	r = pruned(r)
	if dependencies, ok := r["propertyDependencies"].(object); ok {
		dependencies = maps.Clone(dependencies)
		for k, list := range dependencies {
			if list == nil {
				dependencies[k] = []any{}
			}
		}
		r["propertyDependencies"] = dependencies
	}
	return r
}

// pruned is an object without its fields that are null, false or empty.
func pruned(o object) object {
	out := object{}
	for k, v := range o {
		switch v := v.(type) {
		case nil:
			continue
		case bool:
			if !v {
				continue
			}
		case string:
			if v == "" {
				continue
			}
		case []any:
			if len(v) == 0 {
				continue
			}
		case object:
			if len(v) == 0 || len(pruned(v)) == 0 && k != "inputs" && k != "outputs" {
				continue
			}
		}
		out[k] = v
	}
	return out
}

// identity is the URN of a resource, or of a pending operation's with its kind.
func identity(v any) string {
	o, _ := v.(object)
	if r, ok := o["resource"].(object); ok {
		urn, _ := r["urn"].(string)
		kind, _ := o["type"].(string)
		return urn + " " + kind
	}
	urn, _ := o["urn"].(string)
	return urn
}

// comparison collects differences.
type comparison struct {
	urn   string
	found []Difference
}

func (c *comparison) note(path, what string) {
	c.found = append(c.found, Difference{URN: c.urn, Path: path, What: what})
}

// list compares resources in their order, which is that of their dependencies.
func (c *comparison) list(what string, a, b []any) {
	defer func() { c.urn = "" }()
	left, right := counts(a), counts(b)
	same := true
	for _, urn := range slices.Sorted(maps.Keys(union(left, right))) {
		c.urn = urn
		switch {
		case left[urn] > right[urn]:
			c.note(what, onlySource)
			same = false
		case left[urn] < right[urn]:
			c.note(what, onlyTarget)
			same = false
		}
	}
	if !same {
		return
	}
	for i := range a {
		c.urn = identity(a[i])
		if c.urn != identity(b[i]) {
			c.note(what, "at another place in the order")
			return
		}
		c.values("", a[i], b[i])
	}
}

func counts(list []any) map[string]int {
	out := map[string]int{}
	for _, v := range list {
		out[identity(v)]++
	}
	return out
}

func union(a, b map[string]int) map[string]int {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// values compares two JSON values.
func (c *comparison) values(path string, a, b any) {
	switch x := a.(type) {
	case object:
		y, ok := b.(object)
		switch {
		case !ok:
			c.note(path, different)
		case isSecret(x) || isSecret(y):
			c.secret(path, x, y)
		default:
			c.fields(path, x, y)
		}
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			c.note(path, different)
			return
		}
		for i := range x {
			c.values(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])
		}
	default:
		if !equalScalar(a, b) {
			c.note(path, different)
		}
	}
}

func (c *comparison) fields(path string, x, y object) {
	for _, k := range slices.Sorted(maps.Keys(x)) {
		place := join(path, k)
		if _, ok := y[k]; !ok {
			c.note(place, onlySource)
			continue
		}
		c.values(place, x[k], y[k])
	}
	for _, k := range slices.Sorted(maps.Keys(y)) {
		if _, ok := x[k]; !ok {
			c.note(join(path, k), onlyTarget)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// secret compares two secrets. Their places inside are not told: a key may be a
// part of the secret.
func (c *comparison) secret(path string, x, y object) {
	inner := &comparison{}
	inner.values("", plaintext(x), plaintext(y))
	if isSecret(x) != isSecret(y) {
		c.note(path, "secret on one side only")
	} else if len(inner.found) > 0 {
		c.note(path, "different secret")
	}
}

// plaintext is a secret's value; without one, something that equals no value.
func plaintext(o object) any {
	text, ok := o["plaintext"].(string)
	if !ok {
		return &o
	}
	wrapped, err := decode([]byte(`{"v":` + text + `}`))
	if err != nil {
		return text
	}
	return wrapped["v"]
}

// number is what encoding/json.Number is here.
type number interface {
	String() string
	Float64() (float64, error)
}

// equalScalar compares what is neither list nor object. Numbers are equal
// however they are written.
func equalScalar(a, b any) bool {
	x, xNumber := a.(number)
	y, yNumber := b.(number)
	if !xNumber || !yNumber {
		return a == b
	}
	if x.String() == y.String() {
		return true
	}
	const precision = 1100 // bits: any float64, written out
	m, _, errM := big.ParseFloat(x.String(), 10, precision, big.ToNearestEven)
	n, _, errN := big.ParseFloat(y.String(), 10, precision, big.ToNearestEven)
	return errM == nil && errN == nil && m.Cmp(n) == 0
}

// keys are an object's, in order.
func keys(o object) []string { return slices.Sorted(maps.Keys(o)) }
