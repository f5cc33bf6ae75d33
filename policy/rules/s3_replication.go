package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3Replication holds the rules about where replicas go.
var s3Replication = []rule.Rule{
	{
		Name:     "s3-replication-destination-in-other-region",
		Summary:  "A replication has a destination in another region than its source.",
		Guide:    []guide.ID{guide.PracticesS3Replication, guide.ArchitectureLifecycleReplication},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("S3.7"), nist("CP-6(1)")),
		Types:      []string{"s3/bucketReplicationConfig"},
		CheckStack: copiesInOtherRegion,
		Fix:        `s3.NewBucketV2 for the copies with pulumi.Provider(…) of another region, and its Arn in Destination.Bucket`,
		URL:        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html",
	},
	{
		Name:     "s3-replication-versioning-both-sides",
		Summary:  "Source and destination of a replication keep versions, without which S3 refuses it.",
		Guide:    []guide.ID{guide.PracticesS3Replication, guide.PracticesS3Versioning},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("CP-9")),
		Types:      []string{"s3/bucketReplicationConfig"},
		CheckStack: bothSidesVersioned,
		Fix: `s3.NewBucketVersioningV2 for both buckets with s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")}, and the s3.NewBucketReplicationConfig ` +
			`with pulumi.DependsOn of both`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html",
	},
}

const replicaPath = "rules.destination.bucket"

// copiesInOtherRegion asks for one destination: a copy in the same region may
// have its own reasons beside it.
func copiesInOtherRegion(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	here, copies := r.Region(), s.Refs(r, replicaPath, "s3/bucket")
	var parts []rule.Verdict
	for _, b := range copies.Targets {
		switch there := b.Region(); {
		case here == "" || there == "":
			parts = append(parts, rule.Unsure("the region of %s or of its copy %s is unknown", r.Name, b.Name))
		case here == there:
			parts = append(parts, rule.Fail("%s is in %s like the source: the loss of the region is the loss of both", b.Name, there))
		default:
			return rule.Pass()
		}
	}
	if !copies.Complete() {
		parts = append(parts, rule.Unsure("a bucket in %s is not in this stack", replicaPath))
	}
	return rule.Any(parts...)
}

func bothSidesVersioned(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, path := range []string{"bucket", replicaPath} {
		side := s.Refs(r, path, "s3/bucket")
		for _, b := range side.Targets {
			out = rule.All(out, about(b.Name, versioned(s, b, p)))
		}
		if !side.Complete() {
			out = rule.All(out, rule.Unsure("a bucket in %s is not in this stack", path))
		}
	}
	return out
}
