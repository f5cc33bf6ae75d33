package monitoring

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// configRule is an AWS managed rule of AWS Config. Rules that look once a day
// and rules that look at changes say so themselves; AWS refuses a frequency on
// the latter, so none is set.
// https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html
type configRule struct {
	identifier string
	// core says that a breach is a hole, not an omission.
	core bool
	// asks is what the rule asks for.
	asks string
	// values are the rule's parameters.
	values map[string]string
}

// SecretAgeRule tells of secrets whose value is older than its parameter
// maxDaysSinceRotation, for RecorderArgs.Values.
const SecretAgeRule = "SECRETSMANAGER_SECRET_PERIODIC_ROTATION"

var configRules = []configRule{
	{identifier: "S3_BUCKET_PUBLIC_READ_PROHIBITED", core: true, asks: "No bucket can be read by everyone"},
	{identifier: "S3_BUCKET_PUBLIC_WRITE_PROHIBITED", core: true, asks: "No bucket can be written by everyone"},
	{identifier: "S3_BUCKET_SSL_REQUESTS_ONLY", core: true, asks: "Buckets refuse requests without TLS"},
	{identifier: "S3_BUCKET_VERSIONING_ENABLED", asks: "Buckets keep versions"},
	{identifier: "S3_BUCKET_REPLICATION_ENABLED", asks: "Buckets are replicated"},
	{identifier: "S3_BUCKET_LOGGING_ENABLED", asks: "Buckets log accesses"},
	{identifier: "S3_EVENT_NOTIFICATIONS_ENABLED", asks: "Buckets tell of new objects"},
	{identifier: "CMK_BACKING_KEY_ROTATION_ENABLED", core: true, asks: "Keys rotate"},
	{identifier: "KMS_CMK_NOT_SCHEDULED_FOR_DELETION", core: true, asks: "No key is about to be deleted"},
	{identifier: "SECRETSMANAGER_ROTATION_ENABLED_CHECK", core: true, asks: "Secrets rotate"},
	// The alarm on the age of secrets that people rotate (data.SecretArgs without
	// Rotation): nothing fails when somebody forgets. It looks once a day, at
	// all secrets of the region, with one age for all: a periodic rule has no
	// scope that would pick those tagged rotation=manual, and needs none, for a
	// function's secrets are younger or its rotation fails. To Secrets Manager a
	// value that is put in by hand is a rotation, though LastRotatedDate stays as
	// it was (cloud-custodian#10416); AWS does not say which of the two the rule
	// reads. If it is the date, it tells too often and never too seldom.
	// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
	{identifier: SecretAgeRule, core: true, asks: "Secrets are young, also those that people rotate", values: map[string]string{"maxDaysSinceRotation": "90"}},
	{identifier: "SECRETSMANAGER_SECRET_UNUSED", asks: "Secrets are read, or deleted", values: map[string]string{"unusedForDays": "90"}},
	{identifier: "RDS_STORAGE_ENCRYPTED", core: true, asks: "Databases are encrypted"},
	{identifier: "RDS_CLUSTER_DELETION_PROTECTION_ENABLED", asks: "Clusters cannot be deleted by mistake"},
	{identifier: "OPENSEARCH_ENCRYPTED_AT_REST", core: true, asks: "OpenSearch domains are encrypted"},
	{identifier: "OPENSEARCH_HTTPS_REQUIRED", core: true, asks: "OpenSearch domains speak HTTPS only"},
	{identifier: "OPENSEARCH_IN_VPC_ONLY", core: true, asks: "OpenSearch domains are in a VPC"},
	{identifier: "ALB_WAF_ENABLED", core: true, asks: "Load balancers are behind a web ACL"},
	{identifier: "ALB_HTTP_DROP_INVALID_HEADER_ENABLED", asks: "Load balancers drop malformed headers"},
	{identifier: "ELB_LOGGING_ENABLED", asks: "Load balancers log accesses"},
	{identifier: "LAMBDA_INSIDE_VPC", asks: "Functions are in a VPC"},
	{identifier: "LAMBDA_CONCURRENCY_CHECK", asks: "Functions have a limit of concurrency"},
	{identifier: "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", core: true, asks: "No function can be called by everyone"},
	{identifier: "CLOUD_TRAIL_ENCRYPTION_ENABLED", core: true, asks: "Trails are encrypted with a key of ours"},
	{identifier: "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", core: true, asks: "Trails validate their logs"},
	{identifier: "MULTI_REGION_CLOUD_TRAIL_ENABLED", core: true, asks: "A trail sees all regions"},
	{identifier: "WAFV2_LOGGING_ENABLED", asks: "Web ACLs log"},
	{identifier: "VPC_FLOW_LOGS_ENABLED", core: true, asks: "VPCs have flow logs", values: map[string]string{"trafficType": "ALL"}},
	{identifier: "IAM_PASSWORD_POLICY", asks: "Passwords are long and not used again", values: map[string]string{
		"MaxPasswordAge": "90", "MinimumPasswordLength": "14", "PasswordReusePrevention": "24",
		"RequireLowercaseCharacters": "true", "RequireNumbers": "true", "RequireSymbols": "true", "RequireUppercaseCharacters": "true",
	}},
	{identifier: "IAM_USER_MFA_ENABLED", core: true, asks: "Users have MFA"},
	{identifier: "ROOT_ACCOUNT_MFA_ENABLED", core: true, asks: "The root user has MFA"},
	{identifier: "ACCESS_KEYS_ROTATED", asks: "Access keys are young", values: map[string]string{"maxAccessKeyAge": "90"}},
	{identifier: "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", core: true, asks: "No policy allows everything"},
	{identifier: "ECS_CONTAINERS_READONLY_ACCESS", asks: "Containers cannot write to their root file system"},
	{identifier: "ECS_TASK_DEFINITION_NONROOT_USER", asks: "Containers do not run as root"},
	{identifier: "CLOUDWATCH_LOG_GROUP_ENCRYPTED", asks: "Log groups are encrypted with a key of ours"},
	{identifier: "CW_LOGGROUP_RETENTION_PERIOD_CHECK", asks: "Log groups are kept long enough", values: map[string]string{"MinRetentionTime": "365"}},
	{identifier: "INCOMING_SSH_DISABLED", core: true, asks: "No security group admits the world to SSH"},
	{identifier: "VPC_DEFAULT_SECURITY_GROUP_CLOSED", core: true, asks: "Default security groups admit nothing"},
}

// name is the rule's name in kebab case.
func (r configRule) name() string {
	return strings.ToLower(strings.ReplaceAll(r.identifier, "_", "-"))
}

// rules are those of the rule set.
func (args *RecorderArgs) rules() []configRule {
	if args.Rules == NoRules {
		return nil
	}
	var out []configRule
	for _, r := range configRules {
		if r.core || args.Rules == AllRules {
			out = append(out, r)
		}
	}
	return out
}

// parameters are the rule's with the stack's own values.
func (args *RecorderArgs) parameters(r configRule) map[string]string {
	out := maps.Clone(r.values)
	for key, value := range args.Values[r.identifier] {
		out[key] = value
	}
	return out
}

// checkValues refuses parameters that no rule has: Config would refuse the
// rule, or ignore a misspelt one.
func (args *RecorderArgs) checkValues(f *findings) {
	for _, identifier := range slices.Sorted(maps.Keys(args.Values)) {
		i := slices.IndexFunc(configRules, func(r configRule) bool { return r.identifier == identifier })
		at := fmt.Sprintf("values[%q]", identifier)
		if i < 0 {
			f.add(at, "no rule of that identifier", "one of the table's, in capitals")
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(args.Values[identifier])) {
			_, ok := configRules[i].values[key]
			f.refuse(!ok, at, fmt.Sprintf("the rule has no parameter %q", key), fmt.Sprintf("one of %v", slices.Sorted(maps.Keys(configRules[i].values))))
		}
	}
}
