package rules

import (
	"maps"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// attachments says where a managed policy is attached to an identity.
var attachments = map[string]string{
	"iam/rolePolicyAttachment":         "policyArn",
	"iam/userPolicyAttachment":         "policyArn",
	"iam/groupPolicyAttachment":        "policyArn",
	"iam/policyAttachment":             "policyArn",
	"iam/role":                         "managedPolicyArns",
	"ssoadmin/managedPolicyAttachment": "managedPolicyArn",
}

var attachmentTypes = slices.Sorted(maps.Keys(attachments))

// iamAttachments holds the rules about which policies stand where.
var iamAttachments = []rule.Rule{
	{
		Name:     "iam-no-administrator-managed-policy",
		Summary:  "Nobody holds AWS's policies for administrators.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege, guide.OverviewIdentityLeastPrivilege},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("IAM.1"), cis("1.15"), nist("AC-6")),
		Types:    attachmentTypes,
		Params: []rule.Param{{
			Name: "forbidden", Kind: rule.Strings, Default: []string{"AdministratorAccess", "IAMFullAccess"},
			Description: "Names of AWS managed policies that nobody may hold.",
		}},
		CheckStack: func(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
			return awsManaged(s, r, func(arn rule.Value, name string) rule.Verdict {
				if slices.Contains(p.Strs("forbidden"), name[strings.LastIndex(name, "/")+1:]) {
					return rule.Fail("%s is %s", arn.Path(), arn.Show())
				}
				return rule.Pass()
			})
		},
		Fix: `iam.RolePolicyAttachmentArgs{PolicyArn: policy.Arn} with a policy of the actions and resources that are needed`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-1",
	},
	{
		Name:     "iam-avoid-aws-managed-policies",
		Summary:  "Identities hold policies of our own; AWS's are for every account, and change without notice.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Low,
		// A matter of opinion: AWS's policies for auditors and support are good ones.
		Level:    rule.Disabled,
		Controls: mapped(nist("AC-6")),
		Types:    attachmentTypes,
		Params: []rule.Param{{
			Name: "allowed", Kind: rule.Strings, Default: []string{"service-role/*", "aws-service-role/*"},
			Description: "Paths and names of AWS managed policies that pass, with * for any text.",
		}},
		CheckStack: func(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
			return awsManaged(s, r, func(arn rule.Value, name string) rule.Verdict {
				if slices.ContainsFunc(p.Strs("allowed"), func(a string) bool { return rule.WildcardMatch(a, name) }) {
					return rule.Pass()
				}
				return rule.Fail("%s is %s, which AWS made for every account", arn.Path(), arn.Show())
			})
		},
		Fix: `iam.NewPolicy with the actions and resources that are needed, in place of the AWS managed policy`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
	},
	{
		Name:     "iam-role-no-inline-policies",
		Summary:  "A role's rights stand in managed policies, which have versions and can be reviewed by themselves.",
		Guide:    []guide.ID{guide.PracticesIAMRegularAccessReviews},
		Severity: rule.Low,
		// A matter of opinion: an inline policy cannot be attached elsewhere by mistake.
		Level:    rule.Disabled,
		Controls: mapped(nist("AC-2")),
		Types:    []string{"iam/role", "iam/rolePolicy"},
		Check:    noInlinePolicies,
		Fix:      `iam.NewPolicy and iam.NewRolePolicyAttachment in place of iam.NewRolePolicy and iam.RoleArgs{InlinePolicies: …}`,
		URL:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
	},
	{
		Name:     "iam-user-no-direct-policies",
		Summary:  "A user has rights by groups or roles, not by policies of their own.",
		Guide:    []guide.ID{guide.PracticesAuthorizationRoleBasedAccess},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("IAM.2"), cis("1.14"), nist("AC-2", "AC-6"), pci("7.2.1", "7.2.2", "7.2.5")),
		Types:    []string{"iam/userPolicy", "iam/userPolicyAttachment", "iam/policyAttachment"},
		Check:    notOnUsers,
		Fix:      `iam.GroupPolicyAttachmentArgs{Group: group.Name, PolicyArn: policy.Arn}, and the user in the group; better still a role`,
		URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-2",
	},
}

// awsManaged applies a check to the AWS managed policies, by path and name, that
// the resource attaches. A policy of the stack is another matter.
func awsManaged(s *rule.Stack, r *rule.Resource, check func(arn rule.Value, name string) rule.Verdict) rule.Verdict {
	property := attachments[r.Type]
	out := rule.Skip()
	for _, v := range r.Each(property) {
		arn, known := v.Str()
		if !known {
			continue
		}
		out = rule.All(out, rule.Pass())
		if _, name, ok := strings.Cut(arn, ":iam::aws:policy/"); ok {
			out = rule.All(out, check(v, name))
		}
	}
	refs := s.Refs(r, property, "iam/policy")
	switch {
	case refs.Unknown:
		out = rule.All(out, rule.Unsure("%s is unknown", property))
	case len(refs.Targets) > 0:
		out = rule.All(out, rule.Pass())
	}
	return out
}

func noInlinePolicies(r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Type == "iam/rolePolicy" {
		return rule.Fail("a policy inline in %s", inWords(r.Get("role"), "a role"))
	}
	return empty(r.Get("inlinePolicies"), "the role has policies inline")
}

func notOnUsers(r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Type == "iam/policyAttachment" {
		return empty(r.Get("users"), "the policy is attached to users")
	}
	return rule.Fail("a policy of %s alone", inWords(r.Get("user"), "one user"))
}
