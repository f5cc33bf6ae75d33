package data

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// BucketReplica sends a copy of every new object to a bucket in another
// region. Objects that are there already are not copied; S3 Batch Replication
// does that once.
type BucketReplica struct {
	// To receives the copies: a Bucket of the same kind in another region.
	To *Bucket
	// KmsKeyArn encrypts the copies; a key of To's region. S3 treats a
	// multi-region key as a key of one region, so this is the replica's ARN.
	KmsKeyArn pulumi.StringInput
	// KeyAlias is the alias, "alias/…", of the keys on both sides.
	KeyAlias string
	// RoleName is the physical name of the role that S3 assumes.
	RoleName string
	// PermissionsBoundary caps the role; empty for none.
	PermissionsBoundary string
	// StorageClass of the copies; empty means STANDARD_IA.
	StorageClass string
	// TimeControl promises a copy within 15 minutes, for a price.
	TimeControl bool
	// FailureTopicArn hears of each object that was not copied, which S3 tells
	// topics and queues but not EventBridge. Its policy lets s3.amazonaws.com
	// publish, its key is KeyForBucketEvents'. Nil for none.
	FailureTopicArn pulumi.StringInput
	// TopicReady is the topic's policy: S3 sends a test message first.
	TopicReady []pulumi.Resource
}

func (r *BucketReplica) check(args *BucketArgs) []error {
	if r == nil {
		return nil
	}
	var findings []error
	if !bucketKinds[args.Kind].kms {
		findings = append(findings, fmt.Errorf("replica: set for kind %s (only buckets with a key of ours are copied)", args.Kind))
	}
	switch {
	case r.To == nil:
		findings = append(findings, errors.New("replica.to: nil (pass the bucket in the other region)"))
	case r.To.Scope.Region == args.Scope.Region:
		findings = append(findings, fmt.Errorf("replica.to: also in %s (make it with the other region's provider and scope)", args.Scope.Region))
	case args.ObjectLock != nil && !r.To.Locked:
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
		findings = append(findings, errors.New("replica.to: without objectLock (S3 copies from a locked bucket into a locked one only; lock both)"))
	}
	if r.KmsKeyArn == nil {
		findings = append(findings, errors.New("replica.kmsKeyArn: nil (S3 cannot copy KMS-encrypted objects without a key over there)"))
	}
	if !aliasNameForm.MatchString(r.KeyAlias) {
		findings = append(findings, fmt.Errorf("replica.keyAlias: %q (alias/<name>, see Key.AliasName)", r.KeyAlias))
	}
	if r.FailureTopicArn != nil && !bucketKinds[args.Kind].events {
		findings = append(findings, fmt.Errorf("replica.failureTopicArn: set for kind %s, which sends no events (leave it out)", args.Kind))
	}
	if r.RoleName == "" {
		findings = append(findings, errors.New("replica.roleName: empty (for example redoubt-dev-data-replication)"))
	}
	return findings
}

// ReplicationMetrics are the dimensions of the copying's metrics, in the
// namespace AWS/S3: OperationsFailedReplication, OperationsPendingReplication,
// BytesPendingReplication and ReplicationLatency (in seconds). An alarm on the
// first is the only sign of a copying that a wrong key stopped.
type ReplicationMetrics struct {
	SourceBucket, DestinationBucket, RuleID string
}

func (r *BucketReplica) metrics(args *BucketArgs) *ReplicationMetrics {
	if r == nil {
		return nil
	}
	return &ReplicationMetrics{SourceBucket: args.BucketName, DestinationBucket: r.To.PhysicalName, RuleID: replicationRule}
}

// replicationRule is the id of the one rule, which copies everything.
const replicationRule = "everything"

// failures tells of objects that were not copied, or not in time.
func (r *BucketReplica) failures() *s3.BucketNotificationTopicArgs {
	return &s3.BucketNotificationTopicArgs{
		Id:       pulumi.String("replication-failures"),
		TopicArn: r.FailureTopicArn.ToStringOutput(),
		Events:   pulumi.ToStringArray([]string{"s3:Replication:OperationFailedReplication", "s3:Replication:OperationMissedThreshold"}),
	}
}

// policy is what S3 may do with the role, on the two buckets and through them.
func (r *BucketReplica) policy(args *BucketArgs) identity.Document {
	source := args.Scope.GlobalARN("s3", args.BucketName)
	copies := r.To.Scope.GlobalARN("s3", r.To.PhysicalName)
	return identity.Document{
		{
			Sid: "ReadConfiguration", Effect: identity.Allow,
			Actions: []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}, Resources: []string{source},
		},
		{
			Sid: "ReadVersions", Effect: identity.Allow,
			Actions: []string{
				"s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectVersionAcl",
				"s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging",
			},
			Resources: []string{objects(source)},
		},
		{
			Sid: "WriteCopies", Effect: identity.Allow,
			Actions:   []string{"s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"},
			Resources: []string{objects(copies)},
		},
		throughS3("DecryptSource", args.Scope, r.KeyAlias, source, "kms:Decrypt"),
		throughS3("EncryptCopies", r.To.Scope, r.KeyAlias, copies, "kms:Encrypt", "kms:GenerateDataKey"),
	}
}

// throughS3 allows a key's use for one bucket. The key is named by its alias
// because its id is not known at preview. The encryption context is the
// bucket's ARN, because the buckets use bucket keys: with the object's alone,
// replication fails in silence (terraform-aws-control_tower_account_factory#639).
// It is the object's where a log service's own headers ask for no bucket key.
func throughS3(sid string, scope identity.Scope, alias, bucketARN string, actions ...string) identity.Statement {
	return identity.Statement{
		Sid: sid, Effect: identity.Allow, Actions: actions,
		Resources: []string{scope.ARN("kms", "key/*")},
		Conditions: []identity.Condition{
			{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{alias}},
			{Test: "StringEquals", Key: "kms:ViaService", Values: []string{scope.RegionalService("s3")}},
			{Test: "StringLike", Key: "kms:EncryptionContext:aws:s3:arn", Values: []string{bucketARN, objects(bucketARN)}},
		},
	}
}

func (b *bucketBuilder) replicate() {
	if b.err != nil {
		return
	}
	r := b.args.Replica
	role, err := identity.NewRole(b.ctx, b.name+"-replication", &identity.RoleArgs{
		RoleName:            r.RoleName,
		Description:         fmt.Sprintf("S3 copies objects of %s to %s", b.args.BucketName, r.To.PhysicalName),
		Trust:               identity.ServiceTrust("s3.amazonaws.com", b.args.Scope),
		Policies:            map[string]identity.Document{"replication": r.policy(b.args)},
		PermissionsBoundary: r.PermissionsBoundary,
		Tags:                b.args.Tags,
	}, pulumi.Parent(b.c))
	if err != nil {
		b.err = err
		return
	}
	b.step(func(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
		// S3 checks both versionings and the role's rights when it takes the rule.
		needs := append([]pulumi.Resource{b.c.Versioning, r.To.Versioning}, role.Rights...)
		return s3.NewBucketReplicationConfig(b.ctx, b.name+"-replication", &s3.BucketReplicationConfigArgs{
			Bucket: b.c.Bucket.ID(),
			Role:   role.Arn,
			Rules:  s3.BucketReplicationConfigRuleArray{r.rule()},
		}, append(o, pulumi.DependsOn(needs))...)
	})
}

// rule copies everything. Delete markers stay here: a deletion, by mistake or
// by an intruder, does not reach the copies.
func (r *BucketReplica) rule() *s3.BucketReplicationConfigRuleArgs {
	class := r.StorageClass
	if class == "" {
		class = "STANDARD_IA"
	}
	destination := &s3.BucketReplicationConfigRuleDestinationArgs{
		Bucket:       r.To.Arn,
		StorageClass: pulumi.String(class),
		EncryptionConfiguration: &s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs{
			ReplicaKmsKeyId: r.KmsKeyArn.ToStringOutput(),
		},
		// The metrics tell of operations that failed; nothing else does.
		Metrics: &s3.BucketReplicationConfigRuleDestinationMetricsArgs{Status: pulumi.String("Enabled")},
	}
	if r.TimeControl {
		destination.Metrics = &s3.BucketReplicationConfigRuleDestinationMetricsArgs{
			Status:         pulumi.String("Enabled"),
			EventThreshold: &s3.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs{Minutes: pulumi.Int(15)},
		}
		destination.ReplicationTime = &s3.BucketReplicationConfigRuleDestinationReplicationTimeArgs{
			Status: pulumi.String("Enabled"),
			Time:   &s3.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs{Minutes: pulumi.Int(15)},
		}
	}
	return &s3.BucketReplicationConfigRuleArgs{
		Id:                      pulumi.String(replicationRule),
		Priority:                pulumi.Int(1),
		Status:                  pulumi.String("Enabled"),
		Filter:                  &s3.BucketReplicationConfigRuleFilterArgs{},
		DeleteMarkerReplication: &s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs{Status: pulumi.String("Disabled")},
		SourceSelectionCriteria: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs{
			SseKmsEncryptedObjects: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs{
				Status: pulumi.String("Enabled"),
			},
		},
		Destination: destination,
	}
}
