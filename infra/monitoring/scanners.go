package monitoring

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/inspector2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/macie2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// ScannersComponent ties Scanners to the guide.
var ScannersComponent = guide.Component{
	Token: "redoubt:monitoring:Scanners",
	Serves: []guide.ID{
		guide.ResponseAnalysisDetermineImpact,
		guide.ResponseEradicationVerifyRemoval,
	},
}

// inspected are what Inspector can scan.
// https://docs.aws.amazon.com/inspector/v2/APIReference/API_Enable.html
var inspected = []string{"EC2", "ECR", "LAMBDA", "LAMBDA_CODE"}

// ScannersArgs describes what looks for holes and for personal data in an
// account's region.
type ScannersArgs struct {
	Scope identity.Scope
	// Inspector and Macie are manage, adopt (nothing is changed) or off.
	Inspector, Macie singleton.Singleton
	// Inspected are what Inspector scans: EC2, ECR, LAMBDA, LAMBDA_CODE (which
	// needs LAMBDA). At least one, to manage it.
	Inspected []string
	// Protect keeps them on when the stack is destroyed.
	Protect bool
}

// Scanners are Inspector, which scans images, functions and instances again
// whenever a new vulnerability is known, and Macie, which says what personal
// data a bucket holds. Their findings appear in Security Hub.
type Scanners struct{ pulumi.ResourceState }

// NewScanners registers them. It returns every finding about args at once.
func NewScanners(ctx *pulumi.Context, name string, args *ScannersArgs, opts ...pulumi.ResourceOption) (*Scanners, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("scanners %s: %w", name, err)
	}
	c := &Scanners{}
	if err := ctx.RegisterComponentResource(ScannersComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("scanners %s: register component: %w", name, err)
	}
	own := []pulumi.ResourceOption{pulumi.Parent(c), pulumi.Protect(args.Protect)}
	if args.Inspector.Managed() {
		_, err := inspector2.NewEnabler(ctx, name+"-inspector", &inspector2.EnablerArgs{
			AccountIds: pulumi.ToStringArray([]string{args.Scope.AccountID}), ResourceTypes: pulumi.ToStringArray(args.Inspected),
		}, own...)
		if err != nil {
			return nil, fmt.Errorf("scanners %s: inspector: %w", name, err)
		}
	}
	if args.Macie.Managed() {
		_, err := macie2.NewAccount(ctx, name+"-macie", &macie2.AccountArgs{
			FindingPublishingFrequency: pulumi.String("FIFTEEN_MINUTES"), Status: pulumi.String("ENABLED"),
		}, own...)
		if err != nil {
			return nil, fmt.Errorf("scanners %s: macie: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

func (args *ScannersArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a ScannersArgs)")
	}
	var f findings
	f.scope(args.Scope)
	f.singleton("inspector", args.Inspector)
	f.singleton("macie", args.Macie)
	f.refuse(args.Inspector.Managed() && len(args.Inspected) == 0, "inspected", "empty, Inspector would scan nothing", fmt.Sprintf("some of %v, or switch it off", inspected))
	for i, kind := range args.Inspected {
		f.refuse(!slices.Contains(inspected, kind), fmt.Sprintf("inspected[%d]", i), fmt.Sprintf("%q is nothing that Inspector scans", kind), fmt.Sprintf("one of %v", inspected))
	}
	f.refuse(slices.Contains(args.Inspected, "LAMBDA_CODE") && !slices.Contains(args.Inspected, "LAMBDA"), "inspected", "LAMBDA_CODE without LAMBDA", "add LAMBDA, which Inspector scans first")
	return f.err()
}
