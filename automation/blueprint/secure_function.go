package blueprint

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/automation/provision"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/workload"
)

// FunctionInputs are the inputs of SecureFunction.
type FunctionInputs struct {
	OnBaseline
	KeySettings
	LogSettings
	ReplicaSettings
	Description         string            `json:"description" doc:"What the function does." minLength:"8" maxLength:"256"`
	Code                Code              `json:"code" doc:"The ZIP archive that runs: it is signed before it is deployed."`
	MemoryMiB           int               `json:"memory,omitempty" doc:"Memory in MiB; Lambda gives CPU in proportion." min:"128" max:"10240" default:"256"`
	TimeoutSeconds      int               `json:"timeoutSeconds,omitempty" doc:"How long a run may take, in seconds." min:"1" max:"900" default:"30"`
	ReservedConcurrency int               `json:"reservedConcurrency,omitempty" doc:"How many events are handled at a time, which no other function can have. Empty takes from what the account has left." min:"1" max:"1000"`
	Retries             int               `json:"retries,omitempty" doc:"How often an asynchronous event that fails is tried again. What fails for good waits in a queue for 14 days." min:"0" max:"2" default:"2"`
	Signing             string            `json:"signing,omitempty" doc:"What Lambda does with code that this stack did not sign: Enforce refuses it, Warn notes it." enum:"Enforce,Warn" default:"Enforce"`
	Variables           map[string]string `json:"variables,omitempty" doc:"The environment: nothing secret." names:"^[A-Z_][A-Z0-9_]{0,127}$" maxLength:"2048" maxProperties:"50"`
	Secrets             map[string]string `json:"secrets,omitempty" doc:"Secrets that the function may read: variables' names, which end in _ARN, to the secrets' ARNs." names:"^[A-Z_][A-Z0-9_]{0,120}_ARN$" pattern:"^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:[^:]+$" maxProperties:"20"`
	Permissions         []Permission      `json:"permissions,omitempty" doc:"What else the function may do." maxItems:"20"`
	ForceDestroy        *bool             `json:"forceDestroy,omitempty" doc:"A destroy deletes the signed code and the access log too. By default in dev."`
}

// Code is a ZIP archive in a bucket.
type Code struct {
	Bucket       string `json:"bucket" doc:"A bucket of the account and region that keeps versions." pattern:"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"`
	Key          string `json:"key" doc:"The archive's key." minLength:"1" maxLength:"1024"`
	Version      string `json:"version" doc:"The object's version: it and no other is signed." pattern:"^[A-Za-z0-9._-]+$" maxLength:"1024"`
	Runtime      string `json:"runtime" doc:"What runs it." enum:"provided.al2023,nodejs22.x,python3.13,java21,dotnet8,ruby3.4"`
	Handler      string `json:"handler" doc:"What the runtime calls, index.handler; bootstrap for provided.al2023." pattern:"^\\S{1,128}$"`
	Architecture string `json:"architecture,omitempty" doc:"What it is built for." enum:"arm64,x86_64" default:"arm64"`
}

// Permission is a statement of the function's role.
type Permission struct {
	Actions   []string `json:"actions" doc:"For example s3:GetObject; no wildcard alone." minItems:"1" maxItems:"30" pattern:"^[a-z0-9-]+:[A-Za-z0-9*]+$" maxLength:"128"`
	Resources []string `json:"resources" doc:"ARNs." minItems:"1" maxItems:"30" maxLength:"2048"`
}

func (in *FunctionInputs) complete() {
	in.LogSettings.complete(in.Where)
	in.ForceDestroy = in.inDev(in.ForceDestroy)
}

func (in *FunctionInputs) check(f *findings) {
	in.Where.check(f)
	in.LogSettings.check(f)
	in.ReplicaSettings.check(f, in.Where)
	checkVariables(f, in.Variables, in.Secrets)
	size := 0
	for name, value := range in.Variables {
		size += len(name) + len(value)
	}
	for name, arn := range in.Secrets {
		size += len(name) + len(arn)
	}
	f.refuse(size > 4096, "/variables", "%d bytes with secrets, Lambda has room for 4096 (put large values into S3 or Parameter Store)", size)
	for _, name := range slices.Sorted(maps.Keys(in.Variables)) {
		f.refuse(workload.ReservedVariable(name), "/variables/"+escape(name), "Lambda sets it itself (choose another name)")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Secrets)) {
		at := "/secrets/" + escape(name)
		f.refuse(workload.ReservedVariable(name), at, "Lambda sets it itself (choose another name)")
		in.inRegion(f, at, in.Secrets[name])
	}
	for i, p := range in.Permissions {
		_, err := identity.Document{p.statement()}.IdentityPolicy()
		f.lines("/permissions"+index(i), err)
	}
}

func (p Permission) statement() identity.Statement {
	return identity.Statement{Effect: identity.Allow, Actions: p.Actions, Resources: p.Resources}
}

const functionExample = `{
  "region": "eu-central-1",
  "baseline": "organization/redoubt/dev",
  "description": "Sends the invoices of the day",
  "code": {
    "bucket": "builds-123456789012-eu-central-1",
    "key": "invoices/1.4.0.zip",
    "version": "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH",
    "runtime": "nodejs22.x",
    "handler": "index.handler"
  },
  "reservedConcurrency": 5,
  "secrets": {"SMTP_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:invoices/smtp"},
  "permissions": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::invoices-123456789012/*"]}],
  "tags": {"owner": "billing-team", "data-class": "confidential"}
}`

var functionOutputs = []Output{
	{"functionArn", "The function."},
	{"functionName", "The function's name."},
	{"roleArn", "The role that it has."},
	{"deadLetterUrl", "The queue of events that failed for good."},
	{"logGroup", "Its log group."},
}

var functionInputs = inputsOf[FunctionInputs]("Inputs of secure-function", functionExample)

// SecureFunction is a Lambda function in a baseline's VPC.
var SecureFunction = withOrder(Blueprint{
	Name: "secure-function", Version: "1.0.0", OnBaseline: true,
	Summary: "A signed Lambda function in a baseline's VPC: least privilege, dead-letter queue, encryption, tracing, reserved concurrency.",
	Inputs:  functionInputs, Outputs: functionOutputs,
	Limits: provision.BlueprintLimits{Resources: 80, Minutes: 75},
	Change: map[string]string{InputsKey + ".timeoutSeconds": "60"},
	Drifts: []Drift{{
		Type: "aws:lambda/function:Function", Property: "timeout", Value: 900,
		Deed: "somebody lets the function run for a quarter of an hour, in the console",
	}},
	Release: map[string]string{InputsKey + ".forceDestroy": "true"},
}, order(functionInputs, deployFunction))

// functionName follows the prefix in the function's names.
const functionName = "function"

func deployFunction(ctx *pulumi.Context, in *FunctionInputs) error {
	p, err := in.open(ctx)
	if err != nil {
		return err
	}
	base, err := in.read(ctx, p)
	if err != nil {
		return err
	}
	platform, err := in.platform(ctx, p, base)
	if err != nil {
		return err
	}
	concurrency := workload.Unreserved
	if in.ReservedConcurrency > 0 {
		concurrency = in.ReservedConcurrency
	}
	variables := maps.Clone(in.Secrets)
	if variables == nil {
		variables = map[string]string{}
	}
	maps.Copy(variables, in.Variables)
	function, err := workload.NewFunction(ctx, p.prefix+"-"+functionName, &workload.FunctionArgs{
		Platform: platform, FunctionName: functionName, Description: in.Description,
		Code: &workload.FunctionCode{
			Bucket: in.Code.Bucket, Key: in.Code.Key, Version: in.Code.Version,
			Runtime: in.Code.Runtime, Handler: in.Code.Handler, Architecture: in.Code.Architecture,
		},
		MemoryMiB: in.MemoryMiB, TimeoutSeconds: in.TimeoutSeconds, Concurrency: concurrency, Retries: in.Retries,
		Variables: variables, Policies: in.policies(p, base, platform.KeyAlias),
	}, p.here())
	if err != nil {
		return err
	}
	return publish(ctx, functionOutputs, pulumi.Map{
		"functionArn":   function.Arn,
		"functionName":  pulumi.String(function.Name),
		"roleArn":       function.Role.Arn,
		"deadLetterUrl": function.DeadLetters.Url,
		"logGroup":      function.LogGroup.Name,
	})
}

// platform is what a function needs around it.
func (in *FunctionInputs) platform(ctx *pulumi.Context, p *place, base *baseline) (*workload.FunctionPlatform, error) {
	artifacts, app, err := in.artifacts(ctx, p)
	if err != nil {
		return nil, err
	}
	logs, err := p.newKey(ctx, "log", "Logs of "+p.prefix, in.KeyDeletionDays, false, data.KeyForLogs)
	if err != nil {
		return nil, err
	}
	signing, err := workload.NewCodeSigning(ctx, p.prefix+"-signing", &workload.CodeSigningArgs{
		Prefix: p.prefix, Policy: workload.SigningPolicy(in.Signing), Tags: p.tags,
	}, p.here())
	if err != nil {
		return nil, err
	}
	return &workload.FunctionPlatform{
		Scope: p.scope, Prefix: p.prefix, ArchiveDir: "none", Signing: signing, Artifacts: artifacts,
		SubnetIDs: pulumi.ToStringArray(base.AppSubnetIDs), SecurityGroupIDs: pulumi.ToStringArray([]string{base.SecurityGroupIDs.Lambda}),
		KmsKeyArn: app.Arn, KeyAlias: app.AliasName, LogKmsKeyArn: logs.Arn, LogRetentionInDays: in.LogDays, MaskLogs: true,
		PermissionsBoundary: base.BoundaryArn, Tags: p.tags,
	}, nil
}

// artifacts is the bucket of signed code, with the key that encrypts it and whatever
// else the function has.
func (in *FunctionInputs) artifacts(ctx *pulumi.Context, p *place) (*data.Bucket, *data.Key, error) {
	args := &data.BucketArgs{
		Scope: p.scope, Kind: data.Artifacts, BucketName: p.bucketName("code"), ForceDestroy: isTrue(in.ForceDestroy), Tags: p.tags,
	}
	code := kept{
		purpose: "code", key: "app", description: data.AppKeyDescription, deletionDays: in.KeyDeletionDays,
		users: []data.KeyUser{data.KeyForServiceGrants}, logDays: in.LogDays,
	}
	app, err := in.keyed(ctx, &in.Where, p, code, args)
	if err != nil {
		return nil, nil, err
	}
	if args.LogBucket, err = p.newLogBucket(ctx, in.LogDays, args.ForceDestroy, false); err != nil {
		return nil, nil, err
	}
	bucket, err := data.NewBucket(ctx, p.prefix+"-code", args, p.here())
	return bucket, app, err
}

// policies are what the function may do beyond running: read its secrets, and
// what was asked for.
func (in *FunctionInputs) policies(p *place, base *baseline, alias string) map[string]identity.Document {
	out := map[string]identity.Document{}
	for _, permission := range in.Permissions {
		out["permissions"] = append(out["permissions"], permission.statement())
	}
	if len(in.Secrets) == 0 {
		return out
	}
	var arns []string
	for _, arn := range in.Secrets {
		// With and without the six random characters behind a name.
		arns = append(arns, arn, arn+"-??????")
	}
	slices.Sort(arns)
	out["secrets"] = identity.Document{
		{Sid: "ReadSecrets", Effect: identity.Allow, Actions: []string{"secretsmanager:GetSecretValue"}, Resources: slices.Compact(arns)},
		{
			Sid: "DecryptSecrets", Effect: identity.Allow, Actions: []string{"kms:Decrypt"}, Resources: []string{p.scope.ARN("kms", "key/*")},
			Conditions: []identity.Condition{
				{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{alias, base.KmsKeys.App.Alias}},
				{Test: "StringEquals", Key: "kms:ViaService", Values: []string{strings.Join([]string{"secretsmanager", p.scope.Region, "amazonaws.com"}, ".")}},
			},
		},
	}
	return out
}
