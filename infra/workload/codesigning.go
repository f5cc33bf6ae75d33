package workload

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/signer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// CodeSigningComponent is the stack's signature and what Lambda does without it.
var CodeSigningComponent = guide.Component{
	Token:  "redoubt:workload:CodeSigning",
	Serves: []guide.ID{guide.OverviewIdentityCodeSigning, guide.PracticesLambdaCodeSigning},
}

// signaturePlatform is the only one of AWS Signer that Lambda verifies.
const signaturePlatform = "AWSLambda-SHA384-ECDSA"

// signatureMonths is how long a signature holds: the most that Signer has for
// Lambda, because Lambda checks at deployment and not at each start.
const signatureMonths = 135

// SigningPolicy is what Lambda does with code that nobody trusted signed.
type SigningPolicy string

// The policies.
const (
	// SigningEnforce refuses to deploy it.
	SigningEnforce SigningPolicy = "Enforce"
	// SigningWarn deploys it and notes it in a metric.
	SigningWarn SigningPolicy = "Warn"
)

// CodeSigningArgs describes the signature. Prefix and Policy are required.
type CodeSigningArgs struct {
	// Prefix starts the physical names, for example "redoubt-dev".
	Prefix string
	Policy SigningPolicy
	Tags   map[string]string
}

// CodeSigning is a signing profile and the configuration that makes functions
// trust it alone. Signer signs only objects of S3 buckets with versions, and
// only ZIP archives; Function does both.
type CodeSigning struct {
	pulumi.ResourceState

	// ConfigArn is for the functions, ProfileName for the signing jobs.
	ConfigArn, ProfileName pulumi.StringOutput
	// ProfileVersionArn is what the functions trust.
	ProfileVersionArn pulumi.StringOutput
	Policy            SigningPolicy
}

// NewCodeSigning makes the profile and the configuration. The error joins
// every finding in args.
func NewCodeSigning(ctx *pulumi.Context, name string, args *CodeSigningArgs, opts ...pulumi.ResourceOption) (*CodeSigning, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("code signing %q: %w", name, err)
	}
	c := &CodeSigning{Policy: args.Policy}
	if err := ctx.RegisterComponentResource(CodeSigningComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("code signing %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("code signing %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"codeSigningConfigArn": c.ConfigArn, "signingProfileVersionArn": c.ProfileVersionArn,
	})
}

func (c *CodeSigning) build(ctx *pulumi.Context, name string, args *CodeSigningArgs) error {
	// A profile's name can never be used again, even after the profile is
	// canceled: so only its start is ours. Signer allows no hyphens in it.
	profile, err := signer.NewSigningProfile(ctx, name+"-profile", &signer.SigningProfileArgs{
		NamePrefix: pulumi.String(strings.ReplaceAll(args.Prefix, "-", "_") + "_"),
		PlatformId: pulumi.String(signaturePlatform),
		SignatureValidityPeriod: &signer.SigningProfileSignatureValidityPeriodArgs{
			Type: pulumi.String("MONTHS"), Value: pulumi.Int(signatureMonths),
		},
		Tags: withName(args.Tags, args.Prefix+"-signing"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	config, err := lambda.NewCodeSigningConfig(ctx, name+"-config", &lambda.CodeSigningConfigArgs{
		Description: pulumi.String("Functions of " + args.Prefix + " run code that this stack signed"),
		AllowedPublishers: &lambda.CodeSigningConfigAllowedPublishersArgs{
			SigningProfileVersionArns: pulumi.StringArray{profile.VersionArn},
		},
		Policies: &lambda.CodeSigningConfigPoliciesArgs{
			UntrustedArtifactOnDeployment: pulumi.String(string(args.Policy)),
		},
		Tags: withName(args.Tags, args.Prefix+"-signing"),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.ConfigArn, c.ProfileName, c.ProfileVersionArn = config.Arn, profile.Name, profile.VersionArn
	return nil
}

func (args *CodeSigningArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &workload.CodeSigningArgs{…})")
	}
	var f findings
	f.refuse(!prefixForm.MatchString(args.Prefix), "prefix: %q (2 to 28 lower-case letters, digits and hyphens, a letter first)", args.Prefix)
	f.refuse(args.Policy != SigningEnforce && args.Policy != SigningWarn,
		"policy: %q (Enforce, or Warn while unsigned functions are still there)", args.Policy)
	return f.err()
}
