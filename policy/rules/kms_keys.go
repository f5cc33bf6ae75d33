package rules

import (
	"slices"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// kmsKeys holds the rules about what a key is, beside those in kms.
var kmsKeys = []rule.Rule{
	{
		Name:     "kms-rotation-period",
		Summary:  "A key that rotates does so at least once a year.",
		Guide:    []guide.ID{guide.PracticesKMSKeyRotation, guide.ArchitectureAtRestKeyRotation},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("KMS.4"), cis("3.6"), nist("SC-12"), pci("3.7.4", "3.7.5")),
		Types:    []string{"kms/key"},
		Params: []rule.Param{{
			Name: "maxDays", Kind: rule.Integer, Default: 365, Min: 90, Max: 2560,
			Description: "The longest rotation period that passes, in days.",
		}},
		Check:     rotationPeriod,
		Fix:       `kms.KeyArgs{RotationPeriodInDays: pulumi.Int(365)}`,
		URL:       "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
		Remediate: rule.SetWith("rotationPeriodInDays", func(p rule.Params) any { return p.Int("maxDays") }),
	},
	{
		Name:     "kms-multi-region-key",
		Summary:  "The application's key is a multi-region key, which only its creation can make it.",
		Guide:    []guide.ID{guide.PracticesKMSMultiRegionKeys, guide.ConfigurationsKMSMultiRegion},
		Severity: rule.Low,
		// AWS prefers keys of one region where nothing is replicated.
		Level:    rule.Advisory,
		Controls: mapped(nist("CP-6")),
		Types:    []string{"kms/key"},
		Params: []rule.Param{{
			Name: "descriptions", Kind: rule.Strings, Default: []string{"Application encryption key"},
			Description: "The descriptions of the keys that must be multi-region, with * for any text.",
		}},
		Check: applicationKeyMultiRegion,
		Fix:   `kms.KeyArgs{MultiRegion: pulumi.Bool(true)}; an existing key is replaced, so encrypt again what it encrypted`,
		URL:   "https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html",
	},
	{
		Name:     "kms-multi-region-replica-present",
		Summary:  "A multi-region key has a replica in another region, without which it is of no use there.",
		Guide:    []guide.ID{guide.PracticesKMSMultiRegionKeys, guide.ConfigurationsKMSMultiRegion},
		Severity: rule.Low,
		// Development stacks live in one region.
		Level:      rule.Advisory,
		Controls:   mapped(nist("CP-6")),
		Types:      []string{"kms/key"},
		CheckStack: replicaPresent,
		Fix:        `kms.NewReplicaKey with kms.ReplicaKeyArgs{PrimaryKeyArn: key.Arn} and pulumi.Provider(…) of another region`,
		URL:        "https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html",
	},
	{
		Name:     "kms-key-enabled",
		Summary:  "A key is enabled; nothing that a disabled one encrypted can be read.",
		Guide:    []guide.ID{guide.OverviewDataKMS},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-12")),
		Types:    []string{"kms/key", "kms/replicaKey"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, on := range []string{"isEnabled", "enabled"} { // on by default
				if v := r.Get(on); v.Present() {
					out = rule.All(out, v.True("what the key encrypted cannot be read"))
				}
			}
			return out
		},
		Fix: `kms.KeyArgs{IsEnabled: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",
	},
	{
		Name:     "kms-key-has-alias-and-description",
		Summary:  "A key says what it is for, by a description and by an alias.",
		Guide:    []guide.ID{guide.ConfigurationsKMSKey, guide.PracticesKMSAuditLogging},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("CM-8")),
		Types:      []string{"kms/key", "kms/replicaKey"},
		CheckStack: named,
		Fix:        `kms.KeyArgs{Description: pulumi.String("…")} and kms.NewAlias with kms.AliasArgs{TargetKeyId: key.KeyId}`,
		URL:        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
	},
}

// rotationPeriod is about keys that rotate: whether they do is
// kms-key-rotation-enabled.
func rotationPeriod(r *rule.Resource, p rule.Params) rule.Verdict {
	if rotates := keyRotates(r, p); rotates.Outcome != rule.Passed {
		if rotates.Outcome == rule.Failed {
			return rule.Skip()
		}
		return rotates
	}
	v, most := r.Get("rotationPeriodInDays"), p.Int("maxDays")
	days, known := v.Int()
	switch {
	case v.Absent(): // AWS's own default is 365 days
		return rule.Pass()
	case !known:
		return rule.Unsure("%s is unknown", v.Path())
	case days < 90 || days > most:
		return rule.Fail("%s is %s, not between 90 and %d", v.Path(), v.Show(), most)
	default:
		return rule.Pass()
	}
}

func applicationKeyMultiRegion(r *rule.Resource, p rule.Params) rule.Verdict {
	v := r.Get("description")
	text, _ := v.Str()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case !slices.ContainsFunc(p.Strs("descriptions"), func(pattern string) bool { return rule.WildcardMatch(pattern, text) }):
		return rule.Skip()
	default:
		return r.Get("multiRegion").True("no other region can read what the key encrypted")
	}
}

func replicaPresent(s *rule.Stack, key *rule.Resource, _ rule.Params) rule.Verdict {
	multi := key.Get("multiRegion")
	if multi.Unknown() {
		return rule.Unsure("%s is unknown", multi.Path())
	}
	if on, _ := multi.Bool(); !on {
		return rule.Skip()
	}
	var parts []rule.Verdict
	for _, typ := range []string{"kms/replicaKey", "kms/replicaExternalKey"} {
		for _, replica := range s.Pointing(key, "primaryKeyArn", typ) {
			if here := key.Region(); here != "" && here == replica.Region() {
				parts = append(parts, rule.Fail("%s is in %s too, where the key itself is", replica.Name, here))
				continue
			}
			return rule.Pass() // KMS refuses a second one in the region of the first
		}
	}
	if len(parts) == 0 {
		return missing(s, "primaryKeyArn", "kms/replicaKey", "kms/key", "multiRegion is true, and no kms.ReplicaKey belongs to the key")
	}
	return rule.Any(parts...)
}

func named(s *rule.Stack, key *rule.Resource, _ rule.Params) rule.Verdict {
	out := key.Get("description").Set("nobody can tell what the key is for")
	if len(s.Pointing(key, "targetKeyId", "kms/alias")) == 0 {
		out = rule.All(out, missing(s, "targetKeyId", "kms/alias", key.Type, "no alias belongs to the key: its events name it by a number"))
	}
	return out
}
