package monitoring

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/costexplorer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// CostsComponent ties Costs to the guide.
var CostsComponent = guide.Component{
	Token:  "redoubt:monitoring:Costs",
	Serves: []guide.ID{guide.OperationsLowCostAnomalies},
}

// CostsArgs describes the watch over spending. Prefix, Scope, Topics and
// Monitor are required, and AnomalyUSD where there is a monitor.
type CostsArgs struct {
	Prefix string
	Scope  identity.Scope
	Topics *Topics
	// Monitor is the account's only monitor of services: manage, adopt (ID:
	// its ARN; new accounts are given one, and a second is refused) or off.
	Monitor singleton.Singleton
	// AnomalyUSD is from what impact an anomaly tells, in USD.
	AnomalyUSD float64
	// MonthlyUSD is the budget of a month, in USD; 0 for none.
	MonthlyUSD float64
	// Protect keeps the monitor when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// Costs tells the low topic of unusual spending as it is found, and of a
// budget that is, or will be, used up. Costs are also how stolen credentials
// are noticed.
type Costs struct{ pulumi.ResourceState }

// NewCosts registers the watch. It returns every finding about args at once.
func NewCosts(ctx *pulumi.Context, name string, args *CostsArgs, opts ...pulumi.ResourceOption) (*Costs, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("costs %s: %w", name, err)
	}
	c := &Costs{}
	if err := ctx.RegisterComponentResource(CostsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("costs %s: register component: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *CostsArgs) error{c.anomalies, c.budget} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("costs %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

func (args *CostsArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a CostsArgs)")
	}
	var f findings
	f.place(args.Prefix, args.Scope)
	f.required("topics", args.Topics != nil, "pass the Topics")
	f.singleton("monitor", args.Monitor)
	f.refuse(args.Monitor.Adopted() && !strings.Contains(args.Monitor.ID, ":anomalymonitor/"), "monitor.id", fmt.Sprintf("%q is no monitor's ARN", args.Monitor.ID),
		"arn:<partition>:ce::<account>:anomalymonitor/<id>, as the Cost Anomaly Detection console shows it")
	f.refuse(args.Monitor.Used() && args.AnomalyUSD <= 0, "anomalyUsd", fmt.Sprintf("%g", args.AnomalyUSD), "more than 0")
	f.refuse(args.MonthlyUSD < 0, "monthlyUsd", fmt.Sprintf("%g", args.MonthlyUSD), "more than 0, or 0 for no budget")
	return f.err()
}

func (c *Costs) anomalies(ctx *pulumi.Context, name string, args *CostsArgs) error {
	if !args.Monitor.Used() {
		return nil
	}
	monitor := pulumi.String(args.Monitor.ID).ToStringOutput()
	if args.Monitor.Managed() {
		m, err := costexplorer.NewAnomalyMonitor(ctx, name+"-monitor", &costexplorer.AnomalyMonitorArgs{
			Name: pulumi.String(args.Prefix), MonitorType: pulumi.String("DIMENSIONAL"), MonitorDimension: pulumi.String("SERVICE"),
			Tags: tagged(args.Tags, args.Prefix),
		}, pulumi.Parent(c), pulumi.Protect(args.Protect))
		if err != nil {
			return err
		}
		monitor = m.Arn
	}
	_, err := costexplorer.NewAnomalySubscription(ctx, name+"-anomalies", &costexplorer.AnomalySubscriptionArgs{
		Name: pulumi.String(args.Prefix + "-anomalies"), MonitorArnLists: pulumi.StringArray{monitor},
		// At once is possible for topics only; mail comes daily or weekly.
		Frequency: pulumi.String("IMMEDIATE"),
		Subscribers: costexplorer.AnomalySubscriptionSubscriberArray{
			&costexplorer.AnomalySubscriptionSubscriberArgs{Type: pulumi.String("SNS"), Address: args.Topics.Arn(Low)},
		},
		ThresholdExpression: &costexplorer.AnomalySubscriptionThresholdExpressionArgs{
			Dimension: &costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs{
				Key:          pulumi.String("ANOMALY_TOTAL_IMPACT_ABSOLUTE"),
				MatchOptions: pulumi.ToStringArray([]string{"GREATER_THAN_OR_EQUAL"}),
				Values:       pulumi.ToStringArray([]string{dollars(args.AnomalyUSD)}),
			},
		},
		Tags: tagged(args.Tags, args.Prefix+"-anomalies"),
	}, pulumi.Parent(c), pulumi.DependsOn(args.Topics.Ready))
	return err
}

// budgetNotices are when a budget speaks: what is spent and what will be, in
// percent of the budget.
var budgetNotices = []struct {
	kind    string
	percent float64
}{{"ACTUAL", 80}, {"ACTUAL", 100}, {"FORECASTED", 100}}

func (c *Costs) budget(ctx *pulumi.Context, name string, args *CostsArgs) error {
	if args.MonthlyUSD == 0 {
		return nil
	}
	var notices budgets.BudgetNotificationArray
	for _, n := range budgetNotices {
		notices = append(notices, &budgets.BudgetNotificationArgs{
			NotificationType: pulumi.String(n.kind), ComparisonOperator: pulumi.String("GREATER_THAN"),
			Threshold: pulumi.Float64(n.percent), ThresholdType: pulumi.String("PERCENTAGE"),
			SubscriberSnsTopicArns: pulumi.StringArray{args.Topics.Arn(Low)},
		})
	}
	_, err := budgets.NewBudget(ctx, name+"-budget", &budgets.BudgetArgs{
		Name: pulumi.String(args.Prefix + "-monthly"), BudgetType: pulumi.String("COST"), TimeUnit: pulumi.String("MONTHLY"),
		LimitAmount: pulumi.String(dollars(args.MonthlyUSD)), LimitUnit: pulumi.String("USD"),
		Notifications: notices, Tags: tagged(args.Tags, args.Prefix+"-monthly"),
	}, pulumi.Parent(c), pulumi.DependsOn(args.Topics.Ready))
	return err
}

// dollars writes an amount without an exponent, which AWS would not read.
func dollars(usd float64) string { return strconv.FormatFloat(usd, 'f', -1, 64) }
