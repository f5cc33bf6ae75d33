package workload_test

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/workload"
	"redoubt/infra/workload/functions/archive"
	"redoubt/internal/graphtest"
)

// exampleArchives is a folder with the archives of both functions.
// go run ./infra/workload/functions/pack writes those of the real ones into
// dist/functions.
func exampleArchives() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "functions-"); err != nil {
		return "", err
	}
	for _, program := range []string{"rotate", "search-bootstrap"} {
		if _, err := archive.Write(dir, program, []byte("a ZIP archive of "+program)); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// The signature that functions trust alone.
func ExampleNewCodeSigning() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := workload.NewCodeSigning(ctx, "signing", &workload.CodeSigningArgs{Prefix: "redoubt-dev", Policy: workload.SigningEnforce})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:workload:CodeSigning signing
	//   aws:lambda/codeSigningConfig:CodeSigningConfig signing-config
	//   aws:signer/signingProfile:SigningProfile signing-profile
	// <nil>
}

// A function with one right of its own, beside those that every function has.
func ExampleNewFunction() {
	dir, err := exampleArchives()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { fmt.Println(os.RemoveAll(dir)) }()
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		platform, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		_, err = workload.NewFunction(ctx, "rotate", &workload.FunctionArgs{
			Platform: platform, FunctionName: "rotate", Program: "rotate", Description: "Rotates the password of the orders service",
			MemoryMiB: 256, TimeoutSeconds: 60, Concurrency: workload.Unreserved, Retries: 2,
			Policies: map[string]identity.Document{"database": {{
				Effect: identity.Allow, Actions: []string{"rds:DescribeDBClusters"}, Resources: []string{scope.ARN("rds", "cluster:redoubt-dev-db")},
			}}},
		})
		return err
	})
	for _, policy := range graph.ByType("aws:iam/rolePolicy:RolePolicy") {
		fmt.Println(policy.Name)
	}
	fmt.Println(err)
	// Output:
	// rotate-database
	// rotate-run
	// <nil>
	// <nil>
}

// A role in the search domain's own access control, and who has it.
func ExampleNewSearchBootstrap() {
	dir, err := exampleArchives()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { fmt.Println(os.RemoveAll(dir)) }()
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		platform, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		_, err = workload.NewSearchBootstrap(ctx, "search", &workload.SearchBootstrapArgs{
			Platform: platform, DomainName: "redoubt-dev-search", Endpoint: pulumi.String("vpc-redoubt.es.amazonaws.com"), Concurrency: 1,
			Setup: workload.SearchSetup{
				Roles: map[string]any{"log_reader": map[string]any{
					"index_permissions": []any{map[string]any{"index_patterns": []string{"logs-*"}, "allowed_actions": []string{"read"}}},
				}},
				RoleMappings: map[string]any{"log_reader": map[string]any{"backend_roles": []string{scope.RoleARN("redoubt-dev-app-task")}}},
			},
		})
		return err
	})
	fmt.Println(graph.Only("aws:lambda/invocation:Invocation").Input("input"))
	fmt.Println(err)
	// Output:
	// {"roles":{"log_reader":{"index_permissions":[{"allowed_actions":["read"],"index_patterns":["logs-*"]}]}},"roleMappings":{"log_reader":{"backend_roles":["arn:aws:iam::123456789012:role/redoubt-dev-app-task"]}}}
	// <nil>
	// <nil>
}

// A password that rotates: the secret, the signed function that rotates it,
// and the schedule.
func ExampleNewDatabaseUserSecret() {
	dir, err := exampleArchives()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { fmt.Println(os.RemoveAll(dir)) }()
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		platform, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		_, err = workload.NewDatabaseUserSecret(ctx, "orders", &workload.DatabaseUserSecretArgs{
			Platform: platform, SecretName: "orders", Role: "orders", Concurrency: 1, RotationDays: 30, RecoveryWindowDays: 7,
			Database: workload.DatabaseUserTarget{
				ClusterIdentifier: "redoubt-dev-db", Host: pulumi.String("db.internal"), Name: "app",
				AdminSecretArn: pulumi.String(scope.ARN("secretsmanager", "secret:rds!cluster-0123-AbCdEf")),
			},
			ReaderRoleNames: []string{workload.TaskRoleName("redoubt-dev", "app")},
		})
		return err
	})
	secret := graph.Only(workload.DatabaseUserSecretComponent.Token)
	for _, child := range graph.Children(secret) {
		fmt.Println(child.Type, child.Name)
	}
	for _, child := range graph.Children(graph.Only(workload.FunctionComponent.Token)) {
		fmt.Println(" ", child.Type, child.Name)
	}
	fmt.Println(err)
	// Output:
	// redoubt:data:Secret orders
	// redoubt:workload:Function orders-rotate
	//   aws:lambda/function:Function orders-rotate-function
	//   aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig orders-rotate-events
	//   aws:lambda/functionRecursionConfig:FunctionRecursionConfig orders-rotate-recursion
	//   aws:s3/bucketObjectv2:BucketObjectv2 orders-rotate-archive
	//   aws:signer/signingJob:SigningJob orders-rotate-signature
	//   aws:sqs/queue:Queue orders-rotate-dead-letters
	//   aws:sqs/queuePolicy:QueuePolicy orders-rotate-dead-letters
	//   redoubt:identity:Role orders-rotate
	//   redoubt:monitoring:LogGroup orders-rotate
	// <nil>
	// <nil>
}
