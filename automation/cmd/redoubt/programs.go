package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/blueprint"
	"redoubt/automation/runner"
)

// programs are those of the blueprints, by name, for the process of an operation:
// what was ordered is made of its inputs, and what has none of its stack's
// configuration.
func programs() map[string]runner.Program {
	all := map[string]runner.Program{}
	for _, b := range blueprint.All {
		all[b.Name] = func(keys []string) pulumi.RunFunc {
			return func(ctx *pulumi.Context) error {
				if inputs := runner.Inputs(ctx); inputs != nil {
					return b.Order(inputs)(ctx)
				}
				return b.Program(keys)(ctx)
			}
		}
	}
	return all
}
