package rehearsal

import (
	"fmt"
	"regexp"
)

const (
	docsBackupPlan = "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupPlan.html"
	docsLifecycleB = "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html"
	docsVaultLock  = "https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html"
)

var toBackupPlan = &target{
	types: []string{"aws:backup/plan:Plan"},
	code:  "InvalidParameterValueException", message: "Cannot find Backup plan with ID {value}",
}

// backupKinds are plans, and what is set on a vault.
var backupKinds = []kind{
	{
		token: "aws:backup/vault:Vault", noun: "Backup Vault", service: "Backup", action: "BackupVault",
		id: "{name}", arn: "arn:{partition}:backup:{region}:{account}:backup-vault:{name}",
		computed: props{"kmsKeyArn": "arn:{partition}:kms:{region}:{account}:key/{uuid:default backup key}", "recoveryPoints": 0}, replaces: []string{"name", "kmsKeyArn"},
		refs:   refer(toKey, "kmsKeyArn"),
		unique: []unique{{key: "{name}", code: "AlreadyExistsException", message: "Backup vault with the same name already exists: {name}"}},
		limits: []limit{{path: "name", shortest: 2, longest: 50, pattern: regexp.MustCompile(`^[a-zA-Z0-9_-]+$`), meaning: "only letters, digits, _ and -", source: docsVault}},
	},
	{
		token: "aws:backup/plan:Plan", noun: "Backup Plan", service: "Backup", action: "BackupPlan",
		id: "{uuid:plan}", arn: "arn:{partition}:backup:{region}:{account}:backup-plan:{id}", computed: props{"version": "{alnum48:version}"},
		replaces: []string{"name"}, refs: refer(toVault, "rules[*].targetVaultName", "rules[*].copyActions[*].destinationVaultArn"),
		refuses: []refusal{
			{name: "plan-cold-storage", code: "InvalidParameterValueException", source: docsLifecycleB, because: coldTooShort},
			{name: "plan-rule-names", code: "InvalidParameterValueException", source: docsBackupPlan, because: sameRuleTwice("rules[*].ruleName")},
		},
		blocks: []block{{
			by:   []string{"aws:backup/selection:Selection"},
			code: "InvalidRequestException", message: "Related backup plan selections must be deleted prior to backup plan deletion",
		}},
	},
	{
		token: "aws:backup/selection:Selection", noun: "Backup Selection", service: "Backup", action: "BackupSelection",
		id: "{uuid:selection}", replaces: []string{"iamRoleArn", "name", "planId", "resources", "notResources", "selectionTags", "conditions"},
		refs: append(refer(toBackupPlan, "planId"), refer(toRole, "iamRoleArn")...),
	},
	vaultSide("vaultPolicy:VaultPolicy", "Vault Policy", "BackupVaultAccessPolicy",
		refusal{name: "vault-policy-grammar", code: "InvalidParameterValueException", source: docsVault, because: policyMalformed("policy")}),
	vaultSide("vaultNotifications:VaultNotifications", "Vault Notifications", "BackupVaultNotifications"),
	vaultSide("vaultLockConfiguration:VaultLockConfiguration", "Vault Lock Configuration", "BackupVaultLockConfiguration",
		refusal{name: "vault-lock-order", code: "InvalidParameterValueException", source: docsVaultLock, because: func(c *call) string {
			least, ok1 := c.number("minRetentionDays")
			most, ok2 := c.number("maxRetentionDays")
			if ok1 && ok2 && least > most {
				return fmt.Sprintf("the minimum retention (%s days) is above the maximum (%s)", number(least), number(most))
			}
			return ""
		}},
		refusal{name: "vault-lock-grace", code: "InvalidParameterValueException", source: docsVaultLock, because: func(c *call) string {
			if n, ok := c.number("changeableForDays"); ok && n < 3 {
				return fmt.Sprintf("changeableForDays must be 3 at least, not %s; leave it out for a lock that can be taken back", number(n))
			}
			return ""
		}}),
}

func vaultSide(path, noun, action string, refuses ...refusal) kind {
	token := "aws:backup/" + path
	return kind{
		token: token, noun: "Backup " + noun, service: "Backup", action: action, call: "Put" + action,
		id: "{backupVaultName}", computed: props{"backupVaultArn": "{backupVaultName->arn}"}, replaces: []string{"backupVaultName"},
		refs: refsOf(token, refer(toVault, "backupVaultName"), refer(toTopic, "snsTopicArn")), refuses: refuses,
	}
}

// coldTooShort: what moves to cold storage stays there for 90 days at least.
func coldTooShort(c *call) string {
	for _, rule := range valuesAt(c.state(), "rules[*].lifecycle") {
		if !rule.IsObject() {
			continue
		}
		cold, ok1 := numberAt(rule.ObjectValue(), "coldStorageAfter")
		remove, ok2 := numberAt(rule.ObjectValue(), "deleteAfter")
		if ok1 && ok2 && cold > 0 && remove < cold+90 {
			return fmt.Sprintf("Invalid lifecycle. DeleteAfterDays (%s) cannot be less than 90 days apart from MoveToColdStorageAfterDays (%s)", number(remove), number(cold))
		}
	}
	return ""
}
