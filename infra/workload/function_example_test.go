package workload_test

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/internal/graphtest"
	"redoubt/infra/workload"
	"redoubt/infra/workload/functions/archive"
)

// A password that rotates: the secret, the signed function that rotates it,
// and the schedule.
func ExampleNewDatabaseUserSecret() {
	// go run ./infra/workload/functions/pack writes the archives of the real
	// functions into dist/functions.
	dir, err := os.MkdirTemp("", "functions-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { fmt.Println(os.RemoveAll(dir)) }()
	if _, err := archive.Write(dir, "rotate", []byte("a ZIP archive")); err != nil {
		fmt.Println(err)
		return
	}
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
