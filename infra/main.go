// Command infra is the Pulumi program of the Security Guide's stack: it is
// what `pulumi up --stack dev` runs.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/stack"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		keys, err := stack.KeysFromEnvironment()
		if err != nil {
			return err
		}
		return stack.Program(keys)(ctx)
	})
}
