package rules

import (
	"regexp"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// iamTrust holds the rules about who may assume a role, beside
// iam-trust-no-wildcard-principal.
var iamTrust = []rule.Rule{
	{
		Name:     "iam-human-role-trust-requires-mfa",
		Summary:  "A role that people assume asks for a second factor.",
		Guide:    []guide.ID{guide.OverviewIdentityMFA, guide.PracticesAuthenticationMFA},
		Severity: rule.Medium,
		// Whether people or programs stand behind an account is a guess.
		Level:    rule.Advisory,
		Controls: mapped(nist("IA-2(1)")),
		Types:    []string{"iam/role"},
		Check:    trust(humansNeedMFA),
		Fix:      `iam.RoleArgs{AssumeRolePolicy: …} with "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}`,
		URL:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
	},
	{
		Name:     "iam-trust-cross-account-has-condition",
		Summary:  "A role that another account may assume asks for an external id, the organization, or a second factor.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesIAMConditionConstraints},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("AC-3(7)")),
		Types:    []string{"iam/role"},
		Params: []rule.Param{{
			Name: "trustedAccounts", Kind: rule.Strings, Default: []string{},
			Description: "Ids of further accounts that are as good as one's own.",
		}},
		CheckStack: foreignersNeedConditions,
		Fix:        `iam.RoleArgs{AssumeRolePolicy: …} with "Condition": {"StringEquals": {"sts:ExternalId": …}} or aws:PrincipalOrgID`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
	},
	{
		Name:     "iam-trust-service-confused-deputy",
		Summary:  "A role for a service that says on whose behalf it acts can be used from its own account only.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesIAMConditionConstraints},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-6")),
		Types:    []string{"iam/role"},
		Check:    trust(servicesTellSource),
		Fix:      `iam.RoleArgs{AssumeRolePolicy: …} with "Condition": {"StringEquals": {"aws:SourceAccount": accountID}}`,
		URL:      "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
	},
	{
		Name:     "iam-trust-oidc-subject-pinned",
		Summary:  "A role that an identity provider's tokens open names the repository, the stack or the account whose tokens are meant.",
		Guide:    []guide.ID{guide.PracticesAuthenticationTokenAuth, guide.OverviewIdentityResourcePolicies},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("IA-2", "AC-3")),
		Types:    []string{"iam/role", "iam/openIdConnectProvider"},
		Check:    tokensPinned,
		Fix: `iam.RoleArgs{AssumeRolePolicy: …} with "Condition": {"StringEquals": ` +
			`{"token.actions.githubusercontent.com:sub": "repo:acme/shop:ref:refs/heads/main"}}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html",
	},
	{
		Name:     "iam-role-permissions-boundary",
		Summary:  "A role or user has a permissions boundary.",
		Guide:    []guide.ID{guide.PracticesIAMLeastPrivilege},
		Severity: rule.Low,
		// Only where others than administrators make roles does it bound anything.
		Level:    rule.Disabled,
		Controls: mapped(nist("AC-6")),
		Types:    []string{"iam/role", "iam/user"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("permissionsBoundary").Set("nothing limits what later policies grant")
		},
		Fix: `iam.RoleArgs{PermissionsBoundary: boundary.Arn}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
	},
	{
		Name:     "iam-role-max-session-duration",
		Summary:  "A role's sessions end after a few hours.",
		Guide:    []guide.ID{guide.PracticesAuthenticationSessionManagement},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AC-12")),
		Types:    []string{"iam/role"},
		Params: []rule.Param{{
			Name: "maxSeconds", Kind: rule.Integer, Default: 14400, Min: 3600, Max: 43200,
			Description: "The longest session that passes, in seconds.",
		}},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			v := r.Get("maxSessionDuration")
			if v.Absent() { // an hour, by AWS's default
				return rule.Pass()
			}
			return number(v, func(n int) bool { return n <= p.Int("maxSeconds") }, "a stolen session stays good")
		},
		Fix:       `iam.RoleArgs{MaxSessionDuration: pulumi.Int(3600)}`,
		URL:       "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html",
		Remediate: rule.SetWith("maxSessionDuration", func(p rule.Params) any { return p.Int("maxSeconds") }),
	},
}

const (
	mfaPresent = "aws:multifactorauthpresent"
	mfaAge     = "aws:multifactorauthage"
)

// trust makes a check of roles from one of the statements that let somebody in.
func trust(check func(rule.Statement) rule.Verdict) func(*rule.Resource, rule.Params) rule.Verdict {
	return func(r *rule.Resource, _ rule.Params) rule.Verdict {
		doc, v := r.Document("assumeRolePolicy")
		if v.Outcome != rule.Passed {
			return v
		}
		return doc.Judge(func(st rule.Statement) rule.Verdict {
			if !st.Allows() {
				return rule.Pass()
			}
			return check(st)
		})
	}
}

// humansNeedMFA takes an account's root and users for people. A condition on an
// external id or on the caller's ARN is how programs come, and roles that come
// by another role have no second factor to show.
func humansNeedMFA(st rule.Statement) rule.Verdict {
	people := slices.ContainsFunc(st.Principals, func(p rule.Principal) bool {
		return p.WholeAccount() || p.Account() != "" && strings.Contains(p.ID, ":user/")
	})
	if !people || !st.Grants("sts:AssumeRole") || st.Requires("sts:externalid", "aws:principalarn") || needsMFA(st) {
		return rule.Pass()
	}
	return rule.Fail("%s lets people of the account in with a password or a key alone", st.Label())
}

// needsMFA says that the statement lets nobody in who shows no second factor.
func needsMFA(st rule.Statement) bool {
	for _, shown := range [][]string{nil, {"false"}} { // a key of a user has no such key, a session has "false"
		q := rule.Request{Action: "sts:AssumeRole", Context: map[string][]string{mfaPresent: shown, mfaAge: nil}, AssumeMet: true}
		if st.Applies(q) {
			return false
		}
	}
	return true
}

// foreignersNeedConditions accepts a second factor too: the console, where
// people switch roles, cannot send an external id.
func foreignersNeedConditions(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	friends := slices.Concat(s.Accounts(), p.Strs("trustedAccounts"))
	return trust(func(st rule.Statement) rule.Verdict {
		if st.Requires("sts:externalid", "aws:principalorgid", "aws:principalorgpaths") || needsMFA(st) {
			return rule.Pass()
		}
		out := rule.Pass()
		for _, principal := range st.Principals {
			account := principal.Account()
			switch {
			case account == "" || slices.Contains(friends, account):
			case r.Account() == "":
				out = rule.All(out, rule.Unsure("whether %s of %s is the account's own is unknown: the provider has no allowedAccountIds",
					st.Quote(account), st.Label()))
			default:
				out = rule.All(out, rule.Fail("%s lets the account %s in, and whoever gets it to use the role", st.Label(), st.Quote(account)))
			}
		}
		return out
	})(r, p)
}

// sourceTellers are the services that send aws:SourceAccount when they assume a
// role, by their own documentation about the confused deputy. A condition on
// any other service, Lambda, EC2 and Backup among them, locks it out.
var sourceTellers = []string{
	"bedrock.amazonaws.com", "codebuild.amazonaws.com", "cognito-idp.amazonaws.com", "config.amazonaws.com", "datasync.amazonaws.com",
	"ecs-tasks.amazonaws.com", "events.amazonaws.com", "logs.amazonaws.com", "monitoring.rds.amazonaws.com", "pipes.amazonaws.com",
	"scheduler.amazonaws.com", "ssm.amazonaws.com", "states.amazonaws.com", "transfer.amazonaws.com", "vpc-flow-logs.amazonaws.com",
}

func servicesTellSource(st rule.Statement) rule.Verdict {
	out := rule.Pass()
	if st.Requires(sourceKeys...) {
		return out
	}
	for _, p := range st.Principals {
		if p.Type == "Service" && slices.Contains(sourceTellers, p.ID) {
			out = rule.All(out, rule.Fail("%s lets %s use the role for any account (aws:SourceAccount)", st.Label(), st.Quote(p.ID)))
		}
	}
	return out
}

// sourceKeys are the condition keys by which a service tells for whom it works.
var sourceKeys = []string{"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"}

// subject is the form of an issuer's subjects; the issuer may hold *.
type subject struct {
	issuer string
	form   *regexp.Regexp
}

// subjects say, by issuer, what a subject must name in full. GitHub's names a
// repository, GitLab's a project, Pulumi Cloud's an organization and what is
// run there, a cluster's a service account.
var subjects = []subject{
	{"token.actions.githubusercontent.com*", regexp.MustCompile(`^repo:[^/*?]+/[^:*?]+(:|$)`)},
	{"gitlab.com", regexp.MustCompile(`^project_path:[^/*?]+/[^:*?]+(:|$)`)},
	{"api.pulumi.com/oidc", regexp.MustCompile(`^pulumi:(deploy|environments):[^:*?]+:[^:*?]+`)},
	{"oidc.eks.*", regexp.MustCompile(`^system:serviceaccount:[^:*?]+:[^:*?]+$`)},
	{"*", regexp.MustCompile(`^[^*?]`)},
}

func tokensPinned(r *rule.Resource, p rule.Params) rule.Verdict {
	if r.Type == "iam/openIdConnectProvider" {
		return r.Get("clientIdLists").Set("tokens that were made for somebody else are taken")
	}
	return trust(func(st rule.Statement) rule.Verdict {
		out := rule.Pass()
		if !st.Grants("sts:AssumeRoleWithWebIdentity") {
			return out
		}
		for _, principal := range st.Principals {
			if principal.Type == "Federated" {
				out = rule.All(out, subjectNamed(st, principal.ID))
			}
		}
		return out
	})(r, p)
}

// subjectNamed judges one identity provider: by ARN, or by the name of one that
// AWS knows, such as cognito-identity.amazonaws.com, whose pools are audiences.
func subjectNamed(st rule.Statement, provider string) rule.Verdict {
	_, issuer, isARN := strings.Cut(provider, ":oidc-provider/")
	if !isARN {
		if st.Requires(strings.ToLower(provider)+":aud", strings.ToLower(provider)+":sub", strings.ToLower(provider)+":app_id") {
			return rule.Pass()
		}
		return rule.Fail("%s takes the tokens of %s for anybody", st.Label(), st.Quote(provider))
	}
	key := strings.ToLower(issuer) + ":sub"
	if !st.Requires(key) {
		return rule.Fail("%s has no condition on %s: everybody's tokens open the role", st.Label(), st.Quote(key))
	}
	for _, c := range st.Conditions {
		for _, v := range c.Values {
			if c.Key == key && !subjectForm(issuer).MatchString(v) {
				return rule.Fail("%s takes the subject %s, which others than the one that is meant can have", st.Label(), st.Quote(v))
			}
		}
	}
	return rule.Pass()
}

func subjectForm(issuer string) *regexp.Regexp {
	i := slices.IndexFunc(subjects, func(s subject) bool { return rule.WildcardMatch(s.issuer, issuer) })
	return subjects[i].form // the last of them is everybody's
}
