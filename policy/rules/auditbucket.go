package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// auditBucket holds the rules about the bucket that a trail writes to.
var auditBucket = []rule.Rule{
	{
		Name:     "cloudtrail-bucket-protected",
		Summary:  "The bucket of a trail is not public, records who reads it, and keeps every version, locked.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs, guide.PracticesS3PublicAccessBlocked},
		Severity: rule.High,
		// A lock cannot be undone, which is not for stacks that come and go.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("CloudTrail.6", "CloudTrail.7"), cis("3.4"), nist("AU-9")),
		Types:      []string{"cloudtrail/trail"},
		CheckStack: trailBucketProtected,
		Fix:        `s3.NewBucketPublicAccessBlock, s3.NewBucketLoggingV2, s3.NewBucketVersioningV2 and s3.NewBucketObjectLockConfigurationV2 for the trail's bucket`,
		URL:        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html",
	},
	{
		Name:     "cloudtrail-bucket-policy-source-arn",
		Summary:  "The bucket of a trail lets CloudTrail write for this trail only, not for anybody's.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.OperationsLogsAuditLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-6")),
		Types:      []string{"cloudtrail/trail"},
		CheckStack: trailBucketNamesTrail,
		Fix:        `s3.BucketPolicyArgs{Policy: …} with the condition StringEquals aws:SourceArn = the trail's ARN in the statements for cloudtrail.amazonaws.com`,
		URL:        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html",
	},
}

// trailBucket applies a check to the bucket of a trail. A central archive is in
// another stack, of another account.
func trailBucket(s *rule.Stack, trail *rule.Resource, check func(bucket *rule.Resource) rule.Verdict) rule.Verdict {
	refs := s.Refs(trail, "s3BucketName", "s3/bucket")
	out := rule.Skip()
	for _, bucket := range refs.Targets {
		out = rule.All(out, check(bucket))
	}
	if !refs.Complete() {
		out = rule.All(out, rule.Unsure("the trail's bucket is not in this stack"))
	}
	return out
}

func trailBucketProtected(s *rule.Stack, trail *rule.Resource, p rule.Params) rule.Verdict {
	return trailBucket(s, trail, func(bucket *rule.Resource) rule.Verdict {
		return rule.All(publicAccessBlocked(s, bucket, p), accessLogged(s, bucket, p), versioned(s, bucket, p), locked(s, bucket))
	})
}

func locked(s *rule.Stack, bucket *rule.Resource) rule.Verdict {
	on := bucket.Get("objectLockEnabled")
	inline := bucket.Get("objectLockConfiguration").Present()
	if isOn, _ := on.Bool(); isOn || inline || len(s.Pointing(bucket, "bucket", "s3/bucketObjectLockConfiguration")) > 0 {
		return rule.Pass()
	}
	if on.Unknown() {
		return rule.Unsure("objectLockEnabled of %s is unknown", bucket.Label())
	}
	return missing(s, "bucket", "s3/bucketObjectLockConfiguration", "s3/bucket", "no object lock keeps "+bucket.Label()+": the audit log can be deleted")
}

func trailBucketNamesTrail(s *rule.Stack, trail *rule.Resource, _ rule.Params) rule.Verdict {
	return trailBucket(s, trail, func(bucket *rule.Resource) rule.Verdict {
		holders := s.Pointing(bucket, "bucket", "s3/bucketPolicy")
		if !bucket.Get("policy").Empty() {
			holders = append(holders, bucket)
		}
		if len(holders) == 0 {
			return missing(s, "bucket", "s3/bucketPolicy", "s3/bucket", "no policy belongs to "+bucket.Label()+": CloudTrail may not write to it")
		}
		out := rule.Skip()
		for _, h := range holders {
			out = rule.All(out, namesTrail(h, trail))
		}
		return out
	})
}

func namesTrail(holder, trail *rule.Resource) rule.Verdict {
	doc, v := holder.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		switch {
		case !st.Allows() || !forService(st, "cloudtrail.amazonaws.com"):
			return rule.Pass()
		case !st.Requires("aws:sourcearn"):
			return rule.Fail("%s of %s has no condition on aws:SourceArn: a trail of any account may write here", st.Label(), holder.Label())
		case !sourceIsTrail(st, trail):
			return rule.Fail("aws:SourceArn in %s of %s is not this trail: CloudTrail may not write", st.Label(), holder.Label())
		default:
			return rule.Pass()
		}
	})
}

func forService(st rule.Statement, service string) bool {
	for _, p := range st.Principals {
		if p.Type == "Service" && p.ID == service {
			return true
		}
	}
	return false
}

// sourceIsTrail compares the name, which is known at preview; the account and
// the region are not.
func sourceIsTrail(st rule.Statement, trail *rule.Resource) bool {
	name, known := trail.Get("name").Str()
	for _, c := range st.Conditions {
		if c.Key != "aws:sourcearn" {
			continue
		}
		for _, arn := range c.Values {
			_, pattern, named := strings.Cut(arn, ":trail/")
			if !known || named && rule.WildcardMatch(pattern, name) || !named && strings.HasSuffix(arn, "*") {
				return true
			}
		}
	}
	return false
}
