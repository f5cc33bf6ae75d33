package workload_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/workload"
	"redoubt/internal/graphtest"
)

// A service that reads one bucket, without a load balancer.
func ExampleNewService() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := workload.NewService(ctx, "worker", &workload.ServiceArgs{
			Scope: scope, Prefix: "redoubt-dev", Environment: "dev", ServiceName: "worker",
			Image: "public.ecr.aws/docker/library/node:22-slim", CPU: 256, MemoryMiB: 512, MinTasks: 1, MaxTasks: 2,
			SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-worker"}),
			Variables:        map[string]string{"DATA_BUCKET": "redoubt-dev-data"},
			TaskPolicies: map[string]identity.Document{"data": {{
				Effect: identity.Allow, Actions: []string{"s3:GetObject"},
				Resources: []string{scope.GlobalARN("s3", "redoubt-dev-data/*")},
			}}},
			KmsKeyArn: pulumi.String(scope.ARN("kms", "key/app")), KeyAlias: "alias/redoubt-dev-app",
			LogKmsKeyArn: pulumi.String(scope.ARN("kms", "key/logs")), LogRetentionInDays: 14,
		})
		return err
	})
	fmt.Println(err)

	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := workload.NewService(ctx, "worker", &workload.ServiceArgs{
			Scope: scope, Prefix: "redoubt-prod", Environment: "prod", ServiceName: "worker",
			Image: "node:latest", RequireDigest: true, CPU: 256, MemoryMiB: 4096, MinTasks: 3, MaxTasks: 20,
			SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a"}),
			SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-worker"}),
			KmsKeyArn:        pulumi.String(scope.ARN("kms", "key/app")), KeyAlias: "alias/redoubt-prod-app",
			LogKmsKeyArn: pulumi.String(scope.ARN("kms", "key/logs")), LogRetentionInDays: 365,
		})
		fmt.Println(err)
		return nil
	})
	fmt.Println(err)
	// Output:
	// <nil>
	// service "worker": image: "node:latest" (<repository>@sha256:<digest>; a tag may point at another image tomorrow)
	// image: "node:latest" names whatever was pushed last (use a version or a digest)
	// memoryMiB: 4096 with cpu 256 (from 512 to 2048; Fargate has 3 sizes for it)
	// <nil>
}
