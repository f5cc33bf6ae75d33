package rules

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// iamUsers holds the rules about IAM users, their keys and passwords.
var iamUsers = []rule.Rule{
	{
		Name:     "iam-no-users-use-federation",
		Summary:  "People and programs come by roles, from an identity provider; there are no IAM users.",
		Guide:    []guide.ID{guide.PracticesAuthorizationRoleBasedAccess, guide.PracticesAuthenticationTokenAuth},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(cis("1.20"), nist("IA-2")),
		Types:    []string{"iam/user"},
		Params: []rule.Param{{
			Name: "allowed", Kind: rule.Strings, Default: []string{},
			Description: "Names of users that pass, with * for any text: \"break-glass-*\".",
		}},
		Check: noUser,
		Fix:   `iam.NewRole for an identity provider (IAM Identity Center, OIDC) in place of iam.NewUser`,
		URL:   "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
	},
	{
		Name:     "iam-no-long-lived-access-keys",
		Summary:  "There are no access keys of users, which live until somebody deletes them.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("IAM.3"), cis("1.13"), nist("IA-5"), pci("8.3.5", "8.3.7", "8.3.9")),
		Types:    []string{"iam/accessKey"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			status := r.Get("status")
			switch v, _ := status.Str(); {
			case status.Unknown():
				return rule.Unsure("status is unknown")
			case v == "Inactive":
				return rule.Pass()
			default:
				return rule.Fail("an access key of %s, which lives in a state and never ends", inWords(r.Get("user"), "a user"))
			}
		},
		Fix: `no iam.NewAccessKey: a role, by OIDC or IAM Roles Anywhere; for a key on its way out iam.AccessKeyArgs{Status: pulumi.String("Inactive")}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
	},
	{
		Name:     "iam-console-user-has-mfa",
		Summary:  "A user with a password can do nothing without a second factor.",
		Guide:    []guide.ID{guide.OverviewIdentityMFA, guide.PracticesAuthenticationMFA},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("IAM.5"), cis("1.9"), nist("IA-2(1)"), pci("8.4.1", "8.4.2", "8.4.3")),
		Types:      []string{"iam/userLoginProfile"},
		CheckStack: userNeedsMFA,
		Fix: `a policy on the user or a group of theirs with {"Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", ` +
			`"iam:EnableMFADevice", …], "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html",
	},
	{
		Name:     "iam-password-policy-strong",
		Summary:  "The account's password policy asks for long, mixed passwords that are not used again.",
		Guide:    []guide.ID{guide.OverviewIdentityMFA},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("IAM.7"), cis("1.7", "1.8"), nist("IA-5(1)")),
		Types:    []string{"iam/accountPasswordPolicy"},
		Params: []rule.Param{
			{Name: "minLength", Kind: rule.Integer, Default: 14, Min: 6, Max: 128, Description: "The shortest password that passes."},
			{Name: "reusePrevention", Kind: rule.Integer, Default: 24, Min: 1, Max: 24, Description: "How many old passwords may not be used again."},
			{Name: "maxAge", Kind: rule.Integer, Default: 90, Min: 0, Max: 1095, Description: "The longest life of a password in days; 0 does not ask."},
		},
		Check: passwordsStrong,
		Fix: `iam.AccountPasswordPolicyArgs{MinimumPasswordLength: pulumi.Int(14), PasswordReusePrevention: pulumi.Int(24), ` +
			`MaxPasswordAge: pulumi.Int(90), RequireSymbols: pulumi.Bool(true), RequireNumbers: pulumi.Bool(true), RequireLowercaseCharacters: pulumi.Bool(true), RequireUppercaseCharacters: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
		Remediate: strengthenPasswords,
	},
}

func noUser(r *rule.Resource, p rule.Params) rule.Verdict {
	v := r.Get("name")
	name, known := v.Str()
	if v.Absent() {
		name = r.Name // the physical name starts with it
	}
	if v.Unknown() && len(p.Strs("allowed")) > 0 {
		return rule.Unsure("name is unknown")
	}
	if slices.ContainsFunc(p.Strs("allowed"), func(a string) bool { return rule.WildcardMatch(a, name) }) {
		return rule.Pass()
	}
	if !known {
		return rule.Fail("a user with credentials of its own")
	}
	return rule.Fail("the user %s has credentials of its own", v.Show())
}

// userNeedsMFA looks for a denial without a second factor in the policies of
// the user and of the user's groups. That a virtual device is declared proves
// nothing: somebody must still enrol it, and sign in with it.
func userNeedsMFA(s *rule.Stack, profile *rule.Resource, _ rule.Params) rule.Verdict {
	refs := s.Refs(profile, "user", "iam/user")
	if !refs.Complete() {
		return rule.Unsure("the user, and their groups, stand elsewhere")
	}
	out := rule.Skip()
	for _, user := range refs.Targets {
		out = rule.All(out, deniedWithoutMFA(s, user))
	}
	return out
}

func deniedWithoutMFA(s *rule.Stack, user *rule.Resource) rule.Verdict {
	docs, complete := policiesOf(s, user)
	verdict := rule.Fail("no policy of %s, or of a group of theirs, denies what is done without a second factor", user.Label())
	if !complete {
		verdict = rule.Unsure("a policy or a group of %s stands elsewhere", user.Label())
	}
	for _, v := range docs {
		doc, read := rule.ReadDocument(v)
		switch {
		case read.Outcome == rule.Passed && withoutMFA(doc):
			return rule.Pass()
		case read.Outcome == rule.Undetermined:
			verdict = rule.Unsure("a policy of %s is unknown", user.Label())
		}
	}
	return verdict
}

// withoutMFA says that the document denies a session of the console without a
// second factor what matters, whatever the policy leaves for enrolling one.
func withoutMFA(doc rule.Document) bool {
	for _, action := range []string{"iam:CreateUser", "s3:GetObject", "ec2:TerminateInstances", "kms:Decrypt"} {
		q := rule.Request{Action: action, Resource: "*", Context: map[string][]string{mfaPresent: {"false"}, mfaAge: nil}}
		if !doc.Denies(q) {
			return false
		}
	}
	return true
}

// holding is a type of resource by whose property a user or a group has a
// policy, inline or by its ARN.
type holding struct{ holder, typ, property, policy string }

var holdings = []holding{
	{"iam/user", "iam/userPolicy", "user", "policy"},
	{"iam/group", "iam/groupPolicy", "group", "policy"},
	{"iam/user", "iam/userPolicyAttachment", "user", "policyArn"},
	{"iam/group", "iam/groupPolicyAttachment", "group", "policyArn"},
	{"iam/user", "iam/policyAttachment", "users", "policyArn"},
	{"iam/group", "iam/policyAttachment", "groups", "policyArn"},
}

// policiesOf returns the documents that hold for a user, of their own and of
// their groups; complete is false where some may stand outside the stack.
func policiesOf(s *rule.Stack, user *rule.Resource) (docs []rule.Value, complete bool) {
	groups, complete := groupsOf(s, user)
	for _, holder := range append(groups, user) {
		for _, h := range holdings {
			if holder.Is(h.holder) {
				more, all := h.documents(s, holder)
				docs, complete = append(docs, more...), complete && all
			}
		}
	}
	return docs, complete
}

func (h holding) documents(s *rule.Stack, holder *rule.Resource) (docs []rule.Value, complete bool) {
	complete = !s.Loose(h.property, h.typ, h.holder)
	for _, r := range s.Pointing(holder, h.property, h.typ) {
		if h.policy == "policy" {
			docs = append(docs, r.Get("policy"))
			continue
		}
		refs := s.Refs(r, h.policy, "iam/policy")
		complete = complete && refs.Complete()
		for _, policy := range refs.Targets {
			docs = append(docs, policy.Get("policy"))
		}
	}
	return docs, complete
}

func groupsOf(s *rule.Stack, user *rule.Resource) (groups []*rule.Resource, complete bool) {
	complete = true
	for _, membership := range []struct{ typ, user, group string }{
		{"iam/userGroupMembership", "user", "groups"},
		{"iam/groupMembership", "users", "group"},
	} {
		complete = complete && !s.Loose(membership.user, membership.typ, "iam/user")
		for _, m := range s.Pointing(user, membership.user, membership.typ) {
			refs := s.Refs(m, membership.group, "iam/group")
			groups = append(groups, refs.Targets...)
			complete = complete && refs.Complete()
		}
	}
	return groups, complete
}

// passwordSetting is one property of the password policy: what judges it, and
// what repairs it.
type passwordSetting struct {
	property string
	repair   any
	judge    func(rule.Value) rule.Verdict
}

func passwordSettings(p rule.Params) []passwordSetting {
	out := []passwordSetting{
		{"minimumPasswordLength", p.Int("minLength"), func(v rule.Value) rule.Verdict {
			return atLeast(v, p.Int("minLength"), "short passwords can be guessed")
		}},
		{"passwordReusePrevention", p.Int("reusePrevention"), func(v rule.Value) rule.Verdict {
			return atLeast(v, p.Int("reusePrevention"), "old passwords come back")
		}},
	}
	if longest := p.Int("maxAge"); longest > 0 {
		out = append(out, passwordSetting{"maxPasswordAge", longest, func(v rule.Value) rule.Verdict {
			return number(v, func(n int) bool { return n > 0 && n <= longest }, "a stolen password stays good")
		}})
	}
	for _, property := range []string{"requireLowercaseCharacters", "requireNumbers", "requireSymbols", "requireUppercaseCharacters"} {
		out = append(out, passwordSetting{property, true, func(v rule.Value) rule.Verdict {
			return v.True("passwords of one kind of characters can be guessed")
		}})
	}
	return out
}

func passwordsStrong(r *rule.Resource, p rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, s := range passwordSettings(p) {
		out = rule.All(out, s.judge(r.Get(s.property)))
	}
	return out
}

// strengthenPasswords sets what is too weak and keeps what is strong enough.
func strengthenPasswords(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	repaired := *r
	for _, s := range passwordSettings(p) {
		if s.judge(r.Get(s.property)).Outcome != rule.Failed {
			continue
		}
		inputs, ok := rule.SetTo(s.property, s.repair)(&repaired, p)
		if !ok {
			return nil, false
		}
		repaired.Inputs = inputs
	}
	return repaired.Inputs, true
}
