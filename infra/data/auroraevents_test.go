package data_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/internal/graphtest"
)

const topicARN = "arn:aws:sns:eu-central-1:123456789012:redoubt-prod-medium"

func TestAuroraEventsReachTheTopic(t *testing.T) {
	t.Parallel()
	const typ = "aws:rds/eventSubscription:EventSubscription"
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		policy, err := sns.NewTopicPolicy(ctx, "medium", &sns.TopicPolicyArgs{Arn: pulumi.String(topicARN), Policy: pulumi.String("{}")})
		if err != nil {
			return err
		}
		return aurora(func(args *data.AuroraArgs) {
			args.EventTopicArn, args.EventTopicReady = pulumi.String(topicARN), []pulumi.Resource{policy}
		})(ctx)
	})
	require.Len(t, g.ByType(typ), 2)
	for source, ids := range map[string][]any{
		"db-cluster":  {"redoubt-prod"},
		"db-instance": {"redoubt-prod-1", "redoubt-prod-2"},
	} {
		subscription := g.One(typ, "db-events-"+source)
		require.Equal(t, topicARN, subscription.Input("snsTopic"))
		require.Equal(t, source, subscription.Input("sourceType"))
		require.Equal(t, ids, subscription.Input("sourceIds"), "other stacks' databases are not this one's business")
		require.Contains(t, subscription.Input("eventCategories"), "failure")
		require.True(t, g.Depends(subscription, g.Only("aws:sns/topicPolicy:TopicPolicy")), "RDS checks that it may publish")
	}
	require.Contains(t, g.One(typ, "db-events-db-cluster").Input("eventCategories"), "failover")
}

func TestAuroraActivityStream(t *testing.T) {
	t.Parallel()
	const typ = "aws:rds/clusterActivityStream:ClusterActivityStream"
	g := graphtest.Run(t, aurora(func(args *data.AuroraArgs) {
		args.ActivityStreamKeyArn, args.InstanceClass = pulumi.String(keyARN), "db.r7g.large"
	}))
	stream := g.Only(typ)
	require.Equal(t, keyARN, stream.Input("kmsKeyId"))
	require.Equal(t, "async", stream.Input("mode"))
	for _, instance := range g.ByType("aws:rds/clusterInstance:ClusterInstance") {
		require.Equal(t, "db.r7g.large", instance.Input("instanceClass"))
		require.True(t, g.Depends(stream, instance), "RDS starts no stream on a cluster without instances")
	}
	require.Empty(t, graphtest.Run(t, aurora(func(*data.AuroraArgs) {})).ByType(typ))
}

func TestAuroraIsBackedUpByItsTier(t *testing.T) {
	t.Parallel()
	cluster := graphtest.Run(t, aurora(func(args *data.AuroraArgs) { args.BackupTier = "redoubt-prod" })).Only(clusterType)
	require.Equal(t, "redoubt-prod", cluster.Input("tags.backup"))
	require.False(t, graphtest.Run(t, aurora(func(*data.AuroraArgs) {})).Only(clusterType).Has("tags.backup"))
}

func TestAuroraLeavesItsBackupsToAWSBackup(t *testing.T) {
	t.Parallel()
	cluster := graphtest.Run(t, aurora(func(args *data.AuroraArgs) { args.BackupTier, args.ContinuousBackup = "redoubt-prod", true })).Only(clusterType)
	require.ElementsMatch(t, []string{"backupRetentionPeriod", "preferredBackupWindow"}, cluster.IgnoreChanges, "AWS Backup sets them and refuses others")
	require.EqualValues(t, 35, cluster.Input("backupRetentionPeriod"), "until the first job")
	require.Empty(t, graphtest.Run(t, aurora(func(*data.AuroraArgs) {})).Only(clusterType).IgnoreChanges)
}

func TestAuroraCanBeDestroyedTwice(t *testing.T) {
	t.Parallel()
	second := graphtest.Run(t, aurora(func(args *data.AuroraArgs) { args.FinalSnapshotSuffix = "2" })).Only(clusterType)
	require.Equal(t, "redoubt-prod-final-2", second.Input("finalSnapshotIdentifier"))
}
