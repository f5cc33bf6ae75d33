package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/workload"
)

// keys are the stack's KMS keys: one a purpose, so that a grant for one does
// not open the others.
type keys struct {
	app, logs, messaging, audit, backup *data.Key
	// tasks is apart from app, because Fargate takes no multi-region key for
	// storage: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html
	tasks *data.Key
	// auditReplica encrypts the copies of the audit's buckets, nil without any.
	// It is a key of its own because S3 takes a multi-region key for one of its
	// region anyway, and a key that is there cannot become one.
	auditReplica *data.Key
}

// purpose is a row of the table of keys.
type purpose struct {
	name, description string
	users             []data.KeyUser
	// workload says that stacks without one have no such key.
	workload bool
	into     func(*keys) **data.Key
}

var purposes = []purpose{
	{"app", data.AppKeyDescription, []data.KeyUser{data.KeyForServiceGrants}, true, func(k *keys) **data.Key { return &k.app }},
	{"logs", "Log group encryption key", []data.KeyUser{data.KeyForLogs}, false, func(k *keys) **data.Key { return &k.logs }},
	{"tasks", "Task storage encryption key", []data.KeyUser{data.KeyForFargate}, true, func(k *keys) **data.Key { return &k.tasks }},
	// A topic whose publisher may not use its key drops every alert in silence.
	{"messaging", "Alert encryption key", []data.KeyUser{
		data.KeyForEvents, data.KeyForAlarms, data.KeyForTopics, data.KeyForCostAlerts, data.KeyForBudgets,
		data.KeyForDatabaseEvents, data.KeyForBackup, data.KeyForBucketEvents, data.KeyForLogDelivery,
	}, false, func(k *keys) **data.Key { return &k.messaging }},
	{"audit", "Audit trail encryption key", []data.KeyUser{
		data.KeyForCloudTrail, data.KeyForConfig, data.KeyForGuardDuty, data.KeyForLogDelivery,
	}, false, func(k *keys) **data.Key { return &k.audit }},
	{"backup", "Backup encryption key", []data.KeyUser{data.KeyForBackup, data.KeyForServiceGrants}, true, func(k *keys) **data.Key { return &k.backup }},
}

// replicated are the keys whose data is copied to the replica region.
func replicated(c config.Config, name string) bool {
	return name == "app" && c.Keys.MultiRegion || name == "backup" && c.Backup.CopyToReplica
}

func newKeys(ctx *pulumi.Context, c config.Config, p *place) (keys, error) {
	var k keys
	for _, row := range purposes {
		if row.workload && !c.Layer.Workload() {
			continue
		}
		args := &data.KeyArgs{
			Scope: p.scope, Alias: c.Prefix() + "-" + row.name, Description: row.description,
			DeletionWindowInDays: c.Keys.DeletionWindowDays, OrgID: c.OrgID, Mode: data.KeyPolicyMode(c.Keys.PolicyMode),
			RotationPeriodInDays: c.Keys.RotationDays, MultiRegion: replicated(c, row.name), Users: row.users, Protect: c.Keys.Protect, Tags: c.Tags,
		}
		if row.name == "app" {
			args.WorkloadRoles = []string{
				workload.TaskRoleName(c.Prefix(), serviceName), workload.ExecutionRoleName(c.Prefix(), serviceName),
				workload.FunctionRoleName(c.Prefix(), "rotate-db-user"), workload.SearchBootstrapRoleName(c.Prefix()),
			}
			if c.Search.Ingest {
				args.WorkloadRoles = append(args.WorkloadRoles, workload.FunctionRoleName(c.Prefix(), "split-logs"))
			}
			if c.Database.Proxy {
				args.WorkloadRoles = append(args.WorkloadRoles, workload.FunctionRoleName(c.Prefix(), "rotate-db-proxy-user"), proxyRole(c))
			}
		}
		if args.MultiRegion && p.replica != nil {
			args.Replica = &data.KeyReplica{Region: c.ReplicaRegion, Provider: p.replica}
		}
		var err error
		if *row.into(&k), err = data.NewKey(ctx, c.Prefix()+"-"+row.name, args, p.here()); err != nil {
			return k, err
		}
	}
	if !c.Storage.Replication {
		return k, nil
	}
	var err error
	k.auditReplica, err = data.NewKey(ctx, c.Prefix()+"-audit-replica", &data.KeyArgs{
		Scope: p.replicaScope, Alias: c.Prefix() + "-audit", Description: "Audit trail encryption key of the copies",
		DeletionWindowInDays: c.Keys.DeletionWindowDays, OrgID: c.OrgID, Mode: data.KeyPolicyMode(c.Keys.PolicyMode),
		RotationPeriodInDays: c.Keys.RotationDays, Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.there())
	return k, err
}

// ofApplication is the key of the buckets that a workload uses.
func (k keys) ofApplication() bucketKey {
	if k.app == nil {
		return bucketKey{}
	}
	return bucketKey{arn: k.app.Arn, replicaArn: k.app.ReplicaArn, alias: k.app.AliasName}
}

// ofAudit is the key of the buckets that prove what happened.
func (k keys) ofAudit() bucketKey {
	key := bucketKey{arn: k.audit.Arn, alias: k.audit.AliasName}
	if k.auditReplica != nil {
		key.replicaArn = k.auditReplica.Arn
	}
	return key
}
