package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3 holds the rules of "S3 Bucket Security". A bucket's settings may stand in
// resources of their own or inline; the rules see both.
var s3 = []rule.Rule{
	{
		Name:     "s3-public-access-block",
		Summary:  "A bucket has a public access block with all four settings on.",
		Guide:    []guide.ID{guide.PracticesS3PublicAccessBlocked},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(fsbp("S3.8"), cis("2.1.4"), nist("AC-3", "SC-7")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: publicAccessBlocked,
		Fix: `s3.NewBucketPublicAccessBlock with s3.BucketPublicAccessBlockArgs{BlockPublicAcls: pulumi.Bool(true), ` +
			`BlockPublicPolicy: pulumi.Bool(true), IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
	},
	{
		Name:     "s3-versioning-enabled",
		Summary:  "A bucket keeps the versions of its objects.",
		Guide:    []guide.ID{guide.PracticesS3Versioning, guide.ArchitectureLifecycleVersioning, guide.OverviewDataS3},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("S3.14"), nist("CP-9", "SI-12"), pci("10.3.4")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: versioned,
		Fix: `s3.NewBucketVersioningV2 with s3.BucketVersioningV2Args{VersioningConfiguration: ` +
			`&s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")}}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
	},
	{
		Name:     "s3-kms-encryption",
		Summary:  "A bucket encrypts its objects with KMS; targets of ALB and S3 access logs cannot, and are left out.",
		Guide:    []guide.ID{guide.ArchitectureAtRestS3, guide.OverviewDataKMS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("S3.17"), nist("SC-28", "SC-13"), pci("3.5.1", "8.3.2")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: kmsEncrypted,
		Fix: `s3.NewBucketServerSideEncryptionConfigurationV2 with ` +
			`s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: key.Arn}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
	},
	{
		Name:     "s3-tls-only-policy",
		Summary:  "A bucket's policy denies every request that does not come over TLS.",
		Guide:    []guide.ID{guide.OverviewDataTLS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("S3.5"), cis("2.1.1"), nist("SC-8", "AC-17(2)"), pci("1.2.5", "2.2.5", "2.2.7")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: tlsOnly,
		Fix: `s3.NewBucketPolicy with a statement {Effect: Deny, Principal: "*", Action: "s3:*", Resource: [bucket, bucket/*], ` +
			`Condition: {Bool: {"aws:SecureTransport": "false"}}}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
	},
	{
		Name:     "s3-access-logging",
		Summary:  "A bucket logs access to it; buckets that receive access logs are left out.",
		Guide:    []guide.ID{guide.PracticesS3AccessLogging, guide.OperationsLogsAccessLogs},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls:   mapped(fsbp("S3.9"), nist("AU-2", "AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: accessLogged,
		Fix:        `s3.NewBucketLoggingV2 with s3.BucketLoggingV2Args{Bucket: bucket.ID(), TargetBucket: logs.ID(), TargetPrefix: …}`,
		URL:        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html",
	},
	{
		Name:     "s3-policy-not-public",
		Summary:  "A bucket policy lets nobody in whom no condition binds to an organization, an account, a network or a source.",
		Guide:    []guide.ID{guide.PracticesS3PublicAccessBlocked, guide.OverviewIdentityResourcePolicies},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("S3.2", "S3.3"), nist("AC-3", "AC-6")),
		Types:    []string{"s3/bucketPolicy", "s3/bucketV2", "s3/bucket"},
		Check:    func(r *rule.Resource, _ rule.Params) rule.Verdict { return documentNotPublic(r, "policy") },
		Fix: `s3.BucketPolicyArgs{Policy: …} with named principals, or a condition on aws:PrincipalOrgID, ` +
			`aws:SourceVpce or aws:SourceArn`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-2",
	},
	{
		Name:     "s3-object-ownership-enforced",
		Summary:  "A bucket owns all its objects, so that access lists have no effect.",
		Guide:    []guide.ID{guide.PracticesS3PublicAccessBlocked},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("S3.12"), nist("AC-3"), pci("7.2.1", "7.2.2", "7.2.5")),
		Types:      []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: ownershipEnforced,
		Fix: `s3.NewBucketOwnershipControls with s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: ` +
			`pulumi.String("BucketOwnerEnforced")}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
	},
}

func publicAccessBlocked(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	blocks := s.Pointing(bucket, "bucket", "s3/bucketPublicAccessBlock")
	if len(blocks) == 0 {
		return missing(s, "bucket", "s3/bucketPublicAccessBlock", "s3/bucket", "no public access block belongs to the bucket")
	}
	out := rule.Skip()
	for _, b := range blocks {
		for _, f := range publicAccessSettings {
			out = rule.All(out, b.Get(f).True("the block "+b.Name+" leaves a way to make objects public"))
		}
	}
	return out
}

func versioned(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	for _, inline := range []string{"versioning.enabled", "versionings.enabled"} {
		if v := bucket.Get(inline); v.Present() {
			return v.True("overwritten and deleted objects are lost")
		}
	}
	settings := s.Pointing(bucket, "bucket", "s3/bucketVersioning")
	if len(settings) == 0 {
		return missing(s, "bucket", "s3/bucketVersioning", "s3/bucket", "no versioning belongs to the bucket: overwritten and deleted objects are lost")
	}
	out := rule.Skip()
	for _, v := range settings {
		out = rule.All(out, oneOf(v.Get("versioningConfiguration.status"), []string{"Enabled"}, "versions are not kept"))
	}
	return out
}

// kmsEncrypted leaves out the targets of load balancer and S3 access logs: the
// log delivery services write only to buckets with SSE-S3
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html).
func kmsEncrypted(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	if receivesAccessLogs(s, bucket) {
		return rule.Skip()
	}
	return unlessLinked(s, defaultsToKMS(s, bucket), accessLogTargets...)
}

func defaultsToKMS(s *rule.Stack, bucket *rule.Resource) rule.Verdict {
	kms := []string{"aws:kms", "aws:kms:dsse"}
	const what = "objects are not encrypted with a KMS key"
	for _, inline := range []string{
		"serverSideEncryptionConfiguration.rule.applyServerSideEncryptionByDefault.sseAlgorithm",
		"serverSideEncryptionConfigurations.rules.applyServerSideEncryptionByDefaults.sseAlgorithm",
	} {
		if v := bucket.Get(inline); v.Present() {
			return oneOf(v, kms, what)
		}
	}
	const typ = "s3/bucketServerSideEncryptionConfiguration"
	settings := s.Pointing(bucket, "bucket", typ)
	if len(settings) == 0 {
		return missing(s, "bucket", typ, "s3/bucket", "no encryption configuration belongs to the bucket: "+what)
	}
	out := rule.Skip()
	for _, c := range settings {
		rules := c.Get("rules").Items()
		if len(rules) == 0 {
			out = rule.All(out, rule.Fail("rules of %s is empty: %s", c.Name, what))
		}
		for _, e := range rules {
			out = rule.All(out, oneOf(e.Get("applyServerSideEncryptionByDefault.sseAlgorithm"), kms, what))
		}
	}
	return out
}

// receivesAccessLogs says that the bucket is the target of S3 server access
// logs or of a load balancer's access or connection logs.
func receivesAccessLogs(s *rule.Stack, bucket *rule.Resource) bool {
	return slices.ContainsFunc(accessLogTargets, func(l link) bool { return len(s.Pointing(bucket, l.property, l.from)) > 0 })
}

// accessLogTargets are the ways in which a bucket is the target of access logs.
var accessLogTargets = []link{
	{"targetBucket", "s3/bucketLogging", "s3/bucket"},
	{"loggings.targetBucket", "s3/bucket", "s3/bucket"},
	{"logging.targetBucket", "s3/bucket", "s3/bucket"},
	{"accessLogs.bucket", "lb/loadBalancer", "s3/bucket"},
	{"connectionLogs.bucket", "lb/loadBalancer", "s3/bucket"},
}

func accessLogged(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	if receivesAccessLogs(s, bucket) {
		return rule.Skip()
	}
	for _, inline := range []string{"loggings.targetBucket", "logging.targetBucket"} {
		if bucket.Get(inline).Present() {
			return rule.Pass()
		}
	}
	if len(s.Pointing(bucket, "bucket", "s3/bucketLogging")) > 0 {
		return rule.Pass()
	}
	return unlessLinked(s, missing(s, "bucket", "s3/bucketLogging", "s3/bucket", "nobody records who reads and writes the bucket's objects"), accessLogTargets...)
}

func ownershipEnforced(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	controls := s.Pointing(bucket, "bucket", "s3/bucketOwnershipControls")
	if len(controls) == 0 {
		return missing(s, "bucket", "s3/bucketOwnershipControls", "s3/bucket",
			"no ownership controls belong to the bucket: only AWS's default, which changed in April 2023, keeps access lists off")
	}
	out := rule.Skip()
	for _, c := range controls {
		out = rule.All(out, oneOf(c.Get("rule.objectOwnership"), []string{"BucketOwnerEnforced"}, "access lists stay in force"))
	}
	return out
}

func tlsOnly(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
	return denied(s, bucket, denial{onlyForPlaintext, "when aws:SecureTransport is false", "plain HTTP is accepted"})
}

// denial is a request that a bucket's policy must deny to every principal, for
// the bucket and its objects.
type denial struct {
	// only says that the statement's one condition is that of the request.
	only func(rule.Statement) bool
	// when names the condition, otherwise what a bucket without a policy does.
	when, otherwise string
}

func denied(s *rule.Stack, bucket *rule.Resource, d denial) rule.Verdict {
	name, _ := bucket.Get("bucket").Str()
	if !bucket.Get("policy").Empty() {
		return denies(bucket, name, d)
	}
	policies := s.Pointing(bucket, "bucket", "s3/bucketPolicy")
	if len(policies) == 0 {
		return missing(s, "bucket", "s3/bucketPolicy", "s3/bucket", "no policy belongs to the bucket: "+d.otherwise)
	}
	var parts []rule.Verdict
	for _, p := range policies {
		parts = append(parts, denies(p, name, d))
	}
	return rule.Any(parts...)
}

func denies(holder *rule.Resource, bucket string, d denial) rule.Verdict {
	doc, v := holder.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	// The statements count together: one for the bucket and one for its objects
	// are as good as one for both.
	var covered []string
	for _, st := range doc.Statements {
		if st.Effect == "Deny" && st.AnyPrincipal() && st.Grants("s3:GetObject") && st.Grants("s3:ListBucket") && d.only(st) {
			covered = append(covered, st.Resources...)
		}
	}
	all := rule.Statement{Resources: covered}
	if all.AnyResource() || coversBucket(covered, bucket) && coversObjects(covered, bucket) {
		return rule.Pass()
	}
	return rule.Fail("no statement of %s denies every principal every action on the bucket and its objects %s", holder.Label(), d.when)
}

// onlyForPlaintext says that the statement's one condition is that the request
// is not over TLS. A second condition would narrow the denial.
func onlyForPlaintext(st rule.Statement) bool {
	if len(st.Conditions) != 1 {
		return false
	}
	c := st.Conditions[0]
	return c.Operator == "bool" && c.Key == "aws:securetransport" && len(c.Values) == 1 && strings.EqualFold(c.Values[0], "false")
}

func coversBucket(patterns []string, bucket string) bool {
	for _, p := range patterns {
		_, resource, _ := strings.Cut(p, ":::")
		if resource != "" && !strings.Contains(resource, "/") && (bucket == "" || rule.WildcardMatch(resource, bucket)) {
			return true
		}
	}
	return false
}

func coversObjects(patterns []string, bucket string) bool {
	for _, p := range patterns {
		_, resource, _ := strings.Cut(p, ":::")
		owner, ok := strings.CutSuffix(resource, "*")
		if ok && (bucket == "" || rule.WildcardMatch(resource, bucket+"/key")) && (strings.HasSuffix(owner, "/") || !strings.Contains(owner, "/")) {
			return true
		}
	}
	return false
}
