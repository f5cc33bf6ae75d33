package monitoring

import (
	"fmt"
	"maps"
	"slices"
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

// WorkloadAlarmsArgs says what there is to watch. Prefix, Scope and Topics are
// required; alarms on what is left out are not made.
type WorkloadAlarmsArgs struct {
	Prefix string
	Scope  identity.Scope
	Topics *Topics
	// LoadBalancer and TargetGroup are the suffixes of their ARNs, "app/…" and
	// "targetgroup/…", as the metrics have them.
	LoadBalancer, TargetGroup pulumi.StringInput
	// WebACLMetric is the name of the web ACL's own metric.
	WebACLMetric pulumi.StringInput
	// Database is a cluster's identifier, Search a domain's name.
	Database, Search pulumi.StringInput
	// Cluster and Service are an ECS service's.
	Cluster, Service pulumi.StringInput
	// API and APIStage are the names of a REST API and its stage.
	API, APIStage pulumi.StringInput
	// Functions and NATGateways are watched each, by a name for the alarm.
	Functions, NATGateways map[string]pulumi.StringInput
	// Replication is a bucket that is copied.
	Replication *Replication
	// Protected is the ARN of what Shield Advanced protects.
	Protected pulumi.StringInput
	// FlowLogsCounted says that MetricFilters reads the flow logs.
	FlowLogsCounted bool
	// Thresholds replace those of the table, by the alarm's name; for an alarm
	// with a band, how many standard deviations wide it is.
	Thresholds map[string]float64
	Tags       map[string]string
}

// Replication is a replication rule with metrics.
type Replication struct{ SourceBucket, DestinationBucket, RuleID pulumi.StringInput }

// WorkloadAlarms are the application's alarms, and one over them that pages:
// users suffer.
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
		for _, s := range args.each(a) {
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
	f.refuse(args.TargetGroup != nil && args.LoadBalancer == nil, "loadBalancer", "missing with a target group, whose metrics name both", "pass the load balancer's ARN suffix")
	f.refuse((args.Cluster == nil) != (args.Service == nil), "cluster, service", "one without the other", "pass both names")
	f.refuse((args.API == nil) != (args.APIStage == nil), "api, apiStage", "one without the other", "pass both names")
	if r := args.Replication; r != nil {
		f.refuse(r.SourceBucket == nil || r.DestinationBucket == nil || r.RuleID == nil, "replication", "a metric without all of its names", "pass source, destination and rule")
	}
	known := map[string]bool{}
	for _, a := range workloadAlarms {
		known[a.name] = true
	}
	checkThresholds(&f, args.Thresholds, known)
	return f.err()
}

// subject is what one alarm is made for; key tells several of a kind apart.
type subject struct {
	key   string
	names subjects
}

// each returns what the alarm is made for: nothing where the stack has no such
// thing, several for functions and NAT gateways.
func (args *WorkloadAlarmsArgs) each(a alarm) []subject {
	all := args.subjects()
	out := []subject{{names: all}}
	needed := a.subjects()
	for placeholder, many := range map[string]map[string]pulumi.StringInput{"function": args.Functions, "natGateway": args.NATGateways} {
		if !slices.Contains(needed, placeholder) {
			continue
		}
		out = nil
		for _, key := range slices.Sorted(maps.Keys(many)) {
			names := maps.Clone(all)
			names[placeholder] = many[key]
			out = append(out, subject{key: key, names: names})
		}
	}
	if a.metric.namespace == metrics && !args.FlowLogsCounted {
		return nil
	}
	for _, s := range out {
		for _, placeholder := range needed {
			if s.names[placeholder] == nil {
				return nil
			}
		}
	}
	return out
}

func (args *WorkloadAlarmsArgs) subjects() subjects {
	all := subjects{
		"account": pulumi.String(args.Scope.AccountID), "region": pulumi.String(args.Scope.Region),
		"loadBalancer": args.LoadBalancer, "targetGroup": args.TargetGroup, "webACL": args.WebACLMetric,
		"database": args.Database, "search": args.Search, "cluster": args.Cluster, "service": args.Service,
		"api": args.API, "apiStage": args.APIStage, "protected": args.Protected,
	}
	if r := args.Replication; r != nil {
		all["source"], all["copy"], all["copyRule"] = r.SourceBucket, r.DestinationBucket, r.RuleID
	}
	return all
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
	physical := args.Prefix + "-users-suffer"
	_, err := cloudwatch.NewCompositeAlarm(ctx, name+"-users-suffer", &cloudwatch.CompositeAlarmArgs{
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
