package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// DNSQueryLogGroup is the physical name of a stack's DNS query log group. The
// start of the name is one that AWS's shared delivery policy admits with a
// wildcard when it has no room left for single groups.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html
func DNSQueryLogGroup(prefix string) string { return "/aws/vendedlogs/" + prefix + "/dns-queries" }

// log records every query of the VPC, with the firewall's verdict.
func (b *dnsBuilder) log() (err error) {
	b.c.LogGroup, err = monitoring.NewLogGroup(b.ctx, b.name+"-queries", &monitoring.LogGroupArgs{
		Name: DNSQueryLogGroup(b.args.Prefix), KmsKeyArn: b.args.LogKeyArn,
		RetentionInDays: b.args.LogRetentionInDays, Tags: b.args.Tags,
	}, b.child())
	if err != nil {
		return err
	}
	var ready []pulumi.Resource
	if b.args.CreateLogResourcePolicy {
		policy, err := b.deliveryPolicy()
		if err != nil {
			return err
		}
		ready = append(ready, policy)
	}
	physical := b.args.Prefix + "-dns-queries"
	config, err := route53.NewResolverQueryLogConfig(b.ctx, b.name+"-queries", &route53.ResolverQueryLogConfigArgs{
		Name:           pulumi.String(physical),
		DestinationArn: b.c.LogGroup.Arn,
		Tags:           tagged(b.args.Tags, physical),
	}, b.child(), pulumi.DependsOn(ready))
	if err != nil {
		return err
	}
	_, err = route53.NewResolverQueryLogConfigAssociation(b.ctx, b.name+"-queries", &route53.ResolverQueryLogConfigAssociationArgs{
		ResolverQueryLogConfigId: config.ID(),
		ResourceId:               b.args.VpcID.ToStringOutput(),
	}, b.child())
	return err
}

func (b *dnsBuilder) deliveryPolicy() (*cloudwatch.LogResourcePolicy, error) {
	policy, err := logDelivery(b.args.Scope, DNSQueryLogGroup(b.args.Prefix)).JSON(identity.LogPolicy)
	if err != nil {
		return nil, err
	}
	return cloudwatch.NewLogResourcePolicy(b.ctx, b.name+"-queries", &cloudwatch.LogResourcePolicyArgs{
		PolicyName:     pulumi.String(b.args.Prefix + "-dns-queries"),
		PolicyDocument: pulumi.String(policy),
	}, b.child())
}
