package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3Lifecycle holds the rules about what becomes of a bucket's objects.
var s3Lifecycle = []rule.Rule{
	{
		Name:     "s3-cross-region-replication",
		Summary:  "A bucket's objects are replicated; buckets that receive replicas or access logs are left out.",
		Guide:    []guide.ID{guide.PracticesS3Replication, guide.ArchitectureLifecycleReplication},
		Severity: rule.Medium,
		// Development stacks live in one region.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("S3.7"), nist("CP-9", "CP-6")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: replicated,
		Fix:        `s3.NewBucketReplicationConfig with s3.BucketReplicationConfigRuleDestinationArgs{Bucket: copies.Arn}, a bucket of another region`,
		URL:        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html",
	},
	{
		Name:     "s3-lifecycle-configured",
		Summary:  "A bucket has a lifecycle configuration with a rule that is on.",
		Guide:    []guide.ID{guide.PracticesS3Lifecycle, guide.ArchitectureLifecycleLifecyclePolicies},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(fsbp("S3.10", "S3.13"), nist("SI-12"), pci("3.2.1", "3.3.1.1", "3.3.1.3")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: hasLifecycle,
		Fix:        `s3.NewBucketLifecycleConfigurationV2 with s3.BucketLifecycleConfigurationV2RuleArgs{Status: pulumi.String("Enabled"), …}`,
		URL:        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html",
	},
	{
		Name:     "s3-event-notifications",
		Summary:  "A bucket tells somebody when its objects change; targets of access logs are left out.",
		Guide:    []guide.ID{guide.PracticesS3EventNotifications},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("S3.11"), nist("SI-4"), pci("11.5.2", "11.6.1", "12.10.5")),
		Types:    []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: func(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
			if receivesAccessLogs(s, bucket) {
				return rule.Skip()
			}
			if len(s.Pointing(bucket, "bucket", "s3/bucketNotification")) > 0 {
				return rule.Pass()
			}
			return unlessLinked(s, missing(s, "bucket", "s3/bucketNotification", "s3/bucket", "nobody is told when objects change"), accessLogTargets...)
		},
		Fix: `s3.NewBucketNotification with s3.BucketNotificationArgs{Bucket: bucket.ID(), Eventbridge: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html",
	},
	{
		Name:     "s3-lifecycle-noncurrent-expiration",
		Summary:  "The lifecycle of a bucket that keeps versions says what becomes of the old ones.",
		Guide:    []guide.ID{guide.PracticesS3Lifecycle, guide.ArchitectureLifecycleLifecyclePolicies},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(fsbp("S3.10"), nist("SI-12")),
		Types:      []string{"s3/bucketLifecycleConfigurationV2", "s3/bucketV2", "s3/bucket"},
		CheckStack: oldVersionsEnd,
		Fix: `s3.BucketLifecycleConfigurationV2RuleArgs{NoncurrentVersionExpiration: ` +
			`&s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{NoncurrentDays: pulumi.Int(90)}}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html",
	},
	{
		Name:     "s3-lifecycle-abort-multipart",
		Summary:  "The lifecycle of a bucket removes uploads that nobody finished, in the whole bucket.",
		Guide:    []guide.ID{guide.PracticesS3Lifecycle},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SI-12")),
		Types:    []string{"s3/bucketLifecycleConfigurationV2", "s3/bucketV2", "s3/bucket"},
		Check:    unfinishedUploadsEnd,
		Fix: `s3.BucketLifecycleConfigurationV2RuleArgs{AbortIncompleteMultipartUpload: ` +
			`&s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{DaysAfterInitiation: pulumi.Int(7)}}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpu-abort-incomplete-mpu-lifecycle-config.html",
		Remediate: rule.SetInList("rules", "abortIncompleteMultipartUpload.daysAfterInitiation", 7, func(v rule.Value) bool {
			return rule.All(lifecycleOn(v), wholeBucket(v)).Outcome == rule.Passed
		}),
	},
}

func replicated(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	copies := link{"rules.destination.bucket", "s3/bucketReplicationConfig", "s3/bucket"}
	if receivesAccessLogs(s, bucket) || len(s.Pointing(bucket, copies.property, copies.from)) > 0 {
		return rule.Skip()
	}
	configs := s.Pointing(bucket, "bucket", "s3/bucketReplicationConfig")
	if len(configs) == 0 {
		return unlessLinked(s, missing(s, "bucket", "s3/bucketReplicationConfig", "s3/bucket", "the loss of the region is the loss of the objects"),
			append([]link{copies}, accessLogTargets...)...)
	}
	return unlessLinked(s, enabledRule(configs, "nothing is replicated"), append([]link{copies}, accessLogTargets...)...)
}

func hasLifecycle(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	if !bucket.Get("lifecycleRules").Empty() {
		return rule.Pass()
	}
	const typ = "s3/bucketLifecycleConfiguration"
	configs := s.Pointing(bucket, "bucket", typ)
	if len(configs) == 0 {
		return missing(s, "bucket", typ, "s3/bucket", "objects and their old versions are kept for ever")
	}
	return enabledRule(configs, "objects and their old versions are kept for ever")
}

// enabledRule is the verdict of configurations of which one rule must be on.
func enabledRule(configs []*rule.Resource, what string) rule.Verdict {
	var parts []rule.Verdict
	for _, c := range configs {
		for _, status := range c.Each("rules.status") {
			parts = append(parts, oneOf(status, []string{"Enabled"}, what))
		}
	}
	return rule.Any(append(parts, rule.Fail("no rule is on: %s", what))...)
}

// lifecycleRules are the rules of a lifecycle, in the resource for it or inline
// in the bucket.
func lifecycleRules(r *rule.Resource) []rule.Value {
	if r.Is("s3/bucket") {
		return r.Get("lifecycleRules").Items()
	}
	return r.Get("rules").Items()
}

func lifecycleOn(e rule.Value) rule.Verdict {
	if v := e.Get("enabled"); v.Present() && (!v.Unknown() || e.Get("status").Absent()) { // inline
		return v.True("the rule is off")
	}
	return oneOf(e.Get("status"), []string{"Enabled"}, "the rule is off")
}

// wholeBucket says that nothing narrows the rule to some of the objects.
func wholeBucket(e rule.Value) rule.Verdict {
	out := rule.Pass()
	for _, path := range []string{
		"prefix", "tags", "filter.prefix", "filter.tag", "filter.and", "filter.objectSizeGreaterThan", "filter.objectSizeLessThan",
	} {
		switch v := e.Get(path); {
		case v.Unknown():
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case !v.Empty():
			out = rule.All(out, rule.Fail("%s narrows the rule", v.Path()))
		}
	}
	return out
}

// anyOf says that one of the properties is set.
func anyOf(v rule.Value, paths ...string) rule.Verdict {
	for _, path := range paths {
		if !v.Get(path).Empty() {
			return rule.Pass()
		}
	}
	return rule.Fail("%s is not set", paths[0])
}

// oneRule is the verdict of a lifecycle of which one rule must pass. Without
// rules it is Skip.
func oneRule(r *rule.Resource, check func(rule.Value) rule.Verdict, what string) rule.Verdict {
	var parts []rule.Verdict
	for _, e := range lifecycleRules(r) {
		parts = append(parts, check(e))
	}
	if v := rule.Any(parts...); v.Outcome != rule.Failed {
		return v
	}
	return rule.Fail("%s", what)
}

func unfinishedUploadsEnd(r *rule.Resource, _ rule.Params) rule.Verdict {
	return oneRule(r, func(e rule.Value) rule.Verdict {
		return rule.All(lifecycleOn(e), wholeBucket(e),
			anyOf(e, "abortIncompleteMultipartUpload.daysAfterInitiation", "abortIncompleteMultipartUploadDays"))
	}, "none of the rules that are on and cover the whole bucket has abortIncompleteMultipartUpload: parts of unfinished uploads are kept and paid for, and no list shows them")
}

// oldVersionsEnd leaves out lifecycles of buckets that keep no versions.
func oldVersionsEnd(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	out := oneRule(r, func(e rule.Value) rule.Verdict {
		return rule.All(lifecycleOn(e), anyOf(e, "noncurrentVersionExpiration", "noncurrentVersionExpirations", "noncurrentVersionTransitions"))
	}, "no rule that is on has noncurrentVersionExpiration: what was overwritten or deleted is kept for ever")
	if out.Outcome != rule.Failed {
		return out
	}
	buckets := []*rule.Resource{r}
	if !r.Is("s3/bucket") {
		buckets = s.Refs(r, "bucket", "s3/bucket").Targets
	}
	if len(buckets) == 0 {
		return rule.Unsure("the bucket is not in this stack")
	}
	keeps := rule.Skip()
	for _, b := range buckets {
		keeps = rule.All(keeps, versioned(s, b, p))
	}
	switch keeps.Outcome {
	case rule.Failed:
		return rule.Skip()
	case rule.Undetermined:
		return keeps
	default:
		return out
	}
}
