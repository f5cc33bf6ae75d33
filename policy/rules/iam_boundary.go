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
		if r.Type != "iam/policy" {
			return check(r, p)
		}
		switch ceiling := onlyBoundary(s, r); ceiling.Outcome {
		case rule.Passed:
			return rule.Skip()
		case rule.Undetermined:
			if v := check(r, p); v.Outcome != rule.Failed {
				return v
			}
			return ceiling
		default:
			return check(r, p)
		}
	}
}

// onlyBoundary says whether the policy is a permissions boundary and is attached
// to nobody: Passed is yes, Failed is no. One that may be attached counts as
// attached only where it is known to be.
func onlyBoundary(s *rule.Stack, policy *rule.Resource) rule.Verdict {
	attached := rule.Any(
		usedAs(s, policy, "policyArn", "iam/rolePolicyAttachment", "iam/userPolicyAttachment", "iam/groupPolicyAttachment", "iam/policyAttachment"),
		usedAs(s, policy, "managedPolicyArns", "iam/role"))
	if attached.Outcome == rule.Passed {
		return rule.Fail("%s is attached", policy.Label())
	}
	return usedAs(s, policy, "permissionsBoundary", "iam/role", "iam/user")
}

// usedAs follows a property to the policy: by reference, or by an ARN that was
// composed from the policy's name, which is how it is known at preview.
func usedAs(s *rule.Stack, policy *rule.Resource, property string, types ...string) rule.Verdict {
	name, named := policy.Get("name").Str()
	texts := policyNames(s, property, types)
	out := rule.Fail("%s of no resource is %s", property, policy.Label())
	for _, typ := range types {
		if len(s.Pointing(policy, property, typ)) > 0 {
			return rule.Pass()
		}
		if s.Loose(property, typ, "iam/policy") {
			out = rule.Unsure("%s of a resource is unknown", property)
		}
	}
	switch {
	case named && texts[name]:
		return rule.Pass()
	case policy.Get("name").Unknown() && len(texts) > 0:
		return rule.Unsure("the name of %s is unknown", policy.Label())
	default:
		return out
	}
}

// policyNames are the names of the policies whose ARNs the property of such
// resources holds as a text.
func policyNames(s *rule.Stack, property string, types []string) map[string]bool {
	return rule.Once(s, "policy names in "+property, func() map[string]bool {
		out := map[string]bool{}
		for _, user := range s.Of(types...) {
			for _, v := range user.Each(property) {
				arn, _ := v.Str()
				if _, last, isPolicy := strings.Cut(arn, ":policy/"); isPolicy {
					out[last[strings.LastIndex(last, "/")+1:]] = true
				}
			}
		}
		return out
	})
}
