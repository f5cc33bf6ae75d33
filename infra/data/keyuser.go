package data

import (
	"redoubt/infra/identity"
)

// KeyUser is an AWS service that needs a statement in a key's policy.
type KeyUser string

// The services that use keys in their own name.
const (
	KeyForLogs         KeyUser = "logs"
	KeyForAlarms       KeyUser = "cloudwatch"
	KeyForEvents       KeyUser = "events"
	KeyForTopics       KeyUser = "sns"
	KeyForBucketEvents KeyUser = "s3"
	KeyForCostAlerts   KeyUser = "costalerts"
	KeyForBudgets      KeyUser = "budgets"
	KeyForBackup       KeyUser = "backup"
	// KeyForDatabaseEvents is RDS, which publishes a cluster's events to an
	// encrypted topic; see AuroraArgs.EventTopicArn.
	KeyForDatabaseEvents KeyUser = "events.rds"
	KeyForCloudTrail     KeyUser = "cloudtrail"
	KeyForConfig         KeyUser = "config"
	KeyForGuardDuty      KeyUser = "guardduty"
	KeyForLogDelivery    KeyUser = "delivery.logs"
	// KeyForFargate is the storage of Fargate tasks. ECS takes a single-region
	// key for it, by its id and not by an alias.
	KeyForFargate KeyUser = "fargate"
	// KeyForDistributions is CloudFront, which reads objects for distributions of
	// the account.
	KeyForDistributions KeyUser = "cloudfront"
	// KeyForServiceGrants lets the account's principals hand the key to AWS
	// services (RDS, OpenSearch, ECR and others work through grants).
	KeyForServiceGrants KeyUser = "grants"
)

var (
	useKey      = []string{"kms:Decrypt", "kms:GenerateDataKey*"}
	fromAccount = identity.Condition{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{"{account}"}}
)

// keyUsers is what each service needs. A missing row here is a log group that
// cannot be made, or worse an encrypted topic that drops every alert in silence
// (aws-cdk#11121, landing-zone-accelerator-on-aws#407).
var keyUsers = map[KeyUser][]serviceStatement{
	KeyForLogs: {{
		sid: "Allow CloudWatch Logs", service: "{logs}",
		actions: []string{"kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
		conditions: []identity.Condition{{
			Test: "ArnLike", Key: "kms:EncryptionContext:aws:logs:arn",
			Values: []string{"arn:{partition}:logs:{region}:{account}:log-group:*"},
		}},
	}},
	KeyForAlarms: {{
		sid: "Allow CloudWatch Alarms", service: "cloudwatch.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	// EventBridge sends neither aws:SourceAccount nor aws:SourceArn when it
	// publishes to an encrypted topic: a condition would drop the events
	// (landing-zone-accelerator-on-aws#407).
	KeyForEvents: {{
		sid: "Allow EventBridge", service: "events.amazonaws.com", actions: useKey,
	}},
	KeyForTopics: {{
		sid: "Allow SNS", service: "sns.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	KeyForBucketEvents: {{
		sid: "Allow S3 Events", service: "s3.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	KeyForCostAlerts: {{
		sid: "Allow Cost Anomaly Detection", service: "costalerts.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	KeyForBudgets: {{
		sid: "Allow Budgets", service: "budgets.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	KeyForBackup: {{
		sid: "Allow Backup", service: "backup.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html
	KeyForDatabaseEvents: {{
		sid: "Allow RDS Events", service: "events.rds.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html:
	// the trail's check of the key comes without a context, so DescribeKey
	// stands alone; Decrypt is for S3 Bucket Keys.
	KeyForCloudTrail: {{
		sid: "Allow CloudTrail Encrypt", service: "cloudtrail.amazonaws.com",
		actions: []string{"kms:GenerateDataKey*"},
		conditions: []identity.Condition{
			{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:{partition}:cloudtrail:*:{account}:trail/*"}},
			{Test: "StringLike", Key: "kms:EncryptionContext:aws:cloudtrail:arn", Values: []string{"arn:{partition}:cloudtrail:*:{account}:trail/*"}},
		},
	}, {
		sid: "Allow CloudTrail Decrypt", service: "cloudtrail.amazonaws.com",
		actions: []string{"kms:Decrypt"}, conditions: []identity.Condition{fromAccount},
	}, {
		sid: "Allow CloudTrail Describe", service: "cloudtrail.amazonaws.com",
		actions: []string{"kms:DescribeKey"},
	}},
	KeyForConfig: {{
		sid: "Allow Config", service: "config.amazonaws.com",
		actions: useKey, conditions: []identity.Condition{fromAccount},
	}},
	KeyForGuardDuty: {{
		sid: "Allow GuardDuty Export", service: "guardduty.amazonaws.com", regionalIfOptIn: true,
		actions: []string{"kms:GenerateDataKey*"},
		conditions: []identity.Condition{
			{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:{partition}:guardduty:{region}:{account}:detector/*"}},
			fromAccount,
		},
	}},
	KeyForLogDelivery: {{
		sid: "Allow Log Delivery", service: "delivery.logs.amazonaws.com",
		actions: []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
		conditions: []identity.Condition{
			{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:{partition}:logs:{region}:{account}:*"}},
			fromAccount,
		},
	}},
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html
	KeyForFargate: {{
		sid: "Allow Fargate Storage Keys", service: "fargate.amazonaws.com",
		actions: []string{"kms:GenerateDataKeyWithoutPlaintext"},
		conditions: []identity.Condition{
			{Test: "StringEquals", Key: "kms:EncryptionContext:aws:ecs:clusterAccount", Values: []string{"{account}"}},
		},
	}, {
		sid: "Allow Fargate Storage Grants", service: "fargate.amazonaws.com",
		actions: []string{"kms:CreateGrant"},
		conditions: []identity.Condition{
			{Test: "ForAllValues:StringEquals", Key: "kms:GrantOperations", Values: []string{"Decrypt"}},
			{Test: "StringEquals", Key: "kms:EncryptionContext:aws:ecs:clusterAccount", Values: []string{"{account}"}},
		},
	}},
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html#oac-permissions-sse-kms
	KeyForDistributions: {{
		sid: "Allow CloudFront", service: "cloudfront.amazonaws.com",
		actions: []string{"kms:Decrypt"}, conditions: []identity.Condition{fromDistributions},
	}},
	KeyForServiceGrants: {{
		sid: "Allow Grants For AWS Resources", root: true,
		actions: []string{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"},
		conditions: []identity.Condition{
			{Test: "Bool", Key: "kms:GrantIsForAWSResource", Values: []string{"true"}},
			{Test: "StringEquals", Key: "kms:CallerAccount", Values: []string{"{account}"}},
		},
	}},
}
