package workload

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// ApiAccountComponent is API Gateway's right to write logs.
var ApiAccountComponent = guide.Component{
	Token:  "redoubt:workload:ApiAccount",
	Serves: []guide.ID{guide.OperationsLogsAccessLogs},
}

// ApiAccountArgs describes the region's setting.
type ApiAccountArgs struct {
	Scope identity.Scope
	// Account is a singleton of the account's region: one stack manages it, the
	// others adopt it. It cannot be off, for then no API could log.
	Account singleton.Singleton
	// RoleName is the physical name of the role, for Manage.
	RoleName string
	// PermissionsBoundary caps the role; empty for none.
	PermissionsBoundary string
	// Protect keeps the setting when the stack is destroyed: the region's other
	// APIs log with it.
	Protect bool
	Tags    map[string]string
}

// ApiAccount is the role with which API Gateway writes the logs of all APIs of
// an account's region.
type ApiAccount struct {
	pulumi.ResourceState

	// Ready is what a stage that logs depends on; empty for Adopt.
	Ready []pulumi.Resource
}

// NewApiAccount makes the setting, or takes it as it is. The error joins every
// finding in args.
func NewApiAccount(ctx *pulumi.Context, name string, args *ApiAccountArgs, opts ...pulumi.ResourceOption) (*ApiAccount, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("api account %q: %w", name, err)
	}
	c := &ApiAccount{}
	if err := ctx.RegisterComponentResource(ApiAccountComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("api account %q: register: %w", name, err)
	}
	if args.Account.Managed() {
		if err := c.build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("api account %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// build attaches AWS's own policy: the groups of an API's errors are named
// after ids that nobody knows beforehand, and of other stacks' APIs too.
func (c *ApiAccount) build(ctx *pulumi.Context, name string, args *ApiAccountArgs) error {
	role, err := identity.NewRole(ctx, name, &identity.RoleArgs{
		RoleName: args.RoleName, Description: "API Gateway writes the logs of this region's APIs",
		Trust: identity.ServiceTrust("apigateway.amazonaws.com", args.Scope),
		ManagedPolicyARNs: []string{
			"arn:" + args.Scope.Partition + ":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
		},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	// API Gateway tries the role when it is set.
	account, err := apigateway.NewAccount(ctx, name+"-account", &apigateway.AccountArgs{
		CloudwatchRoleArn: role.Arn,
	}, pulumi.Parent(c), pulumi.DependsOn(role.Rights), pulumi.Protect(args.Protect))
	if err != nil {
		return err
	}
	c.Ready = []pulumi.Resource{account}
	return nil
}

func (args *ApiAccountArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &workload.ApiAccountArgs{…})")
	}
	var f findings
	f.scope(args.Scope)
	if err := args.Account.Validate(); err != nil {
		f = append(f, fmt.Errorf("account: %w", err))
	}
	f.refuse(args.Account.Mode == singleton.Off, "account: off (APIs could not log; manage it in one stack of the region and adopt it in the others)")
	f.refuse(args.Account.Managed() && args.RoleName == "", "roleName: empty (the role's physical name)")
	return f.err()
}
