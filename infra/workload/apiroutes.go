package workload

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var parameterForm = regexp.MustCompile(`\{([^}]+)\}`)

// logicalPath is a path as part of a logical name: no two paths share one.
func logicalPath(path string) string {
	return strings.NewReplacer("/", ".", "{", "_", "}", "_").Replace(path)
}

func (c *Api) buildModels(ctx *pulumi.Context, name string, _ *ApiArgs) error {
	for _, file := range slices.Sorted(maps.Keys(c.plan.schemas)) {
		m, err := apigateway.NewModel(ctx, name+"-"+strings.TrimSuffix(file, ".json"), &apigateway.ModelArgs{
			RestApi: c.RestApi.ID(), Name: pulumi.String(modelName(file)), ContentType: pulumi.String("application/json"),
			Description: pulumi.String("Body as in " + file), Schema: pulumi.String(c.plan.schemas[file]),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.models[file] = m.Name
	}
	return nil
}

// buildResources makes the tree of paths, parents first.
func (c *Api) buildResources(ctx *pulumi.Context, name string, _ *ApiArgs) error {
	c.resources[""] = c.RestApi.RootResourceId
	for _, path := range c.plan.paths {
		parent := parentPath(path)
		r, err := apigateway.NewResource(ctx, name+logicalPath(path), &apigateway.ResourceArgs{
			RestApi: c.RestApi.ID(), ParentId: c.resources[parent], PathPart: pulumi.String(path[len(parent)+1:]),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.resources[path] = r.ID().ToStringOutput()
	}
	return nil
}

func (c *Api) buildMethods(ctx *pulumi.Context, name string, args *ApiArgs) error {
	for _, r := range args.Routes {
		logical := name + logicalPath(r.Path) + "-" + strings.ToLower(r.Method)
		method, err := apigateway.NewMethod(ctx, logical, c.method(r, args), pulumi.Parent(c))
		if err != nil {
			return err
		}
		integration, err := apigateway.NewIntegration(ctx, logical, c.integration(r, args), pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{method}))
		if err != nil {
			return err
		}
		c.deployed = append(c.deployed, method, integration)
		if r.Function == nil {
			continue
		}
		_, err = r.Function.Allow(ctx, logical, Invoker{
			Principal: "apigateway.amazonaws.com",
			SourceArn: pulumi.Sprintf("%s/*/%s%s", c.RestApi.ExecutionArn, r.Method, parameterForm.ReplaceAllString(r.Path, "*")),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Api) method(r Route, args *ApiArgs) *apigateway.MethodArgs {
	in := &apigateway.MethodArgs{
		RestApi: c.RestApi.ID(), ResourceId: c.resources[r.Path], HttpMethod: pulumi.String(r.Method),
		Authorization:      pulumi.String("NONE"),
		ApiKeyRequired:     pulumi.Bool(len(args.Clients) > 0),
		RequestValidatorId: c.validator.ID(),
	}
	if len(r.Scopes) > 0 {
		in.Authorization = pulumi.String("COGNITO_USER_POOLS")
		in.AuthorizerId = c.authorizer.ID()
		// With scopes API Gateway wants an access token, without an identity
		// token, which is not made to open an API.
		in.AuthorizationScopes = pulumi.ToStringArray(r.Scopes)
	}
	parameters := pulumi.BoolMap{}
	for _, p := range parameterForm.FindAllStringSubmatch(r.Path, -1) {
		parameters["method.request.path."+p[1]] = pulumi.Bool(true)
	}
	for _, q := range r.RequiredQuery {
		parameters["method.request.querystring."+q] = pulumi.Bool(true)
	}
	if r.Schema != "" {
		// A body of a type that no model names is not checked at all: $default
		// holds every other type to the same schema.
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
		in.RequestModels = pulumi.StringMap{"application/json": c.models[r.Schema], "$default": c.models[r.Schema]}
		parameters["method.request.header.Content-Type"] = pulumi.Bool(true)
	}
	if len(parameters) > 0 {
		in.RequestParameters = parameters
	}
	return in
}

func (c *Api) integration(r Route, args *ApiArgs) *apigateway.IntegrationArgs {
	in := &apigateway.IntegrationArgs{
		RestApi: c.RestApi.ID(), ResourceId: c.resources[r.Path], HttpMethod: pulumi.String(r.Method),
	}
	if r.Function != nil {
		in.Type, in.IntegrationHttpMethod = pulumi.String("AWS_PROXY"), pulumi.String("POST")
		in.Uri = r.Function.Function.InvokeArn
		return in
	}
	in.Type, in.IntegrationHttpMethod = pulumi.String("HTTP_PROXY"), pulumi.String(r.Method)
	in.Uri = pulumi.String(args.Backend.URL + r.Path)
	if args.Backend.VpcLinkID != nil {
		in.ConnectionType, in.ConnectionId = pulumi.String("VPC_LINK"), args.Backend.VpcLinkID.ToStringOutput()
	}
	parameters := pulumi.StringMap{}
	for _, p := range parameterForm.FindAllStringSubmatch(r.Path, -1) {
		parameters["integration.request.path."+p[1]] = pulumi.String("method.request.path." + p[1])
	}
	if len(parameters) > 0 {
		in.RequestParameters = parameters
	}
	return in
}
