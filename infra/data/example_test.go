package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A key for log groups, and a bucket with its access log.
func Example() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		key, err := data.NewKey(ctx, "app", &data.KeyArgs{
			Scope: scope, Alias: "redoubt-dev-app", Description: data.AppKeyDescription, DeletionWindowInDays: 30,
			Users: []data.KeyUser{data.KeyForLogs, data.KeyForServiceGrants},
		})
		if err != nil {
			return err
		}
		logs, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
			Scope: scope, Kind: data.AccessLogs, BucketName: "redoubt-dev-access-logs",
			Writers: []data.BucketWriter{data.ServerAccessLogs}, SourcePrefix: "redoubt-dev-",
		})
		if err != nil {
			return err
		}
		_, err = data.NewBucket(ctx, "files", &data.BucketArgs{
			Scope: scope, Kind: data.Data, BucketName: "redoubt-dev-files", KmsKeyArn: key.Arn, LogBucket: logs,
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:data:Bucket files
	//   aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2 files-lifecycle
	//   aws:s3/bucketLoggingV2:BucketLoggingV2 files-logging
	//   aws:s3/bucketNotification:BucketNotification files-events
	//   aws:s3/bucketOwnershipControls:BucketOwnershipControls files-ownership
	//   aws:s3/bucketPolicy:BucketPolicy files-policy
	//   aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock files-public-access
	//   aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2 files-encryption
	//   aws:s3/bucketV2:BucketV2 files-bucket
	//   aws:s3/bucketVersioningV2:BucketVersioningV2 files-versioning
	// redoubt:data:Bucket logs
	//   aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2 logs-lifecycle
	//   aws:s3/bucketOwnershipControls:BucketOwnershipControls logs-ownership
	//   aws:s3/bucketPolicy:BucketPolicy logs-policy
	//   aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock logs-public-access
	//   aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2 logs-encryption
	//   aws:s3/bucketV2:BucketV2 logs-bucket
	//   aws:s3/bucketVersioningV2:BucketVersioningV2 logs-versioning
	// redoubt:data:Key app
	//   aws:kms/alias:Alias app-alias
	//   aws:kms/key:Key app-key
	// <nil>
}
