// Package blueprint holds what a team can have: typed inputs, the program over
// infra's components that they make, and what a rehearsal of it does. Catalog
// offers it to be ordered.
package blueprint

import (
	"encoding/json"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
)

// Blueprint is one thing that can be provisioned.
type Blueprint struct {
	// Name is kebab-case and stable; Summary is one sentence.
	Name, Summary string
	// Program makes the Pulumi program of a stack that sets these
	// configuration keys ("redoubt:network").
	Program func(keys []string) pulumi.RunFunc
	// Version is semantic: a new major version takes other inputs, or replaces
	// resources that stay in a smaller one.
	Version string
	// Inputs are what an order says. They are made when they are first asked for:
	// most runs of the executable ask for one blueprint's, or none.
	Inputs func() *Inputs
	// Outputs are what its stacks publish; nil for those of docs/outputs.md.
	Outputs []Output
	// Order makes the program of an order: inputs that were checked. Nil inputs are
	// those in the stack's configuration, see InputsKey.
	Order func(inputs json.RawMessage) pulumi.RunFunc
	// Limits are what an operation may take.
	Limits provision.BlueprintLimits
	// OnBaseline says that a stack stands on one of defense-in-depth.
	OnBaseline bool
	// Account is the configuration key that holds the id of the stack's account.
	Account string
	// Folders are configuration values that name a folder or a file from the
	// project's root, by key, with their defaults, empty for none.
	Folders map[string]string
	// Change is a small change of configuration that updates resources in
	// place: path ("redoubt:edge.rateLimit") to value.
	Change map[string]string
	// Drifts are what somebody does by hand, behind Pulumi's back: the first
	// that the stack has something for.
	Drifts []Drift
	// Release is the configuration that lifts the deletion protections, as an
	// operator would before a destroy.
	Release map[string]string
	// Mistakes are known mistakes that the policy pack must refuse.
	Mistakes []Mistake
}

// All are what can be ordered, sorted by name.
var All = []Blueprint{DefenseInDepth, SecureBucket, SecureDatabase, SecureFunction, SecureService, StaticSite}

// Example is valid inputs.
func (b Blueprint) Example() json.RawMessage {
	if b.Inputs == nil {
		return nil
	}
	return b.Inputs().Example
}

// LaunchRole is the name of the role that launches stacks of the blueprint; an
// order cannot choose another.
func (b Blueprint) LaunchRole() string { return "redoubt-launch-" + b.Name }

// Ordered is the blueprint as a rehearsal of an order has it: its program reads
// the inputs in the configuration, and what the rehearsal changes stands there.
func (b Blueprint) Ordered() Blueprint {
	b.Program = func([]string) pulumi.RunFunc { return b.Order(nil) }
	b.Folders, b.Account = nil, InputsKey+".accountId"
	b.Change, b.Release = inInputs(b.Change), inInputs(b.Release)
	return b
}

// inInputs moves settings of the configuration ("redoubt:edge.rateLimit") to
// where an order has them.
func inInputs(settings map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range settings {
		if !strings.HasPrefix(name, InputsKey+".") {
			name = InputsKey + "." + strings.TrimPrefix(name, "redoubt:")
		}
		out[name] = value
	}
	return out
}

// withOrder gives a blueprint its programs: that of an order, and that of a
// stack whose inputs are in its configuration.
func withOrder(b Blueprint, order func(json.RawMessage) pulumi.RunFunc) Blueprint {
	b.Order = order
	b.Program = func([]string) pulumi.RunFunc { return order(nil) }
	b.Account = InputsKey + ".accountId"
	return b
}

// Drift is a property of the only resource of a type, changed outside Pulumi.
type Drift struct {
	// Type is the resource's token; Property a top-level property.
	Type, Property string
	Value          any
	// Deed says it in words.
	Deed string
}
