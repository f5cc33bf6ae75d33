package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

var keyPolicyTypes = []string{"kms/key", "kms/keyPolicy", "kms/replicaKey"}

// kmsAccess holds the rules about who uses keys: by key policies, grants, and
// identity policies.
var kmsAccess = []rule.Rule{
	{
		Name: "kms-policy-root-statement-conditioned",
		Summary: "A key policy that lets an account do everything names the key's own account, or binds it to an organization, " +
			"an account or a service.",
		Guide:    []guide.ID{guide.ConfigurationsKMSOrgCondition, guide.PracticesKMSKeyPolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-3(7)", "AC-6")),
		Types:    keyPolicyTypes,
		Params: []rule.Param{{
			Name: "ownAccountToo", Kind: rule.Boolean, Default: false,
			Description: "Whether the statement for the key's own account needs the condition as well, as in the guide; it must be off outside an organization.",
		}},
		CheckStack: rootConditioned,
		Fix:        `kms.KeyArgs{Policy: …} with "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-…"}} in the statement that allows kms:*`,
		URL:        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
	},
	{
		Name:     "kms-policy-service-principal-source-scoped",
		Summary:  "A key policy that lets a service use the key says on whose behalf.",
		Guide:    []guide.ID{guide.PracticesKMSKeyPolicies, guide.OverviewIdentityResourcePolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-6")),
		Types:    keyPolicyTypes,
		Params: []rule.Param{{
			Name: "exceptServices", Kind: rule.Strings, Default: []string{"events.amazonaws.com"},
			Description: "Services that send no condition key to bind them by. EventBridge sends none when it publishes to an encrypted topic.",
		}},
		Check: servicesScoped,
		Fix:   `kms.KeyArgs{Policy: …} with a condition on aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or kms:EncryptionContext:… for the service`,
		URL:   "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
	},
	{
		Name:     "kms-grant-scoped",
		Summary:  "A grant goes to a named principal, and an encryption context binds what it may encrypt and decrypt.",
		Guide:    []guide.ID{guide.PracticesKMSKeyPolicies},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AC-6")),
		Types:    []string{"kms/grant"},
		Check:    grantScoped,
		Fix:      `kms.GrantArgs{GranteePrincipal: role.Arn, Constraints: kms.GrantConstraintArray{&kms.GrantConstraintArgs{EncryptionContextEquals: …}}}`,
		URL:      "https://docs.aws.amazon.com/kms/latest/developerguide/grants.html",
	},
	{
		Name:     "iam-no-kms-decrypt-on-all-keys",
		Summary:  "A policy that allows decryption names the keys, by ARN, by alias, by tag or by encryption context.",
		Guide:    []guide.ID{guide.PracticesIAMResourceLevelPermissions, guide.OverviewDataKMS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("KMS.1", "KMS.2"), nist("AC-6"), pci("3.5.1.1", "3.5.1.3", "3.6.1")),
		Types:      identityTypes,
		CheckStack: granted(identityDocument(namesKeys)),
		Fix:        `iam.PolicyArgs{Policy: …} with "Resource": [key.Arn], or "Condition": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/…"}}`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-1",
	},
}

func rootConditioned(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	doc, v := r.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	if slices.ContainsFunc(doc.Statements, keepsOutsidersOut) {
		return rule.Pass()
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		if !st.Allows() || !everything(st) ||
			st.Requires("aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "kms:viaservice", "kms:calleraccount") {
			return rule.Pass()
		}
		return ownAccount(s, st, p.Bool("ownAccountToo"))
	})
}

// everything says that the statement covers use, administration and deletion.
func everything(st rule.Statement) bool {
	return st.Grants("kms:Decrypt") && st.Grants("kms:PutKeyPolicy") && st.Grants("kms:ScheduleKeyDeletion")
}

// keepsOutsidersOut says that the statement denies every principal outside an
// organization everything, which is worth the condition on each permission.
// Services, which have no organization, may be spared.
func keepsOutsidersOut(st rule.Statement) bool {
	if st.Effect != "Deny" || !st.AnyPrincipal() || !everything(st) {
		return false
	}
	outsiders := false
	for _, c := range st.Conditions {
		switch {
		case c.Key == "aws:principalorgid" && (c.Operator == "stringnotequals" || c.Operator == "stringnotlike"):
			outsiders = true
		case c.Key == "aws:principalisawsservice" && c.Operator == "bool":
		default:
			return false
		}
	}
	return outsiders
}

// ownAccount is the verdict of a statement for whole accounts: the key's own
// needs no condition to be bound to itself.
func ownAccount(s *rule.Stack, st rule.Statement, strict bool) rule.Verdict {
	const lack = "no condition binds it to an organization, an account or a service"
	out := rule.Pass()
	for _, p := range st.Principals {
		switch account := p.Account(); {
		case p.Type == "Service" || p.Type == "AWS" && account != "" && !p.WholeAccount():
			// A named service or principal is not an account.
		case account == "" || strict:
			out = rule.All(out, rule.Fail("%s allows %s everything, and %s", st.Label(), st.Quote(p.ID), lack))
		case len(s.Accounts()) == 0:
			out = rule.All(out, rule.Unsure("whether %s is about the key's own account is unknown", st.Label()))
		case !slices.Contains(s.Accounts(), account):
			out = rule.All(out, rule.Fail("%s allows another account, %s, everything, and %s", st.Label(), st.Quote(p.ID), lack))
		}
	}
	return out
}

// keyUses are the actions by which a service could be made to work for a
// stranger; that it describes a key does no harm.
var keyUses = []string{
	"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
	"kms:ReEncryptTo", "kms:CreateGrant", "kms:Sign",
}

func servicesScoped(r *rule.Resource, p rule.Params) rule.Verdict {
	doc, v := r.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		if !st.Allows() || !slices.ContainsFunc(keyUses, st.Grants) || st.Requires("aws:sourcearn", "aws:sourceaccount",
			"aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "kms:calleraccount", "kms:encryptioncontext:*") {
			return rule.Pass()
		}
		out := rule.Pass()
		for _, principal := range st.Principals {
			if principal.Type == "Service" && !slices.Contains(p.Strs("exceptServices"), principal.ID) {
				out = rule.All(out, rule.Fail("%s lets %s use the key for anybody's resources", st.Label(), st.Quote(principal.ID)))
			}
		}
		return out
	})
}

// contextual are a grant's operations that an encryption context can bind; the
// others know none.
var contextual = []string{
	"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
	"GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "CreateGrant",
}

func grantScoped(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	if grantee, _ := r.Get("granteePrincipal").Str(); (rule.Principal{Type: "AWS", ID: grantee}).WholeAccount() {
		out = rule.Fail("granteePrincipal is a whole account: %s", r.Get("granteePrincipal").Show())
	} else if r.Get("granteePrincipal").Unknown() {
		out = rule.Unsure("granteePrincipal is unknown")
	}
	if !r.Get("constraints").Empty() {
		return out
	}
	for _, op := range r.Each("operations") {
		name, known := op.Str()
		switch {
		case !known:
			out = rule.All(out, rule.Unsure("%s is unknown", op.Path()))
		case slices.Contains(contextual, name):
			out = rule.All(out, rule.Fail("operations has %s, and no constraint says for what", op.Show()))
		}
	}
	return out
}

// namesKeys accepts "every key" where a condition says which keys are meant.
// kms:ViaService alone does not: it names a service, and the service everything.
func namesKeys(st rule.Statement) rule.Verdict {
	action := ""
	for _, a := range []string{"kms:Decrypt", "kms:ReEncryptFrom"} {
		if st.Grants(a) {
			action = a
			break
		}
	}
	if action == "" || st.Requires("kms:resourcealiases", "kms:requestalias", "aws:resourcetag/*", "kms:encryptioncontext:*") {
		return rule.Pass()
	}
	if len(st.NotResources) > 0 {
		return rule.Fail("%s allows %s with all keys but some", st.Label(), action)
	}
	for _, pattern := range st.Resources {
		if everyKey(pattern) {
			return rule.Fail("%s allows %s with every key (%s)", st.Label(), action, st.Quote(pattern))
		}
	}
	return rule.Pass()
}

// everyKey says that a pattern of a Resource element covers all keys of an
// account in a region: "*", "arn:aws:kms:*:111122223333:key/*".
func everyKey(pattern string) bool {
	if strings.Trim(pattern, "*") == "" {
		return true
	}
	parts := strings.SplitN(pattern, ":", 6)
	return len(parts) == 6 && rule.WildcardMatch(parts[2], "kms") && slices.Contains([]string{"*", "key/*", "key*"}, parts[5])
}
