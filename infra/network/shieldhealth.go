package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// healthSignal is a metric of the load balancer that says whether the
// application serves.
type healthSignal struct {
	name, metric, statistic string
	// threshold is the first value, over each of two periods of a minute, that
	// is no longer healthy.
	threshold float64
	// target says that the metric has the target group as a dimension.
	target      bool
	description string
}

// They come from CloudWatch, not from Route 53's own requests: those start all
// over the world and would meet blocked countries, allowed ranges and a TLS 1.3
// listener.
// https://docs.aws.amazon.com/waf/latest/developerguide/health-checks-best-practices.html
var healthSignals = []healthSignal{
	{"errors", "HTTPCode_ELB_5XX_Count", "Sum", 50, false, "Requests that the load balancer could not serve, a minute"},
	{"connections", "TargetConnectionErrorCount", "Sum", 50, false, "Connections to tasks that failed, a minute"},
	{"latency", "TargetResponseTime", "Average", 5, true, "Seconds that tasks take to answer"},
	{"hosts", "UnHealthyHostCount", "Minimum", 1, true, "Tasks that stay unhealthy"},
}

// health makes a check for each signal and one over all of them: Shield takes
// one for a protection, and acts sooner while it is unhealthy.
func (c *Shield) health(ctx *pulumi.Context, name string, args *ShieldArgs) error {
	var children pulumi.StringArray
	for _, s := range healthSignals {
		check, err := c.signal(ctx, name, s, args)
		if err != nil {
			return fmt.Errorf("health signal %s: %w", s.name, err)
		}
		children = append(children, check.ID().ToStringOutput())
	}
	whole, err := route53.NewHealthCheck(ctx, name+"-health", &route53.HealthCheckArgs{
		Type:                 pulumi.String("CALCULATED"),
		ChildHealthchecks:    children,
		ChildHealthThreshold: pulumi.Int(len(healthSignals)),
		Tags:                 tagged(args.Tags, args.Prefix+"-edge"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.HealthCheckID = whole.ID()
	_, err = shield.NewProtectionHealthCheckAssociation(ctx, name+"-health", &shield.ProtectionHealthCheckAssociationArgs{
		HealthCheckArn:     whole.Arn,
		ShieldProtectionId: args.LoadBalancer.ShieldProtectionID,
	}, pulumi.Parent(c))
	return err
}

// signal makes the alarm and the check that reads it.
func (c *Shield) signal(ctx *pulumi.Context, name string, s healthSignal, args *ShieldArgs) (*route53.HealthCheck, error) {
	physical := args.Prefix + "-edge-" + s.name
	dimensions := pulumi.StringMap{"LoadBalancer": args.LoadBalancer.ArnSuffix}
	if s.target {
		dimensions["TargetGroup"] = args.LoadBalancer.TargetGroupArnSuffix
	}
	var actions pulumi.Array
	if args.AlarmTopicArn != nil {
		actions = pulumi.Array{args.AlarmTopicArn}
	}
	alarm, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+s.name, &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(physical),
		AlarmDescription:   pulumi.String(s.description + ". Shield Advanced takes the application for unhealthy."),
		Namespace:          pulumi.String("AWS/ApplicationELB"),
		MetricName:         pulumi.String(s.metric),
		Dimensions:         dimensions,
		Statistic:          pulumi.String(s.statistic),
		ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"),
		Threshold:          pulumi.Float64(s.threshold),
		Period:             pulumi.Int(60),
		EvaluationPeriods:  pulumi.Int(2),
		// The load balancer reports errors only when there are some.
		TreatMissingData: pulumi.String("notBreaching"),
		AlarmActions:     actions,
		Tags:             tagged(args.Tags, physical),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	return route53.NewHealthCheck(ctx, name+"-"+s.name, &route53.HealthCheckArgs{
		Type:                         pulumi.String("CLOUDWATCH_METRIC"),
		CloudwatchAlarmName:          alarm.Name,
		CloudwatchAlarmRegion:        pulumi.String(args.Scope.Region),
		InsufficientDataHealthStatus: pulumi.String("Healthy"),
		// Route 53 copies the alarm's settings once; these make it look again.
		Triggers: pulumi.StringMap{"threshold": pulumi.String(fmt.Sprint(s.threshold))},
		Tags:     tagged(args.Tags, physical),
	}, pulumi.Parent(c))
}
