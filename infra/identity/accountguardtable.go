package identity

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/xray"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// accountGuard is a row: the setting and how to make it.
type accountGuard struct {
	guard Guard
	name  string
	set   func(*pulumi.Context, string, *AccountGuardsArgs, ...pulumi.ResourceOption) (pulumi.Resource, error)
	// key is the key that the setting names; nil where it names none.
	key func(*AccountGuardsArgs) pulumi.StringInput
}

// accountGuards is every guard, with the AWS Foundational Security Best
// Practices control, or the page, that asks for it.
// https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html
var accountGuards = []accountGuard{
	{GuardS3PublicAccess, "s3-public-access", blockPublicBuckets, nil},       // S3.1
	{GuardEBSEncryption, "ebs-encryption", encryptVolumes, nil},              // EC2.7
	{GuardEBSKey, "ebs-key", nameVolumeKey, volumeKey},                       // EC2.7, with a key of ours
	{GuardSnapshotPublicAccess, "snapshots", blockPublicSnapshots, nil},      // EC2.182, and EC2.1's cause
	{GuardImagePublicAccess, "images", blockPublicImages, nil},               // AWSEC2/latest/UserGuide/block-public-access-to-amis.html
	{GuardInstanceMetadata, "instance-metadata", requireMetadataTokens, nil}, // EC2.8's cause
	{GuardSerialConsole, "serial-console", closeSerialConsole, nil},          // AWSEC2/latest/UserGuide/configure-access-to-serial-console.html
	{GuardTraceKey, "trace-key", nameTraceKey, traceKey},                     // xray/latest/devguide/xray-console-encryption.html
}

func blockPublicBuckets(ctx *pulumi.Context, name string, _ *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return s3.NewAccountPublicAccessBlock(ctx, name, &s3.AccountPublicAccessBlockArgs{
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, opts...)
}

func encryptVolumes(ctx *pulumi.Context, name string, _ *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return ebs.NewEncryptionByDefault(ctx, name, &ebs.EncryptionByDefaultArgs{Enabled: pulumi.Bool(true)}, opts...)
}

func nameVolumeKey(ctx *pulumi.Context, name string, args *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return ebs.NewDefaultKmsKey(ctx, name, &ebs.DefaultKmsKeyArgs{KeyArn: args.EBSKeyArn}, opts...)
}

func volumeKey(args *AccountGuardsArgs) pulumi.StringInput { return args.EBSKeyArn }

func blockPublicSnapshots(ctx *pulumi.Context, name string, _ *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return ebs.NewSnapshotBlockPublicAccess(ctx, name, &ebs.SnapshotBlockPublicAccessArgs{State: pulumi.String("block-all-sharing")}, opts...)
}

func blockPublicImages(ctx *pulumi.Context, name string, _ *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return ec2.NewImageBlockPublicAccess(ctx, name, &ec2.ImageBlockPublicAccessArgs{State: pulumi.String("block-new-sharing")}, opts...)
}

// requireMetadataTokens sets IMDSv2. Two hops let a container on the instance
// reach the service, which is one hop more than the instance itself.
func requireMetadataTokens(ctx *pulumi.Context, name string, _ *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return ec2.NewInstanceMetadataDefaults(ctx, name, &ec2.InstanceMetadataDefaultsArgs{
		HttpEndpoint:            pulumi.String("enabled"),
		HttpTokens:              pulumi.String("required"),
		HttpPutResponseHopLimit: pulumi.Int(2),
	}, opts...)
}

func closeSerialConsole(ctx *pulumi.Context, name string, _ *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return ec2.NewSerialConsoleAccess(ctx, name, &ec2.SerialConsoleAccessArgs{Enabled: pulumi.Bool(false)}, opts...)
}

// nameTraceKey has X-Ray encrypt what it stores from now on.
func nameTraceKey(ctx *pulumi.Context, name string, args *AccountGuardsArgs, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
	return xray.NewEncryptionConfig(ctx, name, &xray.EncryptionConfigArgs{
		Type: pulumi.String("KMS"), KeyId: args.TraceKeyArn.ToStringOutput().ToStringPtrOutput(),
	}, opts...)
}

func traceKey(args *AccountGuardsArgs) pulumi.StringInput { return args.TraceKeyArn }
