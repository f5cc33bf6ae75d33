package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// DistributionLogGroup is the physical name of a distribution's access log.
func DistributionLogGroup(prefix string) string { return "/aws/cloudfront/" + prefix }

// log delivers the access log to CloudWatch Logs. The older way, into a bucket,
// needs an ACL on it, which a bucket that enforces its owner does not have.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
func (b *distributionBuilder) log() error {
	args := b.args
	group, err := monitoring.NewLogGroup(b.ctx, b.name+"-log", &monitoring.LogGroupArgs{
		Name: DistributionLogGroup(args.Prefix), KmsKeyArn: args.LogKeyArn, RetentionInDays: args.LogRetentionInDays, Tags: args.Tags,
	}, b.child())
	if err != nil {
		return err
	}
	policy, err := logDelivery(args.Scope, DistributionLogGroup(args.Prefix)).JSON(identity.LogPolicy)
	if err != nil {
		return err
	}
	allowed, err := cloudwatch.NewLogResourcePolicy(b.ctx, b.name+"-log", &cloudwatch.LogResourcePolicyArgs{
		PolicyName: pulumi.String(args.Prefix + "-cloudfront-logs"), PolicyDocument: pulumi.String(policy),
	}, b.child())
	if err != nil {
		return err
	}
	source, err := cloudwatch.NewLogDeliverySource(b.ctx, b.name+"-log", &cloudwatch.LogDeliverySourceArgs{
		Name: pulumi.String(args.Prefix), LogType: pulumi.String("ACCESS_LOGS"), ResourceArn: b.made.Arn,
		Tags: tagged(args.Tags, args.Prefix),
	}, b.child())
	if err != nil {
		return err
	}
	destination, err := cloudwatch.NewLogDeliveryDestination(b.ctx, b.name+"-log", &cloudwatch.LogDeliveryDestinationArgs{
		Name: pulumi.String(args.Prefix), OutputFormat: pulumi.String("json"),
		DeliveryDestinationConfiguration: &cloudwatch.LogDeliveryDestinationDeliveryDestinationConfigurationArgs{
			DestinationResourceArn: group.Arn,
		},
		Tags: tagged(args.Tags, args.Prefix),
	}, b.child())
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewLogDelivery(b.ctx, b.name+"-log", &cloudwatch.LogDeliveryArgs{
		DeliverySourceName: source.Name, DeliveryDestinationArn: destination.Arn, Tags: tagged(args.Tags, args.Prefix),
	}, b.child(), pulumi.DependsOn([]pulumi.Resource{allowed}))
	return err
}
