package identity

// SecurityPrefix starts the names of roles and policies that watch over the
// account. Boundaries and service control policies keep everyone else away
// from what has it.
const SecurityPrefix = "security-"

// SecurityName is the physical name of a security role or policy of the stack
// with that prefix: SecurityName("redoubt", "auditor") is "security-redoubt-auditor".
func SecurityName(prefix, suffix string) string { return SecurityPrefix + prefix + "-" + suffix }

// disarming are the actions that blind the account's detection or change what
// it records. Denied to workloads by the boundary, and to whole accounts by the
// organization's guardrails.
var disarming = []string{
	"access-analyzer:DeleteAnalyzer",
	"cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail",
	"config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "config:PutConfigurationRecorder",
	"config:StopConfigurationRecorder",
	"guardduty:CreateFilter", "guardduty:DeleteDetector", "guardduty:DeletePublishingDestination",
	"guardduty:DisassociateFromAdministratorAccount", "guardduty:StopMonitoringMembers", "guardduty:UpdateDetector",
	"securityhub:BatchDisableStandards", "securityhub:DisableSecurityHub", "securityhub:DisassociateFromAdministratorAccount",
}

// publicBlockChanges open an account's S3 or snapshots to the world.
var publicBlockChanges = []string{
	"ec2:DisableEbsEncryptionByDefault", "ec2:DisableImageBlockPublicAccess", "ec2:DisableSnapshotBlockPublicAccess",
	"s3:PutAccountPublicAccessBlock",
}
