package response

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/response/asl"
)

// queueRetentionSeconds is how long a queue keeps a message, the most that SQS
// allows: 14 days, twice as long as the longest decision takes.
const queueRetentionSeconds = 14 * 24 * 3600

// store makes the table of incidents and the parameter with the ids that AWS made.
func (c *Responder) store(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	opts := []pulumi.ResourceOption{pulumi.Parent(c)}
	if args.Protect {
		opts = append(opts, pulumi.Protect(true), pulumi.RetainOnDelete(true))
	}
	var err error
	c.Table, err = dynamodb.NewTable(ctx, name+"-incidents", &dynamodb.TableArgs{
		Name: pulumi.String(args.tableName()), BillingMode: pulumi.String("PAY_PER_REQUEST"), HashKey: pulumi.String("id"),
		Attributes:                dynamodb.TableAttributeArray{&dynamodb.TableAttributeArgs{Name: pulumi.String("id"), Type: pulumi.String("S")}},
		ServerSideEncryption:      &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: args.KmsKeyArn.ToStringOutput()},
		PointInTimeRecovery:       &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		Ttl:                       &dynamodb.TableTtlArgs{Enabled: pulumi.Bool(true), AttributeName: pulumi.String("expires")},
		DeletionProtectionEnabled: pulumi.Bool(args.Protect),
		Tags:                      args.tags(args.tableName()),
	}, opts...)
	if err != nil {
		return err
	}
	_, err = ssm.NewParameter(ctx, name+"-targets", &ssm.ParameterArgs{
		Name: pulumi.String(args.targetsParameter()), Type: pulumi.String("String"),
		Description: pulumi.String("Ids that the incident response of " + args.Prefix + " works with"),
		Value: pulumi.JSONMarshal(pulumi.Map{
			"isolationGroupId": orEmpty(args.IsolationGroupID), "blockIpSetId": lastPart(orEmpty(args.BlockSetArn)),
			"targetGroupArn": orEmpty(args.TargetGroupArn), "detectorId": args.DetectorID, "vpcId": orEmpty(args.VpcID),
		}),
		Tags: args.tags(args.targetsParameter()),
	}, pulumi.Parent(c))
	return err
}

// orEmpty stands in for the targets that Notify, which contains nothing, may
// leave out.
func orEmpty(v pulumi.StringInput) pulumi.StringInput {
	if v == nil {
		return pulumi.String("")
	}
	return v
}

// lastPart is the id at the end of an ARN: …:regional/ipset/<name>/<id>.
func lastPart(arn pulumi.StringInput) pulumi.StringOutput {
	return arn.ToStringOutput().ApplyT(func(text string) string {
		return text[strings.LastIndex(text, "/")+1:]
	}).(pulumi.StringOutput)
}

// tell makes the topic that people hear, the queue that they answer, and the
// queue of events that did not arrive.
func (c *Responder) tell(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	policy, err := args.topicPolicy()
	if err != nil {
		return fmt.Errorf("topic: %w", err)
	}
	if c.Topic, err = sns.NewTopic(ctx, name+"-notices", &sns.TopicArgs{
		Name: pulumi.String(NoticesTopic(args.Prefix)), KmsMasterKeyId: args.KmsKeyArn.ToStringOutput(), Tags: args.tags(NoticesTopic(args.Prefix)),
	}, pulumi.Parent(c)); err != nil {
		return err
	}
	c.TopicArn = c.Topic.Arn
	if _, err = sns.NewTopicPolicy(ctx, name+"-notices", &sns.TopicPolicyArgs{Arn: c.Topic.Arn, Policy: pulumi.String(policy)}, pulumi.Parent(c)); err != nil {
		return err
	}
	for i, address := range args.SubscriberEmails {
		if _, err := sns.NewTopicSubscription(ctx, fmt.Sprintf("%s-subscriber-%d", name, i), &sns.TopicSubscriptionArgs{
			Topic: c.Topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(address),
		}, pulumi.Parent(c)); err != nil {
			return err
		}
	}
	if args.ArchiveArn != nil {
		if _, err := sns.NewTopicSubscription(ctx, name+"-archive", &sns.TopicSubscriptionArgs{
			Topic: c.Topic.Arn, Protocol: pulumi.String("sqs"), Endpoint: args.ArchiveArn.ToStringOutput(),
		}, pulumi.Parent(c)); err != nil {
			return err
		}
	}
	if args.Mode != Notify {
		if c.Queue, err = c.queue(ctx, name+"-approvals", args, args.queueName(), nil); err != nil {
			return err
		}
	}
	c.DeadLetters, err = c.queue(ctx, name+"-dead-letters", args, args.name("dead-letters"), &identity.Statement{
		Sid: "DeliverFailedEvents", Effect: identity.Allow, Principals: identity.Principals{Service: []string{"events.amazonaws.com"}},
		Actions: []string{"sqs:SendMessage"}, Resources: []string{args.Scope.ARN("sqs", args.name("dead-letters"))},
		Conditions: []identity.Condition{{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{args.Scope.ARN("events", "rule/"+args.name("*"))}}},
	})
	return err
}

// queue makes an encrypted queue that takes messages over TLS only.
func (c *Responder) queue(ctx *pulumi.Context, name string, args *ResponderArgs, physical string, allow *identity.Statement) (*sqs.Queue, error) {
	arn := args.Scope.ARN("sqs", physical)
	doc := identity.Document{insecure("sqs:*", arn)}
	if allow != nil {
		doc = append(doc, *allow)
	}
	policy, err := doc.ResourcePolicy()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", physical, err)
	}
	queue, err := sqs.NewQueue(ctx, name, &sqs.QueueArgs{
		Name: pulumi.String(physical), KmsMasterKeyId: args.KmsKeyArn.ToStringOutput(),
		MessageRetentionSeconds: pulumi.Int(queueRetentionSeconds), Tags: args.tags(physical),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	_, err = sqs.NewQueuePolicy(ctx, name, &sqs.QueuePolicyArgs{QueueUrl: queue.Url, Policy: pulumi.String(policy)}, pulumi.Parent(c))
	return queue, err
}

// insecure denies requests that are not encrypted in transit.
func insecure(actions, arn string) identity.Statement {
	return identity.Statement{
		Sid: "DenyInsecureTransport", Effect: identity.Deny, Principals: identity.Principals{Any: true},
		Actions: []string{actions}, Resources: []string{arn},
		Conditions: []identity.Condition{{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
	}
}

// topicPolicy lets the response's own alarms speak on the topic.
func (a *ResponderArgs) topicPolicy() (string, error) {
	return identity.Document{insecure("sns:Publish", a.topicARN()), {
		Sid: "PublishAlarms", Effect: identity.Allow, Principals: identity.Principals{Service: []string{"cloudwatch.amazonaws.com"}},
		Actions: []string{"sns:Publish"}, Resources: []string{a.topicARN()},
		Conditions: []identity.Condition{{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{a.Scope.AccountID}}},
	}}.ResourcePolicy()
}
