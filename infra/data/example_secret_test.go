package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A secret that one role reads and a function rotates each month. Its value
// is nowhere in the program: the function makes the first one.
func ExampleNewSecret() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := data.NewSecret(ctx, "login", &data.SecretArgs{
			Scope: scope, SecretName: "redoubt-prod/db/web", Description: "Database login of the web application",
			KmsKeyArn: pulumi.String(scope.ARN("kms", "key/app")), KeyAlias: "alias/redoubt-prod-app",
			RecoveryWindowInDays: 30, ReaderRoles: []string{"redoubt-prod-app-task"}, RotateAfterDays: 30,
			Rotation: &data.SecretRotation{
				FunctionArn: pulumi.String(scope.ARN("lambda", "function:redoubt-prod-rotate")),
				RoleName:    "redoubt-prod-rotate", Immediately: true,
			},
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:data:Secret login
	//   aws:lambda/permission:Permission login-rotation
	//   aws:secretsmanager/secret:Secret login-secret
	//   aws:secretsmanager/secretPolicy:SecretPolicy login-policy
	//   aws:secretsmanager/secretRotation:SecretRotation login-rotation
	// <nil>
}
