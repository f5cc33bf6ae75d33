package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// provider holds the rules about Pulumi's own resources.
var provider = []rule.Rule{
	{
		Name:     "provider-no-static-credentials",
		Summary:  "The AWS provider takes its credentials from its surroundings; keys in the configuration live for ever.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(nist("IA-5")),
		Types:    []string{"pulumi:providers:aws"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, key := range []string{"accessKey", "secretKey", "token"} {
				if !r.Get(key).Empty() {
					out = rule.All(out, rule.Fail("%s is set, and stands in the configuration and in the state", key))
				}
			}
			return out
		},
		Fix: `aws.ProviderArgs{AssumeRole: &aws.ProviderAssumeRoleArgs{RoleArn: pulumi.String("…")}}, or OIDC through Pulumi ESC, in place of AccessKey and SecretKey`,
		URL: "https://www.pulumi.com/registry/packages/aws/installation-configuration/",
	},
	{
		Name:     "provider-region-allowed",
		Summary:  "The AWS provider works in the regions that the organization allows.",
		Guide:    []guide.ID{guide.PracticesIAMServiceControlPolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("CM-7")),
		Types:    []string{"pulumi:providers:aws"},
		Params: []rule.Param{{
			Name: "regions", Kind: rule.Strings, Default: []string{},
			Description: "The regions that are allowed. Without them the rule has nothing to say.",
		}},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			switch region := r.Get("region"); {
			case len(p.Strs("regions")) == 0:
				return rule.Skip()
			case region.Empty():
				return rule.Unsure("region is not set, and comes from the surroundings")
			default:
				return oneOf(region, p.Strs("regions"), "not one of the allowed regions")
			}
		},
		Fix: `aws.ProviderArgs{Region: …} with an allowed region`,
		URL: "https://www.pulumi.com/registry/packages/aws/installation-configuration/",
	},
	{
		Name:     "provider-account-pinned",
		Summary:  "The AWS provider works in the account that the program names, whoever's credentials it finds.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AC-6")),
		Types:    []string{"pulumi:providers:aws"},
		Check:    accountPinned,
		Fix:      `aws.ProviderArgs{AllowedAccountIds: pulumi.StringArray{pulumi.String("111122223333")}}`,
		URL:      "https://www.pulumi.com/registry/packages/aws/installation-configuration/",
	},
	{
		Name:     "provider-default-tags",
		Summary:  "The AWS provider tags whatever it makes.",
		Guide:    []guide.ID{guide.OperationsLowTagModifications, guide.OperationsLowResourceCreation},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("CM-8")),
		Types:    []string{"pulumi:providers:aws"},
		Params: []rule.Param{{
			Name: "keys", Kind: rule.Strings, Default: []string{},
			Description: "The keys that the provider's tags must have.",
		}},
		Check: defaultTagged,
		Fix:   `aws.ProviderArgs{DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{"Environment": pulumi.String("prod")}}}`,
		URL:   "https://www.pulumi.com/registry/packages/aws/api-docs/provider/",
	},
}

// accountPinned accepts a role, too: its ARN names an account.
func accountPinned(r *rule.Resource, _ rule.Params) rule.Verdict {
	for _, list := range []string{"allowedAccountIds", "assumeRoles", "assumeRole", "assumeRoleWithWebIdentity"} {
		if !r.Get(list).Decoded().Empty() {
			return rule.Pass()
		}
	}
	return rule.Fail("neither allowedAccountIds nor a role to assume is set")
}

func defaultTagged(r *rule.Resource, p rule.Params) rule.Verdict {
	given := r.Get("defaultTags").Decoded().Get("tags").Decoded()
	out := given.Set("resources without tags of their own have no owner")
	for _, key := range p.Strs("keys") {
		switch v := given.Key(key); {
		case v.Unknown():
			out = rule.All(out, rule.Unsure("the tag %s is unknown", key))
		case v.Empty():
			out = rule.All(out, rule.Fail("defaultTags has no tag %s", key))
		}
	}
	return out
}
