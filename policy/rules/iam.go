package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// identityPolicies says where identity policies stand. Resource policies are
// another matter: in a key policy, Resource "*" means the key.
var identityPolicies = map[string]string{
	"iam/policy":                         "policy",
	"iam/rolePolicy":                     "policy",
	"iam/userPolicy":                     "policy",
	"iam/groupPolicy":                    "policy",
	"iam/role":                           "inlinePolicies.policy",
	"ssoadmin/permissionSetInlinePolicy": "inlinePolicy",
}

var identityTypes = []string{
	"iam/policy", "iam/rolePolicy", "iam/userPolicy", "iam/groupPolicy", "iam/role", "ssoadmin/permissionSetInlinePolicy",
}

// iam holds the rules of "IAM Policies".
var iam = []rule.Rule{
	{
		Name:     "iam-no-star-star",
		Summary:  "No policy allows every action on every resource.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege, guide.OverviewIdentityLeastPrivilege},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(fsbp("IAM.1"), cis("1.15"), nist("AC-6", "AC-3")),
		Types:      identityTypes,
		CheckStack: granted(identityDocument(noAdministrator)),
		Fix:        `iam.PolicyArgs{Policy: …} with the actions and the ARNs that the role needs`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
	},
	{
		Name:     "iam-no-service-wildcard-actions",
		Summary:  "No policy allows every action of a service.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege, guide.PracticesIAMResourceLevelPermissions},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("IAM.21"), nist("AC-6")),
		Types:    identityTypes,
		Params: []rule.Param{{
			Name: "allowed", Kind: rule.Strings, Default: []string{},
			Description: "Wildcards that pass all the same, such as \"execute-api:*\".",
		}},
		CheckStack: granted(noServiceWildcards),
		Fix:        `iam.PolicyArgs{Policy: …} with the actions by name, such as "s3:GetObject" in place of "s3:*"`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21",
	},
	{
		Name:     "iam-no-wildcard-resource",
		Summary:  "A policy names the resources that its actions apply to, where the actions know resources.",
		Guide:    []guide.ID{guide.PracticesIAMResourceLevelPermissions},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("AC-6")),
		Types:      identityTypes,
		CheckStack: granted(identityDocument(namesResources)),
		Fix:        `iam.PolicyArgs{Policy: …} with "Resource": [bucket.Arn, …] in place of "*", or a condition on aws:ResourceTag`,
		URL:        "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
	},
	{
		Name:     "iam-trust-no-wildcard-principal",
		Summary:  "A role can be assumed only by principals that its trust policy names or binds by a condition.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesIAMConditionConstraints},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(nist("AC-3", "AC-6")),
		Types:    []string{"iam/role"},
		Check:    func(r *rule.Resource, _ rule.Params) rule.Verdict { return documentNotPublic(r, "assumeRolePolicy") },
		Fix:      `iam.RoleArgs{AssumeRolePolicy: …} with "Principal": {"Service": "ecs-tasks.amazonaws.com"} or named ARNs`,
		URL:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
	},
	{
		Name:     "iam-passrole-scoped",
		Summary:  "A policy that allows passing roles names the roles, and the service that they go to.",
		Guide:    []guide.ID{guide.PracticesIAMConditionConstraints, guide.PracticesIAMLeastPrivilege},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("AC-6")),
		Types:      identityTypes,
		CheckStack: granted(identityDocument(passRoleScoped)),
		Fix: `iam.PolicyArgs{Policy: …} with "Resource": role ARNs and ` +
			`"Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
	},
}

// identityDocument makes a check of resources from one of statements.
func identityDocument(check func(rule.Statement) rule.Verdict) func(*rule.Resource, rule.Params) rule.Verdict {
	return func(r *rule.Resource, _ rule.Params) rule.Verdict {
		out := rule.Skip()
		for _, v := range r.Each(identityPolicies[r.Type]) {
			doc, read := rule.ReadDocument(v)
			if read.Outcome == rule.Passed {
				read = doc.Judge(func(st rule.Statement) rule.Verdict {
					if !st.Allows() {
						return rule.Pass()
					}
					return check(st)
				})
			}
			out = rule.All(out, read)
		}
		return out
	}
}

func noAdministrator(st rule.Statement) rule.Verdict {
	everywhere := st.AnyResource() || len(st.NotResources) > 0
	if everywhere && slices.ContainsFunc(st.Actions, everyAction) {
		return rule.Fail("%s allows every action on every resource", st.Label())
	}
	return rule.Pass()
}

// everyAction says that a pattern means all actions: "*" and "*:*".
func everyAction(action string) bool { return strings.Trim(action, "*:") == "" }

func noServiceWildcards(r *rule.Resource, p rule.Params) rule.Verdict {
	return identityDocument(func(st rule.Statement) rule.Verdict {
		out := rule.Pass()
		for _, a := range st.Actions {
			_, name, _ := strings.Cut(a, ":")
			all := everyAction(a) || name != "" && everyAction(name)
			if all && !containsFold(p.Strs("allowed"), a) {
				out = rule.All(out, rule.Fail("%s allows %s", st.Label(), st.Quote(a)))
			}
		}
		return out
	})(r, p)
}

func containsFold(list []string, s string) bool {
	for _, e := range list {
		if strings.EqualFold(e, s) {
			return true
		}
	}
	return false
}

// namesResources accepts Resource "*" where no action knows resources, or where
// a condition says which resources are meant.
func namesResources(st rule.Statement) rule.Verdict {
	if !st.AnyResource() || scopedByCondition(st) {
		return rule.Pass()
	}
	out := rule.Pass()
	for _, a := range st.Actions {
		if !withoutResources(a) {
			out = rule.All(out, rule.Fail("%s allows %s on every resource", st.Label(), st.Quote(a)))
		}
	}
	if len(st.NotActions) > 0 {
		out = rule.All(out, rule.Fail("%s allows all but some actions on every resource", st.Label()))
	}
	return out
}

// scopedByCondition says that a condition does what a resource list would do.
func scopedByCondition(st rule.Statement) bool {
	return st.Requires("aws:resourcetag/*", "*:resourcetag/*", "aws:requesttag/*",
		"aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths",
		"cloudwatch:namespace", "ec2:vpc", "ec2:subnet", "ecs:cluster")
}

func passRoleScoped(st rule.Statement) rule.Verdict {
	named := false
	for _, a := range st.Actions {
		low := strings.ToLower(a)
		named = named || strings.HasPrefix(low, "iam:") && rule.WildcardMatch(low, "iam:passrole")
	}
	if !named {
		return rule.Pass()
	}
	out := rule.Pass()
	if st.AnyResource() || len(st.NotResources) > 0 {
		out = rule.All(out, rule.Fail("%s lets pass every role, also an administrator's", st.Label()))
	}
	if !st.Requires("iam:passedtoservice") {
		out = rule.All(out, rule.Fail("%s does not say to which service (iam:PassedToService)", st.Label()))
	}
	return out
}
