package monitoring

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// MetricFiltersComponent ties MetricFilters to the guide.
var MetricFiltersComponent = guide.Component{
	Token: "redoubt:monitoring:MetricFilters",
	Serves: []guide.ID{
		guide.OperationsMetricsErrorRates,
		guide.OperationsMetricsAuthenticationFailures,
		guide.OperationsMetricsAuthorizationFailures,
		guide.OperationsHighRootAccountUsage,
		guide.OperationsHighKMSKeyDeletion,
		guide.OperationsMediumFailedLoginAttempts,
		guide.OperationsMediumAPIThrottling,
		guide.OperationsMediumUnusualTrafficPatterns,
	},
}

// MetricFiltersArgs describes what is counted in logs. All but Thresholds and
// Tags are required.
type MetricFiltersArgs struct {
	Prefix string
	Scope  identity.Scope
	Topics *Topics
	// Groups are the log groups' names by what they hold; sources that the
	// stack does not have are left out, and so are their filters.
	Groups map[LogSource]pulumi.StringInput
	// Thresholds replace those of the table, by the filter's name.
	Thresholds map[string]float64
	Tags       map[string]string
}

// MetricFilters count lines in logs, and alarm. Their metrics are in
// MetricNamespace and start at 0, so that an alarm has data from the first
// line on.
type MetricFilters struct {
	pulumi.ResourceState

	// AlarmNames are the physical names, in the table's order.
	AlarmNames []string
}

// NewMetricFilters registers the filters and alarms. It returns every finding
// about args at once.
func NewMetricFilters(ctx *pulumi.Context, name string, args *MetricFiltersArgs, opts ...pulumi.ResourceOption) (*MetricFilters, error) {
	filters, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("metric filters %s: %w", name, err)
	}
	c := &MetricFilters{}
	if err := ctx.RegisterComponentResource(MetricFiltersComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("metric filters %s: register component: %w", name, err)
	}
	for _, m := range filters {
		if err := c.filter(ctx, name+"-"+m.Name, args, m); err != nil {
			return nil, fmt.Errorf("metric filters %s: %s: %w", name, m.Name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"alarmNames": pulumi.ToStringArray(c.AlarmNames)})
}

// render returns the filters of the log groups that there are, with their
// thresholds.
func (args *MetricFiltersArgs) render() ([]metricFilter, error) {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a MetricFiltersArgs")
		return nil, f.err()
	}
	f.place(args.Prefix, args.Scope)
	f.required("topics", args.Topics != nil, "pass the Topics")
	checkGroups(&f, args.Groups)
	filters, err := metricFilters()
	if err != nil {
		f.errs = append(f.errs, err)
	}
	var out []metricFilter
	known := map[string]bool{}
	for _, m := range filters {
		known[m.Name] = m.Threshold > 0
		if t, ok := args.Thresholds[m.Name]; ok && m.Threshold > 0 {
			m.Threshold = t
		}
		if _, ok := args.Groups[m.Group]; ok {
			out = append(out, m)
		}
	}
	checkThresholds(&f, args.Thresholds, known)
	return out, f.err()
}

// checkThresholds refuses thresholds of alarms that do not exist: a misspelt
// name would leave the alarm as it was.
func checkThresholds(f *findings, thresholds map[string]float64, known map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(thresholds)) {
		at := fmt.Sprintf("thresholds[%q]", name)
		f.refuse(!known[name], at, "no alarm of that name", "one of the table's")
		f.refuse(thresholds[name] <= 0, at, fmt.Sprintf("%g, the alarm would never be silent", thresholds[name]), "more than 0")
	}
}

func (c *MetricFilters) filter(ctx *pulumi.Context, name string, args *MetricFiltersArgs, m metricFilter) error {
	filter, err := cloudwatch.NewLogMetricFilter(ctx, name, &cloudwatch.LogMetricFilterArgs{
		Name:         pulumi.String(args.Prefix + "-" + m.Name),
		LogGroupName: args.Groups[m.Group],
		Pattern:      pulumi.String(m.Pattern),
		MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
			Namespace: pulumi.String(MetricNamespace(args.Prefix)), Name: pulumi.String(m.Metric),
			Value: pulumi.String("1"), DefaultValue: pulumi.String("0"),
		},
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	a, ok := m.alarm(args.Prefix)
	if !ok {
		return nil
	}
	physical := args.Prefix + "-log-" + m.Name
	c.AlarmNames = append(c.AlarmNames, physical)
	_, err = a.register(ctx, name, physical, nil, args.Topics.Arn(m.Level), args.Tags,
		pulumi.Parent(c), pulumi.DependsOn(append(slices.Clone(args.Topics.Ready), filter)))
	return err
}
