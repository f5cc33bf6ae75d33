package data

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"redoubt/infra/identity"
)

// minColdDays is how long a backup stays in cold storage at least.
const minColdDays = 90

// maxContinuousDays is as far back as a restore to any second reaches.
const maxContinuousDays = 35

var (
	// backupPrefix leaves "-backup" to a vault's 50 characters.
	backupPrefix = regexp.MustCompile(`^[a-z][a-z0-9-]{1,42}$`)
	ruleName     = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,50}$`)
	cronForm     = regexp.MustCompile(`^cron\(\S+( \S+){5}\)$`)
)

// render returns the vaults' policy.
func (args *BackupArgs) render() (string, error) {
	if args == nil {
		return "", errors.New("args: nil (pass &data.BackupArgs{…})")
	}
	findings := append(checkScope(args.Scope), args.check()...)
	policy, err := args.vaultPolicy().JSON(identity.ResourcePolicy)
	if err != nil {
		findings = append(findings, fmt.Errorf("vault policy: %w", err))
	}
	return policy, errors.Join(findings...)
}

func (args *BackupArgs) check() []error {
	var findings []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!backupPrefix.MatchString(args.Prefix), "prefix: %q (2 to 43 lower-case letters, digits and hyphens, a letter first)", args.Prefix)
	refuse(!backupTier.MatchString(args.Tier), "tier: %q (1 to 63 lower-case letters, digits and hyphens, a letter first)", args.Tier)
	refuse(args.KmsKeyArn == nil, "kmsKeyArn: nil (the key with AWS Backup's statement)")
	refuse(slices.Contains(args.UnlockRoles, ""), "unlockRoles: an empty name (leave it out)")
	refuse(args.ForceDestroy && args.Lock.on(), "forceDestroy: set with lock (a destroy cannot delete locked backups; choose one)")
	refuse(args.ForceDestroy && args.Protect, "forceDestroy: set with protect (choose one)")
	if err := args.RegionSettings.Validate(); err != nil {
		findings = append(findings, fmt.Errorf("regionSettings: %w", err))
	}
	findings = append(findings, args.Lock.check()...)
	findings = append(findings, args.Replica.check(args)...)
	findings = append(findings, args.checkRules()...)
	return append(findings, args.checkRestoreTests()...)
}

func (r *BackupReplica) check(args *BackupArgs) []error {
	if r == nil {
		return nil
	}
	var findings []error
	if r.Region == "" || r.Region == args.Scope.Region {
		findings = append(findings, fmt.Errorf("replica.region: %q (another region than the vault's %q)", r.Region, args.Scope.Region))
	}
	if r.Provider == nil {
		findings = append(findings, errors.New("replica.provider: nil (pass the provider of the replica's region)"))
	}
	if r.KmsKeyArn == nil {
		findings = append(findings, errors.New("replica.kmsKeyArn: nil (a key of the replica's region with AWS Backup's statement)"))
	}
	if !slices.ContainsFunc(args.Rules, func(rule BackupRule) bool { return rule.Copy }) {
		findings = append(findings, errors.New("replica: set, but no rule copies (set copy on a rule, or leave the replica out)"))
	}
	return findings
}

func (args *BackupArgs) checkRules() []error {
	if len(args.Rules) == 0 {
		return []error{errors.New("rules: empty (for example data.BackupRules)")}
	}
	var findings []error
	var names []string
	continuous := 0
	for i, rule := range args.Rules {
		refuse := func(wrong bool, format string, a ...any) {
			if wrong {
				findings = append(findings, fmt.Errorf("rules[%d].%w", i, fmt.Errorf(format, a...)))
			}
		}
		refuse(!ruleName.MatchString(rule.Name), "name: %q (1 to 50 letters, digits and -_.)", rule.Name)
		refuse(slices.Contains(names, rule.Name), "name: %q twice (a rule's name is unique in the plan)", rule.Name)
		refuse(!cronForm.MatchString(rule.Schedule), "schedule: %q (cron(minutes hours day-of-month month day-of-week year), in UTC)", rule.Schedule)
		refuse(rule.DeleteAfterDays < 1 || rule.DeleteAfterDays > 36500, "deleteAfterDays: %d (1 to 36500)", rule.DeleteAfterDays)
		refuse(rule.Continuous && rule.DeleteAfterDays > maxContinuousDays,
			"deleteAfterDays: %d, and continuous (1 to %d; keep snapshots for longer with another rule)", rule.DeleteAfterDays, maxContinuousDays)
		refuse(rule.ColdStorageAfterDays < 0, "coldStorageAfterDays: %d (0 for never, or at least 1)", rule.ColdStorageAfterDays)
		refuse(rule.Continuous && rule.ColdStorageAfterDays > 0, "coldStorageAfterDays: %d, and continuous (such backups stay warm; leave it out)", rule.ColdStorageAfterDays)
		refuse(rule.ColdStorageAfterDays > 0 && rule.DeleteAfterDays < rule.ColdStorageAfterDays+minColdDays,
			"deleteAfterDays: %d, within %d days in cold storage (at least %d, or leave cold storage out)",
			rule.DeleteAfterDays, minColdDays, rule.ColdStorageAfterDays+minColdDays)
		refuse(args.Lock.on() && rule.DeleteAfterDays < args.Lock.MinRetentionDays,
			"deleteAfterDays: %d under the lock's minimum of %d (each backup of the rule would fail; keep longer, or lock for less)", rule.DeleteAfterDays, args.Lock.MinRetentionDays)
		refuse(args.Lock.on() && args.Lock.MaxRetentionDays > 0 && rule.DeleteAfterDays > args.Lock.MaxRetentionDays,
			"deleteAfterDays: %d over the lock's maximum of %d (each backup of the rule would fail; keep for less, or lock for longer)", rule.DeleteAfterDays, args.Lock.MaxRetentionDays)
		names = append(names, rule.Name)
		if rule.Continuous {
			continuous++
		}
	}
	if continuous > 1 {
		findings = append(findings, fmt.Errorf("rules: %d are continuous (a resource has one continuous backup; leave one)", continuous))
	}
	return findings
}

func (args *BackupArgs) checkRestoreTests() []error {
	var findings []error
	var types []string
	for i, test := range args.RestoreTests {
		if !slices.Contains(restorable, test.ResourceType) {
			findings = append(findings, fmt.Errorf("restoreTests[%d].resourceType: %q (one of %v)", i, test.ResourceType, restorable))
		}
		if slices.Contains(types, test.ResourceType) {
			findings = append(findings, fmt.Errorf("restoreTests[%d].resourceType: %q twice (test a service once)", i, test.ResourceType))
		}
		if test.ValidationHours < 0 || test.ValidationHours > 168 {
			findings = append(findings, fmt.Errorf("restoreTests[%d].validationHours: %d (0 to 168)", i, test.ValidationHours))
		}
		types = append(types, test.ResourceType)
	}
	return findings
}
