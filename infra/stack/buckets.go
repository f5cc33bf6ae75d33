package stack

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// buckets are the stack's buckets. Data and artifacts are a workload's; history
// is nil where AWS Config is not the stack's.
type buckets struct {
	accessLogs, data, audit, history *data.Bucket
	artifacts, evidence              *data.Bucket
	// accessLogsReplica and replicas, by the purpose of what they copy, are in
	// the replica region; empty without storage.replication.
	accessLogsReplica *data.Bucket
	replicas          map[string]*data.Bucket
}

func newBuckets(ctx *pulumi.Context, c config.Config, p *place, k keys, backupTier string) (buckets, error) {
	b := buckets{replicas: map[string]*data.Bucket{}}
	var err error
	if b.accessLogs, err = newLogBucket(ctx, c, p.scope, p.here()); err != nil {
		return b, err
	}
	if c.Storage.Replication {
		// Access logs stay in their region, so the replicas have their own.
		if b.accessLogsReplica, err = newLogBucket(ctx, c, p.replicaScope, p.there()); err != nil {
			return b, err
		}
	}
	for _, row := range []struct {
		into    **data.Bucket
		made    bool
		purpose string
		key     bucketKey
		args    data.BucketArgs
	}{
		{&b.data, c.Layer.Workload(), "data", k.ofApplication(), data.BucketArgs{Kind: data.Data, BackupTier: backupTier, ForceDestroy: c.Storage.ForceDestroy}},
		{&b.audit, true, "audit", k.ofAudit(), data.BucketArgs{
			Kind: data.Audit, Writers: []data.BucketWriter{data.TrailLogs, data.GuardDutyFindings, data.DeliveredLogs},
			ObjectLock: objectLock(c), ForceDestroy: c.Storage.ForceDestroy,
		}},
		// AWS Config delivers nothing into a bucket with default retention, so its
		// history is apart from the audit's, and its policy keeps it.
		// https://docs.aws.amazon.com/config/latest/developerguide/manage-delivery-channel.html
		{&b.history, c.Detection.Config.Managed(), "config", k.ofAudit(), data.BucketArgs{
			Kind: data.Audit, Writers: []data.BucketWriter{data.ConfigHistory},
			DenyDeletion: c.Storage.AuditLockDays > 0, ForceDestroy: c.Storage.ForceDestroy,
		}},
		// Nobody deletes evidence before its time.
		{&b.evidence, true, "evidence", k.ofAudit(), data.BucketArgs{
			Kind: data.Audit, ObjectLock: &data.ObjectLock{Mode: "GOVERNANCE", Days: c.Response.EvidenceDays},
		}},
		// Signer takes the functions' code from here.
		{&b.artifacts, c.Layer.Workload(), "artifacts", k.ofApplication(), data.BucketArgs{Kind: data.Artifacts, ForceDestroy: c.Storage.ForceDestroy}},
	} {
		if !row.made {
			continue
		}
		if *row.into, err = b.add(ctx, c, p, row.purpose, row.key, row.args); err != nil {
			return b, err
		}
	}
	return b, nil
}

// bucketKey is the key of a bucket and of its copy, and the alias of both.
type bucketKey struct {
	arn, replicaArn pulumi.StringInput
	alias           string
}

// add makes a bucket and, where the configuration wants replicas, its copy.
func (b *buckets) add(ctx *pulumi.Context, c config.Config, p *place, purpose string, key bucketKey, args data.BucketArgs) (*data.Bucket, error) {
	args.Protect, args.Tags = c.Keys.Protect, c.Tags
	if c.Storage.Replication {
		replica, err := b.copy(ctx, c, p, purpose, key, args)
		if err != nil {
			return nil, err
		}
		args.Replica = &data.BucketReplica{
			To: replica, KmsKeyArn: key.replicaArn, KeyAlias: key.alias, RoleName: c.Prefix() + "-" + purpose + "-replication",
			TimeControl: args.Kind == data.Data,
		}
	}
	args.Scope, args.BucketName, args.KmsKeyArn, args.LogBucket = p.scope, bucketName(c, purpose, p.scope), key.arn, b.accessLogs
	return data.NewBucket(ctx, c.Prefix()+"-"+purpose, &args, p.here())
}

// copy makes the bucket that receives the copies: like the other, but that
// nobody except S3's replication writes there, and backups are made once.
func (b *buckets) copy(ctx *pulumi.Context, c config.Config, p *place, purpose string, key bucketKey, args data.BucketArgs) (*data.Bucket, error) {
	args.Scope, args.BucketName, args.KmsKeyArn, args.LogBucket = p.replicaScope, bucketName(c, purpose, p.replicaScope), key.replicaArn, b.accessLogsReplica
	args.Writers, args.BackupTier = nil, ""
	replica, err := data.NewBucket(ctx, c.Prefix()+"-"+purpose+"-replica", &args, p.there())
	b.replicas[purpose] = replica
	return replica, err
}

// watched are the metrics of the copying: the data bucket's, and the others' by
// purpose.
func (b *buckets) watched() (*monitoring.Replication, map[string]monitoring.Replication) {
	var application *monitoring.Replication
	others := map[string]monitoring.Replication{}
	for purpose, own := range map[string]*data.Bucket{
		"data": b.data, "audit": b.audit, "config": b.history, "evidence": b.evidence, "artifacts": b.artifacts,
	} {
		if own == nil || own.Replication == nil {
			continue
		}
		r := monitoring.Replication{
			SourceBucket: own.Name, DestinationBucket: b.replicas[purpose].Name, RuleID: pulumi.String(own.Replication.RuleID),
		}
		if purpose == "data" {
			application = &r
		} else {
			others[purpose] = r
		}
	}
	return application, others
}

// protected are the names of those that a response never closes.
func (b *buckets) protected() []string {
	var names []string
	for _, bucket := range []*data.Bucket{b.audit, b.accessLogs, b.history} {
		if bucket != nil {
			names = append(names, bucket.PhysicalName)
		}
	}
	return names
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
