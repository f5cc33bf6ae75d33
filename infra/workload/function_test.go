package workload_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/workload"
	"redoubt/infra/workload/functions/archive"
	"redoubt/internal/graphtest"
)

const (
	functionType = "aws:lambda/function:Function"
	jobType      = "aws:signer/signingJob:SigningJob"
)

// archives is a folder with an archive of each program.
func archives(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"rotate", "search-bootstrap", "split-logs"} {
		data, err := archive.Zip([]archive.File{{Name: "bootstrap", Mode: 0o755, Data: []byte(name)}})
		require.NoError(t, err)
		_, err = archive.Write(dir, name, data)
		require.NoError(t, err)
	}
	return dir
}

// newPlatform makes what functions have in common.
func newPlatform(ctx *pulumi.Context, dir string) (*workload.FunctionPlatform, error) {
	signing, err := workload.NewCodeSigning(ctx, "signing", &workload.CodeSigningArgs{Prefix: "redoubt-dev", Policy: workload.SigningEnforce})
	if err != nil {
		return nil, err
	}
	logs, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
		Scope: scope, Kind: data.AccessLogs, BucketName: "redoubt-dev-access-logs",
		Writers: []data.BucketWriter{data.ServerAccessLogs}, SourcePrefix: "redoubt-dev-",
	})
	if err != nil {
		return nil, err
	}
	artifacts, err := data.NewBucket(ctx, "artifacts", &data.BucketArgs{
		Scope: scope, Kind: data.Artifacts, BucketName: "redoubt-dev-artifacts", KmsKeyArn: pulumi.String(keyARN), LogBucket: logs,
	})
	if err != nil {
		return nil, err
	}
	return &workload.FunctionPlatform{
		Scope: scope, Prefix: "redoubt-dev", ArchiveDir: dir, Signing: signing, Artifacts: artifacts,
		SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-lambda"}),
		KmsKeyArn:        pulumi.String(keyARN), KeyAlias: "alias/redoubt-dev-app",
		LogKmsKeyArn: pulumi.String(keyARN), LogRetentionInDays: 14,
		Tags: map[string]string{"environment": "dev"},
	}, nil
}

func functionArgs(p *workload.FunctionPlatform) *workload.FunctionArgs {
	return &workload.FunctionArgs{
		Platform: p, FunctionName: "rotate", Program: "rotate", Description: "Rotates a password",
		MemoryMiB: 256, TimeoutSeconds: 60, Concurrency: 1, Retries: 2,
		Variables:  map[string]string{"DATABASE_NAME": "app"},
		Parameters: map[string]pulumi.StringInput{"DATABASE_HOST": pulumi.String("db.internal")},
		Policies: map[string]identity.Document{"read": {{
			Effect: identity.Allow, Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{scope.ARN("secretsmanager", "secret:redoubt-dev/*")},
		}}},
	}
}

func function(dir string, change func(*workload.FunctionArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		args := functionArgs(p)
		change(args)
		_, err = workload.NewFunction(ctx, "fn", args)
		return err
	}
}

func TestCodeIsSignedBeforeItRuns(t *testing.T) {
	t.Parallel()
	dir := archives(t)
	g := graphtest.Run(t, function(dir, func(*workload.FunctionArgs) {}))
	built, err := archive.Read(dir, "rotate")
	require.NoError(t, err)

	object := g.Only("aws:s3/bucketObjectv2:BucketObjectv2")
	require.Equal(t, "unsigned/rotate/"+built.SHA256+".zip", object.Input("key"))
	require.Equal(t, "aws:kms", object.Input("serverSideEncryption"))
	require.True(t, g.Depends(object, g.One("aws:s3/bucketVersioningV2:BucketVersioningV2", "artifacts-versioning")), "Signer wants a version")

	job := g.Only(jobType)
	require.Equal(t, "v0000000001", job.Input("source.s3.version"))
	require.Equal(t, object.Input("key"), job.Input("source.s3.key"))
	require.Equal(t, "signed/rotate/", job.Input("destination.s3.prefix"))

	fn, config := g.Only(functionType), g.Only("aws:lambda/codeSigningConfig:CodeSigningConfig")
	require.Contains(t, fn.Input("s3Key"), "signed/")
	require.Equal(t, []string{job.URN}, fn.PropertyDependencies["s3Key"])
	require.Same(t, config, g.Refers(fn.Input("codeSigningConfigArn")))
	require.False(t, fn.Has("code"), "a local archive is refused under Enforce")

	profile := g.Only("aws:signer/signingProfile:SigningProfile")
	require.Equal(t, "AWSLambda-SHA384-ECDSA", profile.Input("platformId"))
	require.Equal(t, "redoubt_dev_", profile.Input("namePrefix"))
	require.Equal(t, profile.Output("versionArn"), config.Input("allowedPublishers.signingProfileVersionArns[0]"))
	require.Equal(t, "Enforce", config.Input("policies.untrustedArtifactOnDeployment"))
}

// The SDK's accessor panics where Signer reports no object.
func TestAJobWithoutAnObjectIsAnError(t *testing.T) {
	t.Parallel()
	for _, none := range []any{[]any{}, []any{map[string]any{"s3s": []any{}}}} {
		_, err := graphtest.Build(function(archives(t), func(*workload.FunctionArgs) {}),
			graphtest.Outputs(jobType, resource.NewPropertyMapFromMap(map[string]any{"signedObjects": none})))
		require.ErrorContains(t, err, "without a signed object")
	}
}

func TestFunctionIsHardened(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, function(archives(t), func(*workload.FunctionArgs) {}))
	fn := g.Only(functionType)
	for path, want := range map[string]any{
		"name": "redoubt-dev-rotate", "runtime": "provided.al2023", "handler": "bootstrap", "packageType": "Zip",
		"architectures": []any{"arm64"}, "memorySize": 256.0, "timeout": 60.0, "reservedConcurrentExecutions": 1.0,
		"tracingConfig.mode": "Active", "kmsKeyArn": keyARN,
		"vpcConfig.subnetIds": []any{"subnet-a", "subnet-b"}, "vpcConfig.securityGroupIds": []any{"sg-lambda"},
		"loggingConfig.logFormat": "JSON", "loggingConfig.logGroup": "/aws/lambda/redoubt-dev-rotate",
		"environment.variables": map[string]any{"DATABASE_NAME": "app", "DATABASE_HOST": "db.internal"},
	} {
		require.EqualValues(t, want, fn.Input(path), path)
	}
	queue := g.Only("aws:sqs/queue:Queue")
	require.Same(t, queue, g.Refers(fn.Input("deadLetterConfig.targetArn")))
	require.Equal(t, keyARN, queue.Input("kmsMasterKeyId"))
	require.EqualValues(t, 14*24*3600, queue.Input("messageRetentionSeconds"))
	require.Contains(t, g.Only("aws:sqs/queuePolicy:QueuePolicy").Input("policy"), `"aws:SecureTransport":"false"`)

	log := g.Only("aws:cloudwatch/logGroup:LogGroup")
	require.True(t, g.Depends(fn, log), "Lambda would make an unencrypted one")
	for _, right := range g.ByType("aws:iam/rolePolicy:RolePolicy") {
		require.True(t, g.Depends(fn, right), "Lambda tries the role's rights at creation")
	}
	require.Equal(t, "Terminate", g.Only("aws:lambda/functionRecursionConfig:FunctionRecursionConfig").Input("recursiveLoop"))
	events := g.Only("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
	require.EqualValues(t, 2, events.Input("maximumRetryAttempts"))
	require.EqualValues(t, 3600, events.Input("maximumEventAgeInSeconds"))
	require.Empty(t, g.ByType("aws:lambda/functionUrl:FunctionUrl"))
}

func TestFunctionRoleIsItsOwn(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, function(archives(t), func(a *workload.FunctionArgs) {
		a.Platform.PermissionsBoundary = scope.GlobalARN("iam", "policy/boundary")
	}), graphtest.Preview())
	role := g.Only("aws:iam/role:Role")
	require.Equal(t, workload.FunctionRoleName("redoubt-dev", "rotate"), role.Input("name"))
	require.Contains(t, role.Input("permissionsBoundary"), "policy/boundary")
	require.Empty(t, g.ByType("aws:iam/rolePolicyAttachment:RolePolicyAttachment"), "AWS's policy for the VPC is broader")
	run := policy(t, g, "fn-run")
	require.Equal(t, []string{"arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/redoubt-dev-rotate:*"}, run["WriteLog"].Resources)
	require.Equal(t, []string{"arn:aws:sqs:eu-central-1:123456789012:redoubt-dev-rotate-dead-letters"}, run["KeepFailedEvents"].Resources)
	for _, sid := range []string{"HaveInterfaces", "FindInterfaces"} {
		require.Equal(t, identity.Condition{Test: "Null", Key: "lambda:SourceFunctionArn", Values: []string{"true"}}, run[sid].Conditions[0],
			"interfaces are Lambda's business, not the code's")
	}
	require.NotContains(t, run["HaveInterfaces"].Resources, "*")
	require.Contains(t, policy(t, g, "fn-read"), "")
}

func TestReservationIsOptional(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, function(archives(t), func(a *workload.FunctionArgs) {
		a.Concurrency, a.Variables, a.Parameters, a.Policies, a.Retries = workload.Unreserved, nil, nil, nil, 0
	}))
	fn := g.Only(functionType)
	require.EqualValues(t, -1, fn.Input("reservedConcurrentExecutions"))
	require.False(t, fn.Has("environment"))
	require.EqualValues(t, 0, g.Only("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig").Input("maximumRetryAttempts"))
}

func TestServicesCallByPermission(t *testing.T) {
	t.Parallel()
	allow := func(invoker workload.Invoker) (*graphtest.Graph, error) {
		return graphtest.Build(func(ctx *pulumi.Context) error {
			p, err := newPlatform(ctx, archives(t))
			if err != nil {
				return err
			}
			fn, err := workload.NewFunction(ctx, "fn", functionArgs(p))
			if err != nil {
				return err
			}
			_, err = fn.Allow(ctx, "fn-events", invoker)
			return err
		})
	}
	rule := scope.ARN("events", "rule/redoubt-dev-nightly")
	g, err := allow(workload.Invoker{Principal: "events.amazonaws.com", SourceArn: pulumi.String(rule)})
	require.NoError(t, err)
	permission := g.Only("aws:lambda/permission:Permission")
	require.Equal(t, rule, permission.Input("sourceArn"))
	require.False(t, permission.Has("sourceAccount"), "EventBridge does not send it")

	g, err = allow(workload.Invoker{Principal: "secretsmanager.amazonaws.com", OwnAccount: true})
	require.NoError(t, err)
	require.Equal(t, "123456789012", g.Only("aws:lambda/permission:Permission").Input("sourceAccount"))

	_, err = allow(workload.Invoker{Principal: "s3.amazonaws.com"})
	require.ErrorContains(t, err, "anybody's s3.amazonaws.com")
}

func TestFunctionArgsFindings(t *testing.T) {
	t.Parallel()
	dir := archives(t)
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "rotate.zip"), []byte("x"), 0o600))
	for want, change := range map[string]func(*workload.FunctionArgs){
		"platform: nil":                      func(a *workload.FunctionArgs) { a.Platform = nil },
		"scope: ":                            func(a *workload.FunctionArgs) { a.Platform.Scope.Region = "" },
		"platform.prefix: ":                  func(a *workload.FunctionArgs) { a.Platform.Prefix = "_" },
		"platform.archiveDir: empty":         func(a *workload.FunctionArgs) { a.Platform.ArchiveDir = "" },
		"platform.signing: nil":              func(a *workload.FunctionArgs) { a.Platform.Signing = nil },
		"platform.artifacts: nil":            func(a *workload.FunctionArgs) { a.Platform.Artifacts = nil },
		"platform.subnetIds: nil":            func(a *workload.FunctionArgs) { a.Platform.SubnetIDs = nil },
		"platform.securityGroupIds: nil":     func(a *workload.FunctionArgs) { a.Platform.SecurityGroupIDs = nil },
		"platform.kmsKeyArn: nil":            func(a *workload.FunctionArgs) { a.Platform.KmsKeyArn = nil },
		"platform.keyAlias: ":                func(a *workload.FunctionArgs) { a.Platform.KeyAlias = "app" },
		"platform.logKmsKeyArn: nil":         func(a *workload.FunctionArgs) { a.Platform.LogKmsKeyArn = nil },
		"platform.logRetentionInDays: 13":    func(a *workload.FunctionArgs) { a.Platform.LogRetentionInDays = 13 },
		"functionName: ":                     func(a *workload.FunctionArgs) { a.FunctionName = "Rotate" },
		"program: empty":                     func(a *workload.FunctionArgs) { a.Program = "" },
		"description: 0":                     func(a *workload.FunctionArgs) { a.Description = "" },
		"memoryMiB: 64":                      func(a *workload.FunctionArgs) { a.MemoryMiB = 64 },
		"timeoutSeconds: 901":                func(a *workload.FunctionArgs) { a.TimeoutSeconds = 901 },
		"concurrency: 0":                     func(a *workload.FunctionArgs) { a.Concurrency = 0 },
		"retries: 3":                         func(a *workload.FunctionArgs) { a.Retries = 3 },
		`policies["run"]`:                    func(a *workload.FunctionArgs) { a.Policies = map[string]identity.Document{"run": nil} },
		`variables["AWS_REGION"]: Lambda`:    func(a *workload.FunctionArgs) { a.Variables = map[string]string{"AWS_REGION": "x"} },
		`variables["DB_PASSWORD"]: would`:    func(a *workload.FunctionArgs) { a.Variables = map[string]string{"DB_PASSWORD": "hunter2"} },
		`variables["log-level"]: not`:        func(a *workload.FunctionArgs) { a.Variables = map[string]string{"log-level": "x"} },
		`variables["DATABASE_HOST"]: also`:   func(a *workload.FunctionArgs) { a.Variables = map[string]string{"DATABASE_HOST": "x"} },
		`variables["A"]: holds a NUL`:        func(a *workload.FunctionArgs) { a.Variables = map[string]string{"A": "\x00"} },
		"variables: 5001 bytes":              func(a *workload.FunctionArgs) { a.Variables = map[string]string{"A": string(make([]byte, 5000))} },
		`parameters["DATABASE_HOST"]: nil`:   func(a *workload.FunctionArgs) { a.Parameters["DATABASE_HOST"] = nil },
		"function nothing is not built":      func(a *workload.FunctionArgs) { a.Program = "nothing" },
		"run go run ./infra/workload/functi": func(a *workload.FunctionArgs) { a.Platform.ArchiveDir = t.TempDir() },
		"function rotate has no digest":      func(a *workload.FunctionArgs) { a.Platform.ArchiveDir = broken },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(function(dir, change))
			require.ErrorContains(t, err, want)
			require.NotContains(t, err.Error(), "hunter2", "values stay out of errors")
			require.Empty(t, g.ByType(functionType))
		})
	}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := workload.NewFunction(ctx, "fn", nil)
		return err
	})
	require.ErrorContains(t, err, "args: nil")
}

func TestSigningPolicy(t *testing.T) {
	t.Parallel()
	sign := func(args *workload.CodeSigningArgs) (*graphtest.Graph, error) {
		return graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := workload.NewCodeSigning(ctx, "signing", args)
			return err
		})
	}
	g, err := sign(&workload.CodeSigningArgs{Prefix: "redoubt-dev", Policy: workload.SigningWarn})
	require.NoError(t, err)
	require.Equal(t, "Warn", g.Only("aws:lambda/codeSigningConfig:CodeSigningConfig").Input("policies.untrustedArtifactOnDeployment"))
	_, err = sign(&workload.CodeSigningArgs{Policy: "Ignore"})
	require.ErrorContains(t, err, "prefix: ")
	require.ErrorContains(t, err, `policy: "Ignore"`)
	_, err = sign(nil)
	require.ErrorContains(t, err, "args: nil")
}
