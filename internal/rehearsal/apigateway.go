package rehearsal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	docsRestAPI    = "https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRestApi.html"
	docsDeployment = "https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDeployment.html"
	docsAPILogs    = "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"
	docsModel      = "https://docs.aws.amazon.com/apigateway/latest/api/API_CreateModel.html"
	docsMethod     = "https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethod.html"
)

const (
	apiToken         = "aws:apigateway/restApi:RestApi"
	apiMethodToken   = "aws:apigateway/method:Method"
	integrationToken = "aws:apigateway/integration:Integration"
	apiAccountToken  = "aws:apigateway/account:Account"
)

// apiPart is a target for a part of a REST API.
func apiPart(noun string, types ...string) *target {
	return &target{types: types, code: "NotFoundException", status: 404, message: "Invalid " + noun + " identifier specified: {value}"}
}

var (
	toRestAPI     = apiPart("API", apiToken)
	toAPIResource = apiPart("Resource", "aws:apigateway/resource:Resource")
	toAuthorizer  = apiPart("Authorizer", "aws:apigateway/authorizer:Authorizer")
	toValidator   = apiPart("Request Validator", "aws:apigateway/requestValidator:RequestValidator")
	toDeployment  = apiPart("Deployment", "aws:apigateway/deployment:Deployment")
)

// apiKinds are REST APIs. A stage's name is its id only within its API, so that
// ids here carry the API's as the provider's do.
var apiKinds = []kind{
	{
		token: apiToken, noun: "API Gateway REST API", service: "API Gateway", action: "RestApi",
		id: "{alnum10:api}", arn: "arn:{partition}:apigateway:{region}::/restapis/{id}", implies: map[string]string{"aws:apigateway/resource:Resource": "rootResourceId"},
		computed: props{
			"rootResourceId": "{alnum10:root}", "executionArn": "arn:{partition}:execute-api:{region}:{account}:{id}", "createdDate": "2026-01-01T00:00:00Z",
			"apiKeySource": "HEADER", "disableExecuteApiEndpoint": false, "policy": "", "minimumCompressionSize": "", "description": "",
		},
		updates: []string{"name"}, limits: []limit{{path: "policy", json: true, source: docsRestAPI}},
	},
	part("resource:Resource", "Resource", "Resource", "{alnum6:resource}", kind{
		computed: props{"path": func(c *call) any {
			parent := ""
			if p := c.referred("parentId"); p != nil {
				parent, _ = text(p.outputs, "path")
			}
			return strings.TrimSuffix(parent, "/") + "/" + c.text("pathPart")
		}},
		unique: []unique{{key: "{restApi}/{parentId}/{pathPart}", code: "ConflictException", message: "Another resource with the same parent already has this name: {pathPart}"}},
	}),
	part("method:Method", "Method", "Method", "agm-{restApi}-{resourceId}-{httpMethod}", kind{
		call: "PutMethod", replaces: []string{"httpMethod"},
		unique: []unique{{key: "{restApi}/{resourceId}/{httpMethod}", code: "ConflictException", message: "Method already exists for this resource"}},
		limits: []limit{
			{path: "authorization", oneOf: []string{"AWS_IAM", "COGNITO_USER_POOLS", "CUSTOM", "NONE"}, source: docsMethod},
			{path: "httpMethod", oneOf: []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}, source: docsMethod},
		},
		refuses: []refusal{{name: "method-authorizer", code: "BadRequestException", source: docsMethod, because: func(c *call) string {
			if a := c.text("authorization"); (a == "CUSTOM" || a == "COGNITO_USER_POOLS") && c.text("authorizerId") == "" {
				return "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."
			}
			return ""
		}}},
	}),
	part("integration:Integration", "Integration", "Integration", "agi-{restApi}-{resourceId}-{httpMethod}", kind{
		call: "PutIntegration", replaces: []string{"httpMethod"}, computed: props{"cacheNamespace": "{resourceId}", "passthroughBehavior": "WHEN_NO_MATCH"},
		limits: []limit{{path: "type", oneOf: []string{"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"}, source: docsMethod}},
		refuses: []refusal{{name: "integration-needs-method", at: []operation{opCreate}, code: "NotFoundException", status: 404, source: docsMethod, because: func(c *call) string {
			for _, m := range c.users(c.referred("restApi"), apiMethodToken) {
				o := c.acct.view(c.kind, m)
				if o.text("resourceId") == c.text("resourceId") && o.text("httpMethod") == c.text("httpMethod") {
					return ""
				}
			}
			return "Invalid Method identifier specified: the integration must depend on its method"
		}}},
	}),
	part("deployment:Deployment", "Deployment", "Deployment", "{alnum6:deployment}", kind{
		computed: props{
			"createdDate": "2026-01-01T00:00:00Z", "executionArn": "{restApi->executionArn}/", "invokeUrl": "https://{restApi}.execute-api.{region}.{dns}/",
		},
		replaces: []string{"triggers", "variables"}, updates: []string{"stageName"},
		refuses: []refusal{{name: "deployment-empty", at: []operation{opCreate}, code: "BadRequestException", source: docsDeployment, because: emptyDeployment}},
		blocks: []block{{
			by:   []string{"aws:apigateway/stage:Stage"},
			code: "BadRequestException", message: "Active stages pointing to this deployment must be moved or deleted",
		}},
	}),
	part("stage:Stage", "Stage", "Stage", "ags-{restApi}-{stageName}", kind{
		arn: "arn:{partition}:apigateway:{region}::/restapis/{restApi}/stages/{stageName}",
		computed: props{
			"executionArn": "{restApi->executionArn}/{stageName}", "invokeUrl": "https://{restApi}.execute-api.{region}.{dns}/{stageName}", "webAclArn": "",
		},
		replaces: []string{"stageName"},
		unique:   []unique{{key: "{restApi}/{stageName}", code: "ConflictException", message: "Stage already exists: {stageName}"}},
		refuses:  []refusal{{name: "stage-log-role", code: "BadRequestException", source: docsAPILogs, because: noLogRole("accessLogSettings.destinationArn")}},
	}),
	part("methodSettings:MethodSettings", "Method Settings", "Stage", "{restApi}-{stageName}-{methodPath}", kind{
		call: "UpdateStage", replaces: []string{"stageName", "methodPath"},
		refuses: []refusal{{name: "method-log-role", code: "BadRequestException", source: docsAPILogs, because: func(c *call) string {
			if level := c.text("settings.loggingLevel"); level == "" || level == "OFF" {
				return ""
			}
			return noLogRole("settings.loggingLevel")(c)
		}}},
	}),
	part("requestValidator:RequestValidator", "Request Validator", "RequestValidator", "{alnum6:validator}", kind{updates: []string{"name"}}),
	part("authorizer:Authorizer", "Authorizer", "Authorizer", "{alnum6:authorizer}", kind{
		arn: "arn:{partition}:apigateway:{region}::/restapis/{restApi}/authorizers/{id}", updates: []string{"name"},
	}),
	part("model:Model", "Model", "Model", "{alnum6:model}", kind{
		unique: []unique{{key: "{restApi}/{name}", code: "ConflictException", message: "Model name already exists for this REST API: {name}"}},
		limits: []limit{{path: "schema", json: true, source: docsModel}},
		refuses: []refusal{{name: "model-name", at: []operation{opCreate}, code: "BadRequestException", source: docsModel, because: func(c *call) string {
			if name := c.text("name"); strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(upper+alnum, r) }) {
				return fmt.Sprintf("Model name must be alphanumeric: %s", name)
			}
			return ""
		}}, {name: "model-schema", code: "BadRequestException", source: docsModel, because: notASchema}},
	}),
	part("restApiPolicy:RestApiPolicy", "REST API Policy", "RestApi", "{restApiId}", kind{
		call: "UpdateRestApi", limits: []limit{{path: "policy", json: true, source: docsRestAPI}},
		refuses: []refusal{{name: "api-policy-grammar", code: "BadRequestException", source: docsRestAPI, because: policyMalformed("policy")}},
	}),
	{
		token: apiAccountToken, noun: "API Gateway Account", service: "API Gateway", action: "Account", call: "UpdateAccount",
		overwrites: docsAPIAccount,
		id:         "api-gateway-account", computed: props{"apiKeyVersion": "4", "features": []any{"UsagePlans"}, "throttleSettings": []any{props{"burstLimit": 5000, "rateLimit": 10000}}},
		refs: refer(toRole, "cloudwatchRoleArn"),
	},
}

// part completes the row of something that belongs to a REST API.
func part(path, noun, action, id string, k kind) kind {
	k.token, k.noun, k.service, k.action, k.id = "aws:apigateway/"+path, "API Gateway "+noun, "API Gateway", action, id
	k.replaces = append(k.replaces, inputsOf(k.token, "restApi", "restApiId", "resourceId", "parentId")...)
	k.refs = refsOf(k.token, refer(toRestAPI, "restApi", "restApiId"), refer(toAPIResource, "resourceId", "parentId"), refer(toAuthorizer, "authorizerId"),
		refer(toValidator, "requestValidatorId"), refer(toDeployment, "deployment"), refer(toUserPool, "providerArns[*]"), refer(toAnyLogTarget, "accessLogSettings.destinationArn"))
	return k
}

// emptyDeployment: a deployment is a picture of the API's methods at its time.
func emptyDeployment(c *call) string {
	api := c.referred("restApi")
	if api == nil || has(api.outputs, "body") {
		return ""
	}
	methods, integrations := c.users(api, apiMethodToken), c.users(api, integrationToken)
	switch {
	case len(methods) == 0:
		return "The REST API doesn't contain any methods; make the deployment depend on them"
	case len(integrations) < len(methods):
		return "No integration defined for method; make the deployment depend on the integrations"
	}
	return ""
}

// noLogRole: API Gateway writes logs with a role of the account and region, which
// another stack may have set. It is missed only where the account has the setting
// without the role.
func noLogRole(path string) func(c *call) string {
	return func(c *call) string {
		if c.text(path) == "" {
			return ""
		}
		for _, account := range c.all(apiAccountToken) {
			if role, _ := text(account.outputs, "cloudwatchRoleArn"); role == "" {
				return "CloudWatch Logs role ARN must be set in account settings to enable logging"
			}
		}
		return ""
	}
}

// notASchema: models are draft 4 of JSON Schema, in which "required" lists names
// and "type" is one of seven.
func notASchema(c *call) string {
	text := c.text("schema")
	if text == "" {
		return ""
	}
	var s struct {
		Type     any `json:"type"`
		Required any `json:"required"`
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Sprintf("Invalid model specified: %v", err)
	}
	if name, ok := s.Type.(string); ok && !slices.Contains([]string{"array", "boolean", "integer", "null", "number", "object", "string"}, name) {
		return fmt.Sprintf("Invalid model specified: %q is not a type of JSON Schema", name)
	}
	if _, isList := s.Required.([]any); s.Required != nil && !isList {
		return "Invalid model specified: required must list the names of properties (draft 4)"
	}
	return ""
}
