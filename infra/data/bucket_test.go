package data_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const keyARN = "arn:aws:kms:eu-central-1:123456789012:key/app"

// bucketSet makes a log bucket and a data bucket; change may alter the second.
func bucketSet(ctx *pulumi.Context, change func(*data.BucketArgs) error) error {
	_, err := changedBucket(ctx, change)
	return err
}

func changedBucket(ctx *pulumi.Context, change func(*data.BucketArgs) error) (*data.Bucket, error) {
	logs, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
		Scope: scope, Kind: data.AccessLogs, BucketName: "redoubt-dev-access-logs",
		Writers:      []data.BucketWriter{data.ServerAccessLogs, data.LoadBalancerLogs},
		SourcePrefix: "redoubt-dev-", ExpireAfterDays: 365,
	})
	if err != nil {
		return nil, err
	}
	args := &data.BucketArgs{
		Scope: scope, Kind: data.Data, BucketName: "redoubt-dev-data",
		KmsKeyArn: pulumi.String(keyARN), LogBucket: logs, ForceDestroy: true,
		Tags: map[string]string{"environment": "dev"},
	}
	if err := change(args); err != nil {
		return nil, err
	}
	return data.NewBucket(ctx, "data", args)
}

func asIs(*data.BucketArgs) error { return nil }

func TestDataBucket(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error { return bucketSet(ctx, asIs) }, graphtest.Preview())

	bucket := g.One("aws:s3/bucketV2:BucketV2", "data-bucket")
	require.Equal(t, "redoubt-dev-data", bucket.Input("bucket"))
	require.Equal(t, true, bucket.Input("forceDestroy"))
	require.Equal(t, "redoubt-dev-data", bucket.Input("tags.Name"))

	require.Equal(t, "BucketOwnerEnforced", g.One("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "data-ownership").Input("rule.objectOwnership"))
	block := g.One("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "data-public-access")
	for _, field := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		require.Equal(t, true, block.Input(field), field)
	}
	require.Equal(t, "Enabled", g.One("aws:s3/bucketVersioningV2:BucketVersioningV2", "data-versioning").Input("versioningConfiguration.status"))

	sse := g.One("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "data-encryption")
	require.Equal(t, "aws:kms", sse.Input("rules[0].applyServerSideEncryptionByDefault.sseAlgorithm"))
	require.Equal(t, keyARN, sse.Input("rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId"))
	require.Equal(t, true, sse.Input("rules[0].bucketKeyEnabled"))

	logging := g.One("aws:s3/bucketLoggingV2:BucketLoggingV2", "data-logging")
	require.Equal(t, "s3/redoubt-dev-data/", logging.Input("targetPrefix"))
	require.True(t, g.Depends(logging, g.One("aws:s3/bucketV2:BucketV2", "logs-bucket")))
	require.True(t, g.Depends(logging, g.One("aws:s3/bucketPolicy:BucketPolicy", "logs-policy")), "S3 may write before it is told to")

	require.Equal(t, true, g.One("aws:s3/bucketNotification:BucketNotification", "data-events").Input("eventbridge"))
	require.Empty(t, g.ByType("aws:s3/bucketReplicationConfig:BucketReplicationConfig"))
}

func TestBucketResourcesAreMadeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(args *data.BucketArgs) error {
			args.ForceDestroy, args.ObjectLock = false, &data.ObjectLock{Mode: "GOVERNANCE", Days: 30}
			return nil
		})
	})
	chain := []*graphtest.Resource{
		g.One("aws:s3/bucketV2:BucketV2", "data-bucket"),
		g.One("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "data-ownership"),
		g.One("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "data-public-access"),
		g.One("aws:s3/bucketPolicy:BucketPolicy", "data-policy"),
		g.One("aws:s3/bucketVersioningV2:BucketVersioningV2", "data-versioning"),
		g.One("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "data-encryption"),
		g.One("aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", "data-lock"),
		g.One("aws:s3/bucketLoggingV2:BucketLoggingV2", "data-logging"),
		g.One("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "data-lifecycle"),
		g.One("aws:s3/bucketNotification:BucketNotification", "data-events"),
	}
	for i := 1; i < len(chain); i++ {
		require.True(t, g.Depends(chain[i], chain[i-1]), "%s waits for %s (pulumi-aws#1570)", chain[i].Name, chain[i-1].Name)
	}
	require.Equal(t, true, chain[0].Input("objectLockEnabled"))
	require.Equal(t, "GOVERNANCE", chain[6].Input("rule.defaultRetention.mode"))
	require.EqualValues(t, 30, chain[6].Input("rule.defaultRetention.days"))
}

func TestBucketPolicyDeniesWeakTransportAndForeignEncryption(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error { return bucketSet(ctx, asIs) }, graphtest.Preview())
	policy := g.One("aws:s3/bucketPolicy:BucketPolicy", "data-policy")
	both := []string{"arn:aws:s3:::redoubt-dev-data", "arn:aws:s3:::redoubt-dev-data/*"}
	for sid, condition := range map[string]identity.Condition{
		"DenyInsecureTransport": {Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}},
		"DenyOldTLS":            {Test: "NumericLessThan", Key: "s3:TlsVersion", Values: []string{"1.2"}},
	} {
		s := statement(t, policy, "policy", sid)
		require.Equal(t, identity.Deny, s.Effect)
		require.True(t, s.Principals.Any)
		require.Equal(t, []string{"s3:*"}, s.Actions)
		require.Equal(t, both, s.Resources)
		require.Equal(t, []identity.Condition{condition}, s.Conditions)
	}
	require.Equal(t, []identity.Condition{
		{Test: "Null", Key: "s3:x-amz-server-side-encryption", Values: []string{"false"}},
		{Test: "StringNotEquals", Key: "s3:x-amz-server-side-encryption", Values: []string{"aws:kms"}},
	}, statement(t, policy, "policy", "DenyOtherEncryption").Conditions, "a write without the header gets the bucket's key")
	require.Equal(t, "Null", statement(t, policy, "policy", "DenyCallerKeys").Conditions[0].Test)

	logs := g.One("aws:s3/bucketPolicy:BucketPolicy", "logs-policy").Input("policy").(string)
	require.NotContains(t, logs, "server-side-encryption", "log services send headers of their own")
}

func TestLogBucketTakesLogsFromServicesOfThisAccount(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error { return bucketSet(ctx, asIs) }, graphtest.Preview())
	sse := g.One("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "logs-encryption")
	require.Equal(t, "AES256", sse.Input("rules[0].applyServerSideEncryptionByDefault.sseAlgorithm"))
	for _, typ := range []string{"aws:s3/bucketLoggingV2:BucketLoggingV2", "aws:s3/bucketNotification:BucketNotification"} {
		for _, r := range g.ByType(typ) {
			require.NotContains(t, r.Name, "logs-", "a log bucket does not log itself")
		}
	}
	policy := g.One("aws:s3/bucketPolicy:BucketPolicy", "logs-policy")
	access := statement(t, policy, "policy", "AllowServerAccessLogs")
	require.Equal(t, []string{"logging.s3.amazonaws.com"}, access.Principals.Service)
	require.Contains(t, access.Conditions, identity.Condition{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:aws:s3:::redoubt-dev-*"}})
	require.Contains(t, access.Conditions, identity.Condition{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{"123456789012"}})

	balancer := statement(t, policy, "policy", "AllowLoadBalancerLogs")
	require.Equal(t, []string{"logdelivery.elasticloadbalancing.amazonaws.com"}, balancer.Principals.Service)
	old := statement(t, policy, "policy", "AllowLoadBalancerAccount")
	require.Equal(t, []string{"arn:aws:iam::054676820928:root"}, old.Principals.AWS, "regions from before August 2022 write from an account")
	require.Equal(t, balancer.Resources, old.Resources)
}

func TestNewRegionsHaveNoLoadBalancerAccount(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
			Scope: scope.In("eu-south-2"), Kind: data.AccessLogs, BucketName: "redoubt-logs", Writers: []data.BucketWriter{data.LoadBalancerLogs},
		})
		return err
	})
	require.NotContains(t, g.Only("aws:s3/bucketPolicy:BucketPolicy").Input("policy"), "AllowLoadBalancerAccount")
}

func TestAuditBucketTakesTrails(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(args *data.BucketArgs) error {
			args.Kind = data.Audit
			args.Writers = []data.BucketWriter{data.TrailLogs, data.DeliveredLogs, data.ConfigHistory, data.GuardDutyFindings}
			args.ForceDestroy, args.DenyDeletion = false, true
			return nil
		})
	}, graphtest.Preview())
	policy := g.One("aws:s3/bucketPolicy:BucketPolicy", "data-policy")
	trail := statement(t, policy, "policy", "AllowTrailLogs")
	require.Equal(t, []string{"arn:aws:s3:::redoubt-dev-data/AWSLogs/123456789012/*"}, trail.Resources)
	require.Contains(t, trail.Conditions, identity.Condition{
		Test: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:aws:cloudtrail:eu-central-1:123456789012:trail/*"},
	})
	require.Contains(t, trail.Conditions, identity.Condition{
		Test: "StringEquals", Key: "s3:x-amz-acl", Values: []string{"bucket-owner-full-control"},
	})
	for _, sid := range []string{"AllowTrailCheck", "AllowDeliveredLogs", "AllowDeliveredLogsCheck", "AllowConfigHistory", "AllowConfigCheck", "AllowGuardDutyFindings", "AllowGuardDutyCheck"} {
		require.NotEmpty(t, statement(t, policy, "policy", sid).Conditions, sid)
	}
}

func TestNobodyDeletesWhereDeletionIsDenied(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(args *data.BucketArgs) error {
			args.ForceDestroy, args.DenyDeletion = false, true
			return nil
		})
	}, graphtest.Preview())
	deny := statement(t, g.One("aws:s3/bucketPolicy:BucketPolicy", "data-policy"), "policy", "DenyDeletion")
	require.Equal(t, identity.Deny, deny.Effect)
	require.True(t, deny.Principals.Any)
	require.Equal(t, []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, deny.Actions)
	require.Equal(t, []string{"arn:aws:s3:::redoubt-dev-data/*"}, deny.Resources)
	require.Empty(t, deny.Conditions)
	require.NotContains(t, g.One("aws:s3/bucketPolicy:BucketPolicy", "logs-policy").Input("policy"), "DenyDeletion")
}

func TestBucketLifecycle(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error { return bucketSet(ctx, asIs) })
	const typ = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	rules, ok := g.One(typ, "data-lifecycle").Input("rules").([]any)
	require.True(t, ok)
	byID := map[string]map[string]any{}
	for _, r := range rules {
		rule := r.(map[string]any)
		require.Equal(t, map[string]any{}, rule["filter"], "every rule has a filter")
		require.Equal(t, "Enabled", rule["status"])
		byID[rule["id"].(string)] = rule
	}
	require.Equal(t, map[string]any{"daysAfterInitiation": 7.0}, byID["cleanup"]["abortIncompleteMultipartUpload"])
	require.Equal(t, map[string]any{"expiredObjectDeleteMarker": true}, byID["cleanup"]["expiration"])
	require.Equal(t, map[string]any{"noncurrentDays": 90.0, "newerNoncurrentVersions": 3.0}, byID["noncurrent-versions"]["noncurrentVersionExpiration"])
	require.Equal(t, []any{
		map[string]any{"days": 30.0, "storageClass": "STANDARD_IA"},
		map[string]any{"days": 90.0, "storageClass": "GLACIER_IR"},
	}, byID["tiering"]["transitions"])
	require.NotContains(t, byID, "expiry")
	require.EqualValues(t, 365, g.One(typ, "logs-lifecycle").Input("rules[3].expiration.days"))
}

func TestOldVersionsStayAsLongAsToldTo(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(args *data.BucketArgs) error {
			args.NoncurrentDays = 14
			return nil
		})
	})
	lifecycle := g.One("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "data-lifecycle")
	require.EqualValues(t, 14, lifecycle.Input("rules[1].noncurrentVersionExpiration.noncurrentDays"))
}

func TestExpiryLeavesOutLaterMoves(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]int{20: 0, 30: 0, 31: 1, 90: 1, 91: 2} {
		g := graphtest.Run(t, func(ctx *pulumi.Context) error {
			_, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
				Scope: scope, Kind: data.AccessLogs, BucketName: "redoubt-dev-logs", ExpireAfterDays: days,
			})
			return err
		})
		moves := 0
		rules := g.Only("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2").Input("rules").([]any)
		for _, r := range rules {
			if r.(map[string]any)["id"] == "tiering" {
				moves = len(r.(map[string]any)["transitions"].([]any))
			}
		}
		require.Equal(t, want, moves, "objects that expire after %d days", days)
	}
}

func TestBucketBackupTier(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		return bucketSet(ctx, func(args *data.BucketArgs) error {
			args.BackupTier = "redoubt-dev"
			return nil
		})
	})
	require.Equal(t, "redoubt-dev", g.One("aws:s3/bucketV2:BucketV2", "data-bucket").Input("tags.backup"))
	require.False(t, g.One("aws:s3/bucketV2:BucketV2", "logs-bucket").Has("tags.backup"))
}

func TestBucketArgsFindings(t *testing.T) {
	t.Parallel()
	key := pulumi.String(keyARN)
	for name, tc := range map[string]struct {
		args data.BucketArgs
		want []string
	}{
		"no kind":           {data.BucketArgs{BucketName: "redoubt-x"}, []string{"kind: "}},
		"a dotted name":     {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt.logs"}, []string{"no dots"}},
		"a reserved name":   {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-s3alias"}, []string{"keeps names"}},
		"data without":      {data.BucketArgs{Kind: data.Data, BucketName: "redoubt-x"}, []string{"kmsKeyArn: nil", "logBucket: nil"}},
		"logs with":         {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", KmsKeyArn: key, LogBucket: &data.Bucket{Scope: scope}}, []string{"kmsKeyArn: set", "logBucket: set"}},
		"logs elsewhere":    {data.BucketArgs{Kind: data.Data, BucketName: "redoubt-x", KmsKeyArn: key, LogBucket: &data.Bucket{Scope: scope.In("eu-west-1")}}, []string{"logBucket: in eu-west-1"}},
		"unknown writer":    {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", Writers: []data.BucketWriter{"mars"}}, []string{"writers[0]"}},
		"no source":         {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", Writers: []data.BucketWriter{data.ServerAccessLogs}}, []string{"sourcePrefix: empty"}},
		"balancers on KMS":  {data.BucketArgs{Kind: data.Audit, BucketName: "redoubt-x", KmsKeyArn: key, Writers: []data.BucketWriter{data.LoadBalancerLogs}}, []string{"cannot write into a bucket with a KMS key"}},
		"locked logs":       {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", ObjectLock: &data.ObjectLock{Mode: "SOFT"}, ForceDestroy: true}, []string{"objectLock: set", "objectLock.mode", "objectLock.days", "forceDestroy"}},
		"negative expiry":   {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", ExpireAfterDays: -1}, []string{"expireAfterDays: -1"}},
		"negative versions": {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", NoncurrentDays: -1}, []string{"noncurrentDays: -1 (0 for the kind's 30"}},
		"expiry in lock":    {data.BucketArgs{Kind: data.Audit, BucketName: "redoubt-x", KmsKeyArn: key, ObjectLock: &data.ObjectLock{Mode: "GOVERNANCE", Days: 365}, ExpireAfterDays: 90}, []string{"before the lock of 365 days ends"}},
		"Config locked":     {data.BucketArgs{Kind: data.Audit, BucketName: "redoubt-x", KmsKeyArn: key, ObjectLock: &data.ObjectLock{Mode: "GOVERNANCE", Days: 1}, Writers: []data.BucketWriter{data.ConfigHistory}}, []string{"writers[0]: config-history cannot write into a bucket with default retention"}},
		"unlocked copies":   {data.BucketArgs{Kind: data.Audit, BucketName: "redoubt-x", KmsKeyArn: key, ObjectLock: &data.ObjectLock{Mode: "GOVERNANCE", Days: 1}, Replica: &data.BucketReplica{To: &data.Bucket{Scope: scope.In("eu-west-1")}}}, []string{"replica.to: without objectLock"}},
		"kept and deleted":  {data.BucketArgs{Kind: data.Audit, BucketName: "redoubt-x", KmsKeyArn: key, ForceDestroy: true, DenyDeletion: true}, []string{"denyDeletion: set with forceDestroy"}},
		"logs backed up":    {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", BackupTier: "redoubt-dev"}, []string{"backupTier: set for kind access-logs"}},
		"two tiers":         {data.BucketArgs{Kind: data.Data, BucketName: "redoubt-x", BackupTier: "Daily", Tags: map[string]string{"backup": "weekly"}}, []string{"backupTier: \"Daily\"", "tags[\"backup\"]: \"weekly\""}},
		"empty replica":     {data.BucketArgs{Kind: data.Data, BucketName: "redoubt-x", Replica: &data.BucketReplica{}}, []string{"replica.to: nil", "replica.kmsKeyArn: nil", "replica.keyAlias", "replica.roleName"}},
		"near replica":      {data.BucketArgs{Kind: data.AccessLogs, BucketName: "redoubt-x", Replica: &data.BucketReplica{To: &data.Bucket{Scope: scope}}}, []string{"replica: set for kind", "replica.to: also in eu-central-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.args.Scope = scope
			g, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := data.NewBucket(ctx, "x", &tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, g.ByType("aws:s3/bucketV2:BucketV2"))
		})
	}
}
