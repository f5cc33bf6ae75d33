package monitoring

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/securityhub"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// SecurityHubComponent ties SecurityHub to the guide.
var SecurityHubComponent = guide.Component{
	Token: "redoubt:monitoring:SecurityHub",
	Serves: []guide.ID{
		guide.PracticesAuthorizationRegularAudits,
		guide.ResponseDetectionMonitorAlerts,
	},
}

// standards are the standards that can be subscribed to, by a short name, with
// the end of their ARNs.
// https://docs.aws.amazon.com/securityhub/latest/userguide/standards-reference.html
var standards = map[string]string{
	"cis":  "cis-aws-foundations-benchmark/v/3.0.0",
	"fsbp": "aws-foundational-security-best-practices/v/1.0.0",
}

// SecurityHubArgs describes Security Hub in an account's region.
type SecurityHubArgs struct {
	Scope identity.Scope
	// Singleton is manage, adopt (nothing is changed) or off.
	Singleton singleton.Singleton
	// Standards are "fsbp" (AWS Foundational Security Best Practices), "cis"
	// (CIS AWS Foundations Benchmark 3.0).
	Standards []string
	// Protect keeps the hub when the stack is destroyed.
	Protect bool
}

// SecurityHub gathers the findings of Config, GuardDuty, Inspector and Macie,
// and judges the account by standards.
type SecurityHub struct {
	pulumi.ResourceState

	// Arn is the hub's, empty without one.
	Arn pulumi.StringOutput
}

// NewSecurityHub registers the hub. It returns every finding about args at once.
func NewSecurityHub(ctx *pulumi.Context, name string, args *SecurityHubArgs, opts ...pulumi.ResourceOption) (*SecurityHub, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("security hub %s: %w", name, err)
	}
	c := &SecurityHub{Arn: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(SecurityHubComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("security hub %s: register component: %w", name, err)
	}
	if args.Singleton.Used() {
		c.Arn = pulumi.String(args.Scope.ARN("securityhub", "hub/default")).ToStringOutput()
	}
	if args.Singleton.Managed() {
		if err := c.build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("security hub %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"securityHubArn": c.Arn})
}

func (args *SecurityHubArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a SecurityHubArgs)")
	}
	var f findings
	f.scope(args.Scope)
	f.singleton("singleton", args.Singleton)
	for i, s := range args.Standards {
		f.refuse(standards[s] == "", fmt.Sprintf("standards[%d]", i), fmt.Sprintf("%q is not a standard that the table knows", s), fmt.Sprintf("one of %v", slices.Sorted(maps.Keys(standards))))
		f.refuse(slices.Index(args.Standards, s) != i, fmt.Sprintf("standards[%d]", i), fmt.Sprintf("%q twice", s), "name it once")
	}
	return f.err()
}

func (c *SecurityHub) build(ctx *pulumi.Context, name string, args *SecurityHubArgs) error {
	hub, err := securityhub.NewAccount(ctx, name+"-hub", &securityhub.AccountArgs{
		// The default standards would come with the hub and without us. To
		// change this later replaces the hub, and loses its findings.
		EnableDefaultStandards:  pulumi.Bool(false),
		AutoEnableControls:      pulumi.Bool(true),
		ControlFindingGenerator: pulumi.String("SECURITY_CONTROL"),
	}, pulumi.Parent(c), pulumi.Protect(args.Protect))
	if err != nil {
		return err
	}
	for _, s := range args.Standards {
		// A standard's ARN has a region and no account.
		arn := "arn:" + args.Scope.Partition + ":securityhub:" + args.Scope.Region + "::standards/" + standards[s]
		_, err := securityhub.NewStandardsSubscription(ctx, name+"-"+s, &securityhub.StandardsSubscriptionArgs{
			StandardsArn: pulumi.String(arn),
		}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{hub}))
		if err != nil {
			return err
		}
	}
	return nil
}
