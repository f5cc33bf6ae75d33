package monitoring

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// WorkloadAlarmsComponent ties WorkloadAlarms to the guide.
var WorkloadAlarmsComponent = guide.Component{
	Token: "redoubt:monitoring:WorkloadAlarms",
	Serves: []guide.ID{
		guide.OperationsMetricsErrorRates,
		guide.OperationsMetricsRequestLatency,
		guide.OperationsMetricsWAFBlocks,
		guide.OperationsMediumWAFBlocks,
		guide.OperationsMediumUnusualTrafficPatterns,
		guide.OperationsMediumAPIThrottling,
		guide.ResponseDetectionAnalyzeMetrics,
	},
}

// WorkloadAlarmsArgs describes the application's alarms. Prefix, Scope and
// Topics are required.
type WorkloadAlarmsArgs struct {
	Prefix string
	Scope  identity.Scope
	Topics *Topics
	// Workload is what the stack has; alarms on what it has not are not made.
	Workload Workload
	// FlowLogsCounted says that MetricFilters reads the flow logs.
	FlowLogsCounted bool
	// Thresholds replace those of the table, by the alarm's name; for an alarm
	// with a band, how many standard deviations wide it is.
	Thresholds map[string]float64
	Tags       map[string]string
}

// WorkloadAlarms are the application's alarms, and one over them that pages
// when users are affected.
type WorkloadAlarms struct {
	pulumi.ResourceState

	// Names are the alarms' physical names, in the table's order.
	Names []string
	// Arns are the alarms', for a dashboard.
	Arns pulumi.StringArray
}

// NewWorkloadAlarms registers the alarms. It returns every finding about args
// at once.
func NewWorkloadAlarms(ctx *pulumi.Context, name string, args *WorkloadAlarmsArgs, opts ...pulumi.ResourceOption) (*WorkloadAlarms, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("workload alarms %s: %w", name, err)
	}
	c := &WorkloadAlarms{}
	if err := ctx.RegisterComponentResource(WorkloadAlarmsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("workload alarms %s: register component: %w", name, err)
	}
	made := map[string]pulumi.Resource{}
	for _, a := range workloadAlarms {
		if a.metric.namespace == metrics && !args.FlowLogsCounted {
			continue
		}
		for _, s := range args.Workload.each(a, args.Scope) {
			alarm, err := c.add(ctx, name, args, a, s)
			if err != nil {
				return nil, fmt.Errorf("workload alarms %s: %s: %w", name, a.name, err)
			}
			made[a.name] = alarm
		}
	}
	if err := c.page(ctx, name, args, made); err != nil {
		return nil, fmt.Errorf("workload alarms %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"alarmNames": pulumi.ToStringArray(c.Names)})
}

func (args *WorkloadAlarmsArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a WorkloadAlarmsArgs")
		return f.err()
	}
	f.place(args.Prefix, args.Scope)
	f.required("topics", args.Topics != nil, "pass the Topics")
	args.Workload.check(&f)
	known := map[string]bool{}
	for _, a := range workloadAlarms {
		known[a.name] = true
	}
	checkThresholds(&f, args.Thresholds, known)
	return f.err()
}

func (c *WorkloadAlarms) add(ctx *pulumi.Context, name string, args *WorkloadAlarmsArgs, a alarm, s subject) (*cloudwatch.MetricAlarm, error) {
	if t, ok := args.Thresholds[a.name]; ok && a.band > 0 {
		a.band = t
	} else if ok {
		a.threshold = t
	}
	if a.metric.namespace == metrics {
		a.metric.namespace = MetricNamespace(args.Prefix)
	}
	parts := []string{a.name}
	if s.key != "" {
		parts = append(parts, s.key)
	}
	physical := args.Prefix + "-" + strings.Join(parts, "-")
	alarm, err := a.register(ctx, name+"-"+strings.Join(parts, "-"), physical, s.names, args.Topics.Arn(a.level), args.Tags,
		pulumi.Parent(c), pulumi.DependsOn(args.Topics.Ready))
	if err != nil {
		return nil, err
	}
	c.Names, c.Arns = append(c.Names, physical), append(c.Arns, alarm.Arn)
	return alarm, nil
}

// page makes the one alarm that wakes somebody up: requests fail and are slow,
// or nothing is there to answer them. Errors or slowness alone are a matter of
// the working day.
func (c *WorkloadAlarms) page(ctx *pulumi.Context, name string, args *WorkloadAlarmsArgs, made map[string]pulumi.Resource) error {
	needs := []string{"target-errors", "balancer-errors", "latency", "no-healthy-target"}
	var after []pulumi.Resource
	for _, n := range needs {
		if made[n] == nil {
			return nil
		}
		after = append(after, made[n])
	}
	in := func(n string) string { return `ALARM("` + args.Prefix + "-" + n + `")` }
	physical := args.Prefix + "-user-impact"
	_, err := cloudwatch.NewCompositeAlarm(ctx, name+"-user-impact", &cloudwatch.CompositeAlarmArgs{
		AlarmName:        pulumi.String(physical),
		AlarmDescription: pulumi.String("Requests fail and are slow, or nothing is there to answer them. Start with the dashboard " + args.Prefix + "."),
		AlarmRule: pulumi.String("((" + in("target-errors") + " OR " + in("balancer-errors") + ") AND " + in("latency") + ") OR " +
			in("no-healthy-target")),
		AlarmActions: pulumi.StringArray{args.Topics.Arn(High)},
		OkActions:    pulumi.StringArray{args.Topics.Arn(High)},
		Tags:         tagged(args.Tags, physical),
	}, pulumi.Parent(c), pulumi.DependsOn(append(after, args.Topics.Ready...)))
	if err == nil {
		c.Names = append(c.Names, physical)
	}
	return err
}
