package response

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/response/asl"
)

// highSeverity is where GuardDuty's severity "high" begins.
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
const highSeverity = 7

// urgentFamilies are how types of findings start that need a response at any
// severity: the guide's families.
var urgentFamilies = []string{"Backdoor:", "CryptoCurrency:", "Exfiltration:", "Trojan:", "UnauthorizedAccess:"}

// run makes the state machine with its log.
func (c *Responder) run(ctx *pulumi.Context, name string, args *ResponderArgs, m asl.Machine) error {
	definition, err := m.JSON()
	if err != nil {
		return err
	}
	// The name's start lets the log's resource policy stay within its size.
	// https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
	log, err := monitoring.NewLogGroup(ctx, name+"-log", &monitoring.LogGroupArgs{
		Name: "/aws/vendedlogs/states/" + args.machineName(), KmsKeyArn: args.LogKmsKeyArn,
		RetentionInDays: args.LogRetentionInDays, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.Machine, err = sfn.NewStateMachine(ctx, name+"-machine", &sfn.StateMachineArgs{
		Name: pulumi.String(args.machineName()), Type: pulumi.String("STANDARD"), RoleArn: c.role.Arn, Definition: pulumi.String(definition),
		EncryptionConfiguration: &sfn.StateMachineEncryptionConfigurationArgs{
			Type: pulumi.String("CUSTOMER_MANAGED_KMS_KEY"), KmsKeyId: args.KmsKeyArn.ToStringOutput(), KmsDataKeyReusePeriodSeconds: pulumi.Int(300),
		},
		LoggingConfiguration: &sfn.StateMachineLoggingConfigurationArgs{
			Level: pulumi.String("ALL"), IncludeExecutionData: pulumi.Bool(true), LogDestination: pulumi.Sprintf("%s:*", log.Arn),
		},
		TracingConfiguration: &sfn.StateMachineTracingConfigurationArgs{Enabled: pulumi.Bool(true)},
		Tags:                 args.tags(args.machineName()),
	}, pulumi.Parent(c), pulumi.DependsOn(c.rights))
	if err == nil {
		c.MachineArn = c.Machine.Arn
	}
	return err
}

// start makes the rules that start the machine.
func (c *Responder) start(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	var err error
	c.trigger, err = identity.NewRole(ctx, name+"-trigger", &identity.RoleArgs{
		RoleName: args.name("trigger"), Description: "EventBridge starts the incident response of " + args.Prefix,
		Trust: identity.ServiceTrust("events.amazonaws.com", args.Scope, args.Scope.ARN("events", "rule/"+args.name("*"))),
		Policies: map[string]identity.Document{"start": {{
			Sid: "StartResponse", Effect: identity.Allow, Actions: []string{"states:StartExecution"}, Resources: []string{args.machineARN()},
		}}},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	if err := c.rule(ctx, name, args, "findings", "GuardDuty findings of high severity and of urgent families", findingPattern()); err != nil {
		return err
	}
	if len(args.Alarms) == 0 {
		return nil
	}
	return c.rule(ctx, name, args, "alarms", "Alarms that need a response", map[string]any{
		"source": []string{"aws.cloudwatch"}, "detail-type": []string{"CloudWatch Alarm State Change"},
		"detail": map[string]any{"alarmName": args.Alarms, "state": map[string]any{"value": []string{"ALARM"}}},
	})
}

func findingPattern() map[string]any {
	var families []any
	for _, f := range urgentFamilies {
		families = append(families, map[string]string{"prefix": f})
	}
	return map[string]any{
		"source": []string{"aws.guardduty"}, "detail-type": []string{"GuardDuty Finding"},
		"detail": map[string]any{"$or": []any{
			map[string]any{"severity": []any{map[string]any{"numeric": []any{">=", highSeverity}}}},
			map[string]any{"type": families},
		}},
	}
}

func (c *Responder) rule(ctx *pulumi.Context, name string, args *ResponderArgs, purpose, description string, pattern map[string]any) error {
	text, err := json.Marshal(pattern)
	if err != nil {
		return fmt.Errorf("rule %s: %w", purpose, err)
	}
	rule, err := cloudwatch.NewEventRule(ctx, name+"-"+purpose, &cloudwatch.EventRuleArgs{
		Name: pulumi.String(args.name(purpose)), Description: pulumi.String(description), EventPattern: pulumi.String(string(text)),
		State: pulumi.String("ENABLED"), Tags: args.tags(args.name(purpose)),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewEventTarget(ctx, name+"-"+purpose, &cloudwatch.EventTargetArgs{
		Rule: rule.Name, Arn: c.Machine.Arn, RoleArn: c.trigger.Arn,
		DeadLetterConfig: &cloudwatch.EventTargetDeadLetterConfigArgs{Arn: c.DeadLetters.Arn},
		RetryPolicy: &cloudwatch.EventTargetRetryPolicyArgs{
			MaximumEventAgeInSeconds: pulumi.Int(3600), MaximumRetryAttempts: pulumi.Int(20),
		},
	}, pulumi.Parent(c), pulumi.DependsOn(c.trigger.Rights))
	return err
}
