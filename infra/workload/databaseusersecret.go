package workload

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/data"
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
	// SecretName follows "<prefix>/" in the physical name.
	SecretName string
	// Role is what the application is in the database: it owns the
	// application's tables, and its users are members of it. Lower-case
	// letters, digits and _. It must not be a user of IAM authentication,
	// which passwords do not open.
	Role string
	// User is the role's only user, for clients that must know its name
	// beforehand, such as an RDS proxy's; its logins with the old password fail
	// after a rotation. Empty for two users that take turns.
	User string
	// Database is where.
	Database DatabaseUserTarget
	// ReaderRoleNames are the roles that may read the secret; nobody else may,
	// whatever their own policies say.
	ReaderRoleNames []string
	// Concurrency is the rotation function's, as in FunctionArgs: 1 is enough,
	// for Secrets Manager runs one rotation of a secret at a time.
	Concurrency int
	// RotationDays is 1 to 1000.
	RotationDays int
	// RecoveryWindowDays is 7 to 30, or 0 to delete at once.
	RecoveryWindowDays int
	// OrgID, "o-…", denies everyone outside the organization; empty for none.
	OrgID string
	// Replicas are the other regions that have a copy.
	Replicas []data.SecretReplica
	// Protect keeps the secret when the stack is destroyed.
	Protect bool
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
	// Ready must exist before the first rotation: the cluster's instances.
	Ready []pulumi.Resource
	// Authorities are the certificates, in PEM, of who may have signed the
	// server's: for Aurora the region's root of rds-ca-rsa2048-g1, from
	// https://truststore.pki.rds.amazonaws.com/<region>/<region>-bundle.pem. Not
	// the whole bundle: the environment holds 4 KB. Empty for those that the
	// archive holds (pack -authorities).
	Authorities string
}

// DatabaseUserSecret is a secret without a value of ours: the rotation makes
// the first one at deployment, so that no password is ever in Pulumi's state.
// The value is JSON with host, port, dbname, username and password.
type DatabaseUserSecret struct {
	pulumi.ResourceState

	// Secret is the secret; its Read is for the policies of its readers.
	Secret *data.Secret
	// Function rotates it.
	Function *Function
	Arn      pulumi.StringOutput
}

// NewDatabaseUserSecret makes the secret, its rotation function and its
// schedule. The error joins every finding in args.
func NewDatabaseUserSecret(ctx *pulumi.Context, name string, args *DatabaseUserSecretArgs, opts ...pulumi.ResourceOption) (*DatabaseUserSecret, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("database user secret %q: %w", name, err)
	}
	c := &DatabaseUserSecret{}
	if err := ctx.RegisterComponentResource(DatabaseUserSecretComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("database user secret %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("database user secret %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"secretArn": c.Arn})
}

// build makes the function first: the secret's first rotation starts as soon as
// it can, and must find all that it needs. Its role names the secret before it
// is there.
func (c *DatabaseUserSecret) build(ctx *pulumi.Context, name string, args *DatabaseUserSecretArgs) (err error) {
	if c.Function, err = NewFunction(ctx, name+"-rotate", args.function(), pulumi.Parent(c)); err != nil {
		return err
	}
	p := args.Platform
	c.Secret, err = data.NewSecret(ctx, name, &data.SecretArgs{
		Scope: p.Scope, SecretName: args.physicalName(),
		Description: "Password of " + args.Role + " in " + args.Database.ClusterIdentifier + "/" + args.Database.Name,
		KmsKeyArn:   p.KmsKeyArn, KeyAlias: p.KeyAlias, RecoveryWindowInDays: args.RecoveryWindowDays,
		ReaderRoles: args.ReaderRoleNames, OrgID: args.OrgID, RotateAfterDays: args.RotationDays,
		Rotation: &data.SecretRotation{FunctionArn: c.Function.Arn, RoleName: args.roleName(), Immediately: true},
		Replicas: args.Replicas, Protect: args.Protect, Tags: p.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.Arn = c.Secret.Arn
	return nil
}

func (args *DatabaseUserSecretArgs) physicalName() string {
	return args.Platform.Prefix + "/" + args.SecretName
}

func (args *DatabaseUserSecretArgs) functionName() string { return "rotate-" + args.SecretName }

func (args *DatabaseUserSecretArgs) roleName() string {
	return FunctionRoleName(args.Platform.Prefix, args.functionName())
}

func (args *DatabaseUserSecretArgs) function() *FunctionArgs {
	platform := *args.Platform
	platform.After = slices.Concat(platform.After, args.Database.Ready)
	variables := map[string]string{
		"DATABASE_PORT": fmt.Sprint(args.Database.port()), "DATABASE_NAME": args.Database.Name, "DATABASE_ROLE": args.Role,
	}
	if args.User != "" {
		variables["DATABASE_USER"] = args.User
	}
	if args.Database.Authorities != "" {
		variables["DATABASE_CA"] = args.Database.Authorities
	}
	return &FunctionArgs{
		Platform: &platform, FunctionName: args.functionName(), Program: "rotate",
		Description: "Rotates " + args.physicalName() + " for AWS Secrets Manager",
		MemoryMiB:   256, TimeoutSeconds: 60, Concurrency: args.Concurrency, Retries: 2,
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
