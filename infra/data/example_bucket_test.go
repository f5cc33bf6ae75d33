package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A bucket for trails that is kept under lock, backed up by its tier, and
// written to by CloudTrail and AWS Config alone.
func ExampleNewBucket() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		logs, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
			Scope: scope, Kind: data.AccessLogs, BucketName: "redoubt-prod-access-logs",
			Writers: []data.BucketWriter{data.ServerAccessLogs}, SourcePrefix: "redoubt-prod-",
		})
		if err != nil {
			return err
		}
		_, err = data.NewBucket(ctx, "audit", &data.BucketArgs{
			Scope: scope, Kind: data.Audit, BucketName: "redoubt-prod-audit", LogBucket: logs,
			KmsKeyArn:  pulumi.String(scope.ARN("kms", "key/logs")),
			Writers:    []data.BucketWriter{data.TrailLogs, data.GuardDutyFindings},
			ObjectLock: &data.ObjectLock{Mode: "GOVERNANCE", Days: 365},
			BackupTier: "redoubt-prod", Protect: true,
		})
		return err
	})
	for _, bucket := range graph.ByType("aws:s3/bucketV2:BucketV2") {
		fmt.Println(bucket.Input("bucket"), bucket.Input("tags.backup"), bucket.Input("objectLockEnabled"), bucket.Protect)
	}
	fmt.Println(err)
	// Output:
	// redoubt-prod-audit redoubt-prod true true
	// redoubt-prod-access-logs <nil> <nil> false
	// <nil>
}
