package workload

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// deadLetterSeconds is how long a failed event waits for somebody: 14 days,
// the most that SQS keeps.
const deadLetterSeconds = 14 * 24 * 3600

func (args *FunctionArgs) deadLetterName() string { return args.physicalName() + "-dead-letters" }

func (args *FunctionArgs) deadLetterARN() string {
	return args.Platform.Scope.ARN("sqs", args.deadLetterName())
}

// buildDeadLetters makes the queue of events that failed for good; an event
// may hold what the application must not lose nor show.
func (c *Function) buildDeadLetters(ctx *pulumi.Context, name string, args *FunctionArgs) error {
	policy, err := args.deadLetterPolicy().ResourcePolicy()
	if err != nil {
		return fmt.Errorf("dead-letter queue's policy: %w", err)
	}
	c.DeadLetters, err = sqs.NewQueue(ctx, name+"-dead-letters", &sqs.QueueArgs{
		Name:                         pulumi.String(args.deadLetterName()),
		KmsMasterKeyId:               args.Platform.KmsKeyArn.ToStringOutput(),
		KmsDataKeyReusePeriodSeconds: pulumi.Int(300),
		MessageRetentionSeconds:      pulumi.Int(deadLetterSeconds),
		Tags:                         withName(args.Platform.Tags, args.deadLetterName()),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	_, err = sqs.NewQueuePolicy(ctx, name+"-dead-letters", &sqs.QueuePolicyArgs{
		QueueUrl: c.DeadLetters.Url, Policy: pulumi.String(policy),
	}, pulumi.Parent(c))
	return err
}

func (args *FunctionArgs) deadLetterPolicy() identity.Document {
	return identity.Document{{
		Sid: "DenyInsecureTransport", Effect: identity.Deny, Principals: identity.Principals{Any: true},
		Actions: []string{"sqs:*"}, Resources: []string{args.deadLetterARN()},
		Conditions: []identity.Condition{{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
	}}
}

// buildRole makes the function's own role: what Lambda needs to run it, and
// what the function itself may do.
func (c *Function) buildRole(ctx *pulumi.Context, name string, args *FunctionArgs) (err error) {
	policies := maps.Clone(args.Policies)
	if policies == nil {
		policies = map[string]identity.Document{}
	}
	policies["run"] = args.runPolicy()
	c.Role, err = identity.NewRole(ctx, name, &identity.RoleArgs{
		RoleName:            FunctionRoleName(args.Platform.Prefix, args.FunctionName),
		Description:         "Lambda function " + args.physicalName(),
		Trust:               identity.ServiceTrust("lambda.amazonaws.com", args.Platform.Scope),
		Policies:            policies,
		PermissionsBoundary: args.Platform.PermissionsBoundary,
		Tags:                args.Platform.Tags,
	}, pulumi.Parent(c))
	return err
}

// runPolicy is to log, to trace, to keep failed events, and to have network
// interfaces. AWS's managed policy for the VPC allows the interfaces of the
// whole account to everyone who has the role. Lambda needs them, the code does
// not: requests of the code carry lambda:SourceFunctionArn, Lambda's own do not.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security
func (args *FunctionArgs) runPolicy() identity.Document {
	p := args.Platform
	byLambda := []identity.Condition{{Test: "Null", Key: "lambda:SourceFunctionArn", Values: []string{"true"}}}
	return identity.Document{
		{
			Sid: "WriteLog", Effect: identity.Allow, Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resources: []string{p.Scope.ARN("logs", "log-group:"+args.logGroup()+":*")},
		},
		{
			Sid: "Trace", Effect: identity.Allow,
			Actions:   []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
			Resources: []string{"*"},
		},
		{
			Sid: "KeepFailedEvents", Effect: identity.Allow, Actions: []string{"sqs:SendMessage"},
			Resources: []string{args.deadLetterARN()},
		},
		p.useKey("EncryptFailedEvents", []string{"kms:Decrypt", "kms:GenerateDataKey"}, "sqs"),
		{
			Sid: "HaveInterfaces", Effect: identity.Allow,
			Actions: []string{
				"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface",
				"ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses",
			},
			Resources: []string{
				p.Scope.ARN("ec2", "network-interface/*"), p.Scope.ARN("ec2", "security-group/*"), p.Scope.ARN("ec2", "subnet/*"),
			},
			Conditions: byLambda,
		},
		{
			Sid: "FindInterfaces", Effect: identity.Allow,
			Actions:   []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"},
			Resources: []string{"*"}, Conditions: byLambda,
		},
	}
}
