package data

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kinesis"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// LogIngestionComponent carries log groups into the search domain.
var LogIngestionComponent = guide.Component{
	Token: "redoubt:data:LogIngestion",
	Serves: []guide.ID{
		guide.OverviewDataKMS,
		guide.OverviewMonitoringOpenSearch,
	},
}

// LogIngestionArgs describes a delivery stream from log groups to a domain.
type LogIngestionArgs struct {
	Scope identity.Scope
	// StreamName is the physical name of the delivery stream.
	StreamName string
	// Domain receives the documents. Beside its access policy, its own access
	// control must map RoleName to a role that may write to the index; Mapped
	// is what does that, so that no log is sent before.
	Domain *OpenSearch
	Mapped []pulumi.Resource
	// IndexName is how the indices' names start, IndexRotation how often a new
	// one begins: OneHour, OneDay, OneWeek, OneMonth or NoRotation. Empty means
	// OneDay.
	IndexName, IndexRotation string
	// Sources are the log groups.
	Sources []LogSource
	// Splitter makes a document of each log event; nil for a document of each
	// batch, as CloudWatch Logs sends it: the events are in its logEvents, the
	// group's name in logGroup. Firehose's own extraction of messages
	// (CloudWatchLogProcessing) is no choice here: it joins the events of a
	// batch in one record, which OpenSearch refuses.
	// https://docs.aws.amazon.com/firehose/latest/dev/writing-with-cloudwatch-logs.html
	Splitter *LogSplitter
	// NeverSubscribe are names of further log groups that the delivery writes
	// to, such as a function's that sets the domain up.
	NeverSubscribe []string
	// SubnetIDs and SecurityGroupIDs are of the stream's network interfaces;
	// the domain's group admits theirs on 443. A change makes another stream.
	SubnetIDs, SecurityGroupIDs pulumi.StringArrayInput
	// KmsKeyArn encrypts what waits in the stream; a key with
	// KeyForServiceGrants.
	KmsKeyArn pulumi.StringInput
	// Backup is a bucket of kind Audit for documents that the domain did not
	// take, or for all with AllDocuments. BackupKmsKeyArn and BackupKeyAlias,
	// "alias/…", are its key.
	Backup          *Bucket
	BackupKmsKeyArn pulumi.StringInput
	BackupKeyAlias  string
	AllDocuments    bool
	// RoleName is the physical name of the stream's role, one of the domain's
	// AccessRoleNames; SubscriptionRoleName of the role that CloudWatch Logs
	// writes with.
	RoleName, SubscriptionRoleName string
	// PermissionsBoundary caps the roles; empty for none.
	PermissionsBoundary string
	// LogKmsKeyArn encrypts the log group of the stream's errors;
	// LogRetentionInDays is one of monitoring.RetentionDays.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	Tags               map[string]string
}

// LogSource is a log group that is delivered. CloudWatch Logs allows two
// subscriptions of a group, whoever made them.
type LogSource struct {
	// LogGroup is the group's physical name.
	LogGroup string
	// Pattern is a filter pattern of CloudWatch Logs; empty for everything.
	Pattern string
	// Group is the group where this stack makes it; nil where it exists.
	Group *monitoring.LogGroup
}

// LogSplitter is a Lambda function that Firehose hands each batch of events, as
// CloudWatch Logs packed it. It must answer with one record for each record,
// so it puts the events of a larger batch back into the stream, each as a
// batch of one, and drops the larger one; workload.NewLogSplitter makes it.
type LogSplitter struct {
	// FunctionArn names a version or an alias.
	FunctionArn pulumi.StringInput
	// FunctionName is the physical name, for the role's policy.
	FunctionName string
}

// LogIngestion is a delivery stream that feeds the domain from log groups.
type LogIngestion struct {
	pulumi.ResourceState

	Stream *kinesis.FirehoseDeliveryStream
	// Errors is the log group of failed deliveries. Subscribing it to the
	// stream would feed each failure back.
	Errors *monitoring.LogGroup
	Arn    pulumi.StringOutput
	// StreamName is known at preview, for alarms.
	StreamName string
}

// NewLogIngestion makes the stream and the subscriptions. The error joins
// every finding in args.
func NewLogIngestion(ctx *pulumi.Context, name string, args *LogIngestionArgs, opts ...pulumi.ResourceOption) (*LogIngestion, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("log ingestion %q: %w", name, err)
	}
	c := &LogIngestion{StreamName: args.StreamName}
	if err := ctx.RegisterComponentResource(LogIngestionComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("log ingestion %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *LogIngestionArgs) error{c.buildStream, c.subscribe} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("log ingestion %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn})
}

// The streams of the error log group, which Firehose makes in the console only.
const (
	deliveryErrors = "DestinationDelivery"
	backupErrors   = "BackupDelivery"
)

func (c *LogIngestion) buildStream(ctx *pulumi.Context, name string, args *LogIngestionArgs) error {
	role, err := identity.NewRole(ctx, name, &identity.RoleArgs{
		RoleName:            args.RoleName,
		Description:         "Firehose delivers logs to the domain " + args.Domain.DomainName,
		Trust:               identity.ServiceTrust("firehose.amazonaws.com", args.Scope),
		Policies:            map[string]identity.Document{"delivery": args.deliveryPolicy()},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.Errors, err = monitoring.NewLogGroup(ctx, name+"-errors", &monitoring.LogGroupArgs{
		Name:            args.errorGroup(),
		KmsKeyArn:       args.LogKmsKeyArn,
		RetentionInDays: args.LogRetentionInDays,
		Tags:            args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	needs := slices.Clone(role.Rights)
	for _, errors := range []string{deliveryErrors, backupErrors} {
		stream, err := cloudwatch.NewLogStream(ctx, name+"-errors-"+errors, &cloudwatch.LogStreamArgs{
			Name: pulumi.String(errors), LogGroupName: c.Errors.Name,
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		needs = append(needs, stream)
	}
	c.Stream, err = kinesis.NewFirehoseDeliveryStream(ctx, name+"-stream", &kinesis.FirehoseDeliveryStreamArgs{
		Name:        pulumi.String(args.StreamName),
		Destination: pulumi.String("opensearch"),
		ServerSideEncryption: &kinesis.FirehoseDeliveryStreamServerSideEncryptionArgs{
			Enabled: pulumi.Bool(true), KeyType: pulumi.String("CUSTOMER_MANAGED_CMK"), KeyArn: args.KmsKeyArn.ToStringOutput(),
		},
		OpensearchConfiguration: c.destination(args, role),
		Tags:                    tagged(args.Tags, args.StreamName),
	}, pulumi.Parent(c), pulumi.DependsOn(needs))
	if err != nil {
		return err
	}
	c.Arn = c.Stream.Arn
	return nil
}

// subscribe hands the groups' events to the stream. CloudWatch Logs sends a
// test message first, so the role's rights come before.
func (c *LogIngestion) subscribe(ctx *pulumi.Context, name string, args *LogIngestionArgs) error {
	role, err := identity.NewRole(ctx, name+"-subscription", &identity.RoleArgs{
		RoleName:    args.SubscriptionRoleName,
		Description: "CloudWatch Logs writes to the delivery stream " + args.StreamName,
		Trust:       identity.ServiceTrust("logs.amazonaws.com", args.Scope, args.Scope.ARN("logs", "*")),
		Policies: map[string]identity.Document{"put": {{
			Sid: "PutRecords", Effect: identity.Allow, Actions: []string{"firehose:PutRecord", "firehose:PutRecordBatch"},
			Resources: []string{args.streamARN()},
		}}},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	seen := map[string]int{}
	for _, source := range args.Sources {
		seen[source.LogGroup]++
		suffix := ""
		if n := seen[source.LogGroup]; n > 1 {
			suffix = fmt.Sprintf("-%d", n)
		}
		needs := slices.Concat(role.Rights, args.Mapped)
		if source.Group != nil {
			needs = append(needs, source.Group.Group)
		}
		_, err := cloudwatch.NewLogSubscriptionFilter(ctx, name+"-"+groupSlug(source.LogGroup)+suffix, &cloudwatch.LogSubscriptionFilterArgs{
			Name:           pulumi.String(args.StreamName + suffix),
			LogGroup:       pulumi.String(source.LogGroup),
			FilterPattern:  pulumi.String(source.Pattern),
			DestinationArn: c.Arn,
			RoleArn:        role.Arn,
		}, pulumi.Parent(c), pulumi.DependsOn(needs))
		if err != nil {
			return err
		}
	}
	return nil
}

// groupSlug is a log group's name as a part of a logical name.
func groupSlug(group string) string {
	return strings.ReplaceAll(strings.Trim(group, "/"), "/", "-")
}
