package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3Keeping holds the rules about how a bucket and its versions may be lost.
var s3Keeping = []rule.Rule{
	{
		Name:     "s3-mfa-delete",
		Summary:  "A bucket that keeps versions for ever asks for a second factor before one is deleted.",
		Guide:    []guide.ID{guide.PracticesS3Versioning},
		Severity: rule.Low,
		// Only the account's root user can switch it on, by hand.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("S3.20"), cis("2.1.2"), nist("AC-3"), pci("3.5.1.3", "8.4.1", "8.4.2")),
		Types:      []string{"s3/bucketVersioningV2", "s3/bucketV2", "s3/bucket"},
		CheckStack: mfaDelete,
		Fix: `s3.BucketVersioningV2Args{Mfa: pulumi.String("serial code"), VersioningConfiguration: ` +
			`&s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled"), MfaDelete: pulumi.String("Enabled")}}, or a lifecycle for the bucket`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html",
	},
	{
		Name:     "s3-no-force-destroy",
		Summary:  "The end of a production stack does not take the objects of its buckets with it.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("CP-9")),
		Types:    []string{"s3/bucketV2", "s3/bucket"},
		Params: []rule.Param{{
			Name: "stacks", Kind: rule.Strings, Default: []string{"prod", "production", "prod-*", "*-prod"},
			Description: "The names of the stacks that are production, with * for any text.",
		}},
		Check:     noForceDestroy,
		Fix:       `s3.BucketV2Args{ForceDestroy: pulumi.Bool(false)}`,
		URL:       "https://www.pulumi.com/registry/packages/aws/api-docs/s3/bucketv2/",
		Remediate: rule.SetTo("forceDestroy", false),
	},
	{
		Name:     "s3-no-deprecated-inline-config",
		Summary:  "A bucket's settings stand in resources of their own; inline ones fight with them.",
		Guide:    []guide.ID{guide.OverviewDataS3},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("CM-6")),
		Types:    []string{"s3/bucketV2", "s3/bucket"},
		Check:    noInlineSettings,
		Fix:      `s3.NewBucketVersioningV2, s3.NewBucketServerSideEncryptionConfigurationV2, s3.NewBucketPolicy and so on, in place of the bucket's own properties`,
		URL:      "https://www.pulumi.com/registry/packages/aws/api-docs/s3/bucketv2/",
	},
}

// mfaDelete leaves out buckets with a lifecycle: S3 refuses the two together
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html),
// and s3-lifecycle-configured asks for the lifecycle.
func mfaDelete(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	of := s.Refs(r, "bucket", "s3/bucket")
	setting, buckets := r.Get("versioningConfiguration.mfaDelete"), of.Targets
	if r.Is("s3/bucket") {
		block := r.Get("versionings")
		if block.Empty() {
			block = r.Get("versioning")
		}
		if block.Empty() {
			return rule.Skip()
		}
		setting, buckets = block.Get("mfaDelete"), []*rule.Resource{r}
	}
	const typ = "s3/bucketLifecycleConfiguration"
	for _, b := range buckets {
		if !b.Get("lifecycleRules").Empty() || len(s.Pointing(b, "bucket", typ)) > 0 {
			return rule.Skip()
		}
	}
	if s.Loose("bucket", typ, "s3/bucket") || of.Unknown && len(s.Of(typ)) > 0 {
		return rule.Unsure("whether a lifecycle belongs to the bucket is unknown")
	}
	if on, known := setting.Bool(); known && on {
		return rule.Pass()
	}
	return oneOf(setting, []string{"Enabled"}, "whoever may delete versions can, with a stolen session too")
}

func noForceDestroy(r *rule.Resource, p rule.Params) rule.Verdict {
	stack := string(r.URN.Stack())
	production := slices.ContainsFunc(p.Strs("stacks"), func(pattern string) bool { return rule.WildcardMatch(pattern, stack) })
	if !production {
		return rule.Skip()
	}
	return r.Get("forceDestroy").False("destroying the stack deletes every object, every version too")
}

// inlineSettings are the bucket's properties, in both its forms, that have a
// resource of their own.
var inlineSettings = []string{
	"corsRules", "grants", "lifecycleRules", "logging", "loggings", "objectLockConfiguration", "policy",
	"replicationConfiguration", "replicationConfigurations", "serverSideEncryptionConfiguration",
	"serverSideEncryptionConfigurations", "versioning", "versionings", "website", "websites",
}

func noInlineSettings(r *rule.Resource, _ rule.Params) rule.Verdict {
	var found []string
	// "private" is what the provider writes where the program says nothing.
	if acl := r.Get("acl"); !acl.Empty() && oneOf(acl, []string{"private"}, "").Outcome == rule.Failed {
		found = append(found, "acl")
	}
	for _, key := range inlineSettings {
		if !r.Get(key).Empty() {
			found = append(found, key)
		}
	}
	switch {
	case len(found) > 0:
		return rule.Fail("%s: set in the bucket itself", strings.Join(found, ", "))
	case r.Get("acl").Unknown():
		return rule.Unsure("acl is unknown")
	default:
		return rule.Pass()
	}
}
