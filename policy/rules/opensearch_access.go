package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// openSearchAccess holds the rules about who reads a domain, and with which key.
var openSearchAccess = []rule.Rule{
	{
		Name:     "opensearch-customer-managed-key",
		Summary:  "An OpenSearch domain is encrypted with a key of our own, whose policy and rotation we decide.",
		Guide:    []guide.ID{guide.ArchitectureAtRestOpenSearch},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-12", "SC-28")),
		Types:    domains,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			block := r.Get("encryptAtRest")
			if block.Unknown() {
				return rule.Unsure("encryptAtRest is unknown")
			}
			return ownKey(block.Get("kmsKeyId"), "the key aws/es, whose policy nobody can change, encrypts it")
		},
		Fix: `opensearch.DomainEncryptAtRestArgs{Enabled: pulumi.Bool(true), KmsKeyId: key.Arn} for a new domain`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/encryption-at-rest.html",
	},
	{
		Name:     "opensearch-no-anonymous-or-internal-users",
		Summary:  "An OpenSearch domain knows its users from IAM or an identity provider, and nobody without a name.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("IA-2")),
		Types:    []string{"opensearch/domain"},
		Check:    namedUsers,
		Fix:      `opensearch.DomainAdvancedSecurityOptionsArgs{AnonymousAuthEnabled: pulumi.Bool(false), InternalUserDatabaseEnabled: pulumi.Bool(false)}`,
		URL:      "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html",
	},
	{
		Name:     "opensearch-access-policy-scoped",
		Summary:  "The access policy of an OpenSearch domain names its principals, or the domain checks every request itself.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationResourcePolicies},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("AC-3", "AC-6")),
		Types:      append([]string{"opensearch/domainPolicy", "elasticsearch/domainPolicy"}, domains...),
		CheckStack: accessScoped,
		Fix:        `opensearch.DomainArgs{AccessPolicies: …} with {"Principal": {"AWS": "<ARN of a role>"}} in place of "*"`,
		URL:        "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html",
	},
}

const (
	anonymous = "advancedSecurityOptions.anonymousAuthEnabled"
	internal  = "advancedSecurityOptions.internalUserDatabaseEnabled"
)

func namedUsers(r *rule.Resource, _ rule.Params) rule.Verdict {
	enabled := r.Get("advancedSecurityOptions.enabled")
	switch on, _ := enabled.Bool(); {
	case enabled.Unknown():
		return rule.Unsure("%s is unknown", enabled.Path())
	case !on:
		return rule.Skip() // no users at all: opensearch-fine-grained-access says so
	}
	return rule.All(
		r.Get(anonymous).False("requests without credentials are served"),
		r.Get(internal).False("passwords of the domain's own are outside IAM, its second factors and its trail"),
	)
}

func accessScoped(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	doc, v := r.Document("accessPolicies")
	if v.Outcome != rule.Passed {
		return v
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		if !st.Allows() || !st.AnyPrincipal() || st.Narrowed() {
			return rule.Pass()
		}
		switch checked := checksRequests(s, r); checked.Outcome {
		case rule.Failed:
			return rule.Fail("%s of accessPolicies allows every principal, and %s", st.Label(), checked.Reason())
		default:
			return checked
		}
	})
}

// checksRequests says whether the domain of a policy may be open to every
// principal: it has no public endpoint, and asks each request who it is.
func checksRequests(s *rule.Stack, r *rule.Resource) rule.Verdict {
	if r.Is(domains...) {
		return rule.All(
			r.Get("vpcOptions.subnetIds").Set("the domain has a public endpoint"),
			r.Get("advancedSecurityOptions.enabled").True("the domain checks nothing itself"),
			known(r.Get("vpcOptions")),
		)
	}
	refs := s.Refs(r, "domainName", domains...)
	out := rule.Skip()
	for _, domain := range refs.Targets {
		out = rule.All(out, checksRequests(s, domain))
	}
	if !refs.Complete() {
		out = rule.All(out, rule.Unsure("the domain is not in this stack"))
	}
	return out
}

// known is the verdict of a block below which nothing can be read while it is
// unknown.
func known(block rule.Value) rule.Verdict {
	if block.Unknown() {
		return rule.Unsure("%s is unknown", block.Path())
	}
	return rule.Pass()
}
