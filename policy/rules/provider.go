package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// provider holds the rules about Pulumi's own resources.
var provider = []rule.Rule{{
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
	Fix: `aws.ProviderArgs{AssumeRoles: …}, or OIDC through Pulumi ESC, in place of AccessKey and SecretKey`,
	URL: "https://www.pulumi.com/registry/packages/aws/installation-configuration/",
}}
