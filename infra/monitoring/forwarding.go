package monitoring

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// ForwardingComponent ties Forwarding to the guide.
var ForwardingComponent = guide.Component{
	Token: "redoubt:monitoring:Forwarding",
	Serves: []guide.ID{
		guide.OperationsHighIAMPolicyChanges,
		guide.OperationsHighRootAccountUsage,
		guide.OperationsHighKMSKeyDeletion,
		guide.OperationsLowCostAnomalies,
	},
}

// ForwardingArgs describes how events of another region reach the alerts.
// Prefix, Scope, FromRegion and Sources are required.
type ForwardingArgs struct {
	Prefix string
	// Scope is the stack's own: where the events go.
	Scope identity.Scope
	// FromRegion is where they appear; the component's provider must be of
	// that region. It is never the stack's own region: an event that is
	// forwarded to where it came from never ends.
	FromRegion string
	// Sources are what that region is to the stack: Global for us-east-1,
	// Replica for the replica's, both if it is both.
	Sources []Source
	// DeployRoleARNs are as in AlertsArgs.
	DeployRoleARNs []string
	// PermissionsBoundary caps the forwarding role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// Forwarding sends a region's events to the default bus of the stack's
// region, where Alerts hears them. Without one in us-east-1 no alert on IAM,
// on the root user's sign-in or on costs ever fires elsewhere.
type Forwarding struct {
	pulumi.ResourceState

	// DeadLetters receives what could not be forwarded.
	DeadLetters *sqs.Queue
}

// NewForwarding registers the rules. It returns every finding about args at once.
func NewForwarding(ctx *pulumi.Context, name string, args *ForwardingArgs, opts ...pulumi.ResourceOption) (*Forwarding, error) {
	rules, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("forwarding %s: %w", name, err)
	}
	c := &Forwarding{}
	if err := ctx.RegisterComponentResource(ForwardingComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("forwarding %s: register component: %w", name, err)
	}
	if err := c.build(ctx, name, args, rules); err != nil {
		return nil, fmt.Errorf("forwarding %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"deadLettersUrl": c.DeadLetters.Url})
}

func (args *ForwardingArgs) render() ([]renderedRule, error) {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a ForwardingArgs")
		return nil, f.err()
	}
	f.place(args.Prefix, args.Scope)
	f.required("fromRegion", args.FromRegion != "", "for example us-east-1")
	f.refuse(args.FromRegion == args.Scope.Region && args.FromRegion != "", "fromRegion", args.FromRegion+" is the stack's own region, events would go round for ever", "leave the component out")
	f.refuse(len(args.Sources) == 0, "sources", "empty, nothing would be forwarded", "Global, Replica or both")
	for i, s := range args.Sources {
		f.refuse(s != Global && s != Replica, fmt.Sprintf("sources[%d]", i), fmt.Sprintf("%q is not another region", s), "Global or Replica")
		f.refuse(s == Global && args.FromRegion != string(Global), fmt.Sprintf("sources[%d]", i), "global events do not appear in "+args.FromRegion, "Global is us-east-1")
	}
	checkDeployRoles(&f, args.DeployRoleARNs)
	rules, err := renderRules(args.Prefix, args.DeployRoleARNs, func(r alertRule) bool { return slices.ContainsFunc(args.Sources, r.from) })
	if err != nil {
		f.errs = append(f.errs, err)
	}
	return rules, f.err()
}

func (c *Forwarding) build(ctx *pulumi.Context, name string, args *ForwardingArgs, rules []renderedRule) error {
	there, child := args.Scope.In(args.FromRegion), pulumi.Parent(c)
	base := strings.Join([]string{args.Prefix, args.FromRegion, "forwarding"}, "-")
	home := args.Scope.ARN("events", "event-bus/default")
	sources := there.ARN("events", "rule/"+args.Prefix+"-*")
	role, err := identity.NewRole(ctx, name+"-sender", &identity.RoleArgs{
		RoleName: base, Description: "Sends events of " + args.FromRegion + " to the alerts in " + args.Scope.Region,
		Trust:               identity.ServiceTrust("events.amazonaws.com", there, sources),
		Policies:            map[string]identity.Document{"send": {{Sid: "SendHome", Effect: identity.Allow, Actions: []string{"events:PutEvents"}, Resources: []string{home}}}},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, child)
	if err != nil {
		return err
	}
	policy, err := c.keepDeadLetters(ctx, name, base, there, sources, args.Tags)
	if err != nil {
		return err
	}
	ready := pulumi.DependsOn(append([]pulumi.Resource{policy}, role.Rights...))
	for _, r := range rules {
		physical := ruleName(args.Prefix, r.Name)
		rule, err := cloudwatch.NewEventRule(ctx, name+"-"+r.Name, &cloudwatch.EventRuleArgs{
			Name: pulumi.String(physical), Description: pulumi.String(r.Title + ", sent on to " + args.Scope.Region),
			EventPattern: pulumi.String(r.pattern), State: pulumi.String(r.state()), Tags: tagged(args.Tags, physical),
		}, child)
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.Name, err)
		}
		_, err = cloudwatch.NewEventTarget(ctx, name+"-"+r.Name, &cloudwatch.EventTargetArgs{
			Rule: rule.Name, TargetId: pulumi.String("home"), Arn: pulumi.String(home), RoleArn: role.Arn,
			DeadLetterConfig: &cloudwatch.EventTargetDeadLetterConfigArgs{Arn: c.DeadLetters.Arn},
			RetryPolicy: &cloudwatch.EventTargetRetryPolicyArgs{
				MaximumEventAgeInSeconds: pulumi.Int(retrySeconds), MaximumRetryAttempts: pulumi.Int(retryAttempts),
			},
		}, child, ready)
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	return nil
}

// keepDeadLetters makes the queue of what could not be sent and an alarm on
// it. An alarm can only tell topics of its own region, so this one is heard as
// an event, by the rule forwarding-failed.
func (c *Forwarding) keepDeadLetters(ctx *pulumi.Context, name, base string, there identity.Scope, sources string, tags map[string]string) (pulumi.Resource, error) {
	physical := base + "-dead-letters"
	var err error
	c.DeadLetters, err = sqs.NewQueue(ctx, name+"-dead-letters", &sqs.QueueArgs{
		Name: pulumi.String(physical),
		// The messaging key is of the stack's region, and events of CloudTrail
		// hold no secrets: SQS's own key will do.
		SqsManagedSseEnabled:    pulumi.Bool(true),
		MessageRetentionSeconds: pulumi.Int(14 * 24 * 60 * 60),
		Tags:                    tagged(tags, physical),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	arn := there.ARN("sqs", physical)
	policy, err := identity.Document{
		queueWriter("AllowRules", "events.amazonaws.com", arn, []string{sources}), overTLS("sqs:*", arn),
	}.ResourcePolicy()
	if err != nil {
		return nil, err
	}
	p, err := sqs.NewQueuePolicy(ctx, name+"-dead-letters-policy", &sqs.QueuePolicyArgs{
		QueueUrl: c.DeadLetters.Url, Policy: pulumi.String(policy),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	a := alarm{
		name: physical, about: "Events of " + there.Region + " could not be sent on and wait in the queue " + physical + ".",
		metric: series{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", map[string]string{"QueueName": physical}},
		period: 300, threshold: 1,
	}
	_, err = a.register(ctx, name+"-dead-letters", physical, nil, nil, tags, pulumi.Parent(c))
	return p, err
}
