package workload_test

import (
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/workload"
	"redoubt/internal/graphtest"
)

func TestApiArgsFindings(t *testing.T) {
	t.Parallel()
	route := func(change func(*workload.Route)) func(*workload.ApiArgs) {
		return func(a *workload.ApiArgs) { change(&a.Routes[1]) }
	}
	for want, change := range map[string]func(*workload.ApiArgs){
		"scope: ":                    func(a *workload.ApiArgs) { a.Scope.AccountID = "1" },
		"prefix: ":                   func(a *workload.ApiArgs) { a.Prefix = "Redoubt" },
		"stageName: ":                func(a *workload.ApiArgs) { a.StageName = "$default" },
		"routes: empty":              func(a *workload.ApiArgs) { a.Routes = nil },
		"webAcl: nil":                func(a *workload.ApiArgs) { a.WebAcl = nil },
		"ratePerSecond: 0":           func(a *workload.ApiArgs) { a.RatePerSecond = 0 },
		"burst: 0":                   func(a *workload.ApiArgs) { a.Burst = 0 },
		"account: nil":               func(a *workload.ApiArgs) { a.Account = nil },
		"logKmsKeyArn: nil":          func(a *workload.ApiArgs) { a.LogKmsKeyArn = nil },
		"logRetentionInDays: 13":     func(a *workload.ApiArgs) { a.LogRetentionInDays = 13 },
		"allowedCidrs[0]: \"10.0.0.": func(a *workload.ApiArgs) { a.AllowedCIDRs = []string{"10.0.0.1/8"} },
		"domain.name: ":              func(a *workload.ApiArgs) { a.Domain = &workload.ApiDomain{Name: "api"} },
		"domain.certificateArn: nil": func(a *workload.ApiArgs) { a.Domain = &workload.ApiDomain{Name: "api.example.com"} },
		"dailyQuota: 0":              func(a *workload.ApiArgs) { a.Clients = []string{"shop"} },
		"dailyQuota: 5 without":      func(a *workload.ApiArgs) { a.DailyQuota = 5 },
		"clients[1]: ":               func(a *workload.ApiArgs) { a.Clients, a.DailyQuota = []string{"shop", "shop"}, 1 },
		"userPoolArn: nil":           func(a *workload.ApiArgs) { a.UserPoolArn = nil },
		"backend.url: \"http://":     func(a *workload.ApiArgs) { a.Backend.URL = "http://app.example.com" },
		"schemas: nil":               func(a *workload.ApiArgs) { a.Schemas = nil },
		"schema order.json: open":    func(a *workload.ApiArgs) { a.Schemas = fstest.MapFS{} },
		"/orders]: twice":            func(a *workload.ApiArgs) { a.Routes = append(a.Routes, a.Routes[0]) },
		".method: one of":            route(func(r *workload.Route) { r.Method = "TRACE" }),
		".path: words":               route(func(r *workload.Route) { r.Path = "/Orders/" }),
		".schema: empty":             route(func(r *workload.Route) { r.Schema = "" }),
		".schema: GET has no body":   func(a *workload.ApiArgs) { a.Routes[0].Schema = "order.json" },
		".schema: \"../order.json\"": route(func(r *workload.Route) { r.Schema = "../order.json" }),
		".requiredQuery: \"a b\"":    route(func(r *workload.Route) { r.RequiredQuery = []string{"a b"} }),
		".scopes: \"read\"":          route(func(r *workload.Route) { r.Scopes = []string{"read"} }),
		".scopes: empty":             route(func(r *workload.Route) { r.Scopes = nil }),
		".public: set beside":        route(func(r *workload.Route) { r.Public = "for fun" }),
		"another route has {id}": func(a *workload.ApiArgs) {
			a.Routes = append(a.Routes, workload.Route{Method: "GET", Path: "/orders/{number}", Scopes: []string{"orders/read"}})
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(api(change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType("aws:apigateway/restApi:RestApi"))
		})
	}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := workload.NewApi(ctx, "api", nil)
		return err
	})
	require.ErrorContains(t, err, "args: nil")
}

// What a schema leaves open, a client can send.
func TestSchemasAreClosed(t *testing.T) {
	t.Parallel()
	const head = `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","additionalProperties":false,`
	for want, text := range map[string]string{
		"schema order.json: unexpected":                           `{`,
		"schema order.json#: $schema is <nil>":                    `{"type":"object","additionalProperties":false}`,
		"schema order.json#: $schema is https://json-schema.org/": `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false}`,
		"schema order.json#: type is array":                       `{"$schema":"http://json-schema.org/draft-04/schema#","type":"array","maxItems":1,"items":{"type":"boolean"}}`,
		"schema order.json#: additionalProperties is <nil>":       `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object"}`,
		"#/properties/a: a string without maxLength":              head + `"properties":{"a":{"type":"string"}}}`,
		"#/properties/a: an array without maxItems":               head + `"properties":{"a":{"type":"array","items":{"type":"boolean"}}}}`,
		"#/properties/a: an array without items":                  head + `"properties":{"a":{"type":"array","maxItems":1}}}`,
		"#/properties/a/items: a string without maxLength":        head + `"properties":{"a":{"type":"array","maxItems":1,"items":{"type":"string"}}}}`,
		"#/properties/a/anyOf/1: additionalProperties is true":    head + `"properties":{"a":{"anyOf":[{"type":"boolean"},{"type":"object","additionalProperties":true}]}}}`,
		"#/definitions/d: a string without maxLength":             head + `"definitions":{"d":{"type":"string"}}}`,
		"#/properties/a: $ref is other.json":                      head + `"properties":{"a":{"$ref":"other.json"}}}`,
		"#/properties/a: const is not in draft 4":                 head + `"properties":{"a":{"type":"boolean","const":true}}}`,
		"#/properties/a: type is <nil>":                           head + `"properties":{"a":{}}}`,
		"#/properties/a: not a schema":                            head + `"properties":{"a":true}}`,
		"#/properties/b: a string without":                        head + `"properties":{"a":{"type":"string","enum":["x"]},"b":{"type":"string"}}}`,
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(api(func(a *workload.ApiArgs) {
				a.Schemas = fstest.MapFS{"order.json": {Data: []byte(text)}}
			}))
			require.ErrorContains(t, err, want)
		})
	}
}
