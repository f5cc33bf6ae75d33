package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// FlowLogsComponent ties FlowLogs to the guide.
var FlowLogsComponent = guide.Component{
	Token:  "redoubt:network:FlowLogs",
	Serves: []guide.ID{guide.ArchitectureVPCFlowLogs, guide.OperationsLogsVPCFlowLogs},
}

// flowLogFields are the record's fields, in order: version 2's fourteen, then
// those of versions 3 to 5 that tell what a packet was for (the real source
// behind a NAT gateway, the AWS service, the direction, the path out).
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
var flowLogFields = []string{
	"version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol",
	"packets", "bytes", "start", "end", "action", "log-status",
	"vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr",
	"region", "az-id", "pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path",
}

// flowLogInterval is the shorter of the two aggregation intervals, in seconds.
const flowLogInterval = 60

// FlowLogsArgs describes a VPC's flow logs. All but ArchiveBucketArn and Tags
// are required.
type FlowLogsArgs struct {
	Prefix string
	Scope  identity.Scope
	VpcID  pulumi.StringInput
	// KmsKeyArn encrypts the log group; see monitoring.LogGroupArgs.
	KmsKeyArn pulumi.StringInput
	// RetentionInDays is one of monitoring.RetentionDays.
	RetentionInDays int
	// ArchiveBucketArn, if set, receives a second copy as Parquet, partitioned
	// by hour for Athena. The bucket's policy must admit delivery.logs.amazonaws.com.
	ArchiveBucketArn pulumi.StringInput
	// PermissionsBoundary caps the delivery role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// FlowLogs records accepted and rejected traffic of a whole VPC.
type FlowLogs struct {
	pulumi.ResourceState

	LogGroup *monitoring.LogGroup
	Role     *identity.Role
}

// NewFlowLogs registers the log group, the delivery role and the flow logs. It
// returns every finding about args at once.
func NewFlowLogs(ctx *pulumi.Context, name string, args *FlowLogsArgs, opts ...pulumi.ResourceOption) (*FlowLogs, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("flow logs %s: %w", name, err)
	}
	c := &FlowLogs{}
	if err := ctx.RegisterComponentResource(FlowLogsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("flow logs %s: register component: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("flow logs %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"logGroup": c.LogGroup.Name})
}

// FlowLogGroup is the physical name of a stack's flow log group.
func FlowLogGroup(prefix string) string { return "/" + prefix + "/vpc-flow-logs" }

func (args *FlowLogsArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a FlowLogsArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	f.required("vpcId", args.VpcID != nil, "pass the VPC's id")
	args.checkDestination(&f, "")
	return f.err()
}

// checkDestination checks what a Vpc's arguments do not have themselves.
func (args *FlowLogsArgs) checkDestination(f *findings, path string) {
	f.required(path+"kmsKeyArn", args.KmsKeyArn != nil, "pass the logs key's ARN")
	if !slices.Contains(monitoring.RetentionDays, args.RetentionInDays) {
		f.add(path+"retentionInDays", fmt.Sprintf("%d is not a period that CloudWatch Logs knows", args.RetentionInDays), "use one of monitoring.RetentionDays")
	}
}

func (c *FlowLogs) build(ctx *pulumi.Context, name string, args *FlowLogsArgs) (err error) {
	child := pulumi.Parent(c)
	c.LogGroup, err = monitoring.NewLogGroup(ctx, name+"-group", &monitoring.LogGroupArgs{
		Name: FlowLogGroup(args.Prefix), KmsKeyArn: args.KmsKeyArn,
		RetentionInDays: args.RetentionInDays, Tags: args.Tags,
	}, child)
	if err != nil {
		return err
	}
	c.Role, err = identity.NewRole(ctx, name+"-delivery", &identity.RoleArgs{
		RoleName:            args.Prefix + "-vpc-flow-logs",
		Description:         "Lets VPC flow logs write to the log group of " + args.Prefix,
		Trust:               identity.ServiceTrust("vpc-flow-logs.amazonaws.com", args.Scope, args.Scope.ARN("ec2", "vpc-flow-log/*")),
		Policies:            map[string]identity.Document{"deliver": flowLogRights(args.Scope, args.Prefix)},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, child)
	if err != nil {
		return err
	}
	// Delivery tests its rights when the flow log is made.
	ready := pulumi.DependsOn(c.Role.Rights)
	_, err = ec2.NewFlowLog(ctx, name+"-cloudwatch", flowLog(args, &ec2.FlowLogArgs{
		LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination:     c.LogGroup.Arn,
		IamRoleArn:         c.Role.Arn,
	}), child, ready)
	if err != nil || args.ArchiveBucketArn == nil {
		return err
	}
	_, err = ec2.NewFlowLog(ctx, name+"-archive", flowLog(args, &ec2.FlowLogArgs{
		LogDestinationType: pulumi.String("s3"),
		LogDestination:     args.ArchiveBucketArn.ToStringOutput(),
		DestinationOptions: &ec2.FlowLogDestinationOptionsArgs{
			FileFormat:               pulumi.String("parquet"),
			HiveCompatiblePartitions: pulumi.Bool(true),
			PerHourPartition:         pulumi.Bool(true),
		},
	}), child)
	return err
}

// flowLog fills in what both destinations share.
func flowLog(args *FlowLogsArgs, to *ec2.FlowLogArgs) *ec2.FlowLogArgs {
	to.VpcId = args.VpcID.ToStringOutput()
	to.TrafficType = pulumi.String("ALL")
	to.MaxAggregationInterval = pulumi.Int(flowLogInterval)
	to.LogFormat = pulumi.String("${" + strings.Join(flowLogFields, "} ${") + "}")
	to.Tags = tagged(args.Tags, args.Prefix+"-vpc")
	return to
}

// flowLogRights lets the delivery role write to this log group only. The
// group's streams are "<group>:log-stream:*"; describing groups has no
// resource-level form.
func flowLogRights(scope identity.Scope, prefix string) identity.Document {
	group := scope.ARN("logs", "log-group:"+FlowLogGroup(prefix))
	return identity.Document{{
		Sid: "WriteFlowLogs", Effect: identity.Allow,
		Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
		Resources: []string{group, group + ":*"},
	}, {
		Sid: "FindTheGroup", Effect: identity.Allow,
		Actions:   []string{"logs:DescribeLogGroups"},
		Resources: []string{"*"},
	}}
}
