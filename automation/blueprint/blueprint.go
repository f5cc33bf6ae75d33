// Package blueprint holds what a team can have: a program over infra's
// components, and what a rehearsal of it does.
package blueprint

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Blueprint is one thing that can be provisioned.
type Blueprint struct {
	// Name is kebab-case and stable; Summary is one sentence.
	Name, Summary string
	// Program makes the Pulumi program of a stack that sets these
	// configuration keys ("redoubt:network").
	Program func(keys []string) pulumi.RunFunc
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

// Drift is a property of the only resource of a type, changed outside Pulumi.
type Drift struct {
	// Type is the resource's token; Property a top-level property.
	Type, Property string
	Value          any
	// Deed says it in words.
	Deed string
}

// Mistake is one known mistake, planted into the program as it registers its
// resources.
type Mistake struct {
	// Name is what `--break` takes; Deed says the mistake in words.
	Name, Deed string
	// Rule is the policy that must refuse it, at preview.
	Rule string
	// Plant returns the transformation that makes the mistake. Each run of a
	// program gets its own.
	Plant func() pulumi.ResourceTransformation
}

// With returns the program with the mistake planted.
func (m Mistake) With(program func(keys []string) pulumi.RunFunc) func(keys []string) pulumi.RunFunc {
	return func(keys []string) pulumi.RunFunc {
		run := program(keys)
		return func(ctx *pulumi.Context) error {
			if err := ctx.RegisterStackTransformation(m.Plant()); err != nil {
				return err
			}
			return run(ctx)
		}
	}
}
