package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3Logging holds the rules about where access logs and audit logs are kept.
var s3Logging = []rule.Rule{
	{
		Name:     "s3-log-bucket-not-self",
		Summary:  "A bucket does not log access to itself into itself, where each delivery is an access to log.",
		Guide:    []guide.ID{guide.PracticesS3AccessLogging},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("AU-9")),
		Types:      []string{"s3/bucketLoggingV2", "s3/bucketV2", "s3/bucket"},
		CheckStack: logsElsewhere,
		Fix:        `s3.BucketLoggingV2Args{Bucket: bucket.ID(), TargetBucket: logs.ID()} with another bucket as the target`,
		URL:        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html",
	},
	{
		Name:     "s3-log-bucket-hardened",
		Summary:  "A bucket that receives access logs blocks public access, keeps versions and has a lifecycle.",
		Guide:    []guide.ID{guide.PracticesS3AccessLogging, guide.OperationsLogsAccessLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AU-9")),
		Types:      []string{"s3/bucketLoggingV2", "s3/bucketV2", "s3/bucket"},
		CheckStack: logTargetHardened,
		Fix: `s3.NewBucketPublicAccessBlock, s3.NewBucketVersioningV2 and s3.NewBucketLifecycleConfigurationV2 ` +
			`for the bucket that is s3.BucketLoggingV2Args.TargetBucket`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
	},
	{
		Name:     "s3-object-lock-on-audit-buckets",
		Summary:  "A bucket that keeps a trail's files locks them against change for a default time.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs},
		Severity: rule.Medium,
		// What is locked outlives the stack, which development stacks do not want.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("S3.15"), nist("AU-9", "SI-12"), pci("10.3.4")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: auditLocked,
		Fix: `s3.BucketV2Args{ObjectLockEnabled: pulumi.Bool(true)}, and s3.NewBucketObjectLockConfigurationV2 with ` +
			`s3.BucketObjectLockConfigurationV2RuleDefaultRetentionArgs{Mode: pulumi.String("GOVERNANCE"), Days: pulumi.Int(365)}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html",
	},
}

// logTargets are the properties that name the bucket that gets the access logs:
// in the resource for it, inline in a version 2 bucket, inline in a legacy one.
var logTargets = []string{"targetBucket", "loggings.targetBucket", "logging.targetBucket"}

// logTarget is the property of r that names where access logs go, or "".
func logTarget(r *rule.Resource) string {
	for _, path := range logTargets {
		if !r.Get(path).Empty() {
			return path
		}
	}
	return ""
}

func logsElsewhere(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	path := logTarget(r)
	if path == "" {
		return rule.Skip()
	}
	source := rule.Refs{Targets: []*rule.Resource{r}}
	if !r.Is("s3/bucket") {
		source = s.Refs(r, "bucket", "s3/bucket")
	}
	target := s.Refs(r, path, "s3/bucket")
	for _, b := range source.Targets {
		if target.Has(b) {
			return rule.Fail("%s is the bucket %s itself: its log grows for ever, each delivery making the next", path, b.Name)
		}
	}
	from, to := bucketName(source), bucketName(target)
	switch {
	case from != "" && from == to:
		return rule.Fail("%s is the bucket itself: its log grows for ever, each delivery making the next", path)
	case from != "" && to != "", source.Complete() && target.Complete():
		return rule.Pass()
	default:
		return rule.Unsure("bucket and %s are not both known", path)
	}
}

// bucketName is the physical name of the one bucket that is referred to, or "".
func bucketName(refs rule.Refs) string {
	if refs.Unknown || len(refs.Targets)+len(refs.External) != 1 {
		return ""
	}
	if len(refs.External) == 1 {
		name, _ := refs.External[0].Str()
		return name
	}
	name, _ := refs.Targets[0].Get("bucket").Str()
	return name
}

func logTargetHardened(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	path := logTarget(r)
	if path == "" {
		return rule.Skip()
	}
	target, out := s.Refs(r, path, "s3/bucket"), rule.Skip()
	for _, b := range target.Targets {
		out = rule.All(out, about(b.Name, publicAccessBlocked(s, b, p), versioned(s, b, p), hasLifecycle(s, b, p)))
	}
	if !target.Complete() {
		out = rule.All(out, rule.Unsure("the bucket in %s is not in this stack", path))
	}
	return out
}

// about joins verdicts whose reasons then say which resource they are about.
func about(name string, parts ...rule.Verdict) rule.Verdict {
	out := rule.All(parts...)
	for i := range out.Reasons {
		out.Reasons[i] = name + ": " + out.Reasons[i]
	}
	return out
}

// auditLocked is about trails only: AWS Config does not deliver into a bucket
// with an object lock
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-config-deliverychannel.html).
func auditLocked(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	if len(s.Pointing(bucket, "s3BucketName", "cloudtrail/trail")) == 0 {
		if s.Loose("s3BucketName", "cloudtrail/trail", "s3/bucket") {
			return rule.Unsure("a trail's bucket is unknown")
		}
		return rule.Skip()
	}
	const what = "who can delete objects can delete the audit log"
	modes := defaultRetentions(s, bucket)
	if len(modes) == 0 && len(s.Pointing(bucket, "bucket", "s3/bucketObjectLockConfiguration")) == 0 {
		return missing(s, "bucket", "s3/bucketObjectLockConfiguration", "s3/bucket", "no object lock belongs to the bucket of a trail: "+what)
	}
	out := rule.Skip()
	for _, m := range modes {
		out = rule.All(out, oneOf(m, []string{"GOVERNANCE", "COMPLIANCE"}, what))
	}
	if len(modes) == 0 {
		return rule.Fail("the object lock of a trail's bucket has no default retention: %s", what)
	}
	return out
}

// defaultRetentions are the modes of a bucket's default retention, of the bucket
// itself and of the resource for it.
func defaultRetentions(s *rule.Stack, bucket *rule.Resource) []rule.Value {
	modes := append(bucket.Each("objectLockConfiguration.rule.defaultRetention.mode"), bucket.Each("objectLockConfiguration.rules.defaultRetentions.mode")...)
	for _, c := range s.Pointing(bucket, "bucket", "s3/bucketObjectLockConfiguration") {
		modes = append(modes, c.Each("rule.defaultRetention.mode")...)
	}
	return modes
}
