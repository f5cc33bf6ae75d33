package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/workload"
)

// keys are the stack's KMS keys: one a purpose, so that a grant for one does
// not open the others.
type keys struct{ app, logs, tasks *data.Key }

func newKeys(ctx *pulumi.Context, c config.Config, p *place) (keys, error) {
	var k keys
	args := func(purpose, description string, users ...data.KeyUser) *data.KeyArgs {
		return &data.KeyArgs{
			Scope: p.scope, Alias: c.Prefix() + "-" + purpose, Description: description,
			DeletionWindowInDays: c.Keys.DeletionWindowDays, OrgID: c.OrgID, Mode: data.KeyPolicyMode(c.Keys.PolicyMode),
			Users: users, Protect: c.Keys.Protect, Tags: c.Tags,
		}
	}
	app := args("app", data.AppKeyDescription, data.KeyForServiceGrants)
	app.MultiRegion = c.Keys.MultiRegion
	app.WorkloadRoles = []string{workload.TaskRoleName(c.Prefix(), serviceName), workload.ExecutionRoleName(c.Prefix(), serviceName)}
	if c.Keys.MultiRegion && p.replica != nil {
		app.Replica = &data.KeyReplica{Region: c.ReplicaRegion, Provider: p.replica}
	}
	var err error
	if k.app, err = data.NewKey(ctx, c.Prefix()+"-app", app, p.here()); err != nil {
		return k, err
	}
	if k.logs, err = data.NewKey(ctx, c.Prefix()+"-logs", args("logs", "Log group encryption key", data.KeyForLogs), p.here()); err != nil {
		return k, err
	}
	// A key of its own, because Fargate takes no multi-region key for storage:
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html
	k.tasks, err = data.NewKey(ctx, c.Prefix()+"-tasks", args("tasks", "Task storage encryption key", data.KeyForFargate), p.here())
	return k, err
}
