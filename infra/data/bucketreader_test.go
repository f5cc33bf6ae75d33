package data_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// CloudFront reads for distributions of the account, and nobody else's.
func TestBucketIsReadByTheAccountsDistributions(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(a *data.BucketArgs) error {
			a.Readers = []data.BucketReader{data.Distributions}
			return nil
		})
	}, graphtest.Preview())
	s := statement(t, g.One("aws:s3/bucketPolicy:BucketPolicy", "data-policy"), "policy", "AllowDistributions")
	require.Equal(t, []string{"cloudfront.amazonaws.com"}, s.Principals.Service)
	require.Equal(t, []string{"s3:GetObject"}, s.Actions)
	require.Equal(t, []identity.Condition{{
		Test: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:aws:cloudfront::123456789012:distribution/*"},
	}}, s.Conditions)
}

func TestBucketLogsIntoAnotherStacks(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(a *data.BucketArgs) error {
			a.LogBucket, a.LogBucketName = nil, "shared-access-logs"
			return nil
		})
	})
	require.Equal(t, "shared-access-logs", g.One("aws:s3/bucketLoggingV2:BucketLoggingV2", "data-logging").Input("targetBucket"))
}

func TestBucketReadersAndLogBucketsAreChecked(t *testing.T) {
	t.Parallel()
	for finding, change := range map[string]func(*data.BucketArgs){
		"readers[0]: \"x\" is not":    func(a *data.BucketArgs) { a.Readers = []data.BucketReader{"x"} },
		"readers[0]: set for kind":    func(a *data.BucketArgs) { a.Kind, a.Readers = data.Audit, []data.BucketReader{data.Distributions} },
		"logBucketName: set with":     func(a *data.BucketArgs) { a.LogBucketName = "other-logs" },
		"logBucketName: \"A\" (3 to":  func(a *data.BucketArgs) { a.LogBucket, a.LogBucketName = nil, "A" },
		"logBucket: nil (accesses to": func(a *data.BucketArgs) { a.LogBucket = nil },
		"logBucket: set (a bucket of ": func(a *data.BucketArgs) {
			a.Kind, a.LogBucketName, a.LogBucket, a.KmsKeyArn = data.AccessLogs, "other-logs", nil, nil
		},
	} {
		_, err := graphtest.Build(func(ctx *pulumi.Context) error {
			return bucketSet(ctx, func(a *data.BucketArgs) error {
				change(a)
				return nil
			})
		})
		require.ErrorContains(t, err, finding)
	}
}
