package workload

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// DatabaseUserSecretComponent is an application's database password.
var DatabaseUserSecretComponent = guide.Component{
	Token: "redoubt:workload:DatabaseUserSecret",
	Serves: []guide.ID{
		guide.OverviewDataSecrets,
		guide.OverviewIdentityResourcePolicies,
		guide.PracticesKMSSecretsRotation,
		guide.PracticesAuthorizationResourcePolicies,
	},
}

// DatabaseUserSecretArgs describes the secret of an application that logs in
// to PostgreSQL with a password. (With IAM authentication it needs none.)
type DatabaseUserSecretArgs struct {
	Platform *FunctionPlatform
	// SecretName follows "<prefix>/" in the physical name, which ends in random
	// letters: a name that was deleted stays taken for the recovery window.
	SecretName string
	// Role is what the application is in the database: it owns the
	// application's tables, and its two users are members of it. Lower-case
	// letters, digits and _. It must not be a user of IAM authentication,
	// which passwords do not open.
	Role string
	// Database is where.
	Database DatabaseUserTarget
	// ReaderRoleNames are the roles that may read the secret; nobody else may,
	// whatever their own policies say.
	ReaderRoleNames []string
	// RotationDays is 1 to 1000.
	RotationDays int
	// RecoveryWindowDays is 7 to 30, or 0 to delete at once.
	RecoveryWindowDays int
	// Replicas are the other regions that have a copy.
	Replicas []SecretReplica
}

// DatabaseUserTarget is the cluster and the database in it.
type DatabaseUserTarget struct {
	// ClusterIdentifier is the Aurora cluster's.
	ClusterIdentifier string
	// Host is the writer's, Port 5432 if 0, Name the database's.
	Host pulumi.StringInput
	Port int
	Name string
	// AdminSecretArn is the secret that RDS manages for the cluster's master user.
	AdminSecretArn pulumi.StringInput
	// Authorities are the certificates, in PEM, of who may have signed the
	// server's: for Aurora the region's root of rds-ca-rsa2048-g1, from
	// https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem. Not
	// the whole bundle: the environment holds 4 KB. Empty for the authorities
	// that the function's runtime trusts.
	Authorities string
}

// SecretReplica is a copy in another region, encrypted with a key over there.
type SecretReplica struct {
	Region    string
	KmsKeyArn pulumi.StringInput
}

// DatabaseUserSecret is a secret without a value of ours: the rotation makes
// the first one at deployment, so that no password is ever in Pulumi's state.
// The value is JSON with host, port, dbname, username and password.
type DatabaseUserSecret struct {
	pulumi.ResourceState

	Secret   *secretsmanager.Secret
	Rotation *secretsmanager.SecretRotation
	// Function rotates it.
	Function *Function
	Arn      pulumi.StringOutput
	// ArnPattern is Arn with wildcards for the random letters, known at
	// preview, for the policies of its readers.
	ArnPattern string
}

// NewDatabaseUserSecret makes the secret, its rotation function and its
// schedule. The error joins every finding in args.
func NewDatabaseUserSecret(ctx *pulumi.Context, name string, args *DatabaseUserSecretArgs, opts ...pulumi.ResourceOption) (*DatabaseUserSecret, error) {
	policy, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("database user secret %q: %w", name, err)
	}
	c := &DatabaseUserSecret{ArnPattern: args.secretARN()}
	if err := ctx.RegisterComponentResource(DatabaseUserSecretComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("database user secret %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args, policy); err != nil {
		return nil, fmt.Errorf("database user secret %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"secretArn": c.Arn})
}

func (c *DatabaseUserSecret) build(ctx *pulumi.Context, name string, args *DatabaseUserSecretArgs, policy string) (err error) {
	if c.Secret, err = secretsmanager.NewSecret(ctx, name+"-secret", args.secret(), pulumi.Parent(c)); err != nil {
		return err
	}
	c.Arn = c.Secret.Arn
	access, err := secretsmanager.NewSecretPolicy(ctx, name+"-policy", &secretsmanager.SecretPolicyArgs{
		SecretArn: c.Secret.Arn, Policy: pulumi.String(policy), BlockPublicPolicy: pulumi.Bool(true),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	if c.Function, err = NewFunction(ctx, name+"-rotate", args.function(), pulumi.Parent(c)); err != nil {
		return err
	}
	// The secret's ARN is not in the permission: Secrets Manager tries the
	// function when the rotation is set, with the account alone.
	permission, err := c.Function.Allow(ctx, name+"-rotate", Invoker{Principal: "secretsmanager.amazonaws.com", OwnAccount: true})
	if err != nil {
		return err
	}
	// The first rotation starts at once, so all that it needs must be there.
	needs := slices.Concat(args.Platform.After, c.Function.Role.Rights, []pulumi.Resource{access, permission})
	c.Rotation, err = secretsmanager.NewSecretRotation(ctx, name+"-rotation", &secretsmanager.SecretRotationArgs{
		SecretId: c.Secret.ID(), RotationLambdaArn: c.Function.Arn, RotateImmediately: pulumi.Bool(true),
		RotationRules: &secretsmanager.SecretRotationRotationRulesArgs{AutomaticallyAfterDays: pulumi.Int(args.RotationDays)},
	}, pulumi.Parent(c), pulumi.DependsOn(needs))
	return err
}

func (args *DatabaseUserSecretArgs) physicalName() string {
	return args.Platform.Prefix + "/" + args.SecretName
}

func (args *DatabaseUserSecretArgs) secret() *secretsmanager.SecretArgs {
	in := &secretsmanager.SecretArgs{
		NamePrefix:           pulumi.String(args.physicalName() + "-"),
		Description:          pulumi.String("Password of " + args.Role + " in " + args.Database.ClusterIdentifier + "/" + args.Database.Name + "; rotated, never set"),
		KmsKeyId:             args.Platform.KmsKeyArn.ToStringOutput(),
		RecoveryWindowInDays: pulumi.Int(args.RecoveryWindowDays),
		Tags:                 withName(args.Platform.Tags, args.physicalName()),
	}
	var replicas secretsmanager.SecretReplicaArray
	for _, r := range args.Replicas {
		replicas = append(replicas, &secretsmanager.SecretReplicaArgs{Region: pulumi.String(r.Region), KmsKeyId: r.KmsKeyArn.ToStringOutput()})
	}
	if len(replicas) > 0 {
		in.Replicas = replicas
	}
	return in
}

func (args *DatabaseUserSecretArgs) function() *FunctionArgs {
	variables := map[string]string{
		"DATABASE_PORT": fmt.Sprint(args.Database.port()), "DATABASE_NAME": args.Database.Name, "DATABASE_ROLE": args.Role,
	}
	if args.Database.Authorities != "" {
		variables["DATABASE_CA"] = args.Database.Authorities
	}
	return &FunctionArgs{
		Platform: args.Platform, FunctionName: "rotate-" + args.SecretName, Program: "rotate",
		Description: "Rotates " + args.physicalName() + " for AWS Secrets Manager",
		MemoryMiB:   256, TimeoutSeconds: 60,
		// Not reserved: Secrets Manager runs one rotation of a secret at a time.
		Concurrency: Unreserved, Retries: 2,
		Variables:  variables,
		Parameters: map[string]pulumi.StringInput{"DATABASE_HOST": args.Database.Host, "ADMIN_SECRET_ARN": args.Database.AdminSecretArn},
		Policies:   map[string]identity.Document{"rotate": args.rotatePolicy()},
	}
}

func (t DatabaseUserTarget) port() int {
	if t.Port == 0 {
		return 5432
	}
	return t.Port
}
