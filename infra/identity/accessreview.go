package identity

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// AccessReviewComponent gathers the evidence of a review four times a year.
var AccessReviewComponent = guide.Component{
	Token: "redoubt:identity:AccessReview",
	Serves: []guide.ID{
		guide.PracticesIAMRegularAccessReviews,
		guide.PracticesSecurityGroupsRegularReviews,
		guide.PracticesAuthorizationRegularAudits,
	},
}

// Quarterly is six in the morning of the first day of each quarter.
const Quarterly = "cron(0 6 1 1,4,7,10 ? *)"

// AccessReviewArgs describes the review. One per account is enough for IAM,
// which is global; security groups are those of the region.
type AccessReviewArgs struct {
	Scope Scope
	// Prefix starts the names of the machine, the schedule and their roles.
	Prefix string
	// Schedule is an EventBridge Scheduler expression; empty means Quarterly.
	Schedule string
	// Timezone is an IANA name; empty means UTC.
	Timezone string
	// EvidenceBucket is the bucket's name, EvidencePrefix the folder in it that
	// ends with "/"; empty means "access-reviews/".
	EvidenceBucket, EvidencePrefix string
	// TopicName is the SNS topic that hears of a review.
	TopicName string
	// KeyAliases are those of the bucket's and the topic's keys, "alias/…".
	KeyAliases []string
	// ExternalAnalyzerArn and UnusedAnalyzerArn are whose findings are gathered;
	// empty leaves them out. They are known at preview: Analyzers has them.
	ExternalAnalyzerArn, UnusedAnalyzerArn string
	// LogGroupArn is the group's, without ":*". Names starting with
	// /aws/vendedlogs/ keep the log resource policy from growing.
	LogGroupArn pulumi.StringInput
	// Paused keeps the schedule from starting reviews; they can be started by hand.
	Paused bool
	// PermissionsBoundary caps both roles; empty for none.
	PermissionsBoundary string
	Tags                map[string]string
}

// AccessReview is a state machine that collects who may do what and who does
// not use it, writes it to the evidence bucket under <prefix><date>/<execution>/,
// and tells a topic. Deciding stays with people.
type AccessReview struct {
	pulumi.ResourceState

	Machine  *sfn.StateMachine
	Schedule *scheduler.Schedule
	// MachineArn is composed from names and known at preview.
	MachineArn string
}

// NewAccessReview makes the machine, its schedule and a role for each.
func NewAccessReview(ctx *pulumi.Context, name string, args *AccessReviewArgs, opts ...pulumi.ResourceOption) (*AccessReview, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("access review %q: %w", name, err)
	}
	definition, err := marshalPlain(args.machine())
	if err != nil {
		return nil, fmt.Errorf("access review %q: definition: %w", name, err)
	}
	c := &AccessReview{MachineArn: args.machineARN()}
	if err := ctx.RegisterComponentResource(AccessReviewComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("access review %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args, string(definition)); err != nil {
		return nil, fmt.Errorf("access review %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"machineArn": pulumi.String(c.MachineArn)})
}

func (c *AccessReview) build(ctx *pulumi.Context, name string, args *AccessReviewArgs, definition string) error {
	role, err := NewRole(ctx, name+"-machine", &RoleArgs{
		RoleName:            args.machineName(),
		Description:         "The access review reads access and writes evidence",
		Trust:               ServiceTrust("states.amazonaws.com", args.Scope, c.MachineArn),
		Policies:            map[string]Document{"review": args.rights()},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.Machine, err = sfn.NewStateMachine(ctx, name+"-machine", &sfn.StateMachineArgs{
		Name:       pulumi.String(args.machineName()),
		Type:       pulumi.String("STANDARD"),
		RoleArn:    role.Arn,
		Definition: pulumi.String(definition),
		LoggingConfiguration: &sfn.StateMachineLoggingConfigurationArgs{
			Level: pulumi.String("ALL"),
			// The data is the credential report; it belongs in the bucket alone.
			IncludeExecutionData: pulumi.Bool(false),
			LogDestination:       pulumi.Sprintf("%s:*", args.LogGroupArn),
		},
		TracingConfiguration: &sfn.StateMachineTracingConfigurationArgs{Enabled: pulumi.Bool(true)},
		Tags:                 tagged(args.Tags, args.machineName()),
		// Step Functions checks at creation that the role may write the log.
	}, pulumi.Parent(c), pulumi.DependsOn(role.Rights))
	if err != nil {
		return err
	}
	return c.schedule(ctx, name, args)
}

func (c *AccessReview) schedule(ctx *pulumi.Context, name string, args *AccessReviewArgs) error {
	role, err := NewRole(ctx, name+"-schedule", &RoleArgs{
		RoleName:    args.machineName() + "-schedule",
		Description: "EventBridge Scheduler starts the access review",
		// The scheduler names the schedule's group as source, not the schedule.
		// https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
		Trust: ServiceTrust("scheduler.amazonaws.com", args.Scope, args.Scope.ARN("scheduler", "schedule-group/default")),
		Policies: map[string]Document{"start": {{
			Sid: "StartReview", Effect: Allow,
			Actions: []string{"states:StartExecution"}, Resources: []string{c.MachineArn},
		}}},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	state, zone := "ENABLED", args.Timezone
	if args.Paused {
		state = "DISABLED"
	}
	if zone == "" {
		zone = "UTC"
	}
	c.Schedule, err = scheduler.NewSchedule(ctx, name+"-schedule", &scheduler.ScheduleArgs{
		Name:                       pulumi.String(args.machineName()),
		Description:                pulumi.String("Starts the access review"),
		ScheduleExpression:         pulumi.String(args.expression()),
		ScheduleExpressionTimezone: pulumi.String(zone),
		State:                      pulumi.String(state),
		FlexibleTimeWindow:         &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
		Target: &scheduler.ScheduleTargetArgs{
			Arn: c.Machine.Arn, RoleArn: role.Arn, Input: pulumi.String("{}"),
			RetryPolicy: &scheduler.ScheduleTargetRetryPolicyArgs{
				MaximumEventAgeInSeconds: pulumi.Int(3600), MaximumRetryAttempts: pulumi.Int(10),
			},
		},
	}, pulumi.Parent(c), pulumi.DependsOn(role.Rights))
	return err
}

func (args *AccessReviewArgs) machineName() string { return args.Prefix + "-access-review" }

func (args *AccessReviewArgs) machineARN() string {
	return args.Scope.ARN("states", "stateMachine:"+args.machineName())
}

func (args *AccessReviewArgs) topicARN() string { return args.Scope.ARN("sns", args.TopicName) }

func (args *AccessReviewArgs) expression() string {
	if args.Schedule == "" {
		return Quarterly
	}
	return args.Schedule
}

func (args *AccessReviewArgs) evidencePrefix() string {
	if args.EvidencePrefix == "" {
		return "access-reviews/"
	}
	return args.EvidencePrefix
}

var (
	scheduleForm = regexp.MustCompile(`^(cron|rate)\(.+\)$`)
	bucketForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	folderForm   = regexp.MustCompile(`^([a-z0-9-]+/)+$`)
	topicForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
)

func (args *AccessReviewArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.AccessReviewArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	for _, text := range []struct {
		field, value string
		form         *regexp.Regexp
		fix          string
	}{
		{"schedule", args.expression(), scheduleForm, "cron(…) or rate(…), for example identity.Quarterly"},
		{"evidenceBucket", args.EvidenceBucket, bucketForm, "the bucket's name"},
		{"evidencePrefix", args.evidencePrefix(), folderForm, "lower-case folders that end with /"},
		{"topicName", args.TopicName, topicForm, "the SNS topic's name, not its ARN"},
	} {
		if !text.form.MatchString(text.value) {
			f.add(text.field, fmt.Sprintf("%q does not fit", text.value), text.fix)
		}
	}
	for i, alias := range args.KeyAliases {
		if !strings.HasPrefix(alias, "alias/") || strings.Contains(alias, "*") {
			f.add(fmt.Sprintf("keyAliases[%d]", i), fmt.Sprintf("%q is not one key's alias", alias), "alias/<name>")
		}
	}
	if args.LogGroupArn == nil {
		f.add("logGroupArn", "missing", "pass the ARN of a log group made with monitoring.NewLogGroup")
	}
	return f.err()
}
