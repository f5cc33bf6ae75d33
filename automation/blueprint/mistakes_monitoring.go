package blueprint

var auditMistakes = []Mistake{
	{
		Name: "hub-stands-still", Family: "Security Hub", Deed: "new controls of a standard stay off",
		Rule:   "securityhub-enabled-with-standards",
		Change: Change{On: Target{"securityhub/account", "hub-hub"}, Set: map[string]any{"autoEnableControls": false}},
		At:     theStack,
	},
	{
		Name: "trail-of-one-region", Family: "CloudTrail", Deed: "the trail sees one region only",
		Rule:   "cloudtrail-multi-region-global-events",
		Change: Change{On: Target{"cloudtrail/trail", "trail-trail"}, Set: map[string]any{"isMultiRegionTrail": false}},
	},
	{
		Name: "trail-without-proof", Family: "CloudTrail", Deed: "nothing proves that the trail's files were not changed",
		Rule:   "cloudtrail-log-file-validation",
		Change: Change{On: Target{"cloudtrail/trail", "trail-trail"}, Set: map[string]any{"enableLogFileValidation": false}},
	},
	{
		Name: "trail-unencrypted", Family: "CloudTrail", Deed: "the trail is not encrypted with a key",
		Rule:   "cloudtrail-kms-encrypted",
		Change: Change{On: Target{"cloudtrail/trail", "trail-trail"}, Set: map[string]any{"kmsKeyId": Gone}},
	},
	{
		Name: "logs-unencrypted", Family: "log groups", Deed: "the log of the web ACL is not encrypted with a key",
		Rule:   "log-group-kms-encrypted",
		Change: Change{On: Target{"cloudwatch/logGroup", "waf-logs"}, Set: map[string]any{"kmsKeyId": Gone}},
	},
	{
		Name: "logs-kept-for-ever", Family: "log groups", Deed: "the log of DNS queries is never deleted",
		Rule:   "log-group-retention",
		Change: Change{On: Target{"cloudwatch/logGroup", "dns-queries"}, Set: map[string]any{"retentionInDays": 0}},
	},
	{
		Name: "slow-detector", Family: "GuardDuty", Deed: "findings are told every six hours",
		Rule:   "guardduty-publishing-frequency",
		Change: Change{On: Target{"guardduty/detector", "guardduty-detector"}, Set: map[string]any{"findingPublishingFrequency": "SIX_HOURS"}},
	},
	{
		Name: "detector-feature-off", Family: "GuardDuty", Deed: "nobody watches who signs in to the database",
		Rule:   "guardduty-features-enabled",
		Change: Change{On: Target{"guardduty/detectorFeature", "guardduty-RDS_LOGIN_EVENTS"}, Set: map[string]any{"status": "DISABLED"}},
		At:     Target{"guardduty/detector", "guardduty-detector"},
	},
	{
		Name: "findings-thrown-away", Family: "GuardDuty", Deed: "findings of high severity are archived unread",
		Rule: "guardduty-no-broad-archive-filter",
		Change: Change{
			On: Target{"guardduty/filter", "quiet"},
			Add: map[string]any{
				"name": "quiet", "action": "ARCHIVE", "rank": 1, "detectorId": "0123456789abcdef0123456789abcdef",
				"findingCriteria": map[string]any{"criterions": []any{map[string]any{"field": "severity", "greaterThanOrEqual": "4"}}},
			},
		},
	},
	{
		Name: "recorder-off", Family: "Config", Deed: "the recorder of configurations is switched off",
		Rule:   "config-recorder-complete",
		Change: Change{On: Target{"cfg/recorderStatus", "config-status"}, Set: map[string]any{"isEnabled": false}},
		At:     Target{"cfg/recorder", "config-recorder"},
	},
	{
		Name: "scanner-without-images", Family: "Inspector", Deed: "images are not scanned for known weaknesses",
		Rule:   "inspector-enabled",
		Change: Change{On: Target{"inspector2/enabler", "scanners-inspector"}, Set: map[string]any{"resourceTypes": []any{"LAMBDA"}}},
		At:     theStack,
	},
	{
		Name: "macie-paused", Family: "Macie", Deed: "nobody looks for personal data in buckets",
		Rule:   "macie-enabled",
		Change: Change{On: Target{"macie2/account", "scanners-macie"}, Set: map[string]any{"status": "PAUSED"}},
		At:     theStack,
	},
	{
		Name: "disks-in-clear", Family: "EC2", Deed: "new disks are not encrypted",
		Rule:   "ebs-encryption-by-default",
		Change: Change{On: Target{"ebs/encryptionByDefault", "guards-ebs-encryption"}, Set: map[string]any{"enabled": false}},
		At:     theStack,
	},
}

var alertMistakes = []Mistake{
	{
		Name: "containment-off", Family: "response", Deed: "nothing starts the response to a finding",
		Rule:   "ir-containment-automation",
		Change: Change{On: Target{"cloudwatch/eventRule", "response-findings"}, Set: map[string]any{"state": "DISABLED"}},
		At:     theStack,
	},
	{
		Name: "alarm-silenced", Family: "alarms", Deed: "an alarm tells nobody",
		Rule:   "alarm-has-actions-enabled",
		Change: Change{On: Target{"cloudwatch/metricAlarm", "alarms-replication-failed"}, Set: map[string]any{"actionsEnabled": false}},
	},
	{
		Name: "topic-unencrypted", Family: "SNS", Deed: "alerts of low level are not encrypted with a key",
		Rule:   "sns-topic-cmk",
		Change: Change{On: Target{"sns/topic", "alerts-low"}, Set: map[string]any{"kmsMasterKeyId": Gone}},
	},
	{
		Name: "alerts-in-clear", Family: "SNS", Deed: "alerts travel in clear",
		Rule: "sns-subscription-no-plain-http",
		Change: Change{
			On:  Target{"sns/topicSubscription", "plain"},
			Add: map[string]any{"topic": "arn:aws:sns:eu-central-1:123456789012:other", "protocol": "http", "endpoint": "http://alerts.example.org"},
		},
	},
	{
		Name: "queue-unencrypted", Family: "SQS", Deed: "a queue is not encrypted",
		Rule:   "sqs-encrypted-with-dlq",
		Change: Change{On: Target{"sqs/queue", "alerts-archive"}, Set: map[string]any{"kmsMasterKeyId": Gone, "sqsManagedSseEnabled": false}},
	},
	{
		Name: "queue-in-clear", Family: "SQS", Deed: "a queue takes messages in clear",
		Rule: "sns-sqs-tls-only",
		Change: Change{
			On: Target{"sqs/queuePolicy", "response-approvals"},
			Set: map[string]any{"policy": document(map[string]any{
				"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sqs:SendMessage", "Resource": "*",
			})},
		},
	},
	{
		Name: "event-lost", Family: "EventBridge", Deed: "an alert that cannot be delivered is lost",
		Rule:   "event-target-dlq",
		Change: Change{On: Target{"cloudwatch/eventTarget", "events-tag-change"}, Set: map[string]any{"deadLetterConfig": Gone}},
	},
	{
		Name: "filter-without-event", Family: "metric filters", Deed: "the filter of unauthorized calls matches something else",
		Rule:   "alarm-unauthorized-api-calls",
		Change: Change{On: Target{"cloudwatch/logMetricFilter", "logs-unauthorized-api-calls"}, Set: map[string]any{"pattern": "{ $.eventName = ListBuckets }"}},
		At:     theStack,
	},
	{
		Name: "nobody-to-call", Family: "response", Deed: "AWS has nobody to call about security",
		Rule:   "security-alternate-contact",
		Change: Change{On: Target{"account/alternativeContact", "contacts-security"}, Set: map[string]any{"alternateContactType": "OPERATIONS"}},
		At:     theStack,
	},
}

var accountMistakes = []Mistake{
	{
		Name: "costs-unwatched", Family: "costs", Deed: "what a thief of computing time costs is told to nobody",
		Rule:   "cost-anomaly-alerts",
		Change: Change{On: Target{"costexplorer/anomalySubscription", "costs-anomalies"}, Set: map[string]any{"subscribers": []any{}}},
		Beside: []Change{{On: Target{"budgets/budget", "costs-budget"}, Set: map[string]any{"notifications": []any{}}}},
		At:     theStack,
	},
	{
		Name: "owner-unknown", Family: "tags", Deed: "what a provider makes has no owner",
		Rule:   "provider-default-tags",
		Change: Change{On: Target{"pulumi:providers:aws", "replica"}, Set: map[string]any{"defaultTags": Gone}},
	},
	{
		Name: "provider-of-any-account", Family: "providers", Deed: "a program may be applied to any account",
		Rule:   "provider-account-pinned",
		Change: Change{On: Target{"pulumi:providers:aws", "global"}, Set: map[string]any{"allowedAccountIds": Gone}},
	},
	{
		Name: "keys-in-program", Family: "providers", Deed: "a provider has an access key in the program",
		Rule: "provider-no-static-credentials",
		Change: Change{
			On: Target{"pulumi:providers:aws", "borrowed"},
			Add: map[string]any{
				"region": "eu-central-1", "accessKey": "AKIAIOSFODNN7EXAMPLE", "secretKey": "not-a-real-key",
				"allowedAccountIds": []any{"123456789012"}, "defaultTags": map[string]any{"tags": map[string]any{"owner": "platform-team"}},
			},
		},
	},
	{
		Name: "changes-ignored", Family: "options", Deed: "who may come in is changed by hand and stays changed",
		Rule:   "no-ignore-changes-on-security-properties",
		Change: Change{On: Target{"kms/key", "audit-key"}, Ignore: []string{"policy"}},
	},
}
