package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

// Backups with the guide's retention and a monthly proof that a bucket can be
// restored. The lock first asked for would last for ever, so it wants more
// than a word in a configuration.
func ExampleNewBackup() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	args := &data.BackupArgs{
		Scope: scope, Prefix: "redoubt-prod", Tier: "redoubt-prod", KmsKeyArn: pulumi.String(scope.ARN("kms", "key/backup")),
		Rules: data.BackupRules, Lock: data.VaultLock{Mode: data.VaultCompliance, MinRetentionDays: 30, ChangeableForDays: 14},
		RestoreTests:   []data.RestoreTest{{ResourceType: "S3", ValidationHours: 8}},
		RegionSettings: singleton.Singleton{Mode: singleton.Adopt}, Protect: true,
	}
	for range 2 {
		graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := data.NewBackup(ctx, "backup", args)
			fmt.Println(err)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
		for _, plan := range graph.ByType("aws:backup/plan:Plan") {
			for i := range args.Rules {
				rule := fmt.Sprintf("rules[%d].", i)
				fmt.Println(plan.Input(rule+"ruleName"), plan.Input(rule+"lifecycle.deleteAfter"))
			}
		}
		args.Lock.Mode, args.Lock.ChangeableForDays = data.VaultGovernance, 0
	}
	// Output:
	// backup "backup": lock.acknowledge: "" ("nobody-can-remove-this-lock": no person and no destroy removes a compliance lock; or use mode governance)
	// <nil>
	// continuous 35
	// daily 35
	// weekly 90
	// monthly 365
}
