package graphtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Graph is what a program registered: resources in tree order (children after
// their parent, siblings by type and name) and the invokes that it made.
type Graph struct {
	Resources []*Resource
	Calls     []Call

	t testing.TB
}

// Call is one invoke, for example aws:index/getAvailabilityZones:getAvailabilityZones.
type Call struct {
	Token    string
	Args     resource.PropertyMap
	Provider string
}

// Resource is one registration: a custom resource, a component, or a read.
type Resource struct {
	URN, Type, Name, ID string
	// Parent is the parent's URN; the root stack for resources without one.
	Parent string
	// Depth is 0 below the root stack.
	Depth int
	// Provider is the explicit provider's reference "urn::id", or "".
	Provider string
	// Custom is false for components.
	Custom bool
	// Read is true for a resource that was looked up and is not managed.
	Read bool
	// Inputs hold unknowns and secrets as such.
	Inputs resource.PropertyMap
	// Outputs are what the mock answered.
	Outputs resource.PropertyMap
	// DependsOn are the URNs of all dependencies, those by property included,
	// sorted. The SDK writes a dependency on a component as one on the children
	// that it has by then, and children join it concurrently (getOpts in
	// sdk/go/pulumi/context.go): depend on the resources themselves, or the
	// dependency is sometimes lost.
	DependsOn []string
	// PropertyDependencies are the URNs that each input's value comes from, sorted.
	PropertyDependencies map[string][]string

	Protect, RetainOnDelete bool
	IgnoreChanges           []string
	Import                  string
}

// ByType returns the resources of a type, in tree order.
func (g *Graph) ByType(typ string) []*Resource {
	var out []*Resource
	for _, r := range g.Resources {
		if r.Type == typ {
			out = append(out, r)
		}
	}
	return out
}

// ByName returns the resources with a logical name, in tree order: a component
// and its main child often share one.
func (g *Graph) ByName(name string) []*Resource {
	var out []*Resource
	for _, r := range g.Resources {
		if r.Name == name {
			out = append(out, r)
		}
	}
	return out
}

// One returns the resource with that type and logical name, and fails the test
// if there is not exactly one.
func (g *Graph) One(typ, name string) *Resource {
	g.helper()
	var found []*Resource
	for _, r := range g.ByType(typ) {
		if r.Name == name {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		var names []string
		for _, r := range g.ByType(typ) {
			names = append(names, r.Name)
		}
		g.fatalf("%d resources %s named %q, want 1; of that type there are: %s", len(found), typ, name, strings.Join(names, ", "))
		return &Resource{}
	}
	return found[0]
}

// Only returns the one resource of a type, and fails the test if there are more or none.
func (g *Graph) Only(typ string) *Resource {
	g.helper()
	found := g.ByType(typ)
	if len(found) != 1 {
		g.fatalf("%d resources of type %s, want 1", len(found), typ)
		return &Resource{}
	}
	return found[0]
}

// ByURN returns the resource with that URN, or nil.
func (g *Graph) ByURN(urn string) *Resource {
	for _, r := range g.Resources {
		if r.URN == urn {
			return r
		}
	}
	return nil
}

// Refers returns the resource that an input's value points at, by id or ARN, or
// nil: g.Refers(rule.Input("securityGroupId")).Name == "net-alb".
func (g *Graph) Refers(value any) *Resource {
	s, ok := value.(string)
	if !ok || s == "" {
		return nil
	}
	for _, r := range g.Resources {
		if r.ID == s {
			return r
		}
	}
	for _, r := range g.Resources {
		if arn := r.Outputs["arn"]; arn.IsString() && arn.StringValue() == s {
			return r
		}
	}
	return nil
}

// Children returns the direct children of a resource, in tree order.
func (g *Graph) Children(of *Resource) []*Resource {
	var out []*Resource
	for _, r := range g.Resources {
		if r.Parent == of.URN {
			out = append(out, r)
		}
	}
	return out
}

// Depends says whether a depends on b: by DependsOn, or through one of its inputs.
func (g *Graph) Depends(a, b *Resource) bool {
	for _, urn := range a.DependsOn {
		if urn == b.URN {
			return true
		}
	}
	return false
}

// Input returns the value at a property path ("rules[0].priority", "tags.Name")
// as plain Go data: string, float64, bool, []any, map[string]any. Secrets are
// unwrapped. It is nil where there is nothing and Unknown where the value is
// not known yet.
func (r *Resource) Input(path string) any { return at(r.Inputs, path) }

// Output is Input for what the mock answered.
func (r *Resource) Output(path string) any { return at(r.Outputs, path) }

// Has says whether the program set that input.
func (r *Resource) Has(path string) bool { return r.Input(path) != nil }

// Unknown is what Input returns for a value that is not known at preview.
const Unknown = "<unknown>"

// Secret says whether the value at the path is marked secret, itself or as a whole with a parent.
func (r *Resource) Secret(path string) bool {
	p, err := resource.ParsePropertyPath(path)
	if err != nil {
		panic(fmt.Sprintf("property path %q: %v", path, err))
	}
	for i := 1; i <= len(p); i++ {
		v, ok := p[:i].Get(resource.NewProperty(r.Inputs))
		if !ok {
			return false
		}
		if v.IsSecret() || v.IsOutput() && v.OutputValue().Secret {
			return true
		}
	}
	return false
}

func at(m resource.PropertyMap, path string) any {
	p, err := resource.ParsePropertyPath(path)
	if err != nil {
		panic(fmt.Sprintf("property path %q: %v", path, err))
	}
	v, ok := p.Get(plain(resource.NewProperty(m)))
	if !ok {
		return nil
	}
	return v.Mappable()
}

// plain unwraps secrets and writes unknowns as the Unknown string.
func plain(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsComputed():
		return resource.NewProperty(Unknown)
	case v.IsOutput():
		if !v.OutputValue().Known {
			return resource.NewProperty(Unknown)
		}
		return plain(v.OutputValue().Element)
	case v.IsArray():
		out := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, e := range v.ArrayValue() {
			out[i] = plain(e)
		}
		return resource.NewProperty(out)
	case v.IsObject():
		out := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			out[k] = plain(e)
		}
		return resource.NewProperty(out)
	}
	return v
}

func (g *Graph) helper() {
	if g.t != nil {
		g.t.Helper()
	}
}

func (g *Graph) fatalf(format string, args ...any) {
	if g.t == nil {
		panic(fmt.Sprintf(format, args...))
	}
	g.t.Helper()
	g.t.Fatalf(format, args...)
}
