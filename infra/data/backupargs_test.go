package data_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

func TestBackupArgsFindings(t *testing.T) {
	t.Parallel()
	rule := func(change func(*data.BackupRule)) func(*data.BackupArgs) {
		return func(a *data.BackupArgs) {
			r := data.BackupRule{Name: "daily", Schedule: "cron(0 6 * * ? *)", DeleteAfterDays: 35, Copy: true}
			change(&r)
			a.Rules = []data.BackupRule{r}
		}
	}
	for want, change := range map[string]func(*data.BackupArgs){
		"prefix: \"Redoubt\"":                func(a *data.BackupArgs) { a.Prefix = "Redoubt" },
		"tier: \"\"":                         func(a *data.BackupArgs) { a.Tier = "" },
		"kmsKeyArn: nil":                     func(a *data.BackupArgs) { a.KmsKeyArn = nil },
		"unlockRoles: an empty name":         func(a *data.BackupArgs) { a.UnlockRoles = []string{""} },
		"forceDestroy: set with lock":        func(a *data.BackupArgs) { a.ForceDestroy = true },
		"forceDestroy: set with protect":     func(a *data.BackupArgs) { a.ForceDestroy = true },
		"regionSettings: mode \"ours\"":      func(a *data.BackupArgs) { a.RegionSettings = singleton.Singleton{Mode: "ours"} },
		"lock.mode: \"hard\"":                func(a *data.BackupArgs) { a.Lock.Mode = "hard" },
		"lock.minRetentionDays: 0":           func(a *data.BackupArgs) { a.Lock.MinRetentionDays = 0 },
		"lock.maxRetentionDays: 6 (7":        func(a *data.BackupArgs) { a.Lock.MaxRetentionDays = 6 },
		"lock.changeableForDays: 3 with":     func(a *data.BackupArgs) { a.Lock.ChangeableForDays = 3 },
		"lock.changeableForDays: 2 (3":       func(a *data.BackupArgs) { a.Lock.Mode, a.Lock.ChangeableForDays = data.VaultCompliance, 2 },
		"lock.acknowledge: \"yes\"":          func(a *data.BackupArgs) { a.Lock.Mode, a.Lock.Acknowledge = data.VaultCompliance, "yes" },
		"replica.region: \"eu-central-1\"":   func(a *data.BackupArgs) { a.Replica.Region = "eu-central-1" },
		"replica.provider: nil":              func(a *data.BackupArgs) { a.Replica.Provider = nil },
		"replica.kmsKeyArn: nil":             func(a *data.BackupArgs) { a.Replica.KmsKeyArn = nil },
		"replica: set, but no rule copies":   rule(func(r *data.BackupRule) { r.Copy = false }),
		"rules: empty":                       func(a *data.BackupArgs) { a.Rules = nil },
		"rules[0].name: \"a b\"":             rule(func(r *data.BackupRule) { r.Name = "a b" }),
		"rules[1].name: \"daily\" twice":     func(a *data.BackupArgs) { a.Rules = []data.BackupRule{a.Rules[1], a.Rules[1]} },
		"rules[0].schedule: \"daily\"":       rule(func(r *data.BackupRule) { r.Schedule = "daily" }),
		"rules[0].deleteAfterDays: 0":        rule(func(r *data.BackupRule) { r.DeleteAfterDays = 0 }),
		"36, and continuous":                 rule(func(r *data.BackupRule) { r.Continuous, r.DeleteAfterDays = true, 36 }),
		"coldStorageAfterDays: -1":           rule(func(r *data.BackupRule) { r.ColdStorageAfterDays = -1 }),
		"30, and continuous":                 rule(func(r *data.BackupRule) { r.Continuous, r.ColdStorageAfterDays = true, 30 }),
		"119, within 90 days in cold":        rule(func(r *data.BackupRule) { r.DeleteAfterDays, r.ColdStorageAfterDays = 119, 30 }),
		"6 under the lock's minimum of 7":    rule(func(r *data.BackupRule) { r.DeleteAfterDays = 6 }),
		"401 over the lock's maximum of 400": rule(func(r *data.BackupRule) { r.DeleteAfterDays = 401 }),
		"rules: 2 are continuous": func(a *data.BackupArgs) {
			second := data.BackupRules[0]
			second.Name = "again"
			a.Rules = append([]data.BackupRule{second}, data.BackupRules...)
		},
		"restoreTests[0].resourceType: \"Disk\"":     func(a *data.BackupArgs) { a.RestoreTests[0].ResourceType = "Disk" },
		"restoreTests[1].resourceType: \"S3\" twice": func(a *data.BackupArgs) { a.RestoreTests[0].ResourceType = "S3" },
		"restoreTests[1].validationHours: 169":       func(a *data.BackupArgs) { a.RestoreTests[1].ValidationHours = 169 },
		"scope.region: empty":                        func(a *data.BackupArgs) { a.Scope.Region = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(backups(change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(vaultType))
		})
	}
}
