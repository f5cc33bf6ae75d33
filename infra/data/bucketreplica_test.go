package data_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const replicaKeyARN = "arn:aws:kms:eu-west-1:123456789012:key/app"

// replicatedBuckets adds a copy in another region to the set.
func replicatedBuckets(ctx *pulumi.Context) error {
	_, err := bucketCopies(ctx, func(*data.BucketReplica) {})
	return err
}

func bucketCopies(ctx *pulumi.Context, change func(*data.BucketReplica)) (*data.Bucket, error) {
	return changedBucket(ctx, func(args *data.BucketArgs) error {
		there, err := aws.NewProvider(ctx, "replica", &aws.ProviderArgs{Region: pulumi.String(replicaRegion)})
		if err != nil {
			return err
		}
		logs, err := data.NewBucket(ctx, "logs-replica", &data.BucketArgs{
			Scope: scope.In(replicaRegion), Kind: data.AccessLogs, BucketName: "redoubt-dev-access-logs-replica",
			Writers: []data.BucketWriter{data.ServerAccessLogs}, SourcePrefix: "redoubt-dev-",
		}, pulumi.Provider(there))
		if err != nil {
			return err
		}
		copies, err := data.NewBucket(ctx, "data-replica", &data.BucketArgs{
			Scope: scope.In(replicaRegion), Kind: data.Data, BucketName: "redoubt-dev-data-replica",
			KmsKeyArn: pulumi.String(replicaKeyARN), LogBucket: logs,
		}, pulumi.Provider(there))
		args.Replica = &data.BucketReplica{
			To: copies, KmsKeyArn: pulumi.String(replicaKeyARN), KeyAlias: "alias/redoubt-dev-app",
			RoleName: "redoubt-dev-replication", TimeControl: true,
		}
		change(args.Replica)
		return err
	})
}

func TestBucketReplication(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, replicatedBuckets, graphtest.Preview())
	config := g.Only("aws:s3/bucketReplicationConfig:BucketReplicationConfig")
	require.Equal(t, map[string]any{}, config.Input("rules[0].filter"))
	require.Equal(t, "Disabled", config.Input("rules[0].deleteMarkerReplication.status"))
	require.Equal(t, "Enabled", config.Input("rules[0].sourceSelectionCriteria.sseKmsEncryptedObjects.status"), "without it S3 refuses the destination's key")
	require.Equal(t, replicaKeyARN, config.Input("rules[0].destination.encryptionConfiguration.replicaKmsKeyId"))
	require.Equal(t, "Enabled", config.Input("rules[0].destination.metrics.status"))
	require.EqualValues(t, 15, config.Input("rules[0].destination.replicationTime.time.minutes"))
	for _, name := range []string{"data-versioning", "data-replica-versioning"} {
		require.True(t, g.Depends(config, g.One("aws:s3/bucketVersioningV2:BucketVersioningV2", name)), name)
	}
	rights := g.Only("aws:iam/rolePolicy:RolePolicy")
	require.True(t, g.Depends(config, rights))
	require.Contains(t, g.One("aws:s3/bucketV2:BucketV2", "data-replica-bucket").Provider, "replica", "children follow the component's provider")

	for sid, want := range map[string]struct{ region, bucket string }{
		"DecryptSource": {"eu-central-1", "arn:aws:s3:::redoubt-dev-data"},
		"EncryptCopies": {"eu-west-1", "arn:aws:s3:::redoubt-dev-data-replica"},
	} {
		s := statement(t, rights, "policy", sid)
		require.Equal(t, []string{"arn:aws:kms:" + want.region + ":123456789012:key/*"}, s.Resources)
		require.Contains(t, s.Conditions, identity.Condition{Test: "StringLike", Key: "kms:EncryptionContext:aws:s3:arn", Values: []string{want.bucket, want.bucket + "/*"}},
			"with bucket keys the context is the bucket, and without the object")
		require.Contains(t, s.Conditions, identity.Condition{Test: "StringEquals", Key: "kms:ViaService", Values: []string{"s3." + want.region + ".amazonaws.com"}})
		require.Contains(t, s.Conditions, identity.Condition{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{"alias/redoubt-dev-app"}})
	}
}

func TestReplicationFailuresAreHeard(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:eu-central-1:123456789012:redoubt-dev-high"
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		policy, err := sns.NewTopicPolicy(ctx, "high", &sns.TopicPolicyArgs{Arn: pulumi.String(topic), Policy: pulumi.String("{}")})
		if err != nil {
			return err
		}
		_, err = bucketCopies(ctx, func(r *data.BucketReplica) {
			r.FailureTopicArn, r.TopicReady = pulumi.String(topic), []pulumi.Resource{policy}
		})
		return err
	})
	events := g.One("aws:s3/bucketNotification:BucketNotification", "data-events")
	require.Equal(t, topic, events.Input("topics[0].topicArn"))
	require.Contains(t, events.Input("topics[0].events"), "s3:Replication:OperationFailedReplication")
	require.Equal(t, true, events.Input("eventbridge"), "one configuration holds both")
	require.True(t, g.Depends(events, g.Only("aws:sns/topicPolicy:TopicPolicy")), "S3 tests the topic")
	require.False(t, g.One("aws:s3/bucketNotification:BucketNotification", "data-replica-events").Has("topics"))
}

func TestReplicationMetricsNameTheRule(t *testing.T) {
	t.Parallel()
	var metrics *data.ReplicationMetrics
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		bucket, err := bucketCopies(ctx, func(*data.BucketReplica) {})
		if err != nil {
			return err
		}
		metrics = bucket.Replication
		return nil
	})
	require.Equal(t, "redoubt-dev-data", metrics.SourceBucket)
	require.Equal(t, "redoubt-dev-data-replica", metrics.DestinationBucket)
	require.Equal(t, g.Only("aws:s3/bucketReplicationConfig:BucketReplicationConfig").Input("rules[0].id"), metrics.RuleID)
}
