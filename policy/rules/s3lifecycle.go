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
		Fix:        `s3.NewBucketReplicationConfig with a rule whose Destination is a bucket of another region`,
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
		Fix:        `s3.NewBucketLifecycleConfigurationV2 with Rules whose Status is pulumi.String("Enabled")`,
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
			return missing(s, "bucket", "s3/bucketNotification", "s3/bucket", "nobody is told when objects change")
		},
		Fix: `s3.NewBucketNotification with s3.BucketNotificationArgs{Bucket: bucket.ID(), Eventbridge: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html",
	},
}

func replicated(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	if receivesAccessLogs(s, bucket) || len(s.Pointing(bucket, "rules.destination.bucket", "s3/bucketReplicationConfig")) > 0 {
		return rule.Skip()
	}
	configs := s.Pointing(bucket, "bucket", "s3/bucketReplicationConfig")
	if len(configs) == 0 {
		return missing(s, "bucket", "s3/bucketReplicationConfig", "s3/bucket", "the loss of the region is the loss of the objects")
	}
	return enabledRule(configs, "nothing is replicated")
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
