package monitoring

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// TopicsComponent ties Topics to the guide.
var TopicsComponent = guide.Component{
	Token: "redoubt:monitoring:Topics",
	Serves: []guide.ID{
		guide.ResponseDetectionMonitorAlerts,
		guide.ResponseTeamSlack,
		guide.ResponseTeamEmail,
		guide.ResponseTeamOnCall,
	},
}

// TopicsArgs describes where alerts go. Prefix, Scope, KmsKeyArn and Channels
// are required.
type TopicsArgs struct {
	Prefix string
	Scope  identity.Scope
	// KmsKeyArn encrypts topics and queues. Its policy must let events,
	// cloudwatch, sns, costalerts and budgets use it: a topic whose publisher
	// may not use the key drops every alert in silence.
	KmsKeyArn pulumi.StringInput
	// Channels are who is told. Each level needs one, or the archive.
	Channels []Channel
	// Slack posts into a channel; nil for none. The workspace must be
	// authorized once in the Amazon Q Developer console, by hand.
	Slack *Slack
	// ArchiveDays keeps every alert in a queue for so many days, 1 to 14; 0
	// for no queue.
	ArchiveDays int
	// Archived are names of topics, made elsewhere, that may keep what they tell
	// in the archive too.
	Archived []string
	// PermissionsBoundary caps the Slack role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// Topics are one encrypted SNS topic per level with their subscriptions, and
// the queue of what could not be delivered.
type Topics struct {
	pulumi.ResourceState

	// DeadLetters receives what a rule or a subscription could not deliver.
	DeadLetters *sqs.Queue
	// Archive holds every alert; nil without ArchiveDays.
	Archive *sqs.Queue
	// Ready are the policies: what publishes to a topic depends on them.
	Ready []pulumi.Resource

	arns map[Level]pulumi.StringOutput
}

// TopicsOf are topics that another stack made, for alarms that stand beside
// them: each level's ARN.
func TopicsOf(arns map[Level]string) *Topics {
	c := &Topics{arns: map[Level]pulumi.StringOutput{}}
	for level, arn := range arns {
		c.arns[level] = pulumi.String(arn).ToStringOutput()
	}
	return c
}

// Arn returns the topic of a level.
func (c *Topics) Arn(level Level) pulumi.StringOutput { return c.arns[level] }

// TopicName is the physical name of a level's topic.
func TopicName(prefix string, level Level) string { return prefix + "-alerts-" + string(level) }

// NewTopics registers the topics. It returns every finding about args at once.
func NewTopics(ctx *pulumi.Context, name string, args *TopicsArgs, opts ...pulumi.ResourceOption) (*Topics, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("topics %s: %w", name, err)
	}
	c := &Topics{arns: map[Level]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource(TopicsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("topics %s: register component: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *TopicsArgs) error{
		c.queues, c.topics, c.subscribe, c.slack,
	} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("topics %s: %w", name, err)
		}
	}
	arns := pulumi.StringMap{}
	for level, arn := range c.arns {
		arns[string(level)] = arn
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"topicArns": arns, "alertDlqUrl": c.DeadLetters.Url})
}

func (args *TopicsArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a TopicsArgs")
		return f.err()
	}
	f.place(args.Prefix, args.Scope)
	f.required("kmsKeyArn", args.KmsKeyArn != nil, "pass the messaging key's ARN")
	f.refuse(args.ArchiveDays < 0 || args.ArchiveDays > 14, "archiveDays", fmt.Sprintf("%d, a queue keeps 1 to 14 days", args.ArchiveDays), "0 for no archive")
	args.checkChannels(&f)
	return f.err()
}

// queues makes the queue of undelivered alerts, and the archive.
func (c *Topics) queues(ctx *pulumi.Context, name string, args *TopicsArgs) (err error) {
	topics := args.topicARNs()
	c.DeadLetters, err = c.queue(ctx, name+"-dead-letters", args, args.Prefix+"-alert-dead-letters", 14, identity.Document{
		queueWriter("AllowSubscriptions", "sns.amazonaws.com", args.queueARN("alert-dead-letters"), topics),
		queueWriter("AllowRules", "events.amazonaws.com", args.queueARN("alert-dead-letters"), []string{args.Scope.ARN("events", "rule/"+args.Prefix+"-*")}),
	})
	if err != nil || args.ArchiveDays == 0 {
		return err
	}
	c.Archive, err = c.queue(ctx, name+"-archive", args, args.Prefix+"-alert-archive", args.ArchiveDays, identity.Document{
		queueWriter("AllowTopics", "sns.amazonaws.com", args.queueARN("alert-archive"), append(topics, args.archivedARNs()...)),
	})
	return err
}

func (c *Topics) queue(ctx *pulumi.Context, name string, args *TopicsArgs, physical string, days int, writers identity.Document) (*sqs.Queue, error) {
	queue, err := sqs.NewQueue(ctx, name, &sqs.QueueArgs{
		Name:                         pulumi.String(physical),
		KmsMasterKeyId:               args.KmsKeyArn.ToStringOutput(),
		KmsDataKeyReusePeriodSeconds: pulumi.Int(300),
		MessageRetentionSeconds:      pulumi.Int(days * 24 * 60 * 60),
		Tags:                         tagged(args.Tags, physical),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	policy, err := append(writers, overTLS("sqs:*", args.Scope.ARN("sqs", physical))).ResourcePolicy()
	if err != nil {
		return nil, err
	}
	p, err := sqs.NewQueuePolicy(ctx, name+"-policy", &sqs.QueuePolicyArgs{
		QueueUrl: queue.Url, Policy: pulumi.String(policy),
	}, pulumi.Parent(c))
	c.Ready = append(c.Ready, p)
	return queue, err
}

func (c *Topics) topics(ctx *pulumi.Context, name string, args *TopicsArgs) error {
	for _, level := range Levels {
		physical := TopicName(args.Prefix, level)
		topic, err := sns.NewTopic(ctx, name+"-"+string(level), &sns.TopicArgs{
			Name:        pulumi.String(physical),
			DisplayName: pulumi.String(strings.ToUpper(string(level)) + " " + args.Prefix),
			// Version 2 signs with SHA-256; version 1 with SHA-1.
			SignatureVersion: pulumi.Int(2),
			KmsMasterKeyId:   args.KmsKeyArn.ToStringOutput(),
			Tags:             tagged(args.Tags, physical),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		policy, err := topicPolicy(args.Scope, physical).ResourcePolicy()
		if err != nil {
			return err
		}
		p, err := sns.NewTopicPolicy(ctx, name+"-"+string(level)+"-policy", &sns.TopicPolicyArgs{
			Arn: topic.Arn, Policy: pulumi.String(policy),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.arns[level], c.Ready = topic.Arn, append(c.Ready, p)
	}
	return nil
}

func (args *TopicsArgs) topicARNs() []string {
	var arns []string
	for _, level := range Levels {
		arns = append(arns, args.Scope.ARN("sns", TopicName(args.Prefix, level)))
	}
	return arns
}

func (args *TopicsArgs) archivedARNs() []string {
	var arns []string
	for _, name := range args.Archived {
		arns = append(arns, args.Scope.ARN("sns", name))
	}
	return arns
}

func (args *TopicsArgs) queueARN(purpose string) string {
	return args.Scope.ARN("sqs", args.Prefix+"-"+purpose)
}
