package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// kms holds the rules of "KMS and Secrets" and "KMS Configuration".
var kms = []rule.Rule{
	{
		Name:     "kms-key-rotation-enabled",
		Summary:  "A symmetric KMS key rotates its key material automatically.",
		Guide:    []guide.ID{guide.PracticesKMSKeyRotation, guide.ArchitectureAtRestKeyRotation, guide.ConfigurationsKMSRotation},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:  mapped(fsbp("KMS.4"), cis("3.6"), nist("SC-12"), pci("3.7.4", "3.7.5")),
		Types:     []string{"kms/key"},
		Check:     keyRotates,
		Fix:       `kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
		Remediate: rule.SetTo("enableKeyRotation", true),
	},
	{
		Name:     "kms-deletion-window-30",
		Summary:  "A KMS key waits 30 days between the request to delete it and its end.",
		Guide:    []guide.ID{guide.ConfigurationsKMSDeletionWindow},
		Severity: rule.Medium,
		// Development stacks come and go in a week, so that the wait is advice
		// unless the pack's configuration makes it mandatory.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("KMS.3"), nist("SC-12")),
		Types:    []string{"kms/key", "kms/replicaKey"},
		Params: []rule.Param{{
			Name: "minDays", Kind: rule.Integer, Default: 30, Min: 7, Max: 30,
			Description: "The shortest deletion window that passes, in days.",
		}},
		Check:     deletionWindow,
		Fix:       `kms.KeyArgs{DeletionWindowInDays: pulumi.Int(30)}`,
		URL:       "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
		Remediate: rule.SetWith("deletionWindowInDays", func(p rule.Params) any { return p.Int("minDays") }),
	},
	{
		Name:     "kms-policy-explicit",
		Summary:  "A KMS key has a key policy of its own, not the default one that leaves everything to IAM.",
		Guide:    []guide.ID{guide.PracticesKMSKeyPolicies},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls:   mapped(nist("AC-3")),
		Types:      []string{"kms/key"},
		CheckStack: keyPolicyExplicit,
		Fix:        `kms.KeyArgs{Policy: pulumi.String(policyJSON)}, or a kms.NewKeyPolicy for the key`,
		URL:        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
	},
	{
		Name:     "kms-policy-no-wildcard-principal",
		Summary:  "A key policy lets nobody use the key whom no condition binds to an account, an organization or a caller.",
		Guide:    []guide.ID{guide.PracticesKMSKeyPolicies, guide.OverviewIdentityResourcePolicies},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("KMS.5"), nist("AC-3", "AC-6")),
		Types:    []string{"kms/key", "kms/keyPolicy", "kms/replicaKey"},
		Check:    func(r *rule.Resource, _ rule.Params) rule.Verdict { return documentNotPublic(r, "policy") },
		Fix:      `kms.KeyArgs{Policy: …} with named principals, or a condition on aws:PrincipalOrgID or kms:CallerAccount`,
		URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-5",
	},
	{
		Name:     "kms-no-lockout-bypass",
		Summary:  "A KMS key keeps the check that stops a policy nobody could change any more.",
		Guide:    []guide.ID{guide.PracticesKMSKeyPolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-12")),
		Types:    []string{"kms/key", "kms/keyPolicy", "kms/replicaKey"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("bypassPolicyLockoutSafetyCheck").False("a wrong policy would make the key unmanageable")
		},
		Fix:       `kms.KeyArgs{BypassPolicyLockoutSafetyCheck: pulumi.Bool(false)}`,
		URL:       "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
		Remediate: rule.SetTo("bypassPolicyLockoutSafetyCheck", false),
	},
}

// keyRotates judges only keys that can rotate: symmetric encryption keys whose
// material KMS made. For asymmetric and HMAC keys and for keys in custom key
// stores the API refuses rotation.
func keyRotates(r *rule.Resource, _ rule.Params) rule.Verdict {
	if usage, ok := r.Get("keyUsage").Str(); ok && usage != "ENCRYPT_DECRYPT" {
		return rule.Skip()
	}
	if spec, ok := r.Get("customerMasterKeySpec").Str(); ok && spec != "SYMMETRIC_DEFAULT" {
		return rule.Skip()
	}
	if !r.Get("customKeyStoreId").Empty() || !r.Get("xksKeyId").Empty() {
		return rule.Skip()
	}
	return unless(r.Get("enableKeyRotation").True("the key material would never change"), r.Get("keyUsage"), r.Get("customerMasterKeySpec"))
}

func deletionWindow(r *rule.Resource, p rule.Params) rule.Verdict {
	v := r.Get("deletionWindowInDays")
	days, known := v.Int()
	switch {
	case v.Absent(): // AWS's own default is 30 days
		return rule.Pass()
	case !known:
		return rule.Unsure("%s is unknown", v.Path())
	case days < p.Int("minDays"):
		return rule.Fail("%s is %s, less than the %d days in which a mistake can be undone", v.Path(), v.Show(), p.Int("minDays"))
	default:
		return rule.Pass()
	}
}

func keyPolicyExplicit(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	if !r.Get("policy").Empty() || len(s.Pointing(r, "keyId", "kms/keyPolicy")) > 0 {
		return rule.Pass()
	}
	return missing(s, "keyId", "kms/keyPolicy", "kms/key",
		"policy is not set and no kms.KeyPolicy belongs to the key: every IAM administrator of the account could use it")
}
