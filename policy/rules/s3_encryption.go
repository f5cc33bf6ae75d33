package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3Encryption holds the rules about the keys that encrypt objects.
var s3Encryption = []rule.Rule{
	{
		Name:     "s3-kms-customer-managed-key",
		Summary:  "A bucket that encrypts with KMS does so with a key of our own.",
		Guide:    []guide.ID{guide.ArchitectureAtRestS3, guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("S3.17"), nist("SC-12", "SC-28"), pci("3.5.1", "8.3.2")),
		Types:      []string{"s3/bucketServerSideEncryptionConfigurationV2", "s3/bucketV2", "s3/bucket"},
		CheckStack: ownBucketKey,
		Fix:        `s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{KmsMasterKeyId: key.Arn}`,
		URL:        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
	},
	{
		Name:     "s3-bucket-key-enabled",
		Summary:  "A bucket that encrypts with KMS uses a bucket key, so that KMS is not asked for every object.",
		Guide:    []guide.ID{guide.ArchitectureAtRestS3},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:  mapped(nist("SC-28")),
		Types:     []string{"s3/bucketServerSideEncryptionConfigurationV2", "s3/bucketV2", "s3/bucket"},
		Check:     bucketKeyOn,
		Fix:       `s3.BucketServerSideEncryptionConfigurationV2RuleArgs{BucketKeyEnabled: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html",
		Remediate: rule.SetInList("rules", "bucketKeyEnabled", true, func(v rule.Value) bool { return algorithmOf(v) == "aws:kms" }),
	},
	{
		Name:     "s3-replica-encrypted-with-cmk",
		Summary:  "A replication copies KMS-encrypted objects too, under a key of our own in the copies' region.",
		Guide:    []guide.ID{guide.PracticesS3Replication, guide.ArchitectureAtRestS3},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-28")),
		Types:    []string{"s3/bucketReplicationConfig"},
		Check:    replicasEncrypted,
		Fix: `s3.BucketReplicationConfigRuleArgs{SourceSelectionCriteria: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs{` +
			`SseKmsEncryptedObjects: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs{Status: pulumi.String("Enabled")}}, ` +
			`Destination: &s3.BucketReplicationConfigRuleDestinationArgs{Bucket: copies.Arn, ` +
			`EncryptionConfiguration: &s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs{ReplicaKmsKeyId: replicaKey.Arn}}}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html",
	},
}

// encryptionRules are the places of default encryption: in the resource for it,
// inline in a version 2 bucket, inline in a legacy one.
var encryptionRules = []string{"rules", "serverSideEncryptionConfigurations.rules", "serverSideEncryptionConfiguration.rule"}

// byDefault is the block of an encryption rule that names algorithm and key,
// by either of its spellings.
func byDefault(encryption rule.Value) rule.Value {
	if v := encryption.Get("applyServerSideEncryptionByDefaults"); v.Present() && !v.Unknown() {
		return v
	}
	return encryption.Get("applyServerSideEncryptionByDefault")
}

func algorithmOf(encryption rule.Value) string {
	s, _ := byDefault(encryption).Get("sseAlgorithm").Str()
	return s
}

// judgeKMS joins the verdicts about the encryption rules that use KMS with one
// of the algorithms. Where there is none it is Skip: SSE-S3 is another rule's.
func judgeKMS(r *rule.Resource, algorithms []string, check func(place string, encryption rule.Value) rule.Verdict) rule.Verdict {
	out := rule.Skip()
	for _, place := range encryptionRules {
		for _, e := range r.Each(place) {
			switch algorithm := byDefault(e).Get("sseAlgorithm"); {
			case algorithm.Unknown():
				out = rule.All(out, rule.Unsure("%s is unknown", algorithm.Path()))
			case slices.Contains(algorithms, algorithmOf(e)):
				out = rule.All(out, check(place, e))
			}
		}
	}
	return out
}

func ownBucketKey(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	return judgeKMS(r, []string{"aws:kms", "aws:kms:dsse"}, func(place string, e rule.Value) rule.Verdict {
		key := byDefault(e).Get("kmsMasterKeyId")
		if v := notManaged(key, "aws/s3"); v.Outcome != rule.Undetermined {
			return v
		}
		if len(s.Refs(r, keyPath(place), ourKeys...).Targets) > 0 {
			return rule.Pass()
		}
		return rule.Unsure("the key in %s is not in this stack", key.Path())
	})
}

// ourKeys are the resources that a reference to a key of our own may go to.
var ourKeys = []string{"kms/key", "kms/replicaKey", "kms/externalKey", "kms/replicaExternalKey", "kms/alias"}

func keyPath(place string) string {
	if strings.HasSuffix(place, "s.rules") {
		return place + ".applyServerSideEncryptionByDefaults.kmsMasterKeyId"
	}
	return place + ".applyServerSideEncryptionByDefault.kmsMasterKeyId"
}

// notManaged says what a key's name tells: Failed for none and for a key that
// AWS manages, Passed for an alias of our own, Undetermined where only the key
// itself could tell.
func notManaged(key rule.Value, managed string) rule.Verdict {
	name, known := key.Str()
	switch {
	case key.Empty():
		return rule.Fail("%s is not set: the key %s encrypts, whose policy nobody can change", key.Path(), managed)
	case known && strings.Contains(name, "alias/aws/"):
		return rule.Fail("%s is %s, a key whose policy nobody can change", key.Path(), key.Show())
	case known && strings.Contains(name, "alias/"):
		return rule.Pass()
	default:
		return rule.Unsure("%s does not tell whose key it is", key.Path())
	}
}

// bucketKeyOn leaves out DSSE-KMS, which has no bucket keys.
func bucketKeyOn(r *rule.Resource, _ rule.Params) rule.Verdict {
	return judgeKMS(r, []string{"aws:kms"}, func(_ string, e rule.Value) rule.Verdict {
		return e.Get("bucketKeyEnabled").True("KMS is asked, and paid, for every object")
	})
}

func replicasEncrypted(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, e := range r.Get("rules").Items() {
		status := e.Get("status")
		if text, known := status.Str(); known && text != "Enabled" {
			continue
		}
		out = rule.All(out, unless(oneOf(e.Get("sourceSelectionCriteria.sseKmsEncryptedObjects.status"), []string{"Enabled"},
			"objects that KMS encrypts are left out, and nothing says so"), status))
		key := notManaged(e.Get("destination.encryptionConfiguration.replicaKmsKeyId"), "of the source's region")
		if key.Outcome == rule.Undetermined && !e.Get("destination").Unknown() {
			key = rule.Pass() // a key is named; the managed ones have aliases
		}
		out = rule.All(out, unless(key, status))
	}
	return out
}
