package data

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// BackupComponent is the vault, the plan that fills it and the test that what
// is in it can be restored.
var BackupComponent = guide.Component{
	Token: "redoubt:data:Backup",
	Serves: []guide.ID{
		guide.OverviewDataKMS,
		guide.OverviewIdentityResourcePolicies,
		guide.ArchitectureLifecycleBackupRetention,
		guide.PracticesAuthorizationResourcePolicies,
	},
}

// BackupArgs describes the backups of a stack.
type BackupArgs struct {
	Scope identity.Scope
	// Prefix starts the physical names of vault, plan and roles, for example
	// "redoubt-prod".
	Prefix string
	// Tier is the value of the tag "backup" by which the plan selects: what
	// was made with the same BackupTier. Two stacks of one account need two
	// tiers, or each backs up the other's data.
	Tier string
	// KmsKeyArn encrypts the vault; the key is KeyForBackup's.
	KmsKeyArn pulumi.StringInput
	// Rules are when to back up and for how long; see BackupRules.
	Rules []BackupRule
	// Replica is a vault in another region, for the rules that copy; nil for
	// none.
	Replica *BackupReplica
	// Lock keeps everyone from deleting backups early; the zero value does not.
	Lock VaultLock
	// UnlockRoles are the names of the roles that may delete backups by hand
	// where no lock forbids it; empty for nobody.
	UnlockRoles []string
	// TopicArn hears of failed and finished jobs. Its policy lets
	// backup.amazonaws.com publish, its key is KeyForBackup's. Nil for none.
	TopicArn pulumi.StringInput
	// TopicReady is the topic's policy: what comes before it is lost.
	TopicReady []pulumi.Resource
	// RestoreTests prove every month that backups can be restored.
	RestoreTests []RestoreTest
	// RegionSettings are the account's choice, in the region, of services that
	// AWS Backup may back up. There is one: with Adopt and Off it stays as it is.
	RegionSettings singleton.Singleton
	// PermissionsBoundary caps the roles; empty for none.
	PermissionsBoundary string
	// ForceDestroy lets the stack's destroy delete the backups too.
	ForceDestroy bool
	// Protect keeps the vaults when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// BackupReplica is where the copies go.
type BackupReplica struct {
	Region   string
	Provider pulumi.ProviderResource
	// KmsKeyArn encrypts the copies; a key of that region.
	KmsKeyArn pulumi.StringInput
}

// Backup is a vault with its plan.
type Backup struct {
	pulumi.ResourceState

	Vault *backup.Vault
	// Replica is nil without one.
	Replica *backup.Vault
	Plan    *backup.Plan
	// VaultArn is the vault's in the stack's own region.
	VaultArn pulumi.StringOutput
	// VaultName is known at preview, in both regions.
	VaultName string
	// RestoreRole may restore what the vault holds.
	RestoreRole *identity.Role
}

// NewBackup makes the vaults, the plan and the restore tests. The error joins
// every finding in args.
func NewBackup(ctx *pulumi.Context, name string, args *BackupArgs, opts ...pulumi.ResourceOption) (*Backup, error) {
	policy, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("backup %q: %w", name, err)
	}
	c := &Backup{VaultName: args.vaultName()}
	if err := ctx.RegisterComponentResource(BackupComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("backup %q: register: %w", name, err)
	}
	b := &backupBuilder{ctx: ctx, name: name, args: args, c: c, policy: policy}
	for _, build := range []func() error{b.vaults, b.notifications, b.plan, b.restoreTests, b.regionSettings} {
		if err := build(); err != nil {
			return nil, fmt.Errorf("backup %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"vaultArn": c.VaultArn})
}

type backupBuilder struct {
	ctx    *pulumi.Context
	name   string
	args   *BackupArgs
	c      *Backup
	policy string
}

func (args *BackupArgs) vaultName() string { return args.Prefix + "-backup" }

func (b *backupBuilder) vaults() error {
	var err error
	if b.c.Vault, err = b.vault("", b.args.KmsKeyArn, pulumi.Parent(b.c)); err != nil {
		return err
	}
	b.c.VaultArn = b.c.Vault.Arn
	if r := b.args.Replica; r != nil {
		b.c.Replica, err = b.vault("-replica", r.KmsKeyArn, pulumi.Parent(b.c), pulumi.Provider(r.Provider))
	}
	return err
}

// vault makes a vault with its policy and its lock, under the same name in
// each region.
func (b *backupBuilder) vault(suffix string, key pulumi.StringInput, o ...pulumi.ResourceOption) (*backup.Vault, error) {
	vault, err := backup.NewVault(b.ctx, b.name+"-vault"+suffix, &backup.VaultArgs{
		Name:         pulumi.String(b.args.vaultName()),
		KmsKeyArn:    key.ToStringOutput(),
		ForceDestroy: pulumi.Bool(b.args.ForceDestroy),
		Tags:         tagged(b.args.Tags, b.args.vaultName()),
	}, append(kept(b.args.Protect), o...)...)
	if err != nil {
		return nil, err
	}
	if _, err = backup.NewVaultPolicy(b.ctx, b.name+"-vault-policy"+suffix, &backup.VaultPolicyArgs{
		BackupVaultName: vault.Name,
		Policy:          pulumi.String(b.policy),
	}, o...); err != nil {
		return nil, err
	}
	if b.args.Lock.on() {
		_, err = backup.NewVaultLockConfiguration(b.ctx, b.name+"-vault-lock"+suffix, b.args.Lock.configuration(vault.Name),
			append(kept(b.args.Protect), o...)...)
	}
	return vault, err
}

// vaultEvents are the jobs' ends. BACKUP_JOB_COMPLETED comes for failed and
// expired jobs too, with the state as a message attribute; the events named
// after those states are no longer sent.
// https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultNotifications.html
var vaultEvents = []string{
	"BACKUP_JOB_COMPLETED", "COPY_JOB_FAILED", "RECOVERY_POINT_MODIFIED", "RESTORE_JOB_COMPLETED",
	"S3_BACKUP_OBJECT_FAILED", "S3_RESTORE_OBJECT_FAILED",
}

// notifications are of the first vault: a copy's job reports where it started.
func (b *backupBuilder) notifications() error {
	if b.args.TopicArn == nil {
		return nil
	}
	_, err := backup.NewVaultNotifications(b.ctx, b.name+"-notifications", &backup.VaultNotificationsArgs{
		BackupVaultName:   b.c.Vault.Name,
		SnsTopicArn:       b.args.TopicArn.ToStringOutput(),
		BackupVaultEvents: pulumi.ToStringArray(vaultEvents),
	}, pulumi.Parent(b.c), pulumi.DependsOn(b.args.TopicReady))
	return err
}

// role makes a role that AWS Backup assumes, with policies of AWS's: what a
// backup of each service takes is AWS Backup's to know.
func (b *backupBuilder) role(purpose, description string, policies []string) (*identity.Role, error) {
	arns := make([]string, 0, len(policies))
	for _, p := range policies {
		arns = append(arns, "arn:"+b.args.Scope.Partition+":iam::aws:policy/"+p)
	}
	return identity.NewRole(b.ctx, b.name+"-"+purpose, &identity.RoleArgs{
		RoleName:            b.args.Prefix + "-" + purpose,
		Description:         description,
		Trust:               identity.ServiceTrust("backup.amazonaws.com", b.args.Scope),
		ManagedPolicyARNs:   arns,
		PermissionsBoundary: b.args.PermissionsBoundary,
		Tags:                b.args.Tags,
	}, pulumi.Parent(b.c))
}

// regionSettings lets AWS Backup back up every service that it knows. The
// provider does not undo it, and other stacks of the region count on it.
func (b *backupBuilder) regionSettings() error {
	if !b.args.RegionSettings.Managed() {
		return nil
	}
	optIn := pulumi.BoolMap{}
	for _, service := range backupServices {
		optIn[service] = pulumi.Bool(true)
	}
	_, err := backup.NewRegionSettings(b.ctx, b.name+"-region", &backup.RegionSettingsArgs{
		ResourceTypeOptInPreference: optIn,
	}, append(kept(true), pulumi.Parent(b.c))...)
	return err
}

// backupServices are those whose choice the provider of this version shows. A
// service left out would come back as a change at each preview.
var backupServices = []string{
	"Aurora", "CloudFormation", "DSQL", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "Neptune", "RDS", "Redshift",
	"Redshift Serverless", "S3", "SAP HANA on Amazon EC2", "Storage Gateway", "VirtualMachine",
}
