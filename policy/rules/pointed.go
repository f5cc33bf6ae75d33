package rules

import "redoubt/policy/rule"

// webACLTakers are what a web ACL can be associated with.
var webACLTakers = []string{
	"lb/loadBalancer", "apigateway/stage", "cognito/userPool", "appsync/graphQLApi", "apprunner/service", "verifiedaccess/instance",
}

// shieldTakers are what Shield Advanced protects.
var shieldTakers = []string{
	"lb/loadBalancer", "elb/loadBalancer", "cloudfront/distribution", "ec2/eip", "route53/zone", "globalaccelerator/accelerator",
}

// pointedAt is the verdict of a resource that a partner must point at, by a
// property that takes resources of several kinds: a partner of another resource
// of these kinds is not in doubt, as it is for missing. what says what a
// violation means.
func pointedAt(s *rule.Stack, r *rule.Resource, property, partner string, kinds []string, what string) rule.Verdict {
	out := rule.Fail("%s", what)
	for _, from := range s.Of(partner) {
		refs := s.Refs(from, property, kinds...)
		if refs.Has(r) {
			return rule.Pass()
		}
		if refs.Unknown {
			out = rule.Unsure("%s of %s is unknown", property, from.Label())
		}
	}
	return out
}
