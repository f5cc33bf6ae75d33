package rules

import (
	"strings"

	"redoubt/policy/rule"
)

// granted makes a check of a stack from one of a policy: it skips managed
// policies that are only ever a permissions boundary. A boundary is a ceiling
// and grants nothing, so that it is wide by nature.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func granted(check func(*rule.Resource, rule.Params) rule.Verdict) func(*rule.Stack, *rule.Resource, rule.Params) rule.Verdict {
	return func(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
		if r.Type == "iam/policy" && onlyBoundary(s, r) {
			return rule.Skip()
		}
		return check(r, p)
	}
}

func onlyBoundary(s *rule.Stack, policy *rule.Resource) bool {
	return usedAs(s, policy, "permissionsBoundary", "iam/role", "iam/user") &&
		!usedAs(s, policy, "policyArn", "iam/rolePolicyAttachment", "iam/userPolicyAttachment", "iam/groupPolicyAttachment", "iam/policyAttachment") &&
		!usedAs(s, policy, "managedPolicyArns", "iam/role")
}

// usedAs follows a property to the policy: by reference, or by an ARN that was
// composed from the policy's name, which is how it is known at preview.
func usedAs(s *rule.Stack, policy *rule.Resource, property string, types ...string) bool {
	name, named := policy.Get("name").Str()
	for _, user := range s.Of(types...) {
		if s.Refs(user, property, "iam/policy").Has(policy) {
			return true
		}
		for _, v := range user.Each(property) {
			arn, known := v.Str()
			if known && named && strings.Contains(arn, ":policy/") && arn[strings.LastIndex(arn, "/")+1:] == name {
				return true
			}
		}
	}
	return false
}
