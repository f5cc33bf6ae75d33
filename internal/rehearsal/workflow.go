package rehearsal

import (
	"regexp"
	"slices"
)

const (
	docsStates    = "https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html"
	docsSchedule  = "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"
	docsParameter = "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"
	docsProfile   = "https://docs.aws.amazon.com/signer/latest/api/API_PutSigningProfile.html"
	docsTable     = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html"
	docsAnalyzer  = "https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CreateAnalyzer.html"
	docsFirehose  = "https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html"
)

// workflowKinds are state machines, schedules, and the small services that they
// and the rest of a stack work with.
var workflowKinds = []kind{
	{
		token: "aws:sfn/stateMachine:StateMachine", noun: "SFN State Machine", service: "SFN", action: "StateMachine",
		id: "{arn}", arn: "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
		defaults: props{"publish": false, "type": "STANDARD"},
		computed: props{"creationDate": "2026-01-01T00:00:00Z", "revisionId": "{uuid:revision}", "status": "ACTIVE", "stateMachineVersionArn": "", "name": "{namePrefix|}{digits26:prefix}"},
		replaces: []string{"name", "namePrefix", "type"}, refs: append(refer(toRole, "roleArn"), refer(toLogGroup, "loggingConfiguration.logDestination")...),
		unique: []unique{{key: "{name}", code: "StateMachineAlreadyExists", message: "State Machine Already Exists: '{name}'"}},
		limits: []limit{
			{path: "definition", json: true, longest: 1048576, source: docsStates},
			{path: "name", longest: 80, pattern: regexp.MustCompile(`^[a-zA-Z0-9_-]+$`), meaning: "only letters, digits, _ and -", source: docsStates},
			{path: "type", oneOf: []string{"EXPRESS", "STANDARD"}, source: docsStates},
		},
		refuses: []refusal{{name: "state-machine-log-suffix", code: "InvalidLoggingConfiguration", source: docsStates, because: func(c *call) string {
			if v := c.text("loggingConfiguration.logDestination"); v != "" && !regexp.MustCompile(`:\*$`).MatchString(v) {
				return "Invalid Logging Configuration: the log group's ARN must end in :*"
			}
			return ""
		}}},
	},
	{
		token: "aws:scheduler/schedule:Schedule", noun: "EventBridge Scheduler Schedule", service: "Scheduler", action: "Schedule",
		id: "{groupName}/{name}", arn: "arn:{partition}:scheduler:{region}:{account}:schedule/{groupName}/{name}",
		defaults: props{"scheduleExpressionTimezone": "UTC", "state": "ENABLED"}, computed: props{"groupName": "default"},
		replaces: []string{"groupName", "name", "namePrefix"}, refs: append(refer(toRole, "target.roleArn"), refer(toKey, "kmsKeyArn")...),
		limits: []limit{
			{path: "name", longest: 64, pattern: regexp.MustCompile(`^[0-9a-zA-Z_.-]+$`), meaning: "only letters, digits and _.-", source: docsSchedule},
			{path: "scheduleExpression", pattern: regexp.MustCompile(`^(at|cron|rate)\(.+\)$`), meaning: "like rate(1 hour), cron(...) or at(...)", source: docsSchedule},
		},
	},
	{
		token: "aws:ssm/parameter:Parameter", noun: "SSM Parameter", service: "SSM", action: "Parameter", call: "PutParameter",
		id: "{name}", arn: "arn:{partition}:ssm:{region}:{account}:parameter/{plainName}",
		words:    map[string]func(*call) string{"plainName": func(c *call) string { return regexp.MustCompile(`^/`).ReplaceAllString(c.text("name"), "") }},
		defaults: props{"tier": "Standard"}, computed: props{"version": 1, "dataType": "text"},
		replaces: []string{"name"}, updates: []string{"type"}, refs: refer(toKey, "keyId"),
		unique: []unique{{key: "{name}", code: "ParameterAlreadyExists", message: "The parameter already exists. To overwrite this value, set the overwrite option in the request to true. ({name})"}},
		limits: []limit{
			{path: "name", longest: 2048, pattern: regexp.MustCompile(`^[a-zA-Z0-9_./-]+$`), meaning: "only letters, digits and _./-", source: docsParameter},
			{path: "type", oneOf: []string{"SecureString", "String", "StringList"}, source: docsParameter},
			{path: "tier", oneOf: []string{"Advanced", "Intelligent-Tiering", "Standard"}, source: docsParameter},
		},
		refuses: []refusal{{name: "parameter-size", code: "ValidationException", source: docsParameter, because: func(c *call) string {
			if c.text("tier") == "Standard" && len(c.text("value")) > 4096 {
				return "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
			}
			return ""
		}}},
	},
	{
		token: "aws:signer/signingProfile:SigningProfile", noun: "Signer Signing Profile", service: "Signer", action: "SigningProfile", call: "PutSigningProfile",
		id: "{name}", arn: "arn:{partition}:signer:{region}:{account}:/signing-profiles/{name}",
		computed: props{
			"name": func(c *call) any {
				if has(c.in, "namePrefix") {
					return "{namePrefix}{digits26:name}"
				}
				return "terraform_{digits26:name}"
			},
			"version": "{alnum10:version}", "versionArn": "{arn}/{version}", "status": "Active", "platformDisplayName": "AWS Lambda",
		},
		replaces: []string{"name", "namePrefix", "platformId", "signatureValidityPeriod", "signingMaterial"},
		limits: []limit{
			{path: "name", longest: 64, pattern: regexp.MustCompile(`^[a-zA-Z0-9_]+$`), meaning: "only letters, digits and _ (no hyphens)", source: docsProfile},
			{path: "namePrefix", longest: 38, pattern: regexp.MustCompile(`^[a-zA-Z0-9_]+$`), meaning: "only letters, digits and _ (no hyphens)", source: docsProfile},
		},
	},
	{
		token: "aws:signer/signingJob:SigningJob", noun: "Signer Signing Job", service: "Signer", action: "SigningJob", call: "StartSigningJob",
		id: "{uuid}", words: map[string]func(*call) string{
			"prefix": func(c *call) string { return c.text("destination.s3.prefix") },
			"bucket": func(c *call) string { return c.text("destination.s3.bucket") },
		},
		computed: props{
			"jobId": "{id}", "jobInvoker": "{account}", "jobOwner": "{account}", "requestedBy": "arn:{partition}:iam::{account}:user/rehearsal",
			"status": "Succeeded", "statusReason": "Signing Succeeded", "platformDisplayName": "AWS Lambda", "platformId": "AWSLambda-SHA384-ECDSA",
			"signedObjects": []any{props{"s3s": []any{props{"bucket": "{bucket}", "key": "{prefix}{id}.zip"}}}},
		},
		replaces: []string{"destination", "ignoreSigningJobFailure", "profileName", "source"},
		refs:     refer(toSigningProfile, "profileName"),
	},
	{
		token: "aws:dynamodb/table:Table", noun: "DynamoDB Table", service: "DynamoDB", action: "Table",
		id: "{name}", arn: "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
		defaults: props{"billingMode": "PROVISIONED"},
		computed: props{"streamArn": "", "streamLabel": "", "readCapacity": 0, "writeCapacity": 0}, replaces: []string{"hashKey", "name", "rangeKey"},
		refs:   refer(toKey, "serverSideEncryption.kmsKeyArn"),
		unique: []unique{{key: "{name}", code: "ResourceInUseException", message: "Table already exists: {name}"}},
		limits: []limit{
			{path: "name", shortest: 3, longest: 255, pattern: regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`), meaning: "only letters, digits and _.-", source: docsTable},
			{path: "billingMode", oneOf: []string{"PAY_PER_REQUEST", "PROVISIONED"}, source: docsTable},
		},
		refuses: []refusal{
			{name: "table-keys-declared", code: "ValidationException", source: docsTable, because: func(c *call) string {
				for _, k := range []string{c.text("hashKey"), c.text("rangeKey")} {
					if k != "" && !slices.Contains(c.texts("attributes[*].name"), k) {
						return "One or more parameter values were invalid: Some index key attributes are not defined in attributes: " + k
					}
				}
				return ""
			}},
			{name: "table-protected", at: []operation{opDelete}, code: "ValidationException", source: docsTable, because: protected("deletionProtectionEnabled", "Resource cannot be deleted as it is currently protected against deletion: {id}")},
		},
	},
	{
		token: "aws:accessanalyzer/analyzer:Analyzer", noun: "IAM Access Analyzer Analyzer", service: "AccessAnalyzer", action: "Analyzer",
		id: "{analyzerName}", arn: "arn:{partition}:access-analyzer:{region}:{account}:analyzer/{analyzerName}",
		defaults: props{"type": "ACCOUNT"}, replaces: []string{"analyzerName", "type"},
		unique: []unique{{key: "{analyzerName}", code: "ConflictException", message: "The analyzer {analyzerName} exists already"}},
		limits: []limit{{path: "type", oneOf: []string{"ACCOUNT", "ACCOUNT_INTERNAL_ACCESS", "ACCOUNT_UNUSED_ACCESS", "ORGANIZATION", "ORGANIZATION_INTERNAL_ACCESS", "ORGANIZATION_UNUSED_ACCESS"}, source: docsAnalyzer}},
		refuses: []refusal{{name: "analyzer-quota", at: []operation{opCreate}, code: "ServiceQuotaExceededException", source: docsAnalyzer, because: func(c *call) string {
			for _, other := range c.all(c.kind.token) {
				if typ, _ := text(other.outputs, "type"); typ == c.text("type") && typ == "ACCOUNT" {
					return "the account has an analyzer of external access already: " + other.id
				}
			}
			return ""
		}}},
	},
	{
		token: "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", noun: "Kinesis Firehose Delivery Stream", service: "Firehose", action: "DeliveryStream",
		id: "{arn}", arn: "arn:{partition}:firehose:{region}:{account}:deliverystream/{name}",
		computed: props{"versionId": "1", "destinationId": "destinationId-000000000001"}, replaces: []string{"destination", "name"},
		refs: slices.Concat(refer(toRole, "extendedS3Configuration.roleArn", "opensearchConfiguration.roleArn"), refer(toBucket, "extendedS3Configuration.bucketArn", "opensearchConfiguration.s3Configuration.bucketArn"),
			refer(toSearchDomain, "opensearchConfiguration.domainArn"), refer(toKey, "serverSideEncryption.keyArn")),
		unique: []unique{{key: "{name}", code: "ResourceInUseException", message: "Firehose {name} under account {account} already exists"}},
		limits: []limit{
			{path: "name", longest: 64, pattern: regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`), meaning: "only letters, digits and _.-", source: docsFirehose},
			{path: "destination", oneOf: []string{"elasticsearch", "extended_s3", "http_endpoint", "iceberg", "opensearch", "opensearchserverless", "redshift", "snowflake", "splunk"}, source: docsFirehose},
		},
	},
}
