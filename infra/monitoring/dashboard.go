package monitoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// DashboardComponent ties Dashboard to the guide.
var DashboardComponent = guide.Component{
	Token: "redoubt:monitoring:Dashboard",
	Serves: []guide.ID{
		guide.OperationsMetricsErrorRates,
		guide.OperationsMetricsRequestLatency,
		guide.OperationsMetricsAuthenticationFailures,
		guide.OperationsMetricsAuthorizationFailures,
		guide.OperationsMetricsWAFBlocks,
		guide.ResponseDetectionAnalyzeMetrics,
	},
}

// graph is a widget with lines; the namespace {metrics} is the stack's own.
type graph struct {
	title string
	lines []series
}

var wafRequests = map[string]string{"WebACL": webACL, "Region": webACLRegion, "Rule": "ALL"}

// graphs are the dashboard's, in reading order: first the guide's five
// metrics, then what they depend on.
var graphs = []graph{
	{"Requests and errors", []series{
		{"AWS/ApplicationELB", "RequestCount", "Sum", ofBalancer},
		{"AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", ofBalancer},
		{"AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Sum", ofBalancer},
		{"AWS/ApplicationELB", "HTTPCode_Target_4XX_Count", "Sum", ofBalancer},
	}},
	{"Latency (s)", []series{
		{"AWS/ApplicationELB", "TargetResponseTime", "p50", ofBalancer},
		{"AWS/ApplicationELB", "TargetResponseTime", "p95", ofBalancer},
		{"AWS/ApplicationELB", "TargetResponseTime", "p99", ofBalancer},
	}},
	{"Authentication failures", []series{
		{metrics, "AuthenticationFailures", "Sum", nil}, {metrics, "ConsoleSigninFailures", "Sum", nil},
	}},
	{"Authorization failures", []series{
		{metrics, "AuthorizationFailures", "Sum", nil}, {metrics, "UnauthorizedApiCalls", "Sum", nil}, {metrics, "AssumeRoleDenied", "Sum", nil},
	}},
	{"Web ACL", []series{
		{"AWS/WAFV2", "BlockedRequests", "Sum", wafRequests}, {"AWS/WAFV2", "CountedRequests", "Sum", wafRequests}, {"AWS/WAFV2", "AllowedRequests", "Sum", wafRequests},
	}},
	{"Refused packets", []series{{metrics, "RejectedTraffic", "Sum", nil}}},
	{"Service (%)", []series{{"AWS/ECS", "CPUUtilization", "Average", ofService}, {"AWS/ECS", "MemoryUtilization", "Average", ofService}}},
	{"Database", []series{
		{"AWS/RDS", "ACUUtilization", "Average", ofDatabase}, {"AWS/RDS", "DatabaseConnections", "Average", ofDatabase}, {"AWS/RDS", "CommitLatency", "Average", ofDatabase},
	}},
	{"Search", []series{
		{"AWS/ES", "SearchLatency", "Average", ofSearch}, {"AWS/ES", "IndexingLatency", "Average", ofSearch}, {"AWS/ES", "ClusterStatus.red", "Maximum", ofSearch},
	}},
	{"Replication", []series{
		{"AWS/S3", "ReplicationLatency", "Maximum", ofCopies}, {"AWS/S3", "OperationsFailedReplication", "Sum", ofCopies},
	}},
}

// DashboardArgs describes the dashboard. Prefix and Scope are required.
type DashboardArgs struct {
	Prefix string
	Scope  identity.Scope
	// Workload is what the stack has; graphs of what it has not are left out.
	Workload Workload
	// AlarmNames are the alarms whose state is shown, by physical name.
	AlarmNames []string
}

// Dashboard shows the state of the alarms and the metrics that the guide
// asks for, for the first minutes of a response.
type Dashboard struct {
	pulumi.ResourceState

	// URL opens it in the console.
	URL string
}

// consoles are the hosts of the AWS console by partition.
var consoles = map[string]string{
	"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com",
}

// NewDashboard registers the dashboard. It returns every finding about args at once.
func NewDashboard(ctx *pulumi.Context, name string, args *DashboardArgs, opts ...pulumi.ResourceOption) (*Dashboard, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", name, err)
	}
	c := &Dashboard{URL: "https://" + consoles[args.Scope.Partition] + "/cloudwatch/home?region=" + args.Scope.Region + "#dashboards/dashboard/" + args.Prefix}
	if err := ctx.RegisterComponentResource(DashboardComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("dashboard %s: register component: %w", name, err)
	}
	known := pulumi.StringMap{}
	for key, value := range args.Workload.subjects(args.Scope) {
		if value != nil {
			known[key] = value
		}
	}
	body := known.ToStringMapOutput().ApplyT(args.body).(pulumi.StringOutput)
	_, err := cloudwatch.NewDashboard(ctx, name+"-dashboard", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(args.Prefix), DashboardBody: body,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"dashboardUrl": pulumi.String(c.URL)})
}

func (args *DashboardArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a DashboardArgs)")
	}
	var f findings
	f.place(args.Prefix, args.Scope)
	f.refuse(consoles[args.Scope.Partition] == "", "scope.partition", fmt.Sprintf("%q has no console that we know", args.Scope.Partition), "aws, aws-cn or aws-us-gov")
	args.Workload.check(&f)
	f.refuse(len(args.AlarmNames) > 100, "alarmNames", fmt.Sprintf("%d, an alarm widget shows 100", len(args.AlarmNames)), "leave some out")
	return f.err()
}

// widget is one of CloudWatch's.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type widget struct {
	Type       string         `json:"type"`
	X          int            `json:"x"`
	Y          int            `json:"y"`
	Width      int            `json:"width"`
	Height     int            `json:"height"`
	Properties map[string]any `json:"properties"`
}

// Sizes on the dashboard's grid, which is 24 wide.
const (
	alarmsHeight = 4
	graphWidth   = 12
	graphHeight  = 6
)

// body writes the dashboard: the alarms, and below two graphs a row.
func (args *DashboardArgs) body(known map[string]string) (string, error) {
	var widgets []widget
	top := 0
	if len(args.AlarmNames) > 0 {
		var arns []string
		for _, n := range args.AlarmNames {
			arns = append(arns, args.Scope.ARN("cloudwatch", "alarm:"+n))
		}
		widgets = append(widgets, widget{Type: "alarm", Width: 2 * graphWidth, Height: alarmsHeight, Properties: map[string]any{"title": "Alarms", "alarms": arns}})
		top = alarmsHeight
	}
	n := 0
	for _, g := range graphs {
		lines := g.metrics(args.Prefix, known)
		if len(lines) == 0 {
			continue
		}
		widgets = append(widgets, widget{
			Type: "metric", X: n % 2 * graphWidth, Y: top + n/2*graphHeight, Width: graphWidth, Height: graphHeight,
			Properties: map[string]any{"title": g.title, "region": args.Scope.Region, "view": "timeSeries", "period": 300, "metrics": lines},
		})
		n++
	}
	text, err := json.Marshal(map[string]any{"widgets": widgets})
	return string(text), err
}

// metrics are the graph's lines as CloudWatch writes them: namespace, name,
// dimensions by turns, and how to add up.
func (g graph) metrics(prefix string, known map[string]string) [][]any {
	var out [][]any
	for _, line := range g.lines {
		namespace := line.namespace
		if namespace == metrics {
			namespace = MetricNamespace(prefix)
		}
		row, complete := []any{namespace, line.name}, true
		for _, key := range slices.Sorted(maps.Keys(line.dimensions)) {
			value := line.dimensions[key]
			if subject, ok := subjectIn(value); ok {
				value, ok = known[subject]
				complete = complete && ok
			}
			row = append(row, key, value)
		}
		if complete {
			out = append(out, append(row, map[string]any{"stat": line.stat, "label": line.name + " " + line.stat}))
		}
	}
	return out
}
