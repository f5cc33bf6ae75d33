package rules

import (
	"maps"
	"slices"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// resourcePolicies says where the policies of resources stand.
var resourcePolicies = map[string]string{
	"apigateway/restApiPolicy":     "policy",
	"backup/vaultPolicy":           "policy",
	"cloudwatch/eventBusPolicy":    "policy",
	"cloudwatch/logResourcePolicy": "policyDocument",
	"ecr/repositoryPolicy":         "policy",
	"efs/fileSystemPolicy":         "policy",
	"kms/key":                      "policy",
	"kms/keyPolicy":                "policy",
	"kms/replicaKey":               "policy",
	"opensearch/domain":            "accessPolicies",
	"opensearch/domainPolicy":      "accessPolicies",
	"s3/bucket":                    "policy",
	"s3/bucketPolicy":              "policy",
	"secretsmanager/secret":        "policy",
	"secretsmanager/secretPolicy":  "policy",
	"sns/topic":                    "policy",
	"sns/topicPolicy":              "policy",
	"sqs/queue":                    "policy",
	"sqs/queuePolicy":              "policy",
}

var resourcePolicyTypes = slices.Sorted(maps.Keys(resourcePolicies))

// resourceAccess holds the rules about the policies of resources. Buckets, keys
// and search domains have rules of their own beside these.
var resourceAccess = []rule.Rule{
	{
		Name:     "resource-policy-requires-conditions",
		Summary:  "A resource's policy lets services, other accounts and everybody in only on a condition.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationResourcePolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("AC-3(7)")),
		Types:    resourcePolicyTypes,
		Params: []rule.Param{{
			Name: "trustedAccounts", Kind: rule.Strings, Default: []string{},
			Description: "Ids of further accounts that are as good as one's own.",
		}},
		CheckStack: conditionsForStrangers,
		Fix:        `a "Condition" on aws:SourceAccount or aws:SourceArn for a service, on aws:PrincipalOrgID or aws:PrincipalArn for another account`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
	},
	notPublic("sns-topic-policy-not-public", "A topic's policy lets nobody in whom no condition binds to an account, an organization or a source.",
		rule.High, rule.Mandatory, mapped(fsbp("SNS.4"), nist("AC-3")), []string{"sns/topicPolicy", "sns/topic"},
		"sns.TopicPolicyArgs", "https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html"),
	notPublic("sqs-queue-policy-not-public", "A queue's policy lets nobody in whom no condition binds to an account, an organization or a source.",
		rule.High, rule.Mandatory, mapped(fsbp("SQS.3"), nist("AC-3")), []string{"sqs/queuePolicy", "sqs/queue"},
		"sqs.QueuePolicyArgs", "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html"),
	notPublic("ecr-repository-policy-not-public", "A repository's policy lets nobody pull or push whom no condition binds to an account or an organization.",
		rule.High, rule.Mandatory, mapped(nist("AC-3")), []string{"ecr/repositoryPolicy"},
		"ecr.RepositoryPolicyArgs", "https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html"),
	{
		Name:     "eventbus-policy-not-public",
		Summary:  "An event bus takes events of nobody whom no condition binds to an account or an organization.",
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationResourcePolicies},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("EventBridge.3"), nist("AC-3")),
		Types:    []string{"cloudwatch/eventBusPolicy", "cloudwatch/eventPermission"},
		Check:    busNotPublic,
		Fix: `cloudwatch.EventBusPolicyArgs{Policy: …} with named principals or a condition on aws:PrincipalOrgID; ` +
			`cloudwatch.EventPermissionArgs{Principal: pulumi.String(accountID)}`,
		URL: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html",
	},
}

// notPublic is a rule about a resource policy that must not let everybody in.
func notPublic(
	name, summary string, severity rule.Severity, level rule.Level, controls []rule.Control, types []string, args, url string,
) rule.Rule {
	return rule.Rule{
		Name: name, Summary: summary,
		Guide:    []guide.ID{guide.OverviewIdentityResourcePolicies, guide.PracticesAuthorizationResourcePolicies},
		Severity: severity, Level: level, Controls: controls, Types: types,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return documentNotPublic(r, resourcePolicies[r.Type])
		},
		Fix: args + `{Policy: …} with named principals, or a condition on aws:PrincipalOrgID, aws:SourceAccount or aws:SourceArn`,
		URL: url,
	}
}

// busNotPublic judges a bus's policy, and a permission, which is one statement of
// it in a form of its own.
func busNotPublic(r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Type != "cloudwatch/eventPermission" {
		return documentNotPublic(r, "policy")
	}
	principal := r.Get("principal")
	switch p, _ := principal.Str(); {
	case principal.Unknown():
		return rule.Unsure("principal is unknown")
	case p == "*" && r.Get("condition").Empty():
		return rule.Fail("principal is %s, and no condition binds it to an organization", principal.Show())
	default:
		return rule.Pass()
	}
}

// sourceless are the services that tell nothing about for whom they work when
// they use a resource of the kind: a statement with a condition would lock them
// out. EventBridge and Backup publish to topics so.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
// https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html
var sourceless = map[string][]string{
	"sns/topic":       {"events.amazonaws.com", "backup.amazonaws.com"},
	"sns/topicPolicy": {"events.amazonaws.com", "backup.amazonaws.com"},
	"kms/key":         {"events.amazonaws.com"},
	"kms/keyPolicy":   {"events.amazonaws.com"},
	"kms/replicaKey":  {"events.amazonaws.com"},
}

// harmless are actions that give away no more than that a resource is there.
var harmless = []string{"kms:DescribeKey", "s3:GetBucketAcl", "s3:GetBucketLocation"}

// loadBalancerAccounts are AWS's accounts from which load balancers of the older
// regions write access logs for everybody.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
var loadBalancerAccounts = []string{
	"009996457667", "027434742980", "033677994240", "037604701340", "048591011584", "054676820928", "076674570225", "098369216593",
	"114774131450", "127311923021", "156460612806", "190560391635", "383597477331", "507241528517", "582318560864", "589379963580", "600734575887",
	"635631232127", "638102146993", "652711504416", "718504428378", "754344448648", "783225319266", "797873946194", "897822967062",
	"985666609251",
}

func conditionsForStrangers(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	path := resourcePolicies[r.Type]
	doc, v := r.Document(path)
	if v.Outcome != rule.Passed {
		return v
	}
	friends := slices.Concat(s.Accounts(), p.Strs("trustedAccounts"))
	if r.Is("s3/bucket", "s3/bucketPolicy") {
		friends = append(friends, loadBalancerAccounts...)
	}
	return doc.Judge(func(st rule.Statement) rule.Verdict {
		if !st.Allows() || len(st.Conditions) > 0 || onlyHarmless(st) {
			return rule.Pass()
		}
		if st.AnyPrincipal() {
			return rule.Fail("%s of %s allows everybody without a condition", st.Label(), path)
		}
		out := rule.Pass()
		for _, principal := range st.Principals {
			out = rule.All(out, stranger(st, principal, r, friends))
		}
		return out
	})
}

// stranger judges a principal that a statement without conditions lets in.
func stranger(st rule.Statement, p rule.Principal, r *rule.Resource, friends []string) rule.Verdict {
	account := p.Account()
	switch {
	case p.Type == "Service" && !slices.Contains(sourceless[r.Type], p.ID):
		return rule.Fail("%s allows the service %s, whoever makes it work (aws:SourceAccount)", st.Label(), st.Quote(p.ID))
	case account == "" || slices.Contains(friends, account):
		return rule.Pass()
	case r.Account() == "":
		return rule.Unsure("whether %s of %s is the account's own is unknown: the provider has no allowedAccountIds", st.Quote(account), st.Label())
	default:
		return rule.Fail("%s allows the account %s without a condition", st.Label(), st.Quote(account))
	}
}

func onlyHarmless(st rule.Statement) bool {
	return len(st.Actions) > 0 && !slices.ContainsFunc(st.Actions, func(a string) bool { return !containsFold(harmless, a) })
}
