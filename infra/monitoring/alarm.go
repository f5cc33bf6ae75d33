package monitoring

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// series is a metric as CloudWatch keeps it.
type series struct {
	namespace, name string
	// stat is Sum, Average, Maximum, … or a percentile such as p95.
	stat string
	// dimensions name the metric's subject; a value in braces stands for one
	// of the subjects that the alarm is made for.
	dimensions map[string]string
}

// alarm is one row of a table of alarms.
type alarm struct {
	name  string
	level Level
	// about is the description: what it means and where to look first.
	about string
	// serves is the guide's bullet that asks for it, if one does.
	serves guide.ID
	// metric is what is watched; for an expression it is empty.
	metric series
	// expression combines parts by their ids.
	expression string
	parts      map[string]series
	// period is in seconds; the last periods are looked at, and the alarm goes
	// off when breaches of them break the threshold (0: all).
	period, periods, breaches int
	// threshold is broken above it, or below it with the flag under.
	threshold float64
	under     bool
	// band makes the threshold the upper edge of what the metric usually does,
	// so many standard deviations wide.
	band float64
	// silent says that no data is a breach: the metric always has some.
	silent bool
	// recovers tells the topic too when all is well again.
	recovers bool
}

// subjects are what the braces in dimensions stand for.
type subjects map[string]pulumi.StringInput

// register makes the alarm, whose subjects are all there. Without a topic its
// change of state is an event only.
func (a alarm) register(ctx *pulumi.Context, name, physical string, who subjects, topic pulumi.StringInput, tags map[string]string, opts ...pulumi.ResourceOption) (*cloudwatch.MetricAlarm, error) {
	in := &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(physical),
		AlarmDescription:   pulumi.String(a.about),
		ComparisonOperator: pulumi.String(a.comparison()),
		EvaluationPeriods:  pulumi.Int(max(a.periods, 1)),
		DatapointsToAlarm:  pulumi.Int(a.datapoints()),
		TreatMissingData:   pulumi.String("notBreaching"),
		Tags:               tagged(tags, physical),
	}
	if topic != nil {
		in.AlarmActions = pulumi.Array{topic}
	}
	if a.silent {
		in.TreatMissingData = pulumi.String("breaching")
	}
	if topic != nil && a.recovers {
		in.OkActions = pulumi.Array{topic}
	}
	switch {
	case a.expression != "":
		in.Threshold, in.MetricQueries = pulumi.Float64(a.threshold), a.queries(who)
	case a.band > 0:
		in.ThresholdMetricId, in.MetricQueries = pulumi.String("usual"), a.bandQueries(who)
	default:
		a.watch(in, who)
	}
	return cloudwatch.NewMetricAlarm(ctx, name, in, opts...)
}

// watch is an alarm on one metric and a number.
func (a alarm) watch(in *cloudwatch.MetricAlarmArgs, who subjects) {
	in.Namespace, in.MetricName = pulumi.String(a.metric.namespace), pulumi.String(a.metric.name)
	in.Period, in.Threshold = pulumi.Int(a.period), pulumi.Float64(a.threshold)
	in.Dimensions = a.metric.of(who)
	if strings.HasPrefix(a.metric.stat, "p") {
		in.ExtendedStatistic = pulumi.String(a.metric.stat)
		// A percentile of a handful of requests says nothing.
		in.EvaluateLowSampleCountPercentiles = pulumi.String("ignore")
		return
	}
	in.Statistic = pulumi.String(a.metric.stat)
}

// queries are the expression and its parts, in the order of their ids.
func (a alarm) queries(who subjects) cloudwatch.MetricAlarmMetricQueryArray {
	out := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("result"), Expression: pulumi.String(a.expression), Label: pulumi.String(a.name), ReturnData: pulumi.Bool(true),
	}}
	for _, id := range slices.Sorted(maps.Keys(a.parts)) {
		out = append(out, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(id), Metric: a.parts[id].query(a.period, who), ReturnData: pulumi.Bool(false),
		})
	}
	return out
}

func (a alarm) bandQueries(who subjects) cloudwatch.MetricAlarmMetricQueryArray {
	return cloudwatch.MetricAlarmMetricQueryArray{
		&cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String("seen"), Metric: a.metric.query(a.period, who), ReturnData: pulumi.Bool(true)},
		&cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String("usual"), Expression: pulumi.String(fmt.Sprintf("ANOMALY_DETECTION_BAND(seen, %g)", a.band)),
			Label: pulumi.String("usual"), ReturnData: pulumi.Bool(true),
		},
	}
}

func (s series) query(period int, who subjects) *cloudwatch.MetricAlarmMetricQueryMetricArgs {
	return &cloudwatch.MetricAlarmMetricQueryMetricArgs{
		Namespace: pulumi.String(s.namespace), MetricName: pulumi.String(s.name), Stat: pulumi.String(s.stat),
		Period: pulumi.Int(period), Dimensions: s.of(who),
	}
}

// of fills the dimensions in.
func (s series) of(who subjects) pulumi.StringMap {
	out := pulumi.StringMap{}
	for key, value := range s.dimensions {
		if subject, ok := subjectIn(value); ok {
			out[key] = who[subject]
			continue
		}
		out[key] = pulumi.String(value)
	}
	return out
}

func subjectIn(value string) (string, bool) {
	inner, open := strings.CutPrefix(value, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	return inner, open && closed
}

// subjects are the names in braces that the alarm needs, sorted.
func (a alarm) subjects() []string {
	needed := map[string]bool{}
	for _, s := range append([]series{a.metric}, slices.Collect(maps.Values(a.parts))...) {
		for _, value := range s.dimensions {
			if subject, ok := subjectIn(value); ok {
				needed[subject] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

func (a alarm) comparison() string {
	switch {
	case a.band > 0:
		return "GreaterThanUpperThreshold"
	case a.under:
		return "LessThanThreshold"
	}
	return "GreaterThanOrEqualToThreshold"
}

func (a alarm) datapoints() int {
	if a.breaches > 0 {
		return a.breaches
	}
	return max(a.periods, 1)
}
