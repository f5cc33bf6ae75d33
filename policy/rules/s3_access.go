package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// s3Access holds the rules about who reaches buckets, beside those in s3.
var s3Access = []rule.Rule{
	{
		Name:     "s3-account-public-access-block",
		Summary:  "The account's own public access block has all four settings on; a stack that is the account's baseline declares it.",
		Guide:    []guide.ID{guide.PracticesS3PublicAccessBlocked},
		Severity: rule.High,
		// Another stack of the account may declare it.
		Level:      rule.Advisory,
		Controls:   mapped(fsbp("S3.1"), cis("2.1.4"), nist("AC-3"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:      []string{"s3/accountPublicAccessBlock", "pulumi:pulumi:Stack"},
		CheckStack: accountBlocksPublicAccess,
		Fix: `s3.NewAccountPublicAccessBlock with s3.AccountPublicAccessBlockArgs{BlockPublicAcls: pulumi.Bool(true), ` +
			`BlockPublicPolicy: pulumi.Bool(true), IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true)}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html",
	},
	{
		Name:     "s3-no-public-acl",
		Summary:  "No access list of a bucket or an object lets in everybody, or everybody who has some AWS account.",
		Guide:    []guide.ID{guide.PracticesS3PublicAccessBlocked},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:  mapped(fsbp("S3.2", "S3.3"), nist("AC-3"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:     []string{"s3/bucketAclV2", "s3/bucketV2", "s3/bucket", "s3/bucketObject", "s3/bucketObjectv2", "s3/objectCopy"},
		Check:     aclNotPublic,
		Fix:       `s3.BucketAclV2Args{Acl: pulumi.String("private")}, or no access list at all under BucketOwnerEnforced`,
		URL:       "https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html",
		Remediate: makeACLPrivate,
	},
	{
		Name:     "s3-access-point-public-access-block",
		Summary:  "An access point keeps all four settings of its public access block on.",
		Guide:    []guide.ID{guide.PracticesS3PublicAccessBlocked},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("S3.19"), nist("AC-3"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    []string{"s3/accessPoint"},
		// No repair: the block of an access point cannot change, so that a repair
		// would replace it.
		Check: accessPointBlocked,
		Fix:   `s3.AccessPointArgs without PublicAccessBlockConfiguration, whose four settings are on by default`,
		URL:   "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-bpa-settings.html",
	},
	{
		Name:     "s3-policy-cross-account-restricted",
		Summary:  "A bucket policy lets no other account change the bucket's policy, its encryption or its access lists.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("S3.6"), nist("AC-3", "AC-6"), pci("7.2.1", "7.2.2", "7.2.5")),
		Types:    []string{"s3/bucketPolicy", "s3/bucketV2", "s3/bucket"},
		Params: []rule.Param{{
			Name: "trustedAccounts", Kind: rule.Strings, Default: []string{},
			Description: "Accounts that may do so all the same, such as one that administers the buckets of others.",
		}},
		CheckStack: crossAccountRestricted,
		Fix: `s3.BucketPolicyArgs{Policy: …} without s3:PutBucketPolicy, s3:DeleteBucketPolicy, s3:PutBucketAcl, s3:PutObjectAcl and ` +
			`s3:PutEncryptionConfiguration for principals of other accounts`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-6",
	},
	{
		Name:     "s3-tls12-minimum-policy",
		Summary:  "A bucket's policy denies every request that comes over a TLS older than 1.2.",
		Guide:    []guide.ID{guide.OverviewDataTLS},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"s3/bucketV2", "s3/bucket"},
		CheckStack: func(s *rule.Stack, bucket *rule.Resource, _ rule.Params) rule.Verdict {
			return denied(s, bucket, denial{onlyForOldTLS, "when s3:TlsVersion is less than 1.2", "any version of TLS is accepted"})
		},
		Fix: `s3.NewBucketPolicy with a statement {Effect: Deny, Principal: "*", Action: "s3:*", Resource: [bucket, bucket/*], ` +
			`Condition: {NumericLessThan: {"s3:TlsVersion": "1.2"}}}`,
		URL: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
	},
}

// publicAccessSettings are the four settings of a public access block.
var publicAccessSettings = []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"}

func accountBlocksPublicAccess(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Is("s3/accountPublicAccessBlock") {
		out := rule.Skip()
		for _, f := range publicAccessSettings {
			out = rule.All(out, r.Get(f).True("a bucket of the account may become public"))
		}
		return out
	}
	switch {
	case len(s.Of("s3/accountPublicAccessBlock")) > 0:
		return rule.Pass()
	case baseline(s):
		return rule.Fail("the stack is the account's baseline and declares no account-wide public access block")
	default:
		return rule.Skip()
	}
}

// publicACLs are the canned access lists that let in everybody, or everybody
// with an account, whichever.
var publicACLs = []string{"public-read", "public-read-write", "authenticated-read"}

func aclNotPublic(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	if acl := r.Get("acl"); acl.Unknown() {
		out = rule.Unsure("acl is unknown")
	} else if s, _ := acl.Str(); slices.Contains(publicACLs, s) {
		out = rule.Fail("acl is %s", acl.Show())
	}
	for _, path := range []string{"accessControlPolicy.grants.grantee.uri", "grants.uri"} {
		for _, uri := range r.Each(path) {
			out = rule.All(out, granteeNotPublic(uri))
		}
	}
	return out
}

func granteeNotPublic(uri rule.Value) rule.Verdict {
	s, _ := uri.Str()
	switch {
	case uri.Unknown():
		return rule.Unsure("%s is unknown", uri.Path())
	case strings.HasSuffix(s, "/global/AllUsers"), strings.HasSuffix(s, "/global/AuthenticatedUsers"):
		return rule.Fail("%s is a group of people whom nobody knows: %s", uri.Path(), uri.Show())
	default:
		return rule.Pass()
	}
}

// makeACLPrivate repairs a canned list only: which of the grants was meant, and
// for whom, nobody can tell.
func makeACLPrivate(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	if acl, _ := r.Get("acl").Str(); !slices.Contains(publicACLs, acl) || len(r.Each("grants.uri")) > 0 {
		return nil, false
	}
	return rule.SetTo("acl", "private")(r, p)
}

func accessPointBlocked(r *rule.Resource, _ rule.Params) rule.Verdict {
	block := r.Get("publicAccessBlockConfiguration")
	if block.Unknown() {
		return rule.Unsure("publicAccessBlockConfiguration is unknown")
	}
	out := rule.Pass()
	for _, f := range publicAccessSettings {
		if v := block.Get(f); v.Present() { // on by default
			out = rule.All(out, v.True("the access point may become public"))
		}
	}
	return out
}

// takeover are the actions that hand a bucket over, as Security Hub lists them.
var takeover = []string{
	"s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPolicy", "s3:PutEncryptionConfiguration", "s3:PutObjectAcl",
}

func crossAccountRestricted(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	doc, v := r.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		i := slices.IndexFunc(takeover, st.Grants)
		if !st.Allows() || i < 0 {
			return rule.Pass()
		}
		return ownPrincipals(s, st, p.Strs("trustedAccounts"), takeover[i])
	})
}

// ownPrincipals is the verdict of a statement whose principals must belong to
// the stack's own accounts, or to trusted ones.
func ownPrincipals(s *rule.Stack, st rule.Statement, trusted []string, action string) rule.Verdict {
	if st.AnyPrincipal() {
		if st.Requires("aws:principalaccount", "aws:principalarn") {
			return rule.Unsure("%s allows %s to whom its condition names", st.Label(), action)
		}
		return rule.Fail("%s allows %s to principals of other accounts", st.Label(), action)
	}
	out := rule.Pass()
	for _, p := range st.Principals {
		account := p.Account()
		switch {
		case p.Type == "Service", slices.Contains(trusted, account), slices.Contains(s.Accounts(), account):
		case account == "":
			out = rule.All(out, rule.Unsure("%s allows %s to a principal whose account is not known", st.Label(), action))
		case len(s.Accounts()) == 0:
			out = rule.All(out, rule.Unsure("%s allows %s to an account that may be this one", st.Label(), action))
		default:
			out = rule.All(out, rule.Fail("%s allows %s to %s", st.Label(), action, st.Quote(p.ID)))
		}
	}
	return out
}

// onlyForOldTLS says that the statement's one condition is a TLS older than
// 1.2. A request over plain HTTP has no such key: s3-tls-only-policy is about it.
func onlyForOldTLS(st rule.Statement) bool {
	if len(st.Conditions) != 1 {
		return false
	}
	c := st.Conditions[0]
	if c.Key != "s3:tlsversion" || len(c.Values) != 1 {
		return false
	}
	least := map[string]float64{"numericlessthan": 1.2, "numericlessthanequals": 1.1}[c.Operator]
	version, err := strconv.ParseFloat(c.Values[0], 64)
	return err == nil && least > 0 && version >= least
}
