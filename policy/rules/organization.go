package rules

import (
	"maps"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// organization holds the rules about service control policies. An account's
// stack does not see what its organization denies: they judge the stacks that
// declare the organization's policies.
var organization = []rule.Rule{
	{
		Name:     "org-scp-attached",
		Summary:  "A service control policy is attached to a root, a unit or an account.",
		Guide:    []guide.ID{guide.PracticesIAMServiceControlPolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AC-3", "AC-6")),
		Types:      []string{"organizations/policy"},
		CheckStack: controlAttached,
		Fix:        `organizations.NewPolicyAttachment with organizations.PolicyAttachmentArgs{PolicyId: policy.ID(), TargetId: …}`,
		URL:        "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_policies_attach.html",
	},
	{
		Name:     "org-scp-guardrails-content",
		Summary:  "The organization's policies keep accounts in it, keep detection on, and close other regions and the root user.",
		Guide:    []guide.ID{guide.PracticesIAMServiceControlPolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-6", "AU-9")),
		Types:    stackOnly,
		Params: []rule.Param{{
			Name: "guardrails", Kind: rule.Strings, Default: guardrailNames(), Enum: guardrailNames(),
			Description: "What the policies together must deny.",
		}},
		CheckStack: guardrailsHold,
		Fix: `organizations.PolicyArgs{Content: …} with {"Effect": "Deny", "Action": ["organizations:LeaveOrganization", ` +
			`"cloudtrail:StopLogging", "cloudtrail:DeleteTrail", …], "Resource": "*"}`,
		URL: "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples.html",
	},
	{
		Name:     "org-all-features-and-policy-types",
		Summary:  "The organization has all features, and service control policies are switched on.",
		Guide:    []guide.ID{guide.PracticesIAMServiceControlPolicies},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AC-3"), pci("7.2.1", "7.2.2", "7.2.5")),
		Types:    []string{"organizations/organization"},
		Params: []rule.Param{
			{
				Name: "policyTypes", Kind: rule.Strings, Default: []string{"SERVICE_CONTROL_POLICY"},
				Description: "The policy types that must be enabled.",
			},
			{
				Name: "services", Kind: rule.Strings, Default: []string{"cloudtrail.amazonaws.com", "guardduty.amazonaws.com"},
				Description: "The services that must have trusted access to the organization.",
			},
		},
		Check: organizationComplete,
		Fix: `organizations.OrganizationArgs{FeatureSet: pulumi.String("ALL"), EnabledPolicyTypes: ` +
			`pulumi.ToStringArray([]string{"SERVICE_CONTROL_POLICY"}), AwsServiceAccessPrincipals: …}`,
		URL: "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html",
	},
}

// ifServiceControl applies a check to service control policies, which is also
// what a policy without a type is.
func ifServiceControl(policy *rule.Resource, check func() rule.Verdict) rule.Verdict {
	v := policy.Get("type")
	switch typ, _ := v.Str(); {
	case v.Unknown():
		return rule.Unsure("type is unknown")
	case v.Absent() || typ == "SERVICE_CONTROL_POLICY":
		return check()
	default:
		return rule.Skip()
	}
}

func controlAttached(s *rule.Stack, policy *rule.Resource, _ rule.Params) rule.Verdict {
	return ifServiceControl(policy, func() rule.Verdict {
		if len(s.Pointing(policy, "policyId", "organizations/policyAttachment")) > 0 {
			return rule.Pass()
		}
		return missing(s, "policyId", "organizations/policyAttachment", "organizations/policy", "no attachment: the policy denies nobody anything")
	})
}

// guardrail is something that the organization's policies must deny: all of its
// actions, to somebody who is not one of the exceptions that a policy names.
type guardrail struct {
	name    string
	actions []string
	context map[string][]string
}

var (
	developer = []string{"arn:aws:iam::111122223333:role/developer"}
	rootUser  = []string{"arn:aws:iam::111122223333:root"}
)

var guardrails = []guardrail{
	{"leaving the organization", []string{"organizations:LeaveOrganization"}, nil},
	{"stopping the audit trail", []string{"cloudtrail:StopLogging", "cloudtrail:DeleteTrail"}, nil},
	{"removing GuardDuty", []string{"guardduty:DeleteDetector"}, nil},
	{"stopping AWS Config", []string{"config:StopConfigurationRecorder"}, nil},
	{"other regions", []string{"ec2:RunInstances", "s3:CreateBucket"}, map[string][]string{"aws:requestedregion": {"region-of-nobody"}}},
	{"the root user", []string{"ec2:RunInstances", "s3:PutBucketPolicy"}, map[string][]string{
		"aws:principalarn": rootUser, "aws:principaltype": {"Account"}, "aws:assumedroot": {"false"},
	}},
}

func guardrailNames() []string {
	names := make([]string, len(guardrails))
	for i, g := range guardrails {
		names[i] = g.name
	}
	return names
}

// guardrailsHold judges the policies together: they are split by their size.
func guardrailsHold(s *rule.Stack, _ *rule.Resource, p rule.Params) rule.Verdict {
	docs, open := controlDocuments(s)
	if len(docs) == 0 {
		return open
	}
	var missing []string
	for _, g := range guardrails {
		if slices.Contains(p.Strs("guardrails"), g.name) && !g.holds(docs) {
			missing = append(missing, g.name)
		}
	}
	switch {
	case len(missing) == 0:
		return rule.Pass()
	case open.Outcome == rule.Undetermined:
		return open
	default:
		return rule.Fail("no service control policy of the stack denies %s", strings.Join(missing, ", "))
	}
}

// controlDocuments reads the stack's service control policies; open says why one
// of them could not be read, and is Skip where there are none.
func controlDocuments(s *rule.Stack) (docs []rule.Document, open rule.Verdict) {
	for _, policy := range s.Of("organizations/policy") {
		read := ifServiceControl(policy, func() rule.Verdict {
			doc, v := policy.Document("content")
			if v.Outcome == rule.Passed {
				docs = append(docs, doc)
			}
			return v
		})
		if read.Outcome == rule.Undetermined {
			open = rule.Unsure("%s: %s", policy.Label(), read.Reason())
		}
	}
	return docs, open
}

func (g guardrail) holds(docs []rule.Document) bool {
	for _, action := range g.actions {
		q := rule.Request{Action: action, Resource: "arn:aws:any:eu-west-1:111122223333:any/any", Context: map[string][]string{"aws:principalarn": developer}}
		maps.Copy(q.Context, g.context)
		if !slices.ContainsFunc(docs, func(d rule.Document) bool { return d.Denies(q) }) {
			return false
		}
	}
	return true
}

func organizationComplete(r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.Pass()
	if v := r.Get("featureSet"); v.Present() { // ALL, by the provider's default
		out = oneOf(v, []string{"ALL"}, "without all features there are no service control policies")
	}
	return rule.All(out,
		containsAll(r.Get("enabledPolicyTypes"), p.Strs("policyTypes")),
		containsAll(r.Get("awsServiceAccessPrincipals"), p.Strs("services")),
	)
}
