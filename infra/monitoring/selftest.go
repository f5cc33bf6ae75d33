package monitoring

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// The self-test's event; event-patterns.json has the rule that hears it.
const (
	selfTestRule     = "self-test"
	selfTestSource   = "redoubt.self-test"
	selfTestType     = "Alert path self-test"
	selfTestSchedule = "rate(12 hours)"
)

// selfTest sends an event over the whole path twice a day: schedule, bus,
// rule, topic. An alarm tells if none went through for a day; see alertwatch.go.
func (c *Alerts) selfTest(ctx *pulumi.Context, name string, args *AlertsArgs) error {
	bus, physical := args.Scope.ARN("events", "event-bus/default"), args.Prefix+"-alert-self-test"
	role, err := identity.NewRole(ctx, name+"-self-test", &identity.RoleArgs{
		RoleName: physical, Description: "Sends the event that proves that alerts of " + args.Prefix + " arrive",
		Trust: identity.ServiceTrust("scheduler.amazonaws.com", args.Scope, args.Scope.ARN("scheduler", "schedule-group/default")),
		Policies: map[string]identity.Document{"send": {{
			Sid: "SendSelfTest", Effect: identity.Allow, Actions: []string{"events:PutEvents"}, Resources: []string{bus},
			Conditions: []identity.Condition{{Test: "StringEquals", Key: "events:source", Values: []string{selfTestSource}}},
		}}},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	detail, err := json.Marshal(map[string]string{"purpose": "proves that alerts arrive"})
	if err != nil {
		return err
	}
	_, err = scheduler.NewSchedule(ctx, name+"-self-test", &scheduler.ScheduleArgs{
		Name:               pulumi.String(physical),
		Description:        pulumi.String("Proves that alerts arrive"),
		ScheduleExpression: pulumi.String(selfTestSchedule),
		FlexibleTimeWindow: &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
		Target: &scheduler.ScheduleTargetArgs{
			Arn: pulumi.String(bus), RoleArn: role.Arn, Input: pulumi.String(string(detail)),
			EventbridgeParameters: &scheduler.ScheduleTargetEventbridgeParametersArgs{
				DetailType: pulumi.String(selfTestType), Source: pulumi.String(selfTestSource),
			},
			RetryPolicy: &scheduler.ScheduleTargetRetryPolicyArgs{
				MaximumEventAgeInSeconds: pulumi.Int(3600), MaximumRetryAttempts: pulumi.Int(10),
			},
		},
	}, pulumi.Parent(c), pulumi.DependsOn(role.Rights))
	return err
}
