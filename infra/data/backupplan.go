package data

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BackupRule is when a plan backs up, and for how long it keeps what it made.
type BackupRule struct {
	// Name is unique in the plan: letters, digits and -_., at most 50.
	Name string
	// Schedule is "cron(minutes hours day-of-month month day-of-week year)", in UTC.
	Schedule string
	// DeleteAfterDays is how long a backup lives; 1 to 35 if Continuous.
	DeleteAfterDays int
	// ColdStorageAfterDays moves backups to cold storage, where they stay for
	// 90 days at least; 0 for never. Aurora and S3 have none and stay warm.
	ColdStorageAfterDays int
	// Continuous allows a restore to any second, of services that can; the
	// others get a snapshot at each time.
	Continuous bool
	// Copy sends each backup to the replica's vault, where it lives as long.
	Copy bool
}

// BackupRules are the guide's retention: any second of five weeks, then days,
// weeks and months, each with a copy elsewhere. The times keep an hour off
// Aurora's own backup and maintenance windows (02:00 to 03:00, Sunday 03:30 to
// 04:30), in which RDS takes no snapshot. Continuous backups are not copied:
// a copy would be a snapshot, as the daily one is.
var BackupRules = []BackupRule{
	{Name: "continuous", Schedule: "cron(30 5 * * ? *)", DeleteAfterDays: 35, Continuous: true},
	{Name: "daily", Schedule: "cron(0 6 * * ? *)", DeleteAfterDays: 35, Copy: true},
	{Name: "weekly", Schedule: "cron(0 7 ? * SUN *)", DeleteAfterDays: 90, Copy: true},
	{Name: "monthly", Schedule: "cron(0 8 1 * ? *)", DeleteAfterDays: 365, Copy: true},
}

// Windows of a job, in minutes: how long it may wait for its start, and how
// long it may take in all.
const (
	backupStartMinutes      = 60
	backupCompletionMinutes = 480
)

var (
	backupPolicies = []string{
		"service-role/AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup",
	}
	restorePolicies = []string{
		"service-role/AWSBackupServiceRolePolicyForRestores", "AWSBackupServiceRolePolicyForS3Restore",
	}
)

func (b *backupBuilder) plan() error {
	role, err := b.role("backup", "AWS Backup backs up what has the tag "+BackupTag+"="+b.args.Tier, backupPolicies)
	if err != nil {
		return err
	}
	var rules backup.PlanRuleArray
	for _, rule := range b.args.Rules {
		rules = append(rules, b.rule(rule))
	}
	b.c.Plan, err = backup.NewPlan(b.ctx, b.name+"-plan", &backup.PlanArgs{
		Name:  pulumi.String(b.args.vaultName()),
		Rules: rules,
		Tags:  tagged(b.args.Tags, b.args.vaultName()),
	}, pulumi.Parent(b.c))
	if err != nil {
		return err
	}
	_, err = backup.NewSelection(b.ctx, b.name+"-selection", &backup.SelectionArgs{
		Name:       pulumi.String(b.args.vaultName()),
		PlanId:     b.c.Plan.ID(),
		IamRoleArn: role.Arn,
		SelectionTags: backup.SelectionSelectionTagArray{&backup.SelectionSelectionTagArgs{
			Type: pulumi.String("STRINGEQUALS"), Key: pulumi.String(BackupTag), Value: pulumi.String(b.args.Tier),
		}},
	}, pulumi.Parent(b.c), pulumi.DependsOn(role.Rights))
	return err
}

func (b *backupBuilder) rule(rule BackupRule) *backup.PlanRuleArgs {
	in := &backup.PlanRuleArgs{
		RuleName:               pulumi.String(rule.Name),
		TargetVaultName:        b.c.Vault.Name,
		Schedule:               pulumi.String(rule.Schedule),
		EnableContinuousBackup: pulumi.Bool(rule.Continuous),
		StartWindow:            pulumi.Int(backupStartMinutes),
		CompletionWindow:       pulumi.Int(backupCompletionMinutes),
		Lifecycle:              &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(rule.DeleteAfterDays)},
		RecoveryPointTags:      tagged(b.args.Tags, b.args.vaultName()+"-"+rule.Name),
	}
	if rule.ColdStorageAfterDays > 0 {
		in.Lifecycle = &backup.PlanRuleLifecycleArgs{
			DeleteAfter: pulumi.Int(rule.DeleteAfterDays), ColdStorageAfter: pulumi.Int(rule.ColdStorageAfterDays),
		}
	}
	if rule.Copy && b.c.Replica != nil {
		in.CopyActions = backup.PlanRuleCopyActionArray{&backup.PlanRuleCopyActionArgs{
			DestinationVaultArn: b.c.Replica.Arn,
			Lifecycle:           rule.copyLifecycle(),
		}}
	}
	return in
}

func (rule BackupRule) copyLifecycle() *backup.PlanRuleCopyActionLifecycleArgs {
	out := &backup.PlanRuleCopyActionLifecycleArgs{DeleteAfter: pulumi.Int(rule.DeleteAfterDays)}
	if rule.ColdStorageAfterDays > 0 {
		out.ColdStorageAfter = pulumi.Int(rule.ColdStorageAfterDays)
	}
	return out
}
