package data

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// BucketComponent is a bucket with everything that the guide asks of one.
var BucketComponent = guide.Component{
	Token: "redoubt:data:Bucket",
	Serves: []guide.ID{
		guide.OverviewDataS3,
		guide.OverviewDataTLS,
		guide.OverviewIdentityResourcePolicies,
		guide.ArchitectureAtRestS3,
		guide.ArchitectureLifecycleVersioning,
		guide.ArchitectureLifecycleReplication,
		guide.ArchitectureLifecycleLifecyclePolicies,
		guide.PracticesS3AccessLogging,
		guide.PracticesS3PublicAccessBlocked,
		guide.PracticesS3Versioning,
		guide.PracticesS3Replication,
		guide.PracticesS3EventNotifications,
		guide.PracticesS3Lifecycle,
		guide.PracticesAuthorizationResourcePolicies,
	},
}

// BucketArgs describes a bucket.
type BucketArgs struct {
	Scope identity.Scope
	// Kind is what the bucket is for; it decides encryption and life cycle.
	Kind BucketKind
	// BucketName is the physical name, unique in the world.
	BucketName string
	// KmsKeyArn encrypts the objects; not for AccessLogs, which S3 and load
	// balancers can write with S3's own key only.
	KmsKeyArn pulumi.StringInput
	// LogBucket receives the access log, in the same region; not for AccessLogs.
	LogBucket *Bucket
	// LogBucketName is the name of another stack's bucket for access logs, in
	// place of LogBucket: same account, same region, and its policy admits this
	// bucket's logs.
	LogBucketName string
	// Readers are the services that read objects for people.
	Readers []BucketReader
	// Writers are the services that write logs into the bucket.
	Writers []BucketWriter
	// SourcePrefix is how the names of the buckets start that log here, for
	// the writer ServerAccessLogs; for example "redoubt-dev-".
	SourcePrefix string
	// ObjectLock keeps versions from being deleted; it cannot be switched off.
	ObjectLock *ObjectLock
	// DenyDeletion lets the bucket's policy deny the deletion of objects and
	// versions to everybody, for writers that cannot write under ObjectLock, as
	// AWS Config. Who may change the policy can lift it; life cycles go on.
	DenyDeletion bool
	// ExpireAfterDays deletes objects after so many days; 0 keeps them.
	ExpireAfterDays int
	// NoncurrentDays is how long an overwritten or deleted version stays; 0
	// leaves it to the kind.
	NoncurrentDays int
	// Replica is where a copy of every new object goes.
	Replica *BucketReplica
	// BackupTier is the backup plan that selects the bucket; empty for none.
	BackupTier string
	// ForceDestroy lets the stack's destroy delete the objects too.
	ForceDestroy bool
	// Protect keeps the bucket when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// ObjectLock is the default retention of new versions.
type ObjectLock struct {
	// Mode is GOVERNANCE (roles with s3:BypassGovernanceRetention may delete)
	// or COMPLIANCE (nobody may, the account's root included).
	Mode string
	// Days of retention, at least 1.
	Days int
	// Acknowledge is LockAcknowledgement, for COMPLIANCE.
	Acknowledge string
}

// Bucket is an S3 bucket. It is the only place that knows the SDK's S3
// resources: version 7 renames them (pulumi-aws#3803, #5524).
type Bucket struct {
	pulumi.ResourceState

	Bucket *s3.BucketV2
	Arn    pulumi.StringOutput
	// Name is PhysicalName, known when the bucket is there: for what must wait.
	Name pulumi.StringOutput
	// Policy is there when services may write: what sends them (a load
	// balancer, a trail) depends on it.
	Policy *s3.BucketPolicy
	// Versioning is on: what replicates from or to the bucket depends on it.
	Versioning *s3.BucketVersioningV2
	// PhysicalName, Kind and Scope are known at preview, for policies.
	PhysicalName string
	Kind         BucketKind
	Scope        identity.Scope
	// Locked says that objects are under ObjectLock.
	Locked bool
	// Replication names the metrics of the copying; nil without a replica.
	Replication *ReplicationMetrics
}

// NewBucket makes the bucket. The error joins every finding in args.
func NewBucket(ctx *pulumi.Context, name string, args *BucketArgs, opts ...pulumi.ResourceOption) (*Bucket, error) {
	policy, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("bucket %q: %w", name, err)
	}
	c := &Bucket{
		PhysicalName: args.BucketName, Kind: args.Kind, Scope: args.Scope, Locked: args.ObjectLock != nil, Replication: args.Replica.metrics(args),
	}
	if err := ctx.RegisterComponentResource(BucketComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("bucket %q: register: %w", name, err)
	}
	b := &bucketBuilder{ctx: ctx, name: name, args: args, c: c}
	b.build(policy)
	if b.err != nil {
		return nil, fmt.Errorf("bucket %q: %w", name, b.err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "name": c.Name})
}

// bucketBuilder makes a bucket's resources one after the other. S3 answers
// parallel changes of one bucket with 409 OperationAborted (pulumi-aws#1570),
// so each resource depends on the one before it.
type bucketBuilder struct {
	ctx  *pulumi.Context
	name string
	args *BucketArgs
	c    *Bucket
	last pulumi.Resource
	err  error
}

func (b *bucketBuilder) build(policy string) {
	b.bucket()
	b.step(b.ownership)
	b.step(b.publicAccess)
	b.step(func(o ...pulumi.ResourceOption) (r pulumi.Resource, err error) {
		b.c.Policy, err = s3.NewBucketPolicy(b.ctx, b.name+"-policy", &s3.BucketPolicyArgs{
			Bucket: b.c.Bucket.ID(),
			Policy: pulumi.String(policy),
		}, o...)
		return b.c.Policy, err
	})
	b.step(func(o ...pulumi.ResourceOption) (r pulumi.Resource, err error) {
		b.c.Versioning, err = s3.NewBucketVersioningV2(b.ctx, b.name+"-versioning", &s3.BucketVersioningV2Args{
			Bucket:                  b.c.Bucket.ID(),
			VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
		}, o...)
		return b.c.Versioning, err
	})
	b.step(b.encryption)
	if b.args.ObjectLock != nil {
		b.step(b.objectLock)
	}
	if b.args.logged() {
		b.step(b.logging)
	}
	b.step(b.lifecycle)
	if bucketKinds[b.args.Kind].events {
		b.step(b.notification)
	}
	if b.args.Replica != nil {
		b.replicate()
	}
}

// step runs the next resource after the one before it.
func (b *bucketBuilder) step(next func(...pulumi.ResourceOption) (pulumi.Resource, error)) {
	if b.err != nil {
		return
	}
	r, err := next(pulumi.Parent(b.c), pulumi.DependsOn([]pulumi.Resource{b.last}))
	b.last, b.err = r, err
}

func (b *bucketBuilder) bucket() {
	in := &s3.BucketV2Args{
		Bucket:       pulumi.String(b.args.BucketName),
		ForceDestroy: pulumi.Bool(b.args.ForceDestroy),
		Tags:         tiered(b.args.Tags, b.args.BucketName, b.args.BackupTier),
	}
	if b.args.ObjectLock != nil {
		in.ObjectLockEnabled = pulumi.Bool(true)
	}
	b.c.Bucket, b.err = s3.NewBucketV2(b.ctx, b.name+"-bucket", in, append(kept(b.args.Protect), pulumi.Parent(b.c))...)
	if b.err != nil {
		return
	}
	b.last, b.c.Arn, b.c.Name = b.c.Bucket, b.c.Bucket.Arn, b.c.Bucket.Bucket
}

func (b *bucketBuilder) ownership(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return s3.NewBucketOwnershipControls(b.ctx, b.name+"-ownership", &s3.BucketOwnershipControlsArgs{
		Bucket: b.c.Bucket.ID(),
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, o...)
}

func (b *bucketBuilder) publicAccess(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return s3.NewBucketPublicAccessBlock(b.ctx, b.name+"-public-access", &s3.BucketPublicAccessBlockArgs{
		Bucket:                b.c.Bucket.ID(),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, o...)
}

func (b *bucketBuilder) encryption(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	rule := &s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm: pulumi.String("AES256"),
		},
	}
	if bucketKinds[b.args.Kind].kms {
		rule.ApplyServerSideEncryptionByDefault = &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm:   pulumi.String("aws:kms"),
			KmsMasterKeyId: b.args.KmsKeyArn.ToStringOutput().ToStringPtrOutput(),
		}
		rule.BucketKeyEnabled = pulumi.Bool(true)
	}
	return s3.NewBucketServerSideEncryptionConfigurationV2(b.ctx, b.name+"-encryption",
		&s3.BucketServerSideEncryptionConfigurationV2Args{
			Bucket: b.c.Bucket.ID(),
			Rules:  s3.BucketServerSideEncryptionConfigurationV2RuleArray{rule},
		}, o...)
}

func (b *bucketBuilder) objectLock(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return s3.NewBucketObjectLockConfigurationV2(b.ctx, b.name+"-lock", &s3.BucketObjectLockConfigurationV2Args{
		Bucket: b.c.Bucket.ID(),
		Rule: &s3.BucketObjectLockConfigurationV2RuleArgs{
			DefaultRetention: &s3.BucketObjectLockConfigurationV2RuleDefaultRetentionArgs{
				Mode: pulumi.String(b.args.ObjectLock.Mode),
				Days: pulumi.Int(b.args.ObjectLock.Days),
			},
		},
	}, o...)
}

// logging partitions the log by the date of the event, which is what a search
// for an incident's hours wants.
func (b *bucketBuilder) logging(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	target := pulumi.String(b.args.LogBucketName).ToStringOutput()
	if b.args.LogBucket != nil {
		target = b.args.LogBucket.Bucket.ID().ToStringOutput()
		o = append(o, pulumi.DependsOn([]pulumi.Resource{b.args.LogBucket.Policy}))
	}
	return s3.NewBucketLoggingV2(b.ctx, b.name+"-logging", &s3.BucketLoggingV2Args{
		Bucket:       b.c.Bucket.ID(),
		TargetBucket: target,
		TargetPrefix: pulumi.String("s3/" + b.args.BucketName + "/"),
		TargetObjectKeyFormat: &s3.BucketLoggingV2TargetObjectKeyFormatArgs{
			PartitionedPrefix: &s3.BucketLoggingV2TargetObjectKeyFormatPartitionedPrefixArgs{
				PartitionDateSource: pulumi.String("EventTime"),
			},
		},
	}, o...)
}

// notification goes to EventBridge, where rules need no policy on the bucket.
// S3 has one notification configuration per bucket: this is it.
func (b *bucketBuilder) notification(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	in := &s3.BucketNotificationArgs{Bucket: b.c.Bucket.ID(), Eventbridge: pulumi.Bool(true)}
	if r := b.args.Replica; r != nil && r.FailureTopicArn != nil {
		in.Topics = s3.BucketNotificationTopicArray{r.failures()}
		o = append(o, pulumi.DependsOn(r.TopicReady))
	}
	return s3.NewBucketNotification(b.ctx, b.name+"-events", in, o...)
}

// objects is the ARN pattern of everything in the bucket of that name.
func objects(bucketARN string) string { return strings.TrimSuffix(bucketARN, "/") + "/*" }
