package stack

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/identity"
)

// buckets are the stack's buckets; the replicas are nil without replication,
// and data's without a workload.
type buckets struct {
	accessLogs, data, audit        *data.Bucket
	artifacts                      *data.Bucket
	accessLogsReplica, dataReplica *data.Bucket
}

func newBuckets(ctx *pulumi.Context, c config.Config, p *place, k keys, backupTier string) (buckets, error) {
	var b buckets
	var err error
	if b.accessLogs, err = newLogBucket(ctx, c, p.scope, p.here()); err != nil {
		return b, err
	}
	if c.Layer.Workload() {
		if err := b.addData(ctx, c, p, k, backupTier); err != nil {
			return b, err
		}
	}
	b.audit, err = data.NewBucket(ctx, c.Prefix()+"-audit", &data.BucketArgs{
		Scope: p.scope, Kind: data.Audit, BucketName: bucketName(c, "audit", p.scope), KmsKeyArn: k.audit.Arn, LogBucket: b.accessLogs,
		Writers:    []data.BucketWriter{data.TrailLogs, data.ConfigHistory, data.GuardDutyFindings, data.DeliveredLogs},
		ObjectLock: objectLock(c), ForceDestroy: c.Storage.ForceDestroy, Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.here())
	return b, err
}

// addData makes the application's bucket, and its copy elsewhere.
func (b *buckets) addData(ctx *pulumi.Context, c config.Config, p *place, k keys, backupTier string) (err error) {
	if c.Storage.Replication {
		// Access logs stay in their region, so the replica has its own.
		if b.accessLogsReplica, err = newLogBucket(ctx, c, p.replicaScope, p.there()); err != nil {
			return err
		}
		replica := dataBucket(c, p.replicaScope)
		replica.KmsKeyArn, replica.LogBucket = k.app.ReplicaArn, b.accessLogsReplica
		if b.dataReplica, err = data.NewBucket(ctx, c.Prefix()+"-data-replica", replica, p.there()); err != nil {
			return err
		}
	}
	own := dataBucket(c, p.scope)
	own.KmsKeyArn, own.LogBucket, own.BackupTier = k.app.Arn, b.accessLogs, backupTier
	if c.Storage.Replication {
		own.Replica = &data.BucketReplica{
			To: b.dataReplica, KmsKeyArn: k.app.ReplicaArn, KeyAlias: k.app.AliasName,
			RoleName: c.Prefix() + "-data-replication", TimeControl: true,
		}
	}
	b.data, err = data.NewBucket(ctx, c.Prefix()+"-data", own, p.here())
	return err
}

// objectLock keeps what the audit wrote from being deleted, by whoever got in.
func objectLock(c config.Config) *data.ObjectLock {
	if c.Storage.AuditLockDays == 0 {
		return nil
	}
	return &data.ObjectLock{
		Mode: strings.ToUpper(c.Storage.AuditLock), Days: c.Storage.AuditLockDays, Acknowledge: c.Storage.AcknowledgeCompliance,
	}
}

func dataBucket(c config.Config, scope identity.Scope) *data.BucketArgs {
	return &data.BucketArgs{
		Scope: scope, Kind: data.Data, BucketName: bucketName(c, "data", scope),
		ForceDestroy: c.Storage.ForceDestroy, Protect: c.Keys.Protect, Tags: c.Tags,
	}
}

func newLogBucket(ctx *pulumi.Context, c config.Config, scope identity.Scope, place pulumi.ResourceOption) (*data.Bucket, error) {
	name := c.Prefix() + "-access-logs"
	if scope.Region != c.Region {
		name += "-replica"
	}
	return data.NewBucket(ctx, name, &data.BucketArgs{
		Scope: scope, Kind: data.AccessLogs, BucketName: bucketName(c, "access-logs", scope),
		Writers:      []data.BucketWriter{data.ServerAccessLogs, data.LoadBalancerLogs},
		SourcePrefix: c.Prefix() + "-", ExpireAfterDays: c.Logs.AuditDays,
		ForceDestroy: c.Storage.ForceDestroy, Protect: c.Keys.Protect, Tags: c.Tags,
	}, place)
}

// bucketName is unique in the world, because it holds account and region, and
// known at preview.
func bucketName(c config.Config, purpose string, scope identity.Scope) string {
	return strings.Join([]string{c.Prefix(), purpose, scope.AccountID, scope.Region}, "-")
}
