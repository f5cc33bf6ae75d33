// Package data keeps the stack's data: KMS keys, buckets with their
// replication, secrets, the Aurora cluster with its proxy, the OpenSearch
// domain with the logs that flow into it, and the backups of it all.
package data

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// KeyComponent is an encryption key with its policy, alias and replica.
var KeyComponent = guide.Component{
	Token: "redoubt:data:Key",
	Serves: []guide.ID{
		guide.OverviewDataKMS,
		guide.ArchitectureAtRestKeyRotation,
		guide.PracticesKMSKeyRotation,
		guide.PracticesKMSKeyPolicies,
		guide.PracticesKMSMultiRegionKeys,
		guide.ConfigurationsKMSKey,
		guide.ConfigurationsKMSDeletionWindow,
		guide.ConfigurationsKMSRotation,
		guide.ConfigurationsKMSMultiRegion,
		guide.ConfigurationsKMSOrgCondition,
	},
}

// AppKeyDescription is the guide's description of the application's key.
const AppKeyDescription = "Application encryption key"

// rotationDays is how often KMS makes new key material, unless told otherwise.
const rotationDays = 365

// KeyArgs describes a key.
type KeyArgs struct {
	// Scope is where the key lives.
	Scope identity.Scope
	// Alias is the alias without "alias/", for example "redoubt-dev-app". IAM
	// policies name the key by it, because its id is unknown at preview.
	Alias string
	// Description says what the key encrypts; AppKeyDescription for the application's.
	Description string
	// DeletionWindowInDays is 7 to 30; the guide says 30.
	DeletionWindowInDays int
	// RotationPeriodInDays is how often KMS makes new key material, 90 to 2560;
	// 0 means 365.
	RotationPeriodInDays int
	// MultiRegion makes a key that can have replicas. It cannot change later.
	MultiRegion bool
	// Replica makes a copy in another region; needs MultiRegion.
	Replica *KeyReplica
	// OrgID is the organization whose principals may use the key, "o-…"; empty
	// outside an organization. It must be the account's own: a wrong id locks
	// everyone out, and KMS refuses to create such a key.
	OrgID string
	// Mode is how OrgID is enforced; empty means Perimeter.
	Mode KeyPolicyMode
	// Users are the services that use the key.
	Users []KeyUser
	// WorkloadRoles are the names of roles that use the key through services.
	WorkloadRoles []string
	// Protect keeps the key when the stack is destroyed: what it encrypted is
	// lost with it.
	Protect bool
	Tags    map[string]string
}

// KeyReplica is where the replica of a multi-region key lives.
type KeyReplica struct {
	Region   string
	Provider pulumi.ProviderResource
}

// Key is a symmetric KMS key that rotates itself.
type Key struct {
	pulumi.ResourceState

	Key     *kms.Key
	Replica *kms.ReplicaKey
	Arn     pulumi.StringOutput
	// KeyID is the part of the ARN behind "key/".
	KeyID pulumi.StringOutput
	// ReplicaArn is set if the key has a replica. S3 and Aurora treat
	// multi-region keys as keys of their region: name this one over there.
	ReplicaArn pulumi.StringOutput
	// AliasName is "alias/…", known at preview.
	AliasName string
}

var (
	aliasForm = regexp.MustCompile(`^[a-zA-Z0-9/_-]{1,250}$`)
	// aliasNameForm is an alias as policies name it.
	aliasNameForm = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]{1,250}$`)
	orgIDForm     = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
)

// NewKey makes the key. The error joins every finding in args.
func NewKey(ctx *pulumi.Context, name string, args *KeyArgs, opts ...pulumi.ResourceOption) (*Key, error) {
	policies, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	c := &Key{AliasName: "alias/" + args.Alias}
	if err := ctx.RegisterComponentResource(KeyComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("key %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args, policies[0]); err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	outputs := pulumi.Map{"arn": c.Arn, "keyId": c.KeyID, "alias": pulumi.String(c.AliasName)}
	if args.Replica != nil {
		if err := c.replicate(ctx, name, args, policies[1]); err != nil {
			return nil, fmt.Errorf("key %q: replica: %w", name, err)
		}
		outputs["replicaArn"] = c.ReplicaArn
	}
	return c, ctx.RegisterResourceOutputs(c, outputs)
}

func (c *Key) build(ctx *pulumi.Context, name string, args *KeyArgs, policy string) error {
	var err error
	rotation := cmp.Or(args.RotationPeriodInDays, rotationDays)
	c.Key, err = kms.NewKey(ctx, name+"-key", &kms.KeyArgs{
		Description:          pulumi.String(args.Description),
		DeletionWindowInDays: pulumi.Int(args.DeletionWindowInDays),
		EnableKeyRotation:    pulumi.Bool(true),
		RotationPeriodInDays: pulumi.Int(rotation),
		MultiRegion:          pulumi.Bool(args.MultiRegion),
		Policy:               pulumi.String(policy),
		Tags:                 tagged(args.Tags, args.Alias),
	}, append(kept(args.Protect), pulumi.Parent(c))...)
	if err != nil {
		return err
	}
	c.Arn, c.KeyID = c.Key.Arn, c.Key.KeyId
	_, err = kms.NewAlias(ctx, name+"-alias", &kms.AliasArgs{
		Name:        pulumi.String(c.AliasName),
		TargetKeyId: c.Key.KeyId,
	}, pulumi.Parent(c))
	return err
}

// replicate makes the copy and its alias. A replica has a policy and tags of
// its own; rotation comes from the primary.
func (c *Key) replicate(ctx *pulumi.Context, name string, args *KeyArgs, policy string) error {
	there := []pulumi.ResourceOption{pulumi.Parent(c), pulumi.Provider(args.Replica.Provider)}
	var err error
	c.Replica, err = kms.NewReplicaKey(ctx, name+"-replica", &kms.ReplicaKeyArgs{
		PrimaryKeyArn:        c.Key.Arn,
		Description:          pulumi.String(args.Description),
		DeletionWindowInDays: pulumi.Int(args.DeletionWindowInDays),
		Policy:               pulumi.String(policy),
		Tags:                 tagged(args.Tags, args.Alias),
	}, append(kept(args.Protect), there...)...)
	if err != nil {
		return err
	}
	c.ReplicaArn = c.Replica.Arn
	_, err = kms.NewAlias(ctx, name+"-replica-alias", &kms.AliasArgs{
		Name:        pulumi.String(c.AliasName),
		TargetKeyId: c.Replica.KeyId,
	}, there...)
	return err
}

// render returns the policy documents of the key and, if it has one, of its
// replica.
func (args *KeyArgs) render() ([]string, error) {
	if args == nil {
		return nil, errors.New("args: nil (pass &data.KeyArgs{…})")
	}
	findings := args.check()
	scopes := []identity.Scope{args.Scope}
	if args.Replica != nil {
		scopes = append(scopes, args.Scope.In(args.Replica.Region))
	}
	var policies []string
	for _, scope := range scopes {
		policy, err := args.policy(scope).JSON(identity.KeyPolicy)
		if err != nil {
			findings = append(findings, fmt.Errorf("policy in %s: %w", scope.Region, err))
		}
		policies = append(policies, policy)
	}
	return policies, errors.Join(findings...)
}

func (args *KeyArgs) check() []error {
	findings := checkScope(args.Scope)
	if !aliasForm.MatchString(args.Alias) || strings.HasPrefix(args.Alias, "aws/") {
		findings = append(findings, fmt.Errorf("alias: %q (letters, digits and /_-, without \"alias/\" and not under aws/)", args.Alias))
	}
	if args.Description == "" {
		findings = append(findings, errors.New("description: empty (say what the key encrypts)"))
	}
	if d := args.DeletionWindowInDays; d < 7 || d > 30 {
		findings = append(findings, fmt.Errorf("deletionWindowInDays: %d (7 to 30; the guide says 30)", d))
	}
	if d := args.RotationPeriodInDays; d != 0 && (d < 90 || d > 2560) {
		findings = append(findings, fmt.Errorf("rotationPeriodInDays: %d (90 to 2560, or 0 for %d)", d, rotationDays))
	}
	if args.OrgID != "" && !orgIDForm.MatchString(args.OrgID) {
		findings = append(findings, fmt.Errorf("orgId: %q (o- and 10 to 32 lower-case letters and digits; empty outside an organization)", args.OrgID))
	}
	if !slices.Contains([]KeyPolicyMode{"", Perimeter, Guide}, args.Mode) {
		findings = append(findings, fmt.Errorf("mode: %q (perimeter or guide)", args.Mode))
	}
	for i, u := range args.Users {
		if _, known := keyUsers[u]; !known {
			findings = append(findings, fmt.Errorf("users[%d]: %q is not in the table of key users (use a data.KeyFor… constant)", i, u))
		}
		if slices.Index(args.Users, u) != i {
			findings = append(findings, fmt.Errorf("users[%d]: %q twice (name it once)", i, u))
		}
		if u == KeyForFargate && args.MultiRegion {
			findings = append(findings, fmt.Errorf("users[%d]: %q with multiRegion (Fargate storage takes single-region keys only: give it a key of its own)", i, u))
		}
	}
	return append(findings, args.checkReplica()...)
}

func (args *KeyArgs) checkReplica() []error {
	if args.Replica == nil {
		return nil
	}
	var findings []error
	if !args.MultiRegion {
		findings = append(findings, errors.New("replica: the key is not multi-region (set multiRegion, which an existing key cannot change)"))
	}
	if args.Replica.Region == "" || args.Replica.Region == args.Scope.Region {
		findings = append(findings, fmt.Errorf("replica.region: %q (another region than the key's %q)", args.Replica.Region, args.Scope.Region))
	}
	if args.Replica.Provider == nil {
		findings = append(findings, errors.New("replica.provider: nil (pass the provider of the replica's region)"))
	}
	return findings
}
