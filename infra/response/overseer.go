package response

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/response/asl"
)

// approve makes the role in which people decide, start a response by hand, and
// read what the machine asks.
func (c *Responder) approve(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	if args.Mode == Notify {
		return nil
	}
	_, err := identity.NewRole(ctx, name+"-approver", &identity.RoleArgs{
		RoleName: args.name("approver"), Description: "People who decide what the incident response of " + args.Prefix + " may do",
		Trust: peopleTrust(args.Approvers),
		Policies: map[string]identity.Document{"decide": {
			{Sid: "ReadQuestions", Effect: identity.Allow, Actions: []string{"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}, Resources: []string{args.Scope.ARN("sqs", args.queueName())}},
			{Sid: "Decide", Effect: identity.Allow, Actions: []string{"states:SendTaskFailure", "states:SendTaskSuccess", "states:StartExecution"}, Resources: []string{args.machineARN()}},
			{Sid: "CloseIncidents", Effect: identity.Allow, Actions: []string{"dynamodb:GetItem", "dynamodb:UpdateItem"}, Resources: []string{args.Scope.ARN("dynamodb", "table/"+args.tableName())}},
			{Sid: "HoldDeployments", Effect: identity.Allow, Actions: []string{"ssm:DeleteParameter", "ssm:PutParameter"}, Resources: []string{
				args.Scope.ARN("ssm", "parameter"+MarkerPath(args.Environment)), args.Scope.ARN("ssm", "parameter"+MarkerPath(args.Environment)+"/*"),
			}},
			{Sid: "DecryptQuestions", Effect: identity.Allow, Actions: []string{"kms:Decrypt"}, Resources: []string{args.Scope.ARN("kms", "key/*")}, Conditions: []identity.Condition{
				{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{args.KeyAlias}},
			}},
		}},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	return err
}

// watchOver makes alarms on the response itself: a response that fails in
// silence is worse than none.
func (c *Responder) watchOver(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	for _, alarm := range []struct {
		purpose, namespace, metric, description string
		dimension                               string
		value                                   pulumi.StringInput
	}{
		{"failed", "AWS/States", "ExecutionsFailed", "An incident response failed: people go on by hand", "StateMachineArn", c.Machine.Arn},
		{"timed-out", "AWS/States", "ExecutionsTimedOut", "An incident response ran out of time", "StateMachineArn", c.Machine.Arn},
		{"undelivered", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "An event did not start the incident response", "QueueName", pulumi.String(args.name("dead-letters"))},
	} {
		if _, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+alarm.purpose, &cloudwatch.MetricAlarmArgs{
			Name: pulumi.String(args.name(alarm.purpose)), AlarmDescription: pulumi.String(alarm.description),
			Namespace: pulumi.String(alarm.namespace), MetricName: pulumi.String(alarm.metric), Dimensions: pulumi.StringMap{alarm.dimension: alarm.value},
			Statistic: pulumi.String("Maximum"), Period: pulumi.Int(60), EvaluationPeriods: pulumi.Int(1), Threshold: pulumi.Float64(1),
			ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"), TreatMissingData: pulumi.String("notBreaching"),
			AlarmActions: pulumi.Array{c.Topic.Arn}, Tags: args.tags(args.name(alarm.purpose)),
		}, pulumi.Parent(c)); err != nil {
			return err
		}
	}
	return nil
}

// queries saves the queries that people start a review of logs with.
func (c *Responder) queries(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	for _, q := range savedQueries {
		if _, err := cloudwatch.NewQueryDefinition(ctx, name+"-query-"+q.name, &cloudwatch.QueryDefinitionArgs{
			Name: pulumi.String(args.Prefix + "/incident/" + q.name), QueryString: pulumi.String(q.text), LogGroupNames: pulumi.ToStringArray(args.LogGroupNames),
		}, pulumi.Parent(c)); err != nil {
			return err
		}
	}
	return nil
}

// gameDayFindings are the samples of a game day, one for each urgent family.
var gameDayFindings = []string{
	"Backdoor:EC2/C&CActivity.B!DNS", "CryptoCurrency:EC2/BitcoinTool.B!DNS", "Exfiltration:S3/AnomalousBehavior",
	"Trojan:EC2/DNSDataExfiltration", "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
}

// practise makes sample findings at the start of each quarter. They go the way
// of real ones, and name resources that do not exist.
func (c *Responder) practise(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	if !args.GameDay {
		return nil
	}
	role, err := identity.NewRole(ctx, name+"-game-day", &identity.RoleArgs{
		RoleName: args.name("game-day"), Description: "The quarterly game day makes sample findings",
		Trust: identity.ServiceTrust("scheduler.amazonaws.com", args.Scope, args.Scope.ARN("scheduler", "schedule-group/default")),
		Policies: map[string]identity.Document{"samples": {{
			Sid: "MakeSamples", Effect: identity.Allow, Actions: []string{"guardduty:CreateSampleFindings"}, Resources: []string{args.Scope.ARN("guardduty", "detector/*")},
			Conditions: []identity.Condition{{Test: "StringEquals", Key: "aws:ResourceAccount", Values: []string{args.Scope.AccountID}}},
		}}},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("game day: %w", err)
	}
	_, err = scheduler.NewSchedule(ctx, name+"-game-day", &scheduler.ScheduleArgs{
		Name: pulumi.String(args.name("game-day")), Description: pulumi.String("Sample findings for the quarterly game day: train the team"),
		ScheduleExpression: pulumi.String("cron(0 9 ? 1,4,7,10 TUE#1 *)"), ScheduleExpressionTimezone: pulumi.String("UTC"),
		FlexibleTimeWindow: &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("FLEXIBLE"), MaximumWindowInMinutes: pulumi.Int(120)},
		Target: &scheduler.ScheduleTargetArgs{
			Arn: pulumi.String("arn:" + args.Scope.Partition + ":scheduler:::aws-sdk:guardduty:createSampleFindings"), RoleArn: role.Arn,
			Input: pulumi.JSONMarshal(pulumi.Map{"DetectorId": args.DetectorID, "FindingTypes": pulumi.ToStringArray(gameDayFindings)}),
		},
	}, pulumi.Parent(c), pulumi.DependsOn(role.Rights))
	return err
}
