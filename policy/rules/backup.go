package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// backupKinds are what AWS Backup can save, with the service and the kind in
// their ARNs and the property that has their name.
var backupKinds = []struct{ typ, service, kind, name string }{
	{"rds/cluster", "rds", "cluster:", "clusterIdentifier"},
	{"rds/instance", "rds", "db:", "identifier"},
	{"dynamodb/table", "dynamodb", "table/", "name"},
	{"efs/fileSystem", "elasticfilesystem", "file-system/", ""},
	{"s3/bucket", "s3", "", "bucket"},
}

// backups holds the rules of "Backup retention policies".
var backups = []rule.Rule{
	{
		Name:     "backup-plan-covers-stateful",
		Summary:  "Where a stack has a backup plan, what keeps data is in it.",
		Guide:    []guide.ID{guide.ArchitectureLifecycleBackupRetention, guide.ResponseRecoveryRestoreServices},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("CP-9"), pci("10.3.3")),
		Types:    []string{"rds/cluster", "rds/instance", "dynamodb/table", "efs/fileSystem", "s3/bucketV2"},
		Params: []rule.Param{{
			Name: "types", Kind: rule.Strings, Default: []string{"rds/cluster", "rds/instance", "dynamodb/table", "efs/fileSystem"},
			Enum:        []string{"rds/cluster", "rds/instance", "dynamodb/table", "efs/fileSystem", "s3/bucket"},
			Description: "The types that must be in a plan. Buckets are not among them by default: most of them are logs, versioned and locked.",
		}},
		CheckStack: inBackupPlan,
		Fix:        `the tag of backup.SelectionArgs{SelectionTags: …} in Tags of the resource, or its ARN in backup.SelectionArgs{Resources: …}`,
		URL:        "https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html",
	},
	{
		Name:     "backup-plan-retention",
		Summary:  "A backup plan says how long it keeps what it saves, and that is long enough.",
		Guide:    []guide.ID{guide.ArchitectureLifecycleBackupRetention},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("CP-9", "SI-12")),
		Types:    []string{"backup/plan"},
		Params: []rule.Param{{
			Name: "minDays", Kind: rule.Integer, Default: 35, Min: 1, Max: 36500,
			Description: "The shortest retention that passes, in days. Continuous backups cannot have more than 35.",
		}},
		Check: backupsKept,
		Fix:   `backup.PlanRuleArgs{Lifecycle: &backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(35)}}`,
		URL:   "https://docs.aws.amazon.com/aws-backup/latest/devguide/creating-a-backup-plan.html",
	},
	{
		Name:     "backup-cross-region-copy",
		Summary:  "A backup plan copies what it saves to a vault in another region.",
		Guide:    []guide.ID{guide.ArchitectureLifecycleReplication, guide.ArchitectureLifecycleBackupRetention},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("CP-6(1)", "CP-9")),
		Types:      []string{"backup/plan"},
		CheckStack: copiedAcrossRegions,
		Fix:        `backup.PlanRuleArgs{CopyActions: backup.PlanRuleCopyActionArray{backup.PlanRuleCopyActionArgs{DestinationVaultArn: replica.Arn}}}`,
		URL:        "https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html",
	},
	{
		Name:     "backup-vault-cmk-locked",
		Summary:  "A backup vault has a customer managed key and a lock, and is not deleted with its backups.",
		Guide:    []guide.ID{guide.OverviewDataKMS, guide.ResponseRecoveryRestoreServices},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("Backup.1"), nist("SC-28", "CP-9(8)")),
		Types:      []string{"backup/vault"},
		CheckStack: vaultLocked,
		Fix: `backup.VaultArgs{KmsKeyArn: key.Arn, ForceDestroy: pulumi.Bool(false)} and backup.NewVaultLockConfiguration with ` +
			`backup.VaultLockConfigurationArgs{BackupVaultName: vault.Name, MinRetentionDays: pulumi.Int(7)}`,
		URL: "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html",
	},
	{
		Name:     "dynamodb-pitr-cmk-protected",
		Summary:  "A table can be restored to any second of the last weeks, and is encrypted with a customer managed key.",
		Guide:    []guide.ID{guide.ArchitectureLifecycleBackupRetention, guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("DynamoDB.2", "DynamoDB.6"), nist("CP-9", "SC-28"), pci("3.2.1", "3.3.1.1", "3.3.1.3")),
		Types:    []string{"dynamodb/table"},
		Params: []rule.Param{{
			Name: "deletionProtection", Kind: rule.Boolean, Default: false,
			Description: "Ask for deletion protection too, which a stack that is meant to be destroyed cannot have.",
		}},
		Check: tableProtected,
		Fix: `dynamodb.TableArgs{PointInTimeRecovery: &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)}, ` +
			`ServerSideEncryption: &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true), KmsKeyArn: key.Arn}, DeletionProtectionEnabled: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html",
	},
}

func backupsKept(r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, each := range r.Get("rules").Items() {
		if each.Unknown() {
			return rule.Unsure("rules are unknown")
		}
		v := each.Get("lifecycle.deleteAfter")
		days, known := v.Int()
		switch {
		case v.Unknown():
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case !known || days == 0:
			out = rule.All(out, rule.Fail("%s is %s: backups are kept for ever, and paid for", v.Path(), v.Show()))
		case days < p.Int("minDays"):
			out = rule.All(out, rule.Fail("%s is %s, less than %d", v.Path(), v.Show(), p.Int("minDays")))
		default:
			out = rule.All(out, rule.Pass())
		}
	}
	return out
}

// copiedAcrossRegions looks at the region in the ARN of a copy's vault, or at
// that of the vault's provider.
func copiedAcrossRegions(s *rule.Stack, plan *rule.Resource, _ rule.Params) rule.Verdict {
	const path = "rules.copyActions.destinationVaultArn"
	copies := plan.Each(path)
	if len(copies) == 0 {
		return rule.Fail("no rule has copyActions: the loss of the region is the loss of the backups")
	}
	vaults := s.Refs(plan, path, "backup/vault")
	var regions []string
	for _, v := range copies {
		if arn, known := v.Str(); known {
			regions = append(regions, regionOfARN(arn))
		}
	}
	for _, v := range vaults.Targets {
		regions = append(regions, v.Region())
	}
	out := rule.Fail("copyActions lead to vaults in the region of the plan")
	if vaults.Unknown {
		out = rule.Unsure("a vault of copyActions is unknown")
	}
	for _, region := range regions {
		switch home := plan.Region(); {
		case region == "" || home == "":
			out = rule.Any(out, rule.Unsure("the region of the plan or of a vault is unknown"))
		case region != home:
			return rule.Pass()
		}
	}
	return out
}

func regionOfARN(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}

func vaultLocked(s *rule.Stack, vault *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.All(
		vault.Get("kmsKeyArn").Set("who may restore is not bound to a key"),
		vault.Get("forceDestroy").False("the backups go with the vault"))
	locks := s.Pointing(vault, "backupVaultName", "backup/vaultLockConfiguration")
	if len(locks) == 0 {
		return rule.All(out, missing(s, "backupVaultName", "backup/vaultLockConfiguration", "backup/vault", "no lock keeps the backups from being deleted"))
	}
	kept := rule.Skip()
	for _, l := range locks {
		kept = rule.Any(kept, l.Get("minRetentionDays").Set("the lock keeps nothing for any time"))
	}
	return rule.All(out, kept)
}

func tableProtected(r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.All(
		r.Get("pointInTimeRecovery.enabled").True("what is overwritten is lost"),
		r.Get("serverSideEncryption.kmsKeyArn").Set("who may read the table is not bound to a key"))
	if v := r.Get("serverSideEncryption.enabled"); v.Present() {
		out = rule.All(out, v.True("the key of the table is AWS's own"))
	}
	if p.Bool("deletionProtection") {
		out = rule.All(out, r.Get("deletionProtectionEnabled").True("one call deletes the table"))
	}
	return out
}
