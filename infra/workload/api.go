package workload

import (
	"fmt"
	"io/fs"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
)

// ApiComponent is a REST API that checks requests before anything else does.
// (HTTP APIs, version 2, have no request validation, no WAF and no resource
// policy.)
var ApiComponent = guide.Component{
	Token: "redoubt:workload:Api",
	Serves: []guide.ID{
		guide.OverviewDataTLS,
		guide.OverviewIdentityResourcePolicies,
		guide.ArchitectureInTransitAPI,
		guide.PracticesInputAPIGateway,
		guide.PracticesInputWAF,
		guide.PracticesInputSchemaValidation,
		guide.PracticesAuthenticationTokenAuth,
		guide.PracticesAuthorizationRoleBasedAccess,
		guide.PracticesAuthorizationResourcePolicies,
		guide.OperationsLogsAccessLogs,
	},
}

// ApiArgs describes an API. Domain, AllowedCIDRs, Clients, DailyQuota and Tags
// may be left out; UserPoolArn where every route is public.
type ApiArgs struct {
	Scope identity.Scope
	// Prefix starts every physical name, for example "redoubt-dev".
	Prefix string
	// StageName is the environment's, for example "dev".
	StageName string
	// Routes are what the API answers; everything else is refused.
	Routes []Route
	// Schemas holds the files that Routes name, for example schemas.Files.
	Schemas fs.FS
	// Backend answers the routes without a function.
	Backend ApiBackend
	// UserPoolArn is the Cognito user pool whose tokens open the routes.
	UserPoolArn pulumi.StringInput
	// Domain is the API's own name; without, AWS's is used.
	Domain *ApiDomain
	// WebAcl filters what comes in.
	WebAcl *network.WebAcl
	// RatePerSecond and Burst bound the requests of all clients together.
	RatePerSecond float64
	Burst         int
	// AllowedCIDRs may call the API; everybody with a token if empty.
	AllowedCIDRs []string
	// Clients are the names of programs that get an API key each, and must send
	// it: not to prove who they are, but to be counted and held to DailyQuota.
	Clients    []string
	DailyQuota int
	// Account is how API Gateway may write logs.
	Account *ApiAccount
	// LogKmsKeyArn encrypts the log groups; LogRetentionInDays is one of
	// monitoring.RetentionDays.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	Tags               map[string]string
}

// Route is a method of a path.
type Route struct {
	// Method is GET, POST, PUT, PATCH or DELETE.
	Method string
	// Path is "/orders/{id}": lower-case words and parameters.
	Path string
	// Schema is the file of the body's JSON Schema; POST, PUT and PATCH need one.
	Schema string
	// RequiredQuery are query parameters that must be there.
	RequiredQuery []string
	// Scopes of the token, "<resource server>/<scope>"; one of them is enough.
	Scopes []string
	// Public says why the route needs no token; only without Scopes.
	Public string
	// Function answers the route instead of the backend.
	Function *Function
}

// ApiBackend is an HTTPS server.
type ApiBackend struct {
	// URL is "https://host", before the route's path.
	URL string
	// VpcLinkID leads there through a VPC link; REST APIs link to network load
	// balancers only. Nil to go over the internet.
	VpcLinkID pulumi.StringInput
}

// ApiDomain is the API's own host name.
type ApiDomain struct {
	Name string
	// CertificateArn is of the API's own region.
	CertificateArn pulumi.StringInput
	// ZoneID is the Route 53 zone to write the name into; empty for none.
	ZoneID string
}

// Api is a regional REST API.
type Api struct {
	pulumi.ResourceState

	RestApi  *apigateway.RestApi
	Stage    *apigateway.Stage
	LogGroup *monitoring.LogGroup
	// URL is where clients call, without a slash at its end.
	URL pulumi.StringOutput
	// Name and StageName are the metric dimensions, known at preview.
	Name, StageName string

	plan        apiPlan
	resources   map[string]pulumi.StringOutput
	models      map[string]pulumi.StringOutput
	validator   *apigateway.RequestValidator
	authorizer  *apigateway.Authorizer
	policy      *apigateway.RestApiPolicy
	deployed    []pulumi.Resource
	errorLog    *cloudwatch.LogGroup
	association *wafv2.WebAclAssociation
}

// NewApi makes the API. The error joins every finding in args and in the
// schemas.
func NewApi(ctx *pulumi.Context, name string, args *ApiArgs, opts ...pulumi.ResourceOption) (*Api, error) {
	plan, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("api %q: %w", name, err)
	}
	c := &Api{
		Name: args.Prefix + "-api", StageName: args.StageName, plan: plan,
		resources: map[string]pulumi.StringOutput{}, models: map[string]pulumi.StringOutput{},
	}
	if err := ctx.RegisterComponentResource(ApiComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("api %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *ApiArgs) error{
		c.buildApi, c.buildModels, c.buildResources, c.buildMethods, c.buildResponses,
		c.buildLogs, c.buildStage, c.buildDomain, c.buildClients,
	} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("api %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"apiUrl": c.URL, "apiId": c.RestApi.ID(), "stageArn": c.Stage.Arn})
}

func (c *Api) buildApi(ctx *pulumi.Context, name string, args *ApiArgs) (err error) {
	c.RestApi, err = apigateway.NewRestApi(ctx, name+"-api", &apigateway.RestApiArgs{
		Name: pulumi.String(c.Name), Description: pulumi.String("API of " + args.Prefix),
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		// AWS's own name has AWS's TLS policy, which still takes TLS 1.0.
		DisableExecuteApiEndpoint: pulumi.Bool(args.Domain != nil),
		Tags:                      withName(args.Tags, c.Name),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.policy, err = apigateway.NewRestApiPolicy(ctx, name+"-policy", &apigateway.RestApiPolicyArgs{
		RestApiId: c.RestApi.ID(), Policy: pulumi.String(c.plan.policy),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.deployed = append(c.deployed, c.policy)
	c.validator, err = apigateway.NewRequestValidator(ctx, name+"-validator", &apigateway.RequestValidatorArgs{
		RestApi: c.RestApi.ID(), Name: pulumi.String("body-and-parameters"),
		ValidateRequestBody: pulumi.Bool(true), ValidateRequestParameters: pulumi.Bool(true),
	}, pulumi.Parent(c))
	if err != nil || !c.plan.tokens {
		return err
	}
	c.authorizer, err = apigateway.NewAuthorizer(ctx, name+"-authorizer", &apigateway.AuthorizerArgs{
		RestApi: c.RestApi.ID(), Name: pulumi.String("user-pool"), Type: pulumi.String("COGNITO_USER_POOLS"),
		ProviderArns: pulumi.StringArray{args.UserPoolArn}, IdentitySource: pulumi.String("method.request.header.Authorization"),
		// Not cached: an expired token would be let in for the rest of the time.
		AuthorizerResultTtlInSeconds: pulumi.Int(0),
	}, pulumi.Parent(c))
	return err
}
