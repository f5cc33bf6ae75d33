package data

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// VaultLockMode is who may take a vault's lock off.
type VaultLockMode string

const (
	// VaultUnlocked leaves deletion to the vault's policy; the empty mode means it too.
	VaultUnlocked VaultLockMode = "none"
	// VaultGovernance is a lock that roles with backup:DeleteBackupVaultLockConfiguration take off.
	VaultGovernance VaultLockMode = "governance"
	// VaultCompliance is a lock that nobody takes off once ChangeableForDays
	// have passed, the account's root and AWS included. The vault then stays,
	// and is paid for, until its last backup has expired.
	VaultCompliance VaultLockMode = "compliance"
)

// LockAcknowledgement is what VaultLock.Acknowledge and ObjectLock.Acknowledge
// hold before a compliance lock is made.
const LockAcknowledgement = "nobody-can-remove-this-lock"

// minChangeableDays is AWS Backup's shortest time to think again.
const minChangeableDays = 3

// VaultLock keeps everyone from deleting backups before their time.
type VaultLock struct {
	Mode VaultLockMode
	// MinRetentionDays and MaxRetentionDays bound how long backups live, 1 to
	// 36500. A job that asks for less or more fails, so the plan's rules lie
	// between them. MaxRetentionDays 0 is no bound.
	MinRetentionDays, MaxRetentionDays int
	// ChangeableForDays is the time, 3 to 36500 days, in which a compliance lock can
	// still be taken off. To AWS its presence is what makes the mode.
	ChangeableForDays int
	// Acknowledge is LockAcknowledgement, for compliance.
	Acknowledge string
}

func (l VaultLock) on() bool { return l.Mode == VaultGovernance || l.Mode == VaultCompliance }

func (l VaultLock) configuration(vault pulumi.StringOutput) *backup.VaultLockConfigurationArgs {
	in := &backup.VaultLockConfigurationArgs{
		BackupVaultName: vault, MinRetentionDays: pulumi.Int(l.MinRetentionDays),
	}
	if l.MaxRetentionDays > 0 {
		in.MaxRetentionDays = pulumi.Int(l.MaxRetentionDays)
	}
	if l.Mode == VaultCompliance {
		in.ChangeableForDays = pulumi.Int(l.ChangeableForDays)
	}
	return in
}

func (l VaultLock) check() []error {
	var findings []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!slices.Contains([]VaultLockMode{"", VaultUnlocked, VaultGovernance, VaultCompliance}, l.Mode),
		"lock.mode: %q (none, governance or compliance)", l.Mode)
	refuse(l.on() && (l.MinRetentionDays < 1 || l.MinRetentionDays > 36500), "lock.minRetentionDays: %d (1 to 36500)", l.MinRetentionDays)
	refuse(l.on() && l.MaxRetentionDays != 0 && (l.MaxRetentionDays < l.MinRetentionDays || l.MaxRetentionDays > 36500),
		"lock.maxRetentionDays: %d (%d to 36500, or 0 for no bound)", l.MaxRetentionDays, l.MinRetentionDays)
	refuse(l.Mode != VaultCompliance && l.ChangeableForDays != 0,
		"lock.changeableForDays: %d with mode %q (AWS makes a compliance lock of it, for ever; leave it out)", l.ChangeableForDays, l.Mode)
	refuse(l.Mode == VaultCompliance && (l.ChangeableForDays < minChangeableDays || l.ChangeableForDays > 36500),
		"lock.changeableForDays: %d (%d to 36500)", l.ChangeableForDays, minChangeableDays)
	refuse(l.Mode == VaultCompliance && l.Acknowledge != LockAcknowledgement,
		"lock.acknowledge: %q (%q: no person and no destroy removes a compliance lock; or use mode governance)", l.Acknowledge, LockAcknowledgement)
	return findings
}

// vaultPolicy denies the ways to lose backups. Expiry is AWS Backup's own and
// goes on. The right to change the policy is not denied: whoever deployed it
// could never change it again, and against that person there is the lock.
func (args *BackupArgs) vaultPolicy() identity.Document {
	s := identity.Statement{
		Sid: "DenyLossOfBackups", Effect: identity.Deny, Principals: identity.Principals{Any: true},
		Actions: []string{
			"backup:DeleteRecoveryPoint", "backup:DisassociateRecoveryPoint", "backup:UpdateRecoveryPointLifecycle",
		},
		Resources: []string{"*"},
	}
	if len(args.UnlockRoles) > 0 {
		roles := make([]string, 0, len(args.UnlockRoles))
		for _, role := range args.UnlockRoles {
			roles = append(roles, args.Scope.RoleARN(role))
		}
		s.Conditions = []identity.Condition{{Test: "ArnNotEquals", Key: "aws:PrincipalArn", Values: roles}}
	}
	return identity.Document{s}
}
