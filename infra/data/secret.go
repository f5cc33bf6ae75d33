package data

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// SecretComponent is a secret that named roles read and that is rotated.
var SecretComponent = guide.Component{
	Token: "redoubt:data:Secret",
	Serves: []guide.ID{
		guide.OverviewDataKMS,
		guide.OverviewDataTLS,
		guide.OverviewDataSecrets,
		guide.OverviewIdentityResourcePolicies,
		guide.PracticesKMSSecretsRotation,
		guide.PracticesAuthorizationResourcePolicies,
	},
}

// SecretArgs describes a secret. Its value is no part of it: a value given
// here would rest in the stack's state. The rotation function or a writer puts
// it in.
type SecretArgs struct {
	Scope identity.Scope
	// SecretName is the physical name, for example "redoubt-dev/payments". It
	// stays reserved for RecoveryWindowInDays after a deletion
	// (terraform-provider-aws#4467).
	SecretName string
	// Description says what the secret opens.
	Description string
	// KmsKeyArn encrypts the value; KeyAlias, "alias/…", is how policies name it.
	KmsKeyArn pulumi.StringInput
	KeyAlias  string
	// RecoveryWindowInDays is 7 to 30, or 0 to delete at once.
	RecoveryWindowInDays int
	// ReaderRoles are the names of the roles that may read the value. Every
	// other principal of the account is denied, administrators included.
	ReaderRoles []string
	// WriterRoles are the names of the roles that may set the value by hand.
	WriterRoles []string
	// OrgID, "o-…", denies everyone outside the organization; empty for none.
	OrgID string
	// RotateAfterDays is how old the value may get, 1 to 1000. The tags
	// "rotation" and "rotate-after-days" say it to who looks.
	RotateAfterDays int
	// Rotation is the function that rotates; nil where writers do it by hand.
	// Then nothing but an alarm on age notices that nobody did: the Config rule
	// monitoring.SecretAgeRule, with one age for all secrets of the account's
	// region, not this RotateAfterDays.
	Rotation *SecretRotation
	// Replicas are copies in other regions.
	Replicas []SecretReplica
	// Protect keeps the secret when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// SecretRotation is the Lambda function that rotates a secret.
type SecretRotation struct {
	FunctionArn pulumi.StringInput
	// RoleName is the physical name of the function's role, which may read and
	// write the value.
	RoleName string
	// Immediately rotates as soon as the rotation is configured: the way to
	// the first value, if the function can make it.
	Immediately bool
}

// SecretReplica is a copy of a secret in another region, with the policy and
// the tags of the first.
type SecretReplica struct {
	Region string
	// KmsKeyArn is a key of that region: the replica of a multi-region key, or
	// another.
	KmsKeyArn pulumi.StringInput
}

// Secret is a secret that is encrypted with a key of ours and read by named
// roles only.
type Secret struct {
	pulumi.ResourceState

	Secret *secretsmanager.Secret
	Arn    pulumi.StringOutput
	// Ready are the policy and the rotation: what reads the secret waits for them.
	Ready []pulumi.Resource
	// PhysicalName, KeyAlias, Scope and the names of the Readers are known at
	// preview, for policies.
	PhysicalName string
	KeyAlias     string
	Scope        identity.Scope
	Readers      []string
}

// Read are the statements by which a role reads the value, for its own policy;
// its name must be one of Readers.
func (c *Secret) Read() identity.Document {
	return identity.Document{{
		Sid: "ReadSecret", Effect: identity.Allow, Actions: readSecret,
		// Six characters that nobody knows at preview end the ARN.
		Resources: []string{c.Scope.ARN("secretsmanager", "secret:"+c.PhysicalName+"-??????")},
	}, {
		Sid: "DecryptSecret", Effect: identity.Allow, Actions: []string{"kms:Decrypt"},
		Resources: []string{c.Scope.ARN("kms", "key/*")},
		Conditions: []identity.Condition{
			{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{c.KeyAlias}},
			{Test: "StringEquals", Key: "kms:ViaService", Values: []string{c.Scope.RegionalService("secretsmanager")}},
		},
	}}
}

// NewSecret makes the secret. The error joins every finding in args.
func NewSecret(ctx *pulumi.Context, name string, args *SecretArgs, opts ...pulumi.ResourceOption) (*Secret, error) {
	policy, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", name, err)
	}
	c := &Secret{PhysicalName: args.SecretName, KeyAlias: args.KeyAlias, Scope: args.Scope, Readers: args.readers()}
	if err := ctx.RegisterComponentResource(SecretComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("secret %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args, policy); err != nil {
		return nil, fmt.Errorf("secret %q: %w", name, err)
	}
	if args.Rotation != nil {
		if err := c.rotate(ctx, name, args); err != nil {
			return nil, fmt.Errorf("secret %q: rotation: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "name": pulumi.String(c.PhysicalName)})
}

func (c *Secret) build(ctx *pulumi.Context, name string, args *SecretArgs, policy string) error {
	var replicas secretsmanager.SecretReplicaArray
	for _, r := range args.Replicas {
		replicas = append(replicas, &secretsmanager.SecretReplicaArgs{
			Region: pulumi.String(r.Region), KmsKeyId: r.KmsKeyArn.ToStringOutput(),
		})
	}
	var err error
	c.Secret, err = secretsmanager.NewSecret(ctx, name+"-secret", &secretsmanager.SecretArgs{
		Name:                 pulumi.String(args.SecretName),
		Description:          pulumi.String(args.Description),
		KmsKeyId:             args.KmsKeyArn.ToStringOutput(),
		RecoveryWindowInDays: pulumi.Int(args.RecoveryWindowInDays),
		Replicas:             replicas,
		Tags:                 args.tags(),
	}, append(kept(args.Protect), pulumi.Parent(c))...)
	if err != nil {
		return err
	}
	c.Arn = c.Secret.Arn
	attached, err := secretsmanager.NewSecretPolicy(ctx, name+"-policy", &secretsmanager.SecretPolicyArgs{
		SecretArn:         c.Secret.Arn,
		Policy:            pulumi.String(policy),
		BlockPublicPolicy: pulumi.Bool(true),
	}, pulumi.Parent(c))
	c.Ready = append(c.Ready, attached)
	return err
}

// rotate lets Secrets Manager call the function for this secret, and sets the
// days. Secrets Manager calls the function when it takes the rotation, so the
// right and the policy come first.
func (c *Secret) rotate(ctx *pulumi.Context, name string, args *SecretArgs) error {
	permission, err := lambda.NewPermission(ctx, name+"-rotation", &lambda.PermissionArgs{
		Action:        pulumi.String("lambda:InvokeFunction"),
		Function:      args.Rotation.FunctionArn.ToStringOutput(),
		Principal:     pulumi.String("secretsmanager.amazonaws.com"),
		SourceAccount: pulumi.String(args.Scope.AccountID),
		SourceArn:     c.Arn,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	rotation, err := secretsmanager.NewSecretRotation(ctx, name+"-rotation", &secretsmanager.SecretRotationArgs{
		SecretId:          c.Arn,
		RotationLambdaArn: args.Rotation.FunctionArn.ToStringOutput().ToStringPtrOutput(),
		RotateImmediately: pulumi.Bool(args.Rotation.Immediately),
		RotationRules: &secretsmanager.SecretRotationRotationRulesArgs{
			AutomaticallyAfterDays: pulumi.Int(args.RotateAfterDays),
		},
	}, pulumi.Parent(c), pulumi.DependsOn(append([]pulumi.Resource{permission}, c.Ready...)))
	c.Ready = append(c.Ready, rotation)
	return err
}
