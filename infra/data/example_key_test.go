package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A key of one region for task storage; the mistake that is caught is a
// multi-region one, which Fargate would refuse when the first task starts.
func ExampleNewKey() {
	args := &data.KeyArgs{
		Scope: identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"},
		Alias: "redoubt-dev-tasks", Description: "Task storage encryption key", DeletionWindowInDays: 7,
		Users: []data.KeyUser{data.KeyForFargate}, MultiRegion: true,
	}
	for range 2 {
		_, err := graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := data.NewKey(ctx, "tasks", args)
			fmt.Println(err)
			args.MultiRegion = false
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// key "tasks": users[0]: "fargate" with multiRegion (Fargate storage takes single-region keys only: give it a key of its own)
	// <nil>
}
