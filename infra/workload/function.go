package workload

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
	"redoubt/infra/workload/functions/archive"
)

// FunctionComponent is a Lambda function with everything around it.
var FunctionComponent = guide.Component{
	Token: "redoubt:workload:Function",
	Serves: []guide.ID{
		guide.OverviewIdentityCodeSigning,
		guide.OverviewIdentityLeastPrivilege,
		guide.PracticesIAMLeastPrivilege,
		guide.PracticesIAMResourceLevelPermissions,
		guide.PracticesLambdaVPCConfiguration,
		guide.PracticesLambdaXRayTracing,
		guide.PracticesLambdaCodeSigning,
		guide.PracticesLambdaConcurrentLimits,
		guide.PracticesLambdaEnvironmentEncryption,
	},
}

// Unreserved, as FunctionArgs.Concurrency, takes from what the account has left.
const Unreserved = -1

// FunctionArgs describes a function: a Go program on arm64, unless Code says
// otherwise. Platform, FunctionName, one of Program and Code, Description, MemoryMiB, TimeoutSeconds and Concurrency are required.
type FunctionArgs struct {
	Platform *FunctionPlatform
	// FunctionName follows the prefix in the physical name: lower-case letters,
	// digits and hyphens.
	FunctionName string
	// Program is the archive's name in Platform.ArchiveDir, for example "rotate".
	Program string
	// Code is an archive that is in a bucket already, in place of Program.
	Code        *FunctionCode
	Description string
	// MemoryMiB is 128 to 10240; Lambda gives CPU in proportion.
	MemoryMiB int
	// TimeoutSeconds is 1 to 900.
	TimeoutSeconds int
	// Concurrency is how many events are handled at a time, at least 1, which
	// AWS reserves and no other function can have; or Unreserved. An account
	// keeps 100 unreserved, and a new one has 10 in all, where every
	// reservation is refused.
	Concurrency int
	// Retries is how often an asynchronous event that fails is tried again, 0
	// to 2. What fails for good is in the dead-letter queue for 14 days.
	Retries int
	// Variables are the environment, known at preview, not secret.
	Variables map[string]string
	// Parameters are variables that deployment makes known, not secret either.
	Parameters map[string]pulumi.StringInput
	// Policies are what the function itself may do.
	Policies map[string]identity.Document
}

// Function is a Lambda function: signed, in the VPC, traced, with an encrypted
// environment, a log group and a dead-letter queue. It has no URL: services
// call it, each by a permission of its own (see Allow).
type Function struct {
	pulumi.ResourceState

	Function *lambda.Function
	Role     *identity.Role
	LogGroup *monitoring.LogGroup
	// DeadLetters is the queue of events that failed for good.
	DeadLetters *sqs.Queue
	Arn         pulumi.StringOutput
	// Name is the physical name, known at preview, for metrics.
	Name string
	// KnownArn is Arn, known at preview, for policies.
	KnownArn string
	// CodeSHA256 is the digest of the archive before it was signed; empty for Code.
	CodeSHA256 string

	archive archive.Artifact
	signed  pulumi.StringOutput
	scope   identity.Scope
}

// FunctionRoleName is the physical name of a function's role; key policies and
// others name it before it exists.
func FunctionRoleName(prefix, function string) string { return prefix + "-" + function }

// NewFunction makes the function. The error joins every finding in args,
// and says how to build the archive if it is not there.
func NewFunction(ctx *pulumi.Context, name string, args *FunctionArgs, opts ...pulumi.ResourceOption) (*Function, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("function %q: %w", name, err)
	}
	var zip archive.Artifact
	if args.Code == nil {
		var err error
		if zip, err = archive.Read(args.Platform.archiveDir(ctx), args.Program); err != nil {
			return nil, fmt.Errorf("function %q: %w", name, err)
		}
	}
	c := &Function{Name: args.physicalName(), KnownArn: args.arn(), CodeSHA256: zip.SHA256, archive: zip, scope: args.Platform.Scope}
	if err := ctx.RegisterComponentResource(FunctionComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("function %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *FunctionArgs) error{
		c.buildLog, c.buildDeadLetters, c.buildRole, c.buildCode, c.buildFunction, c.buildInvocation,
	} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("function %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "name": c.Function.Name, "deadLetterUrl": c.DeadLetters.Url})
}

func (args *FunctionArgs) physicalName() string {
	return args.Platform.Prefix + "-" + args.FunctionName
}

func (args *FunctionArgs) arn() string {
	return args.Platform.Scope.ARN("lambda", "function:"+args.physicalName())
}

func (args *FunctionArgs) logGroup() string { return "/aws/lambda/" + args.physicalName() }

// buildLog makes the group before the function does: its own would be
// unencrypted, and kept for ever.
func (c *Function) buildLog(ctx *pulumi.Context, name string, args *FunctionArgs) (err error) {
	in := &monitoring.LogGroupArgs{
		Name: args.logGroup(), KmsKeyArn: args.Platform.LogKmsKeyArn,
		RetentionInDays: args.Platform.LogRetentionInDays, Tags: args.Platform.Tags,
	}
	if args.Platform.MaskLogs {
		in.MaskIn = args.Platform.Scope.Partition
	}
	c.LogGroup, err = monitoring.NewLogGroup(ctx, name, in, pulumi.Parent(c))
	return err
}

func (c *Function) buildFunction(ctx *pulumi.Context, name string, args *FunctionArgs) (err error) {
	p := args.Platform
	in := &lambda.FunctionArgs{
		Name: pulumi.String(c.Name), Description: pulumi.String(args.Description), Role: c.Role.Arn,
		PackageType: pulumi.String("Zip"), Runtime: pulumi.String(args.Code.runtime()), Handler: pulumi.String(args.Code.handler()),
		Architectures: pulumi.ToStringArray([]string{args.Code.architecture()}),
		S3Bucket:      p.Artifacts.Name, S3Key: c.signed, CodeSigningConfigArn: p.Signing.ConfigArn,
		MemorySize: pulumi.Int(args.MemoryMiB), Timeout: pulumi.Int(args.TimeoutSeconds),
		ReservedConcurrentExecutions: pulumi.Int(args.Concurrency),
		KmsKeyArn:                    p.KmsKeyArn.ToStringOutput(),
		TracingConfig:                &lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		DeadLetterConfig:             &lambda.FunctionDeadLetterConfigArgs{TargetArn: c.DeadLetters.Arn},
		VpcConfig:                    &lambda.FunctionVpcConfigArgs{SubnetIds: p.SubnetIDs, SecurityGroupIds: p.SecurityGroupIDs},
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{
			LogFormat: pulumi.String("JSON"), LogGroup: c.LogGroup.Name,
			ApplicationLogLevel: pulumi.String("INFO"), SystemLogLevel: pulumi.String("INFO"),
		},
		Tags: withName(p.Tags, c.Name),
	}
	if variables := args.environment(); len(variables) > 0 {
		in.Environment = &lambda.FunctionEnvironmentArgs{Variables: variables}
	}
	// Lambda tries the role's rights to make network interfaces at creation.
	needs := slices.Concat(p.After, c.Role.Rights, []pulumi.Resource{c.LogGroup.Group})
	c.Function, err = lambda.NewFunction(ctx, name+"-function", in, pulumi.Parent(c), pulumi.DependsOn(needs),
		// Interfaces in the VPC come and go slowly (pulumi-aws#3966).
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "15m", Update: "15m", Delete: "60m"}))
	if err != nil {
		return err
	}
	c.Arn = c.Function.Arn
	return nil
}

// buildInvocation bounds what asynchronous events and loops can cost.
func (c *Function) buildInvocation(ctx *pulumi.Context, name string, args *FunctionArgs) error {
	_, err := lambda.NewFunctionEventInvokeConfig(ctx, name+"-events", &lambda.FunctionEventInvokeConfigArgs{
		FunctionName: c.Function.Name, MaximumRetryAttempts: pulumi.Int(args.Retries), MaximumEventAgeInSeconds: pulumi.Int(3600),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	_, err = lambda.NewFunctionRecursionConfig(ctx, name+"-recursion", &lambda.FunctionRecursionConfigArgs{
		FunctionName: c.Function.Name, RecursiveLoop: pulumi.String("Terminate"),
	}, pulumi.Parent(c))
	return err
}

func (args *FunctionArgs) environment() pulumi.StringMap {
	out := pulumi.ToStringMap(args.Variables)
	for _, name := range slices.Sorted(maps.Keys(args.Parameters)) {
		out[name] = args.Parameters[name].ToStringOutput()
	}
	return out
}

// Invoker is an AWS service that may call a function. One of SourceArn and
// OwnAccount is required: without, anybody's resources could make the service
// call it.
type Invoker struct {
	// Principal is the service, for example "secretsmanager.amazonaws.com".
	Principal string
	// SourceArn is the resource for which it calls.
	SourceArn pulumi.StringInput
	// OwnAccount holds the service to this account's resources. Secrets Manager
	// and S3 send what it takes (aws:SourceAccount); API Gateway and
	// EventBridge do not, and would be locked out.
	OwnAccount bool
}

// Allow lets a service call the function. What calls depends on the result.
func (c *Function) Allow(ctx *pulumi.Context, name string, invoker Invoker, opts ...pulumi.ResourceOption) (*lambda.Permission, error) {
	if invoker.SourceArn == nil && !invoker.OwnAccount {
		return nil, fmt.Errorf("permission %q: sourceArn: nil (anybody's %s could call the function; pass the resource, or OwnAccount)", name, invoker.Principal)
	}
	in := &lambda.PermissionArgs{
		Action: pulumi.String("lambda:InvokeFunction"), Function: c.Function.Name, Principal: pulumi.String(invoker.Principal),
	}
	if invoker.OwnAccount {
		in.SourceAccount = pulumi.String(c.scope.AccountID)
	}
	if invoker.SourceArn != nil {
		in.SourceArn = invoker.SourceArn.ToStringOutput()
	}
	p, err := lambda.NewPermission(ctx, name, in, append([]pulumi.ResourceOption{pulumi.Parent(c)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("permission %q: %w", name, err)
	}
	return p, nil
}

var errNoSignature = errors.New("AWS Signer finished without a signed object (see the job in the Signer console; is the source a ZIP archive, and the bucket versioned?)")
