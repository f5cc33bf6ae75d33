package data_test

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

const (
	vaultType     = "aws:backup/vault:Vault"
	planType      = "aws:backup/plan:Plan"
	vaultLockType = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
	selectionType = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
)

// backups makes prod's: copies in another region, a governance lock, restore
// tests; change may alter them.
func backups(change func(*data.BackupArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		there, err := aws.NewProvider(ctx, "replica", &aws.ProviderArgs{Region: pulumi.String(replicaRegion)})
		if err != nil {
			return err
		}
		args := &data.BackupArgs{
			Scope: scope, Prefix: "redoubt-prod", Tier: "redoubt-prod", KmsKeyArn: pulumi.String(keyARN), Rules: data.BackupRules,
			Replica:  &data.BackupReplica{Region: replicaRegion, Provider: there, KmsKeyArn: pulumi.String(replicaKeyARN)},
			Lock:     data.VaultLock{Mode: data.VaultGovernance, MinRetentionDays: 7, MaxRetentionDays: 400},
			TopicArn: pulumi.String(topicARN), RegionSettings: singleton.Singleton{Mode: singleton.Manage}, Protect: true,
			RestoreTests: []data.RestoreTest{
				{ResourceType: "Aurora", Metadata: map[string]pulumi.StringInput{"dbsubnetgroupname": pulumi.String("redoubt-prod-db")}},
				{ResourceType: "S3", ValidationHours: 8},
			},
		}
		change(args)
		_, err = data.NewBackup(ctx, "backup", args)
		return err
	}
}

func asProd(*data.BackupArgs) {}

func TestVaultsKeepBackups(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, backups(asProd), graphtest.Preview())
	for suffix, key := range map[string]string{"": keyARN, "-replica": replicaKeyARN} {
		vault := g.One(vaultType, "backup-vault"+suffix)
		require.Equal(t, "redoubt-prod-backup", vault.Input("name"))
		require.Equal(t, key, vault.Input("kmsKeyArn"))
		require.Equal(t, false, vault.Input("forceDestroy"))
		require.True(t, vault.Protect)

		policy := g.One("aws:backup/vaultPolicy:VaultPolicy", "backup-vault-policy"+suffix)
		deny := statement(t, policy, "policy", "DenyLossOfBackups")
		require.Equal(t, identity.Deny, deny.Effect)
		require.True(t, deny.Principals.Any)
		require.Contains(t, deny.Actions, "backup:DeleteRecoveryPoint")
		require.NotContains(t, deny.Actions, "backup:PutBackupVaultAccessPolicy", "nobody could change the policy again")
		require.Empty(t, deny.Conditions)

		lock := g.One(vaultLockType, "backup-vault-lock"+suffix)
		require.EqualValues(t, 7, lock.Input("minRetentionDays"))
		require.EqualValues(t, 400, lock.Input("maxRetentionDays"))
		require.False(t, lock.Has("changeableForDays"), "its presence makes a lock that nobody can take off")
	}
	require.Contains(t, g.One(vaultType, "backup-vault-replica").Provider, "replica")
	require.Contains(t, g.One(vaultLockType, "backup-vault-lock-replica").Provider, "replica")
}

func TestUnlockRolesMayDelete(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, backups(func(args *data.BackupArgs) { args.UnlockRoles = []string{"redoubt-break-glass"} }))
	require.Equal(t, []identity.Condition{{
		Test: "ArnNotEquals", Key: "aws:PrincipalArn", Values: []string{"arn:aws:iam::123456789012:role/redoubt-break-glass"},
	}}, statement(t, g.One("aws:backup/vaultPolicy:VaultPolicy", "backup-vault-policy"), "policy", "DenyLossOfBackups").Conditions)
}

func TestBackupPlanKeepsTheGuidesRetention(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, backups(asProd))
	rules, ok := g.Only(planType).Input("rules").([]any)
	require.True(t, ok)
	days, copied := map[string]float64{}, []string{}
	for _, r := range rules {
		rule := r.(map[string]any)
		name := rule["ruleName"].(string)
		days[name] = rule["lifecycle"].(map[string]any)["deleteAfter"].(float64)
		require.Equal(t, name == "continuous", rule["enableContinuousBackup"], name)
		require.Equal(t, "redoubt-prod-backup", rule["targetVaultName"])
		if actions, ok := rule["copyActions"].([]any); ok {
			action := actions[0].(map[string]any)
			require.Equal(t, g.One(vaultType, "backup-vault-replica").Output("arn"), action["destinationVaultArn"])
			require.Equal(t, days[name], action["lifecycle"].(map[string]any)["deleteAfter"], "a copy lives as long")
			copied = append(copied, name)
		}
	}
	require.Equal(t, map[string]float64{"continuous": 35, "daily": 35, "weekly": 90, "monthly": 365}, days)
	require.Equal(t, []string{"daily", "weekly", "monthly"}, copied)
}

func TestBackupWithoutReplicaCopiesNothing(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, backups(func(args *data.BackupArgs) {
		args.Replica, args.Lock, args.Protect, args.ForceDestroy = nil, data.VaultLock{}, false, true
		args.TopicArn, args.RestoreTests, args.RegionSettings = nil, nil, singleton.Singleton{Mode: singleton.Off}
	}))
	require.Equal(t, true, g.Only(vaultType).Input("forceDestroy"))
	for i := range data.BackupRules {
		require.Nil(t, g.Only(planType).Input("rules").([]any)[i].(map[string]any)["copyActions"])
	}
	for _, typ := range []string{vaultLockType, selectionType, "aws:backup/vaultNotifications:VaultNotifications", "aws:backup/regionSettings:RegionSettings"} {
		require.Empty(t, g.ByType(typ), typ)
	}
}

func TestColdStorageIsInPlanAndCopy(t *testing.T) {
	t.Parallel()
	rule := data.BackupRule{Name: "yearly", Schedule: "cron(0 8 1 1 ? *)", DeleteAfterDays: 398, ColdStorageAfterDays: 30, Copy: true}
	plan := graphtest.Run(t, backups(func(args *data.BackupArgs) { args.Rules = []data.BackupRule{rule} })).Only(planType)
	require.EqualValues(t, 30, plan.Input("rules[0].lifecycle.coldStorageAfter"))
	require.EqualValues(t, 30, plan.Input("rules[0].copyActions[0].lifecycle.coldStorageAfter"))
}

func TestBackupSelectsItsTier(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, backups(asProd))
	selection := g.Only("aws:backup/selection:Selection")
	require.Equal(t, []any{map[string]any{"type": "STRINGEQUALS", "key": data.BackupTag, "value": "redoubt-prod"}}, selection.Input("selectionTags"))
	require.Equal(t, g.One("aws:iam/role:Role", "backup-backup-role"), g.Refers(selection.Input("iamRoleArn")))
	var attached []string
	for _, a := range g.ByType("aws:iam/rolePolicyAttachment:RolePolicyAttachment") {
		if a.Input("role") == "redoubt-prod-backup" {
			require.True(t, g.Depends(selection, a), "the first job would be denied")
			attached = append(attached, a.Input("policyArn").(string))
		}
	}
	slices.Sort(attached)
	require.Equal(t, []string{
		"arn:aws:iam::aws:policy/AWSBackupServiceRolePolicyForS3Backup",
		"arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup",
	}, attached, "who backs up cannot restore over what is there")
}

func TestVaultEventsAreThoseThatAWSSends(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		policy, err := sns.NewTopicPolicy(ctx, "medium", &sns.TopicPolicyArgs{Arn: pulumi.String(topicARN), Policy: pulumi.String("{}")})
		if err != nil {
			return err
		}
		return backups(func(args *data.BackupArgs) { args.TopicReady = []pulumi.Resource{policy} })(ctx)
	})
	events := g.Only("aws:backup/vaultNotifications:VaultNotifications")
	require.True(t, g.Depends(events, g.Only("aws:sns/topicPolicy:TopicPolicy")))
	require.Equal(t, topicARN, events.Input("snsTopicArn"))
	require.Contains(t, events.Input("backupVaultEvents"), "BACKUP_JOB_COMPLETED", "failed jobs are told as completed ones")
	require.NotContains(t, events.Input("backupVaultEvents"), "BACKUP_JOB_FAILED", "AWS no longer sends it")
}

func TestRestoresAreTested(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, backups(asProd))
	plan := g.Only("aws:backup/restoreTestingPlan:RestoreTestingPlan")
	require.Equal(t, "redoubt_prod", plan.Input("name"), "AWS Backup allows no hyphens here")
	require.Equal(t, g.One(vaultType, "backup-vault").Output("arn"), plan.Input("recoveryPointSelection.includeVaults[0]"))

	aurora, s3 := g.One(selectionType, "backup-restore-test-aurora"), g.One(selectionType, "backup-restore-test-s3")
	require.Equal(t, "redoubt-prod-db", aurora.Input("restoreMetadataOverrides.dbsubnetgroupname"))
	require.Equal(t, []any{"*"}, aurora.Input("protectedResourceArns"), "conditions do not stand alone")
	require.Equal(t, "aws:ResourceTag/backup", aurora.Input("protectedResourceConditions.stringEquals[0].key"))
	require.Equal(t, "redoubt-prod", aurora.Input("protectedResourceConditions.stringEquals[0].value"))
	require.EqualValues(t, 8, s3.Input("validationWindowHours"))
	require.Equal(t, g.One("aws:iam/role:Role", "backup-restore-role"), g.Refers(s3.Input("iamRoleArn")))
}

func TestRegionSettingsAreManagedOnceARegion(t *testing.T) {
	t.Parallel()
	const typ = "aws:backup/regionSettings:RegionSettings"
	settings := graphtest.Run(t, backups(asProd)).Only(typ)
	optIn, ok := settings.Input("resourceTypeOptInPreference").(map[string]any)
	require.True(t, ok)
	for _, service := range []string{"Aurora", "S3", "DynamoDB"} {
		require.Equal(t, true, optIn[service], service)
	}
	require.True(t, settings.Protect)
	adopted := graphtest.Run(t, backups(func(args *data.BackupArgs) { args.RegionSettings.Mode = singleton.Adopt }))
	require.Empty(t, adopted.ByType(typ))
}

func TestComplianceLockIsAcknowledged(t *testing.T) {
	t.Parallel()
	lock := graphtest.Run(t, backups(func(args *data.BackupArgs) {
		args.Lock.Mode, args.Lock.ChangeableForDays, args.Lock.Acknowledge = data.VaultCompliance, 14, data.LockAcknowledgement
	})).One(vaultLockType, "backup-vault-lock")
	require.EqualValues(t, 14, lock.Input("changeableForDays"))
}
