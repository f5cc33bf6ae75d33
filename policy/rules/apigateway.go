package rules

import (
	"encoding/json"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// apiGateway holds the rules of "Input Validation" and "Authentication" about
// what an API lets in.
var apiGateway = []rule.Rule{
	{
		Name:     "apigw-request-validator",
		Summary:  "A method of a REST API checks its parameters, and its body where it has one, before the service sees them.",
		Guide:    []guide.ID{guide.PracticesInputAPIGateway},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SI-10")),
		Types:      []string{"apigateway/method", "apigateway/restApi"},
		CheckStack: validatesRequests,
		Fix: `apigateway.MethodArgs{RequestValidatorId: validator.ID()} with apigateway.RequestValidatorArgs{` +
			`ValidateRequestBody: pulumi.Bool(true), ValidateRequestParameters: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html",
	},
	{
		Name:     "apigw-schema-for-body-methods",
		Summary:  "A method of a REST API that takes a body has a schema for it.",
		Guide:    []guide.ID{guide.PracticesInputSchemaValidation, guide.PracticesInputAPIGateway},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SI-10")),
		Types:      []string{"apigateway/method", "apigateway/restApi"},
		CheckStack: hasSchema,
		Fix:        `apigateway.MethodArgs{RequestModels: pulumi.StringMap{"application/json": model.Name}} with a Schema in apigateway.ModelArgs`,
		URL:        "https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html",
	},
	{
		Name:     "apigw-method-authorization",
		Summary:  "A method of a REST API asks who is calling.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth, guide.PracticesAuthorizationRoleBasedAccess},
		Severity: rule.High,
		// A sign-in page or a health check is open on purpose.
		Level:    rule.Advisory,
		Controls: mapped(nist("IA-2", "AC-3")),
		Types:    []string{"apigateway/method"},
		Check:    methodAuthorized,
		Fix:      `apigateway.MethodArgs{Authorization: pulumi.String("COGNITO_USER_POOLS"), AuthorizerId: authorizer.ID()}`,
		URL:      "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html",
	},
	{
		Name:     "apigwv2-route-authorization",
		Summary:  "A route of an HTTP API, and the connect route of a WebSocket API, asks who is calling.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth, guide.PracticesAuthorizationRoleBasedAccess},
		Severity: rule.High,
		// As for methods: some routes are open on purpose.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("APIGateway.8"), nist("IA-2", "AC-3")),
		Types:      []string{"apigatewayv2/route"},
		CheckStack: routeAuthorized,
		Fix:        `apigatewayv2.RouteArgs{AuthorizationType: pulumi.String("JWT"), AuthorizerId: authorizer.ID()}`,
		URL:        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html",
	},
	{
		Name:     "apigwv2-jwt-authorizer-pinned",
		Summary:  "A JWT authorizer takes tokens of one https issuer, for a named audience, from a header.",
		Guide:    []guide.ID{guide.PracticesAuthenticationJWT, guide.PracticesAuthenticationTokenAuth},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("IA-5(2)", "IA-2")),
		Types:      []string{"apigatewayv2/authorizer"},
		CheckStack: jwtPinned,
		Fix: `apigatewayv2.AuthorizerArgs{IdentitySources: pulumi.StringArray{pulumi.String("$request.header.Authorization")}, ` +
			`JwtConfiguration: &apigatewayv2.AuthorizerJwtConfigurationArgs{Issuer: pulumi.Sprintf("https://%s", pool.Endpoint), Audiences: pulumi.StringArray{client.ID()}}}`,
		URL: "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html",
	},
}

// takesBody says that a method's requests have a body; ANY is all of them.
func takesBody(method string) bool {
	return slices.Contains([]string{"POST", "PUT", "PATCH", "ANY"}, method)
}

func validatesRequests(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	const what = "the service gets what nobody checked"
	if r.Is("apigateway/restApi") {
		return everyOperation(r.Get("body"), func(o apiOperation) bool {
			return o.method == "OPTIONS" || o.checksParameters && (o.checksBody || !takesBody(o.method))
		}, "no request validator checks it: "+what)
	}
	return onlyCalls(r, func(method string) rule.Verdict {
		if r.Get("requestValidatorId").Empty() {
			return rule.Fail("requestValidatorId is not set: %s", what)
		}
		refs := s.Refs(r, "requestValidatorId", "apigateway/requestValidator")
		out := rule.Skip()
		for _, v := range refs.Targets {
			out = rule.All(out, v.Get("validateRequestParameters").True("the validator "+v.Name+" lets any parameter through"))
			if takesBody(method) {
				out = rule.All(out, v.Get("validateRequestBody").True("the validator "+v.Name+" lets any body through"))
			}
		}
		if !refs.Complete() {
			out = rule.All(out, rule.Unsure("the request validator is not in this stack"))
		}
		return out
	})
}

// onlyCalls applies a check to the methods of a REST API that do something: a
// browser's preflight request, OPTIONS, has neither a body nor credentials.
func onlyCalls(r *rule.Resource, check func(method string) rule.Verdict) rule.Verdict {
	v := r.Get("httpMethod")
	if v.Unknown() {
		return rule.Unsure("httpMethod is unknown")
	}
	if method, _ := v.Str(); method != "OPTIONS" {
		return check(method)
	}
	return rule.Skip()
}

func hasSchema(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	const what = "a body of any shape passes"
	if r.Is("apigateway/restApi") {
		return everyOperation(r.Get("body"), func(o apiOperation) bool {
			return o.describesBody || !slices.Contains([]string{"POST", "PUT", "PATCH"}, o.method)
		}, "it has no schema: "+what)
	}
	return onlyCalls(r, func(method string) rule.Verdict {
		switch {
		case !takesBody(method) || method == "ANY": // a model of ANY would hold GET to it, too
			return rule.Skip()
		case r.Get("requestModels").Empty():
			return rule.Fail("requestModels is not set: %s", what)
		}
		refs := s.Refs(r, "requestModels.*", "apigateway/model")
		out := rule.Skip()
		for _, model := range refs.Targets {
			out = rule.All(out, saysSomething(model))
		}
		for _, v := range refs.External {
			if name, _ := v.Str(); name == "Empty" { // the model that every API has from the start
				out = rule.All(out, rule.Fail("%s is the model Empty: %s", v.Path(), what))
				continue
			}
			out = rule.All(out, rule.Unsure("the model of %s is not in this stack", v.Path()))
		}
		if refs.Unknown {
			out = rule.All(out, rule.Unsure("requestModels is unknown"))
		}
		return out
	})
}

// saysSomething is the verdict of a model whose schema must not take everything.
func saysSomething(model *rule.Resource) rule.Verdict {
	v := model.Get("schema")
	if v.HasUnknown() {
		return rule.Unsure("schema of %s is unknown", model.Label())
	}
	text, _ := v.Str()
	var schema map[string]any
	if err := json.Unmarshal([]byte(text), &schema); err != nil && text != "" {
		return rule.Unreadable("schema of %s is not a JSON object", model.Label())
	}
	for _, key := range []string{"properties", "items", "$ref", "allOf", "anyOf", "oneOf", "enum", "required", "additionalProperties"} {
		if schema[key] != nil {
			return rule.Pass()
		}
	}
	if kind := schema["type"]; kind != nil && kind != "object" && kind != "array" {
		return rule.Pass()
	}
	return rule.Fail("the schema of %s says nothing about the body", model.Label())
}

func methodAuthorized(r *rule.Resource, _ rule.Params) rule.Verdict {
	return onlyCalls(r, func(string) rule.Verdict {
		if key, _ := r.Get("apiKeyRequired").Bool(); key && isOpen(r.Get("authorization")) {
			return rule.Fail("authorization is NONE: an API key counts requests and does not prove who sends them")
		}
		return authorized(r, "authorization")
	})
}

func isOpen(kind rule.Value) bool {
	k, known := kind.Str()
	return kind.Absent() || known && (k == "NONE" || k == "")
}

// authorized is the verdict of a method or route by the property that says how
// it authorizes; a kind that leaves it to an authorizer needs one.
func authorized(r *rule.Resource, property string) rule.Verdict {
	kind := r.Get(property)
	switch k, _ := kind.Str(); {
	case kind.Unknown():
		return rule.Unsure("%s is unknown", property)
	case isOpen(kind):
		return rule.Fail("%s is %s: everybody may call it", property, kind.Show())
	case k == "AWS_IAM":
		return rule.Pass()
	default:
		return r.Get("authorizerId").Set(property + " is " + kind.Show() + ", and nothing decides")
	}
}

func routeAuthorized(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	route := r.Get("routeKey")
	key, known := route.Str()
	method, _, ofHTTP := strings.Cut(key, " ")
	switch {
	case !known:
		return rule.Unsure("routeKey is unknown")
	case method == "OPTIONS":
		return rule.Skip()
	case ofHTTP || key == "$connect":
		return authorized(r, "authorizationType")
	case key != "$default":
		return rule.Skip() // a WebSocket's later messages belong to whom it let in
	}
	// Both kinds of API have $default.
	apis := s.Refs(r, "apiId", "apigatewayv2/api")
	out := rule.Skip()
	for _, api := range apis.Targets {
		protocol := api.Get("protocolType")
		if kind, _ := protocol.Str(); kind != "WEBSOCKET" {
			out = rule.All(out, unless(authorized(r, "authorizationType"), protocol))
		}
	}
	if !apis.Complete() && authorized(r, "authorizationType").Outcome != rule.Passed {
		return rule.Unsure("whether $default belongs to an HTTP API is not known: the API is not in this stack")
	}
	return out
}

func jwtPinned(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	kind := r.Get("authorizerType")
	if kind.Unknown() {
		return rule.Unsure("authorizerType is unknown")
	}
	if k, _ := kind.Str(); k != "JWT" {
		return rule.Skip()
	}
	return rule.All(
		issuerPinned(s, r),
		r.Get("jwtConfiguration.audiences").Set("a token that the issuer made for another application is good here"),
		fromHeader(r),
	)
}

// issuerPinned takes an issuer that is computed from a user pool: its keys are
// at a fixed https address, where they rotate.
func issuerPinned(s *rule.Stack, r *rule.Resource) rule.Verdict {
	issuer := r.Get("jwtConfiguration.issuer")
	url, known := issuer.Str()
	switch {
	case known && strings.HasPrefix(url, "https://"):
		return rule.Pass()
	case issuer.Unknown() && len(s.Refs(r, "jwtConfiguration.issuer", "cognito/userPool").Targets) > 0:
		return rule.Pass()
	case issuer.Unknown():
		return rule.Unsure("jwtConfiguration.issuer is unknown")
	default:
		return rule.Fail("jwtConfiguration.issuer is %s: the keys that tokens are checked with do not come over TLS", issuer.Show())
	}
}

func fromHeader(r *rule.Resource) rule.Verdict {
	sources := r.Get("identitySources")
	if sources.Empty() {
		return rule.Fail("identitySources is not set: no request has a token")
	}
	out := rule.Pass()
	for _, v := range sources.Items() {
		source, known := v.Str()
		switch {
		case !known:
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case !strings.HasPrefix(strings.ToLower(source), "$request.header."):
			out = rule.All(out, rule.Fail("%s is %s: a token in an address ends up in logs and histories", v.Path(), v.Show()))
		}
	}
	return out
}
