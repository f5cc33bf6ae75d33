package monitoring

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// TrailComponent ties Trail to the guide.
var TrailComponent = guide.Component{
	Token: "redoubt:monitoring:Trail",
	Serves: []guide.ID{
		guide.OverviewMonitoringCloudTrail,
		guide.PracticesKMSAuditLogging,
		guide.OperationsLogsAuditLogs,
		guide.ResponseAnalysisReviewAuditLogs,
	},
}

// TrailArgs describes an account's trail. To manage one, all but DataBuckets,
// Functions, Insights, Protect, PermissionsBoundary and Tags are required.
type TrailArgs struct {
	Prefix string
	Scope  identity.Scope
	// Singleton is manage, adopt (ID: the trail's name) or off. The first copy
	// of management events is free in an account; a second trail is billed.
	Singleton singleton.Singleton
	// LogGroup is the adopted trail's log group, if it has one.
	LogGroup string
	// Bucket receives the logs; its policy must admit CloudTrail, and is among
	// BucketReady: CloudTrail tries to write when the trail is made.
	Bucket      pulumi.StringInput
	BucketReady []pulumi.Resource
	// KmsKeyArn encrypts the logs in the bucket; its policy must admit CloudTrail.
	KmsKeyArn pulumi.StringInput
	// LogKmsKeyArn encrypts the log group, RetentionInDays bounds it.
	LogKmsKeyArn    pulumi.StringInput
	RetentionInDays int
	// DataBuckets are names of buckets of which every object's reading and
	// writing is recorded. Never the bucket that the trail writes to.
	DataBuckets []string
	// Functions records every invocation of every Lambda function.
	Functions bool
	// Insights lets CloudTrail look for unusual rates of calls and errors.
	Insights bool
	// Protect keeps the trail when the stack is destroyed.
	Protect bool
	// PermissionsBoundary caps the delivery role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// Trail is a multi-region trail of all management events, KMS's included,
// with validated and encrypted logs, in a bucket and in a log group.
type Trail struct {
	pulumi.ResourceState

	// Arn is the trail's, empty without one.
	Arn pulumi.StringOutput
	// LogGroupName is nil without a log group.
	LogGroupName pulumi.StringInput
	// LogGroup is the group that was made for a managed trail, nil for others.
	LogGroup *LogGroup
}

var (
	trailName   = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,126}[a-zA-Z0-9]$`)
	bucketNames = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// TrailName is the physical name of a stack's trail.
func TrailName(prefix string) string { return prefix + "-trail" }

// TrailLogGroup is the physical name of a stack's trail's log group.
func TrailLogGroup(prefix string) string { return "/" + prefix + "/trail" }

// NewTrail registers the trail. It returns every finding about args at once.
func NewTrail(ctx *pulumi.Context, name string, args *TrailArgs, opts ...pulumi.ResourceOption) (*Trail, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("trail %s: %w", name, err)
	}
	c := &Trail{Arn: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(TrailComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("trail %s: register component: %w", name, err)
	}
	var err error
	switch args.Singleton.Mode {
	case singleton.Manage:
		err = c.build(ctx, name, args)
	case singleton.Adopt:
		c.Arn = pulumi.String(args.Scope.ARN("cloudtrail", "trail/"+args.Singleton.ID)).ToStringOutput()
		if args.LogGroup != "" {
			c.LogGroupName = pulumi.String(args.LogGroup)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("trail %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"trailArn": c.Arn})
}

func (args *TrailArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a TrailArgs)")
	}
	var f findings
	f.place(args.Prefix, args.Scope)
	f.singleton("singleton", args.Singleton)
	f.refuse(args.Singleton.Adopted() && !trailName.MatchString(args.Singleton.ID), "singleton.id",
		fmt.Sprintf("%q is no trail's name", args.Singleton.ID), "CloudTrail has no look-up; name the trail that logs this account")
	if !args.Singleton.Managed() {
		return f.err()
	}
	f.refuse(args.LogGroup != "", "logGroup", "set, but the trail makes its own", "leave it out, or adopt a trail")
	f.required("bucket", args.Bucket != nil, "pass the audit bucket's name")
	f.refuse(len(args.BucketReady) == 0, "bucketReady", "empty, CloudTrail would find a bucket that refuses it", "pass the bucket's policy")
	f.required("kmsKeyArn", args.KmsKeyArn != nil, "pass the ARN of a key that admits CloudTrail")
	f.required("logKmsKeyArn", args.LogKmsKeyArn != nil, "pass the logs key's ARN")
	f.retention("retentionInDays", args.RetentionInDays)
	for i, b := range args.DataBuckets {
		f.refuse(!bucketNames.MatchString(b), fmt.Sprintf("dataBuckets[%d]", i), fmt.Sprintf("%q is no bucket's name", b), "the physical name, without arn: and without objects")
	}
	return f.err()
}

func (c *Trail) build(ctx *pulumi.Context, name string, args *TrailArgs) error {
	child := pulumi.Parent(c)
	group, err := NewLogGroup(ctx, name+"-group", &LogGroupArgs{
		Name: TrailLogGroup(args.Prefix), KmsKeyArn: args.LogKmsKeyArn, RetentionInDays: args.RetentionInDays, Tags: args.Tags,
	}, child)
	if err != nil {
		return err
	}
	streams := args.Scope.ARN("logs", "log-group:"+TrailLogGroup(args.Prefix)+":log-stream:"+args.Scope.AccountID+"_CloudTrail_*")
	role, err := identity.NewRole(ctx, name+"-delivery", &identity.RoleArgs{
		RoleName: args.Prefix + "-trail", Description: "Lets CloudTrail write to the log group of " + args.Prefix,
		Trust: identity.ServiceTrust("cloudtrail.amazonaws.com", args.Scope),
		Policies: map[string]identity.Document{"deliver": {{
			Sid: "WriteTrail", Effect: identity.Allow,
			Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []string{streams},
		}}},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, child)
	if err != nil {
		return err
	}
	in := &cloudtrail.TrailArgs{
		Name:                       pulumi.String(TrailName(args.Prefix)),
		S3BucketName:               args.Bucket.ToStringOutput(),
		KmsKeyId:                   args.KmsKeyArn.ToStringOutput(),
		EnableLogging:              pulumi.Bool(true),
		EnableLogFileValidation:    pulumi.Bool(true),
		IsMultiRegionTrail:         pulumi.Bool(true),
		IncludeGlobalServiceEvents: pulumi.Bool(true),
		// CloudTrail wants the streams' ARN, not the group's.
		CloudWatchLogsGroupArn: pulumi.Sprintf("%s:*", group.Arn),
		CloudWatchLogsRoleArn:  role.Arn,
		AdvancedEventSelectors: args.eventSelectors(),
		Tags:                   tagged(args.Tags, TrailName(args.Prefix)),
	}
	if args.Insights {
		in.InsightSelectors = insightSelectors()
	}
	trail, err := cloudtrail.NewTrail(ctx, name+"-trail", in, child, pulumi.Protect(args.Protect),
		pulumi.DependsOn(append(append([]pulumi.Resource{}, args.BucketReady...), role.Rights...)))
	if err != nil {
		return err
	}
	c.Arn, c.LogGroupName, c.LogGroup = trail.Arn, group.Name, group
	return nil
}
