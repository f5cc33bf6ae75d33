package stack

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/monitoring"
)

// backupTier is the tag by which the stack's plan selects: its own, because
// two stacks of one account must not back up each other's data. Empty for a
// stack without backups.
func (s *Stack) backupTier() string {
	if !s.config.Backup.Enabled {
		return ""
	}
	return s.config.Prefix()
}

// backupRules are the guide's retention, the longest-lived backups in cold
// storage if the stack says so.
func backupRules(c config.Config) []data.BackupRule {
	rules := slices.Clone(data.BackupRules)
	last := len(rules) - 1
	rules[last].ColdStorageAfterDays = c.Backup.ColdAfterDays
	return rules
}

func (s *Stack) deployBackup(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	if !c.Backup.Enabled {
		return nil
	}
	args := &data.BackupArgs{
		Scope: p.scope, Prefix: c.Prefix(), Tier: s.backupTier(), KmsKeyArn: s.keys.backup.Arn, Rules: backupRules(c),
		Lock: data.VaultLock{
			Mode: data.VaultLockMode(c.Backup.Lock), MinRetentionDays: c.Backup.MinDays, MaxRetentionDays: c.Backup.MaxDays,
			ChangeableForDays: c.Backup.ChangeableForDays, Acknowledge: c.Backup.AcknowledgeCompliance,
		},
		TopicArn: s.topics.Arn(monitoring.Medium), TopicReady: s.topics.Ready, RegionSettings: c.Backup.RegionSettings,
		ForceDestroy: c.Storage.ForceDestroy && c.Backup.Lock == "none", Protect: c.Keys.Protect, Tags: c.Tags,
	}
	if c.Backup.CopyToReplica {
		args.Replica = &data.BackupReplica{Region: c.ReplicaRegion, Provider: p.replica, KmsKeyArn: s.keys.backup.ReplicaArn}
	}
	if c.Backup.RestoreTests {
		args.RestoreTests = []data.RestoreTest{
			{ResourceType: "Aurora", Metadata: map[string]pulumi.StringInput{"dbsubnetgroupname": pulumi.String(c.Prefix() + "-db")}},
			{ResourceType: "S3", ValidationHours: 8},
		}
	}
	s.backup, err = data.NewBackup(ctx, c.Prefix()+"-backup", args, p.here())
	return err
}
