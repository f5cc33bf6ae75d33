package workload_test

import (
	"encoding/json"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/network"
	"redoubt/infra/singleton"
	"redoubt/infra/workload"
	"redoubt/infra/workload/schemas"
	"redoubt/internal/graphtest"
)

const (
	methodType      = "aws:apigateway/method:Method"
	integrationType = "aws:apigateway/integration:Integration"
	poolARN         = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a"
)

func routes() []workload.Route {
	return []workload.Route{
		{Method: "GET", Path: "/orders", RequiredQuery: []string{"page"}, Scopes: []string{"orders/read"}},
		{Method: "POST", Path: "/orders", Schema: "order.json", Scopes: []string{"orders/write"}},
		{Method: "GET", Path: "/orders/{id}/lines/{line}", Scopes: []string{"orders/read", "orders/write"}},
		{Method: "GET", Path: "/health", Public: "The load test has no user"},
	}
}

func api(change func(*workload.ApiArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		acl, err := network.NewWebAcl(ctx, "waf", &network.WebAclArgs{
			Prefix: "redoubt-dev", Scope: scope, Mode: network.WAFBlock, RateLimit: 2000, LogKeyArn: pulumi.String(keyARN), LogRetentionInDays: 14,
		})
		if err != nil {
			return err
		}
		account, err := workload.NewApiAccount(ctx, "account", &workload.ApiAccountArgs{
			Scope: scope, Account: singleton.Singleton{Mode: singleton.Manage}, RoleName: "redoubt-api-logs",
		})
		if err != nil {
			return err
		}
		args := &workload.ApiArgs{
			Scope: scope, Prefix: "redoubt-dev", StageName: "dev", Routes: routes(), Schemas: schemas.Files,
			Backend: workload.ApiBackend{URL: "https://app.example.com"}, UserPoolArn: pulumi.String(poolARN),
			WebAcl: acl, RatePerSecond: 100, Burst: 200, Account: account,
			LogKmsKeyArn: pulumi.String(keyARN), LogRetentionInDays: 14, Tags: map[string]string{"environment": "dev"},
		}
		change(args)
		_, err = workload.NewApi(ctx, "api", args)
		return err
	}
}

func unchanged(*workload.ApiArgs) {}

func TestApiChecksBodiesAgainstTheSharedSchema(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, api(unchanged))
	model := g.Only("aws:apigateway/model:Model")
	require.Equal(t, "Order", model.Input("name"))
	file, err := fs.ReadFile(schemas.Files, "order.json")
	require.NoError(t, err)
	require.JSONEq(t, string(file), model.Input("schema").(string), "the edge and the application check the same")

	validator := g.Only("aws:apigateway/requestValidator:RequestValidator")
	require.Equal(t, true, validator.Input("validateRequestBody"))
	require.Equal(t, true, validator.Input("validateRequestParameters"))
	require.Len(t, g.ByType(methodType), 4)
	for _, m := range g.ByType(methodType) {
		require.Equal(t, validator.ID, m.Input("requestValidatorId"), m.Name)
	}
	post := g.One(methodType, "api.orders-post")
	require.Equal(t, map[string]any{"application/json": "Order", "$default": "Order"}, post.Input("requestModels"),
		"a body of another type must not pass unchecked")
	require.Equal(t, map[string]any{"method.request.header.Content-Type": true}, post.Input("requestParameters"))
	require.Equal(t, map[string]any{"method.request.querystring.page": true}, g.One(methodType, "api.orders-get").Input("requestParameters"))
	require.Equal(t, map[string]any{"method.request.path.id": true, "method.request.path.line": true},
		g.One(methodType, "api.orders._id_.lines._line_-get").Input("requestParameters"))
}

func TestApiRoutesWantTokens(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, api(unchanged))
	authorizer := g.Only("aws:apigateway/authorizer:Authorizer")
	require.Equal(t, "COGNITO_USER_POOLS", authorizer.Input("type"))
	require.Equal(t, []any{poolARN}, authorizer.Input("providerArns"))
	post := g.One(methodType, "api.orders-post")
	require.Equal(t, "COGNITO_USER_POOLS", post.Input("authorization"))
	require.Equal(t, authorizer.ID, post.Input("authorizerId"))
	require.Equal(t, []any{"orders/write"}, post.Input("authorizationScopes"))
	health := g.One(methodType, "api.health-get")
	require.Equal(t, "NONE", health.Input("authorization"))
	require.False(t, health.Has("authorizerId"))
}

func TestApiTreeAndIntegrations(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, api(unchanged))
	var parts []string
	for _, r := range g.ByType("aws:apigateway/resource:Resource") {
		parts = append(parts, r.Input("pathPart").(string))
	}
	require.Equal(t, []string{"health", "orders", "{id}", "lines", "{line}"}, parts)
	require.Equal(t, "api-api-root", g.One("aws:apigateway/resource:Resource", "api.orders").Input("parentId"))
	require.Equal(t, g.One("aws:apigateway/resource:Resource", "api.orders").ID,
		g.One("aws:apigateway/resource:Resource", "api.orders._id_").Input("parentId"))

	i := g.One(integrationType, "api.orders._id_.lines._line_-get")
	require.Equal(t, "HTTP_PROXY", i.Input("type"))
	require.Equal(t, "https://app.example.com/orders/{id}/lines/{line}", i.Input("uri"))
	require.Equal(t, map[string]any{
		"integration.request.path.id": "method.request.path.id", "integration.request.path.line": "method.request.path.line",
	}, i.Input("requestParameters"))
	require.False(t, i.Has("connectionId"))
}

func TestApiStageLogsAndLimits(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, api(unchanged))
	stage := g.Only("aws:apigateway/stage:Stage")
	require.Equal(t, true, stage.Input("xrayTracingEnabled"))
	access := g.One("aws:cloudwatch/logGroup:LogGroup", "api-access")
	require.Same(t, access, g.Refers(stage.Input("accessLogSettings.destinationArn")))
	var line map[string]string
	require.NoError(t, json.Unmarshal([]byte(stage.Input("accessLogSettings.format").(string)), &line))
	require.Equal(t, "$context.requestId", line["requestId"], "API Gateway refuses a format without it")
	require.True(t, g.Depends(stage, g.Only("aws:apigateway/account:Account")), "no log without the account's role")

	execution := g.One("aws:cloudwatch/logGroup:LogGroup", "api-execution")
	require.Equal(t, "API-Gateway-Execution-Logs_api-api-id/dev", execution.Input("name"))
	require.Equal(t, keyARN, execution.Input("kmsKeyId"))
	require.EqualValues(t, 14, execution.Input("retentionInDays"))
	require.True(t, g.Depends(stage, execution), "API Gateway would make it unencrypted")

	settings := g.Only("aws:apigateway/methodSettings:MethodSettings")
	for path, want := range map[string]any{
		"methodPath": "*/*", "settings.loggingLevel": "ERROR", "settings.dataTraceEnabled": false,
		"settings.throttlingRateLimit": 100.0, "settings.throttlingBurstLimit": 200.0, "settings.metricsEnabled": true,
	} {
		require.EqualValues(t, want, settings.Input(path), path)
	}
	association := g.Only("aws:wafv2/webAclAssociation:WebAclAssociation")
	require.Same(t, stage, g.Refers(association.Input("resourceArn")))
}

func TestApiPolicy(t *testing.T) {
	t.Parallel()
	statements := func(g *graphtest.Graph) identity.Document {
		var doc identity.Document
		require.NoError(t, json.Unmarshal([]byte(g.Only("aws:apigateway/restApiPolicy:RestApiPolicy").Input("policy").(string)), &doc))
		return doc
	}
	open := statements(graphtest.Run(t, api(unchanged), graphtest.Preview()))
	require.Equal(t, "aws:SecureTransport", open[0].Conditions[0].Key)
	require.Equal(t, identity.Deny, open[1].Effect)
	require.Equal(t, []string{"arn:aws:execute-api:eu-central-1:123456789012:*/dev/*"}, open[0].Resources)
	private := statements(graphtest.Run(t, api(func(a *workload.ApiArgs) { a.AllowedCIDRs = []string{"198.51.100.0/24"} })))
	require.Equal(t, []identity.Condition{{Test: "IpAddress", Key: "aws:SourceIp", Values: []string{"198.51.100.0/24"}}}, private[0].Conditions)
}

// A change that needs a new deployment gets one, and nothing else does.
func TestApiDeploysWhatChanges(t *testing.T) {
	t.Parallel()
	digest := func(change func(*workload.ApiArgs)) any {
		return graphtest.Run(t, api(change)).Only("aws:apigateway/deployment:Deployment").Input("triggers.configuration")
	}
	was := digest(unchanged)
	require.Len(t, was, 64)
	require.Equal(t, was, digest(unchanged))
	require.Equal(t, was, digest(func(a *workload.ApiArgs) { a.Burst = 300 }), "the stage's own settings are live at once")
	for name, change := range map[string]func(*workload.ApiArgs){
		"scope":   func(a *workload.ApiArgs) { a.Routes[0].Scopes = []string{"orders/list"} },
		"backend": func(a *workload.ApiArgs) { a.Backend.URL = "https://other.example.com" },
		"policy":  func(a *workload.ApiArgs) { a.AllowedCIDRs = []string{"198.51.100.0/24"} },
		"clients": func(a *workload.ApiArgs) { a.Clients, a.DailyQuota = []string{"shop"}, 1 },
		"schema": func(a *workload.ApiArgs) {
			a.Schemas = fstest.MapFS{"order.json": {Data: []byte(`{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","additionalProperties":false}`)}}
		},
	} {
		require.NotEqual(t, was, digest(change), name)
	}
	g := graphtest.Run(t, api(unchanged))
	deployment := g.Only("aws:apigateway/deployment:Deployment")
	for _, typ := range []string{methodType, integrationType, "aws:apigateway/response:Response", "aws:apigateway/restApiPolicy:RestApiPolicy"} {
		for _, r := range g.ByType(typ) {
			require.True(t, g.Depends(deployment, r), r.Name)
		}
	}
}

func TestApiAnswersSayLittle(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, api(unchanged))
	responses := g.ByType("aws:apigateway/response:Response")
	require.Len(t, responses, 4)
	for _, r := range responses {
		require.Equal(t, "'nosniff'", r.Input(`responseParameters["gatewayresponse.header.X-Content-Type-Options"]`))
		require.Contains(t, r.Input(`responseParameters["gatewayresponse.header.Strict-Transport-Security"]`), "max-age=63072000")
	}
	body := g.One("aws:apigateway/response:Response", "api-bad-request-body")
	require.Contains(t, body.Input(`responseTemplates["application/json"]`), "$context.error.validationErrorString")
	require.Equal(t, "'text/plain'", body.Input(`responseParameters["gatewayresponse.header.Content-Type"]`))
	require.NotContains(t, g.One("aws:apigateway/response:Response", "api-default-5xx").Input(`responseTemplates["application/json"]`), "$context.error")
}

func TestApiOptions(t *testing.T) {
	t.Parallel()
	t.Run("its own name", func(t *testing.T) {
		t.Parallel()
		g := graphtest.Run(t, api(func(a *workload.ApiArgs) {
			a.Domain = &workload.ApiDomain{Name: "api.example.com", CertificateArn: pulumi.String("arn:aws:acm:eu-central-1:123456789012:certificate/1"), ZoneID: "Z1"}
		}))
		require.Equal(t, true, g.Only("aws:apigateway/restApi:RestApi").Input("disableExecuteApiEndpoint"))
		domain := g.Only("aws:apigateway/domainName:DomainName")
		require.Equal(t, "TLS_1_2", domain.Input("securityPolicy"))
		require.Equal(t, "REGIONAL", domain.Input("endpointConfiguration.types"))
		mapping := g.Only("aws:apigateway/basePathMapping:BasePathMapping")
		require.True(t, g.Depends(mapping, g.Only("aws:wafv2/webAclAssociation:WebAclAssociation")), "nobody gets in before the WAF")
		require.Equal(t, "Z1", g.Only("aws:route53/record:Record").Input("zoneId"))
	})
	t.Run("AWS's name", func(t *testing.T) {
		t.Parallel()
		g := graphtest.Run(t, api(unchanged))
		require.Equal(t, false, g.Only("aws:apigateway/restApi:RestApi").Input("disableExecuteApiEndpoint"))
		require.Empty(t, g.ByType("aws:apigateway/domainName:DomainName"))
	})
	t.Run("a zone of somebody else's", func(t *testing.T) {
		t.Parallel()
		g := graphtest.Run(t, api(func(a *workload.ApiArgs) {
			a.Domain = &workload.ApiDomain{Name: "api.example.com", CertificateArn: pulumi.String("arn:aws:acm:eu-central-1:123456789012:certificate/1")}
		}))
		require.Empty(t, g.ByType("aws:route53/record:Record"))
	})
	t.Run("a VPC link", func(t *testing.T) {
		t.Parallel()
		g := graphtest.Run(t, api(func(a *workload.ApiArgs) { a.Backend.VpcLinkID = pulumi.String("link-1") }))
		i := g.One(integrationType, "api.orders-get")
		require.Equal(t, "VPC_LINK", i.Input("connectionType"))
		require.Equal(t, "link-1", i.Input("connectionId"))
		require.Equal(t, "link-1", g.Only("aws:apigateway/deployment:Deployment").Input("triggers.vpcLink"))
	})
	t.Run("clients", func(t *testing.T) {
		t.Parallel()
		g := graphtest.Run(t, api(func(a *workload.ApiArgs) { a.Clients, a.DailyQuota = []string{"shop", "app"}, 10000 }))
		require.Equal(t, true, g.One(methodType, "api.orders-get").Input("apiKeyRequired"))
		plan := g.Only("aws:apigateway/usagePlan:UsagePlan")
		require.EqualValues(t, 10000, plan.Input("quotaSettings.limit"))
		require.Len(t, g.ByType("aws:apigateway/apiKey:ApiKey"), 2)
		require.Len(t, g.ByType("aws:apigateway/usagePlanKey:UsagePlanKey"), 2)
	})
	t.Run("public routes only", func(t *testing.T) {
		t.Parallel()
		g := graphtest.Run(t, api(func(a *workload.ApiArgs) {
			a.Routes, a.UserPoolArn, a.Schemas = a.Routes[3:], nil, nil
		}))
		require.Empty(t, g.ByType("aws:apigateway/authorizer:Authorizer"))
		require.Empty(t, g.ByType("aws:apigateway/model:Model"))
	})
}

func TestApiRouteOfAFunction(t *testing.T) {
	t.Parallel()
	dir := archives(t)
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		p, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		fn, err := workload.NewFunction(ctx, "fn", functionArgs(p))
		if err != nil {
			return err
		}
		return api(func(a *workload.ApiArgs) {
			a.Routes = []workload.Route{{Method: "GET", Path: "/orders/{id}", Scopes: []string{"orders/read"}, Function: fn}}
			a.Backend = workload.ApiBackend{}
		})(ctx)
	})
	i := g.Only(integrationType)
	require.Equal(t, "AWS_PROXY", i.Input("type"))
	require.Equal(t, "POST", i.Input("integrationHttpMethod"))
	require.Equal(t, g.Only(functionType).Output("invokeArn"), i.Input("uri"))
	permission := g.Only("aws:lambda/permission:Permission")
	require.Equal(t, "arn:aws:execute-api:eu-central-1:123456789012:api-api-id/*/GET/orders/*", permission.Input("sourceArn"))
}
