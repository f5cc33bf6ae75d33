package data

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// auroraEvents are the events that somebody should hear of, by what they
// happen to. Backups and creations are left out: they are every day's.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html
var auroraEvents = []struct {
	source     string
	categories []string
}{
	{"db-cluster", []string{"configuration change", "deletion", "failover", "failure", "maintenance", "notification"}},
	{"db-instance", []string{"availability", "configuration change", "deletion", "failure", "maintenance", "notification", "recovery", "security patching"}},
}

// buildEvents subscribes the topic to what happens to this cluster alone.
func (c *Aurora) buildEvents(ctx *pulumi.Context, name string, args *AuroraArgs) error {
	if args.EventTopicArn == nil {
		return nil
	}
	instances := make(pulumi.StringArray, 0, len(c.Instances))
	for _, instance := range c.Instances {
		instances = append(instances, instance.Identifier)
	}
	sources := map[string]pulumi.StringArray{"db-cluster": {c.Cluster.ClusterIdentifier}, "db-instance": instances}
	for _, event := range auroraEvents {
		_, err := rds.NewEventSubscription(ctx, name+"-events-"+event.source, &rds.EventSubscriptionArgs{
			Name:            pulumi.String(args.Identifier + "-" + event.source),
			SnsTopic:        args.EventTopicArn.ToStringOutput(),
			SourceType:      pulumi.String(event.source),
			SourceIds:       sources[event.source],
			EventCategories: pulumi.ToStringArray(event.categories),
			Tags:            tagged(args.Tags, args.Identifier+"-"+event.source),
		}, pulumi.Parent(c), pulumi.DependsOn(args.EventTopicReady))
		if err != nil {
			return err
		}
	}
	return nil
}

// buildActivityStream starts the stream once there are instances. It is
// asynchronous: a statement does not wait until its record is durable, so a
// failure of the stream costs records and not the application.
func (c *Aurora) buildActivityStream(ctx *pulumi.Context, name string, args *AuroraArgs) error {
	if args.ActivityStreamKeyArn == nil {
		return nil
	}
	needs := make([]pulumi.Resource, 0, len(c.Instances))
	for _, instance := range c.Instances {
		needs = append(needs, instance)
	}
	stream, err := rds.NewClusterActivityStream(ctx, name+"-activity", &rds.ClusterActivityStreamArgs{
		ResourceArn: c.Cluster.Arn,
		KmsKeyId:    args.ActivityStreamKeyArn.ToStringOutput(),
		Mode:        pulumi.String("async"),
	}, pulumi.Parent(c), pulumi.DependsOn(needs))
	if err != nil {
		return err
	}
	c.ActivityStream = stream.KinesisStreamName
	return nil
}
