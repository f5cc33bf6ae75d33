package identity

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BreakGlassAlarm is where uses of the break-glass role are seen and told.
type BreakGlassAlarm struct {
	// TrailLogGroup is the name of the log group of a multi-region trail.
	// EventBridge would not do: it hears of an AssumeRole only in the region of
	// the STS endpoint that was called.
	TrailLogGroup pulumi.StringInput
	// TopicArn is the topic for the highest priority.
	TopicArn pulumi.StringInput
}

// BreakGlassFilter is the metric filter pattern for events of CloudTrail that
// assume the role, denied attempts included.
func BreakGlassFilter(scope Scope, prefix string) string {
	return fmt.Sprintf(`{ ($.eventSource = "sts.amazonaws.com") && ($.eventName = "AssumeRole") && ($.requestParameters.roleArn = %q) }`,
		BreakGlassARN(scope, prefix))
}

// alarm makes the filter and the alarm: one use within a minute is enough.
func (args *AccessArgs) alarm(ctx *pulumi.Context, name string, parent pulumi.Resource) error {
	namespace, metric := "Security/"+args.Prefix, "BreakGlassUses"
	filter, err := cloudwatch.NewLogMetricFilter(ctx, name+"-break-glass", &cloudwatch.LogMetricFilterArgs{
		Name:         pulumi.String(SecurityName(args.Prefix, "break-glass")),
		LogGroupName: args.Alarm.TrailLogGroup,
		Pattern:      pulumi.String(BreakGlassFilter(args.Scope, args.Prefix)),
		MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
			Namespace: pulumi.String(namespace), Name: pulumi.String(metric), Value: pulumi.String("1"), DefaultValue: pulumi.String("0"),
		},
	}, pulumi.Parent(parent))
	if err != nil {
		return err
	}
	alarm := SecurityName(args.Prefix, "break-glass-used")
	_, err = cloudwatch.NewMetricAlarm(ctx, name+"-break-glass", &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(alarm),
		AlarmDescription:   pulumi.String("Somebody assumed, or tried to assume, " + SecurityName(args.Prefix, "break-glass")),
		Namespace:          pulumi.String(namespace),
		MetricName:         pulumi.String(metric),
		Statistic:          pulumi.String("Sum"),
		Period:             pulumi.Int(60),
		EvaluationPeriods:  pulumi.Int(1),
		Threshold:          pulumi.Float64(1),
		ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"),
		TreatMissingData:   pulumi.String("notBreaching"),
		AlarmActions:       pulumi.Array{args.Alarm.TopicArn},
		Tags:               tagged(args.Tags, alarm),
	}, pulumi.Parent(parent), pulumi.DependsOn([]pulumi.Resource{filter}))
	return err
}

// checkAlarm holds a break-glass role to its alarm.
func (args *AccessArgs) checkAlarm(f *findings) {
	if len(args.BreakGlass) == 0 {
		return
	}
	if args.Alarm == nil || args.Alarm.TrailLogGroup == nil || args.Alarm.TopicArn == nil {
		f.add("alarm", "missing: nobody would hear of the break-glass role's use", "name the trail's log group and the topic for the highest priority")
	}
}
