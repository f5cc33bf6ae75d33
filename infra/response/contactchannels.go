package response

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/chatbot"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// chat shows notices in Slack. Whoever is in the channel can only read, and
// maps to a role of their own before running a command.
func (c *Contacts) chat(ctx *pulumi.Context, name string, args *ContactsArgs) error {
	if args.Slack == nil {
		return nil
	}
	var err error
	tags := pulumi.ToStringMap(args.Tags)
	tags["Name"] = pulumi.String(args.Prefix + "-security-team")
	c.Slack, err = chatbot.NewSlackChannelConfiguration(ctx, name+"-slack", &chatbot.SlackChannelConfigurationArgs{
		ConfigurationName: pulumi.String(args.Prefix + "-security-team"), IamRoleArn: c.Roles["chat"].Arn,
		SlackTeamId: pulumi.String(args.Slack.TeamID), SlackChannelId: pulumi.String(args.Slack.ChannelID), SnsTopicArns: args.Slack.TopicArns,
		GuardrailPolicyArns: pulumi.ToStringArray([]string{args.managed("ReadOnlyAccess")}), LoggingLevel: pulumi.String("INFO"),
		UserAuthorizationRequired: pulumi.Bool(true), Tags: tags,
	}, pulumi.Parent(c))
	return err
}

// pagerEndpoint is PagerDuty's Events API v2.
// https://developer.pagerduty.com/docs/events-api-v2-overview
const pagerEndpoint = "https://events.pagerduty.com/v2/enqueue"

func (args *ContactsArgs) pagerName() string { return args.Prefix + "-pagerduty" }

// pageRules are how the names of the rules go on after the prefix. The dead
// letters of the response take events from rules of these names.
const pageRules = "-response-page-"

// page calls the on-call. The routing key is a parameter of the connection's
// body, which EventBridge keeps in Secrets Manager; it is in no rule.
func (c *Contacts) page(ctx *pulumi.Context, name string, args *ContactsArgs) error {
	if args.PagerDuty == nil {
		return nil
	}
	key := pulumi.ToSecret(args.PagerDuty.RoutingKey).(pulumi.StringOutput)
	connection, err := cloudwatch.NewEventConnection(ctx, name+"-pagerduty", &cloudwatch.EventConnectionArgs{
		Name: pulumi.String(args.pagerName()), Description: pulumi.String("The on-call's service in PagerDuty"), AuthorizationType: pulumi.String("API_KEY"),
		AuthParameters: &cloudwatch.EventConnectionAuthParametersArgs{
			ApiKey: &cloudwatch.EventConnectionAuthParametersApiKeyArgs{Key: pulumi.String("X-Routing-Key"), Value: key},
			InvocationHttpParameters: &cloudwatch.EventConnectionAuthParametersInvocationHttpParametersArgs{
				Bodies: cloudwatch.EventConnectionAuthParametersInvocationHttpParametersBodyArray{
					&cloudwatch.EventConnectionAuthParametersInvocationHttpParametersBodyArgs{Key: pulumi.String("routing_key"), Value: key, IsValueSecret: pulumi.Bool(true)},
				},
			},
		},
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	if c.Pager, err = cloudwatch.NewEventApiDestination(ctx, name+"-pagerduty", &cloudwatch.EventApiDestinationArgs{
		Name: pulumi.String(args.pagerName()), Description: pulumi.String("Pages the on-call"), ConnectionArn: connection.Arn,
		HttpMethod: pulumi.String("POST"), InvocationEndpoint: pulumi.String(pagerEndpoint), InvocationRateLimitPerSecond: pulumi.Int(5),
	}, pulumi.Parent(c)); err != nil {
		return err
	}
	for _, p := range args.pages() {
		if err := c.pageRule(ctx, name, args, p); err != nil {
			return err
		}
	}
	return nil
}

// page is what the on-call is paged for.
type page struct {
	purpose, description string
	pattern              map[string]any
	// id, summary and source are JSON paths into the event.
	id, summary, source string
}

func (args *ContactsArgs) pages() []page {
	return []page{
		{"finding", "Pages for GuardDuty findings of high severity", map[string]any{
			"source": []string{"aws.guardduty"}, "detail-type": []string{"GuardDuty Finding"},
			"detail": map[string]any{"severity": []any{map[string]any{"numeric": []any{">=", highSeverity}}}},
		}, "$.detail.id", "$.detail.type", "$.account"},
		{"failure", "Pages for incident responses that stopped", map[string]any{
			"source": []string{"aws.states"}, "detail-type": []string{"Step Functions Execution Status Change"},
			"detail": map[string]any{"status": []string{"FAILED", "TIMED_OUT", "ABORTED"}, "stateMachineArn": []string{args.PagerDuty.MachineArn}},
		}, "$.detail.name", "$.detail.status", "$.detail.executionArn"},
	}
}

func (c *Contacts) pageRule(ctx *pulumi.Context, name string, args *ContactsArgs, p page) error {
	pattern, err := json.Marshal(p.pattern)
	if err != nil {
		return fmt.Errorf("page %s: %w", p.purpose, err)
	}
	physical := args.Prefix + pageRules + p.purpose
	tags := pulumi.ToStringMap(args.Tags)
	tags["Name"] = pulumi.String(physical)
	rule, err := cloudwatch.NewEventRule(ctx, name+"-page-"+p.purpose, &cloudwatch.EventRuleArgs{
		Name: pulumi.String(physical), Description: pulumi.String(p.description), EventPattern: pulumi.String(string(pattern)),
		State: pulumi.String("ENABLED"), Tags: tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewEventTarget(ctx, name+"-page-"+p.purpose, &cloudwatch.EventTargetArgs{
		Rule: rule.Name, Arn: c.Pager.Arn, RoleArn: c.Roles["pager"].Arn,
		InputTransformer: &cloudwatch.EventTargetInputTransformerArgs{
			InputPaths:    pulumi.ToStringMap(map[string]string{"id": p.id, "summary": p.summary, "source": p.source}),
			InputTemplate: pulumi.String(`{"event_action":"trigger","dedup_key":"<id>","payload":{"summary":"` + args.Prefix + `: <summary>","source":"<source>","severity":"critical"}}`),
		},
		DeadLetterConfig: &cloudwatch.EventTargetDeadLetterConfigArgs{Arn: args.PagerDuty.DeadLetterArn.ToStringOutput()},
		RetryPolicy:      &cloudwatch.EventTargetRetryPolicyArgs{MaximumEventAgeInSeconds: pulumi.Int(900), MaximumRetryAttempts: pulumi.Int(30)},
	}, pulumi.Parent(c), pulumi.DependsOn(c.Roles["pager"].Rights))
	return err
}
