package monitoring

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// AlertsComponent ties Alerts to the guide.
var AlertsComponent = guide.Component{
	Token: "redoubt:monitoring:Alerts",
	Serves: []guide.ID{
		guide.OperationsGuardDutyUnauthorizedAccess,
		guide.OperationsGuardDutySuspiciousActivity,
		guide.OperationsGuardDutyDataExfiltration,
		guide.OperationsGuardDutyCryptocurrencyMining,
		guide.OperationsHighSecurityGroupChanges,
		guide.OperationsHighIAMPolicyChanges,
		guide.OperationsHighRootAccountUsage,
		guide.OperationsHighKMSKeyDeletion,
		guide.OperationsHighGuardDutyHighSeverity,
		guide.OperationsMediumS3PublicAccess,
		guide.OperationsLowConfigurationChanges,
		guide.OperationsLowResourceCreation,
		guide.OperationsLowTagModifications,
		guide.OperationsLowCostAnomalies,
		guide.ResponseDetectionMonitorAlerts,
		guide.ResponseDetectionCheckGuardDuty,
	},
}

// AlertsArgs describes the alerts on events. Prefix, Scope and Topics are
// required.
type AlertsArgs struct {
	Prefix string
	Scope  identity.Scope
	Topics *Topics
	// DeployRoleARNs are the roles that deploy. What they do to security
	// groups, policies and the like is their work and tells nobody; what they
	// do to keys, audit or credentials still does.
	DeployRoleARNs []string
	// PermissionsBoundary caps the self-test's role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// Alerts are EventBridge rules on the default bus of the stack's region that
// tell the topics, each in a sentence, and the watch over their delivery.
// Events of other regions arrive through Forwarding.
//
// "AWS API Call via CloudTrail" events exist only while some trail of the
// account logs.
type Alerts struct {
	pulumi.ResourceState

	// RuleNames are the physical names, in the table's order.
	RuleNames []string
}

var roleARN = regexp.MustCompile(`^arn:[^:*]+:iam::\d{12}:role/[\w+=,.@/-]+$`)

// NewAlerts registers the rules. It returns every finding about args at once.
func NewAlerts(ctx *pulumi.Context, name string, args *AlertsArgs, opts ...pulumi.ResourceOption) (*Alerts, error) {
	rules, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("alerts %s: %w", name, err)
	}
	c := &Alerts{}
	if err := ctx.RegisterComponentResource(AlertsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("alerts %s: register component: %w", name, err)
	}
	for _, r := range rules {
		if err := c.rule(ctx, name, args, r); err != nil {
			return nil, fmt.Errorf("alerts %s: rule %s: %w", name, r.Name, err)
		}
	}
	for _, build := range []func(*pulumi.Context, string, *AlertsArgs) error{c.selfTest, c.watchDelivery} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("alerts %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"ruleNames": pulumi.ToStringArray(c.RuleNames)})
}

func (args *AlertsArgs) render() ([]renderedRule, error) {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass an AlertsArgs")
		return nil, f.err()
	}
	f.place(args.Prefix, args.Scope)
	f.required("topics", args.Topics != nil, "pass the Topics")
	checkDeployRoles(&f, args.DeployRoleARNs)
	rules, err := renderRules(args.Prefix, args.DeployRoleARNs, func(alertRule) bool { return true })
	if err != nil {
		f.errs = append(f.errs, err)
	}
	return rules, f.err()
}

func checkDeployRoles(f *findings, arns []string) {
	for i, arn := range arns {
		f.refuse(!roleARN.MatchString(arn), fmt.Sprintf("deployRoleArns[%d]", i), fmt.Sprintf("%q is not a role's ARN", arn),
			"arn:<partition>:iam::<account>:role/<path and name>, without wildcards")
	}
}

// ruleName is a rule's physical name.
func ruleName(prefix, rule string) string { return prefix + "-" + rule }

// Delivery is tried for a day; what still fails is kept as a dead letter.
const (
	retrySeconds  = 24 * 60 * 60
	retryAttempts = 185
)

func (c *Alerts) rule(ctx *pulumi.Context, name string, args *AlertsArgs, r renderedRule) error {
	physical := ruleName(args.Prefix, r.Name)
	rule, err := cloudwatch.NewEventRule(ctx, name+"-"+r.Name, &cloudwatch.EventRuleArgs{
		Name:         pulumi.String(physical),
		Description:  pulumi.String(r.Title),
		EventPattern: pulumi.String(r.pattern),
		State:        pulumi.String(r.state()),
		Tags:         tagged(args.Tags, physical),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.RuleNames = append(c.RuleNames, physical)
	_, err = cloudwatch.NewEventTarget(ctx, name+"-"+r.Name, &cloudwatch.EventTargetArgs{
		Rule:             rule.Name,
		TargetId:         pulumi.String("topic"),
		Arn:              args.Topics.Arn(r.Level),
		InputTransformer: &cloudwatch.EventTargetInputTransformerArgs{InputPaths: pulumi.ToStringMap(r.paths), InputTemplate: pulumi.String(r.sentence)},
		DeadLetterConfig: &cloudwatch.EventTargetDeadLetterConfigArgs{Arn: args.Topics.DeadLetters.Arn},
		RetryPolicy: &cloudwatch.EventTargetRetryPolicyArgs{
			MaximumEventAgeInSeconds: pulumi.Int(retrySeconds), MaximumRetryAttempts: pulumi.Int(retryAttempts),
		},
	}, pulumi.Parent(c), pulumi.DependsOn(args.Topics.Ready))
	return err
}
