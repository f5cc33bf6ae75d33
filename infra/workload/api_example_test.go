package workload_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/infra/singleton"
	"redoubt/infra/workload"
	"redoubt/infra/workload/schemas"
	"redoubt/internal/graphtest"
)

// An API with two routes, each open to one scope; the body of the second is
// checked against a schema that the application embeds too.
func ExampleNewApi() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		acl, err := network.NewWebAcl(ctx, "waf", &network.WebAclArgs{
			Prefix: "redoubt-dev", Scope: scope, Mode: network.WAFBlock, RateLimit: 2000,
			LogKeyArn: pulumi.String(keyARN), LogRetentionInDays: 14,
		})
		if err != nil {
			return err
		}
		account, err := workload.NewApiAccount(ctx, "account", &workload.ApiAccountArgs{
			Scope: scope, Account: singleton.Singleton{Mode: singleton.Adopt},
		})
		if err != nil {
			return err
		}
		_, err = workload.NewApi(ctx, "api", &workload.ApiArgs{
			Scope: scope, Prefix: "redoubt-dev", StageName: "dev",
			Routes: []workload.Route{
				{Method: "GET", Path: "/orders/{id}", Scopes: []string{"orders/read"}},
				{Method: "POST", Path: "/orders", Schema: "order.json", Scopes: []string{"orders/write"}},
			},
			Schemas: schemas.Files, Backend: workload.ApiBackend{URL: "https://app.example.com"},
			UserPoolArn: pulumi.String(scope.ARN("cognito-idp", "userpool/eu-central-1_example")),
			WebAcl:      acl, RatePerSecond: 100, Burst: 200, Account: account,
			LogKmsKeyArn: pulumi.String(keyARN), LogRetentionInDays: 14,
		})
		return err
	})
	for _, m := range graph.ByType("aws:apigateway/method:Method") {
		fmt.Println(m.Name, m.Input("authorization"), m.Input("authorizationScopes"), m.Input("requestModels"))
	}
	fmt.Println(err)
	// Output:
	// api.orders-post COGNITO_USER_POOLS [orders/write] map[$default:Order application/json:Order]
	// api.orders._id_-get COGNITO_USER_POOLS [orders/read] <nil>
	// <nil>
}
