package rule

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Resource is a resource as a rule sees it.
type Resource struct {
	URN resource.URN
	// Type is the canonical short type ("lb/listener"), see Canonical.
	Type string
	// Token is the type as the program has it ("aws:alb/listener:Listener").
	Token string
	// Name is the logical name.
	Name string
	// Inputs are the properties after the provider's check: what the program
	// asked for, with the provider's defaults.
	Inputs resource.PropertyMap
	// State is what AnalyzeStack saw: outputs, with ids and ARNs once they are
	// known. It is nil in a check of one resource.
	State resource.PropertyMap
	// Provider holds the provider's inputs; nil for the provider itself.
	Provider resource.PropertyMap
	// Parent is the parent's URN, or "".
	Parent resource.URN
	// Protect and IgnoreChanges are the resource options.
	Protect       bool
	IgnoreChanges []string

	deps  map[resource.PropertyKey][]resource.URN
	reads Reads
}

// WithDependencies returns the resource with the URNs that each top-level input
// was computed from.
func (r Resource) WithDependencies(deps map[resource.PropertyKey][]resource.URN) *Resource {
	r.deps = deps
	return &r
}

// Get returns the input at a dotted path.
func (r *Resource) Get(path string) Value {
	return r.inputs().Get(path)
}

// Output returns the state at a dotted path: ids and ARNs, where they are known.
func (r *Resource) Output(path string) Value {
	return Value{v: resource.NewObjectProperty(r.State)}.Get(path)
}

// Is says that the resource has one of the types, by any of their spellings.
func (r *Resource) Is(types ...string) bool {
	for _, t := range types {
		if r.Type == Canonical(t) {
			return true
		}
	}
	return false
}

// Label names the resource in a message: its type as the program has it, short,
// and its logical name.
func (r *Resource) Label() string { return shortToken(r.Token) + " " + r.Name }

// Each returns the inputs at a dotted path with every list spread, see Value.Each.
func (r *Resource) Each(path string) []Value {
	return r.inputs().Each(path)
}

// Tag returns a tag, the resource's own or else one that its provider gives to
// every resource.
func (r *Resource) Tag(key string) Value {
	if own := r.Get("tags").Key(key); own.Present() {
		return own
	}
	return Value{v: resource.NewObjectProperty(r.Provider)}.
		Get("defaultTags").Decoded().Get("tags").Decoded().Key(key)
}
