package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsTrail       = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html"
	docsTrailS3     = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html"
	docsTrailKey    = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html"
	docsDetector    = "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html"
	docsVault       = "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html"
	docsHub         = "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_EnableSecurityHub.html"
	docsRecorder    = "https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigurationRecorder.html"
	docsChannel     = "https://docs.aws.amazon.com/config/latest/APIReference/API_PutDeliveryChannel.html"
	docsChannelLock = "https://docs.aws.amazon.com/config/latest/developerguide/manage-delivery-channel.html"
)

// auditKinds are the trail and the detectors that an account has once per region.
var auditKinds = []kind{
	{
		token: "aws:cloudtrail/trail:Trail", noun: "CloudTrail Trail", service: "CloudTrail", action: "Trail",
		id: "{arn}", arn: "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}", handles: []string{"{name}"},
		defaults: props{"enableLogFileValidation": false, "enableLogging": true, "includeGlobalServiceEvents": true, "isMultiRegionTrail": false, "isOrganizationTrail": false},
		computed: props{"homeRegion": "{region}", "snsTopicArn": ""}, replaces: []string{"name"},
		refs:   slices.Concat(refer(toBucket, "s3BucketName"), refer(toKey, "kmsKeyId"), refer(toLogGroup, "cloudWatchLogsGroupArn"), refer(toRole, "cloudWatchLogsRoleArn")),
		unique: []unique{{key: "{name}", code: "TrailAlreadyExistsException", message: "Trail {name} already exists for customer: {account}"}},
		limits: []limit{{path: "name", shortest: 3, longest: 128, pattern: regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`), meaning: "letters, digits and ._-, with a letter or digit at both ends", source: docsTrail}},
		refuses: []refusal{
			{name: "trail-bucket-policy", code: "InsufficientS3BucketPolicyException", source: docsTrailS3, because: trailMayNotWrite},
			{name: "trail-key-policy", code: "InsufficientEncryptionPolicyException", source: docsTrailKey, because: trailMayNotEncrypt},
			{name: "trail-log-group-suffix", code: "InvalidCloudWatchLogsLogGroupArnException", source: docsTrail, because: func(c *call) string {
				if v := c.text("cloudWatchLogsGroupArn"); v != "" && !strings.HasSuffix(v, ":*") {
					return "CloudTrail cannot validate the specified log group ARN: it must end in :*"
				}
				return ""
			}},
			{name: "trail-selectors", code: "InvalidEventSelectorsException", source: docsTrail, because: func(c *call) string {
				if has(c.in, "eventSelectors") && has(c.in, "advancedEventSelectors") {
					return "a trail has either event selectors or advanced event selectors"
				}
				return ""
			}},
			quota("trails-per-region", 5, "MaximumNumberOfTrailsExceededException", "The maximum number of trails has been reached.", docsTrail),
		},
	},
	singleton("aws:guardduty/detector:Detector", "GuardDuty Detector", "GuardDuty", "Detector", "{hex32}", "arn:{partition}:guardduty:{region}:{account}:detector/{id}",
		"BadRequestException", "The request is rejected because a detector already exists for the current account.", docsDetector,
		props{"accountId": "{account}", "findingPublishingFrequency": "SIX_HOURS"}),
	singleton("aws:securityhub/account:Account", "Security Hub Account", "SecurityHub", "SecurityHub", "{account}", "arn:{partition}:securityhub:{region}:{account}:hub/default",
		"ResourceConflictException", "Account is already subscribed to Security Hub", docsHub, nil),
	named(singleton(configRecorderToken, "Config Recorder", "Config Service", "ConfigurationRecorder", "{name}", "",
		"MaxNumberOfConfigurationRecordersExceededException", "Failed to put configuration recorder because the maximum number of configuration recorders: 1 is reached.", docsRecorder, nil), docsRecorder),
	refusing(named(singleton("aws:cfg/deliveryChannel:DeliveryChannel", "Config Delivery Channel", "Config Service", "DeliveryChannel", "{name}", "",
		"MaxNumberOfDeliveryChannelsExceededException", "Failed to put delivery channel because the maximum number of delivery channels: 1 is reached.", docsChannel, nil), docsChannel),
		refusal{name: "channel-locked-bucket", code: "InsufficientDeliveryPolicyException", source: docsChannelLock, because: channelLocked}),
	{
		token: "aws:guardduty/detectorFeature:DetectorFeature", noun: "GuardDuty Detector Feature", service: "GuardDuty", action: "Detector", call: "UpdateDetector",
		id: "{detectorId}/{name}", replaces: []string{"detectorId", "name"}, refs: refer(toDetector, "detectorId"),
	},
}

// singleton is a type that an account has at most once per region, whatever its
// name.
func singleton(token, noun, service, action, id, arn, code, message, source string, computed props) kind {
	return kind{
		token: token, noun: noun, service: service, action: action, id: id, arn: arn, computed: computed, once: true,
		refs: refsOf(token, refer(toRole, "roleArn"), refer(toBucket, "s3BucketName")),
		refuses: []refusal{{name: "once-per-region", at: []operation{opCreate}, code: code, source: source, because: func(c *call) string {
			_, same := c.acct.live[c.key()]
			if len(c.all(c.kind.token)) == 0 && (!same || c.kind.overwrites != "") {
				return ""
			}
			return message
		}}},
	}
}

// named is a singleton whose name says which: to put the same name again
// changes the one that is there.
func named(k kind, overwrites string) kind {
	k.overwrites = overwrites
	return k
}

// refusing adds to what AWS refuses of a kind.
func refusing(k kind, more ...refusal) kind {
	k.refuses = append(k.refuses, more...)
	return k
}

func channelLocked(c *call) string {
	bucket := c.referred("s3BucketName")
	if bucket == nil {
		return ""
	}
	lock := c.side(bucket, "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2")
	if lock == nil || lock.text("rule.defaultRetention.mode") == "" {
		return ""
	}
	return fmt.Sprintf("Insufficient delivery policy to s3 bucket: %s, unable to write to bucket: objects in it have a default retention, under which AWS Config writes nothing. Give it a bucket without.", bucket.id)
}

func trailMayNotWrite(c *call) string {
	bucket := c.referred("s3BucketName")
	if bucket == nil {
		return ""
	}
	policy := c.side(bucket, "aws:s3/bucketPolicy:BucketPolicy")
	if policy != nil {
		d, err := parsePolicy(policy.text("policy"))
		service := func(kind, who string) bool { return kind == "Service" && who == "cloudtrail.amazonaws.com" }
		if err == nil && d.allows(service, "s3:PutObject") && d.allows(service, "s3:GetBucketAcl") {
			return ""
		}
	}
	return fmt.Sprintf("Incorrect S3 bucket policy is detected for bucket: %s: it must allow s3:GetBucketAcl and s3:PutObject to cloudtrail.amazonaws.com, and the trail must depend on it.", bucket.id)
}

func trailMayNotEncrypt(c *call) string {
	key := c.referred("kmsKeyId")
	if key == nil {
		return ""
	}
	policy, _ := text(key.outputs, "policy")
	d, err := parsePolicy(policy)
	service := func(kind, who string) bool { return kind == "Service" && who == "cloudtrail.amazonaws.com" }
	if err != nil || d.allows(service, "kms:GenerateDataKey") {
		return ""
	}
	return fmt.Sprintf("Insufficient permissions to access the KMS key %s: its policy must allow kms:GenerateDataKey* to cloudtrail.amazonaws.com.", key.arn())
}
