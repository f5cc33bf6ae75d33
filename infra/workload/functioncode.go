package workload

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/signer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// buildCode uploads the archive and has it signed. Lambda verifies signatures
// of objects in S3 only: an archive that Pulumi uploads with the function is
// refused under Enforce, signed or not (aws-cdk#29474).
func (c *Function) buildCode(ctx *pulumi.Context, name string, args *FunctionArgs) error {
	p := args.Platform
	if args.Code != nil {
		return c.sign(ctx, name, args, &signer.SigningJobSourceS3Args{
			Bucket: pulumi.String(args.Code.Bucket), Key: pulumi.String(args.Code.Key), Version: pulumi.String(args.Code.Version),
		})
	}
	// The digest in the key makes new code a new object, a new job and so an
	// update of the function; and unchanged code none of them.
	object, err := s3.NewBucketObjectv2(ctx, name+"-archive", &s3.BucketObjectv2Args{
		Bucket:               p.Artifacts.Name,
		Key:                  pulumi.String("unsigned/" + args.FunctionName + "/" + c.archive.SHA256 + ".zip"),
		Source:               pulumi.NewFileAsset(c.archive.Path),
		SourceHash:           pulumi.String(c.archive.SHA256),
		ContentType:          pulumi.String("application/zip"),
		ServerSideEncryption: pulumi.String("aws:kms"),
		KmsKeyId:             p.KmsKeyArn.ToStringOutput(),
		Tags:                 withName(p.Tags, c.Name),
	}, pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{p.Artifacts.Versioning}))
	if err != nil {
		return err
	}
	return c.sign(ctx, name, args, &signer.SigningJobSourceS3Args{Bucket: object.Bucket, Key: object.Key, Version: object.VersionId})
}

// sign has an archive signed, from wherever it is into the stack's own bucket.
func (c *Function) sign(ctx *pulumi.Context, name string, args *FunctionArgs, from *signer.SigningJobSourceS3Args) error {
	p := args.Platform
	job, err := signer.NewSigningJob(ctx, name+"-signature", &signer.SigningJobArgs{
		ProfileName: p.Signing.ProfileName,
		Source:      &signer.SigningJobSourceArgs{S3: from},
		Destination: &signer.SigningJobDestinationArgs{S3: &signer.SigningJobDestinationS3Args{
			Bucket: p.Artifacts.Name, Prefix: pulumi.String("signed/" + args.FunctionName + "/"),
		}},
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.signed = job.SignedObjects.ApplyT(signedKey).(pulumi.StringOutput)
	return nil
}

// signedKey is the key of the one signed object. The SDK's own Index(0) panics
// on an empty list.
func signedKey(objects []signer.SigningJobSignedObject) (string, error) {
	for _, o := range objects {
		for _, s := range o.S3s {
			if s.Key != nil && *s.Key != "" {
				return *s.Key, nil
			}
		}
	}
	return "", errNoSignature
}
