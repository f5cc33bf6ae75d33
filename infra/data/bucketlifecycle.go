package data

import (
	"cmp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// abortUploadsAfter is in days: parts of an upload that nobody finished are
// invisible and paid for.
const abortUploadsAfter = 7

// lifecycle is the bucket's one life-cycle configuration (S3 replaces it as a
// whole). Every rule has a Filter, if an empty one: without it the provider
// falls back to the deprecated Prefix and shows a change at every preview.
func (b *bucketBuilder) lifecycle(o ...pulumi.ResourceOption) (pulumi.Resource, error) {
	kind := bucketKinds[b.args.Kind]
	kind.noncurrentDays = cmp.Or(b.args.NoncurrentDays, kind.noncurrentDays)
	rules := s3.BucketLifecycleConfigurationV2RuleArray{cleanupRule(), noncurrentRule(kind)}
	if transitions := b.args.transitions(); len(transitions) > 0 {
		r := lifecycleRule("tiering")
		r.Transitions = transitions
		rules = append(rules, r)
	}
	if b.args.ExpireAfterDays > 0 {
		rules = append(rules, expiryRule(b.args.ExpireAfterDays))
	}
	return s3.NewBucketLifecycleConfigurationV2(b.ctx, b.name+"-lifecycle", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: b.c.Bucket.ID(),
		Rules:  rules,
	}, o...)
}

func lifecycleRule(id string) *s3.BucketLifecycleConfigurationV2RuleArgs {
	return &s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:     pulumi.String(id),
		Status: pulumi.String("Enabled"),
		Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{},
	}
}

// cleanupRule removes what holds no data: unfinished uploads, and delete
// markers without a version under them.
func cleanupRule() *s3.BucketLifecycleConfigurationV2RuleArgs {
	r := lifecycleRule("cleanup")
	r.AbortIncompleteMultipartUpload = &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
		DaysAfterInitiation: pulumi.Int(abortUploadsAfter),
	}
	r.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)}
	return r
}

func noncurrentRule(kind bucketKind) *s3.BucketLifecycleConfigurationV2RuleArgs {
	expiration := &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
		NoncurrentDays: pulumi.Int(kind.noncurrentDays),
	}
	if kind.noncurrentKept > 0 {
		expiration.NewerNoncurrentVersions = pulumi.Int(kind.noncurrentKept)
	}
	r := lifecycleRule("noncurrent-versions")
	r.NoncurrentVersionExpiration = expiration
	return r
}

// transitions are the moves to cheaper storage that come before the objects
// expire: S3 refuses later ones.
func (args *BucketArgs) transitions() s3.BucketLifecycleConfigurationV2RuleTransitionArray {
	kind := bucketKinds[args.Kind]
	var out s3.BucketLifecycleConfigurationV2RuleTransitionArray
	for _, move := range []struct {
		days  int
		class string
	}{{kind.infrequentAfter, "STANDARD_IA"}, {kind.archiveAfter, "GLACIER_IR"}} {
		if move.days == 0 || args.ExpireAfterDays > 0 && move.days >= args.ExpireAfterDays {
			continue
		}
		out = append(out, &s3.BucketLifecycleConfigurationV2RuleTransitionArgs{
			Days: pulumi.Int(move.days), StorageClass: pulumi.String(move.class),
		})
	}
	return out
}

// expiryRule stands alone: S3 refuses days beside ExpiredObjectDeleteMarker in
// one rule.
func expiryRule(days int) *s3.BucketLifecycleConfigurationV2RuleArgs {
	r := lifecycleRule("expiry")
	r.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(days)}
	return r
}
