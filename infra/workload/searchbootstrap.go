package workload

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// SearchBootstrapComponent is the set-up of an OpenSearch domain's inside.
var SearchBootstrapComponent = guide.Component{
	Token:  "redoubt:workload:SearchBootstrap",
	Serves: []guide.ID{guide.OverviewMonitoringOpenSearch, guide.PracticesAuthorizationRoleBasedAccess},
}

// SearchBootstrapArgs describes what the domain shall have inside. Every field
// but After is required.
type SearchBootstrapArgs struct {
	Platform *FunctionPlatform
	// DomainName is the domain's physical name. The function's role,
	// SearchBootstrapRoleName, must be its master user.
	DomainName string
	// Endpoint is the domain's host name.
	Endpoint pulumi.StringInput
	Setup    SearchSetup
	// Concurrency is the function's, as in FunctionArgs: 1 is enough.
	Concurrency int
	// After must exist before the function calls the domain: the domain.
	After []pulumi.Resource
}

// SearchSetup is what the domain's own access control and indices shall be,
// by name; each value is the JSON body that OpenSearch's API takes.
type SearchSetup struct {
	// Roles are permissions, RoleMappings who has them: an IAM role's ARN is a
	// backend role. An IAM policy alone opens nothing: the domain asks both.
	Roles        map[string]any `json:"roles,omitempty"`
	RoleMappings map[string]any `json:"roleMappings,omitempty"`
	// Policies are Index State Management's: when indices move and go.
	Policies map[string]any `json:"policies,omitempty"`
	// Templates are index templates.
	Templates map[string]any `json:"templates,omitempty"`
}

// SearchBootstrap is a function in the VPC that sets up the domain, and its
// run: once, and again whenever the setup or the function changes. It writes
// what differs and leaves the rest.
type SearchBootstrap struct {
	pulumi.ResourceState

	Function *Function
	Run      *lambda.Invocation
}

const searchFunction = "search-bootstrap"

// SearchBootstrapRoleName is the physical name of the function's role.
func SearchBootstrapRoleName(prefix string) string { return FunctionRoleName(prefix, searchFunction) }

// NewSearchBootstrap makes the function and runs it. The error joins every
// finding in args.
func NewSearchBootstrap(ctx *pulumi.Context, name string, args *SearchBootstrapArgs, opts ...pulumi.ResourceOption) (*SearchBootstrap, error) {
	event, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("search bootstrap %q: %w", name, err)
	}
	c := &SearchBootstrap{}
	if err := ctx.RegisterComponentResource(SearchBootstrapComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("search bootstrap %q: register: %w", name, err)
	}
	if c.Function, err = NewFunction(ctx, name, args.function(), pulumi.Parent(c)); err != nil {
		return nil, fmt.Errorf("search bootstrap %q: %w", name, err)
	}
	c.Run, err = lambda.NewInvocation(ctx, name+"-run", &lambda.InvocationArgs{
		FunctionName: c.Function.Function.Name, Input: pulumi.String(event),
		// A deleted stack has no domain left to clean.
		LifecycleScope: pulumi.String("CREATE_ONLY"),
		Triggers:       pulumi.StringMap{"code": pulumi.String(c.Function.CodeSHA256), "endpoint": args.Endpoint.ToStringOutput()},
	}, pulumi.Parent(c), pulumi.DependsOn(slices.Concat(args.After, c.Function.Role.Rights)))
	if err != nil {
		return nil, fmt.Errorf("search bootstrap %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"result": c.Run.Result})
}

func (args *SearchBootstrapArgs) function() *FunctionArgs {
	domain := args.Platform.Scope.ARN("es", "domain/"+args.DomainName)
	return &FunctionArgs{
		Platform: args.Platform, FunctionName: searchFunction, Program: searchFunction,
		Description: "Sets up roles, policies and templates of " + args.DomainName,
		MemoryMiB:   128, TimeoutSeconds: 300, Concurrency: args.Concurrency,
		Parameters: map[string]pulumi.StringInput{"SEARCH_ENDPOINT": args.Endpoint},
		Policies: map[string]identity.Document{"set-up": {{
			Sid: "SetUpDomain", Effect: identity.Allow, Actions: []string{"es:ESHttpGet", "es:ESHttpPut"},
			Resources: []string{domain + "/_plugins/_security/api/*", domain + "/_plugins/_ism/policies/*", domain + "/_index_template/*"},
		}}},
	}
}

// render returns the function's event: the same text for the same setup.
func (args *SearchBootstrapArgs) render() (string, error) {
	if args == nil {
		return "", errors.New("args: nil (pass &workload.SearchBootstrapArgs{…})")
	}
	var f findings
	if err := args.Platform.validate(); err != nil {
		f = append(f, err)
	}
	f.refuse(args.DomainName == "", "domainName: empty (the domain's physical name)")
	f.refuse(args.Endpoint == nil, "endpoint: nil (the domain's host name)")
	f.concurrency(args.Concurrency)
	s := args.Setup
	f.refuse(len(s.Roles)+len(s.RoleMappings)+len(s.Policies)+len(s.Templates) == 0, "setup: empty (nobody but the function could use the domain)")
	for _, role := range slices.Sorted(maps.Keys(s.Roles)) {
		_, mapped := s.RoleMappings[role]
		f.refuse(!mapped, "setup.roles[%q]: nobody has it (map it in roleMappings)", role)
	}
	event, err := json.Marshal(s)
	f.refuse(err != nil, "setup: %v (use plain values)", err)
	return string(event), f.err()
}
