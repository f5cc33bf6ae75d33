package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// stackOnly is the subject of the rules about what a stack must hold.
var stackOnly = []string{"pulumi:pulumi:Stack"}

// iamAccount holds the rules about how an account watches over its access.
var iamAccount = []rule.Rule{
	{
		Name:     "iam-access-analyzer-external",
		Summary:  "In every region that holds data, an analyzer finds what is open to other accounts.",
		Guide:    []guide.ID{guide.PracticesIAMRegularAccessReviews, guide.PracticesAuthorizationRegularAudits},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(cis("1.19"), nist("AC-2", "CA-7")),
		Types:      stackOnly,
		CheckStack: analyzedEverywhere,
		Fix:        `accessanalyzer.NewAnalyzer with accessanalyzer.AnalyzerArgs{AnalyzerName: …, Type: pulumi.String("ACCOUNT")} in each region`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html",
	},
	{
		Name:     "iam-access-analyzer-unused-access",
		Summary:  "An analyzer finds roles, keys and rights that nobody uses.",
		Guide:    []guide.ID{guide.PracticesIAMRegularAccessReviews, guide.PracticesAuthorizationRegularAudits},
		Severity: rule.Low,
		// AWS bills this analyzer for every role and user.
		Level:    rule.Disabled,
		Controls: mapped(nist("AC-2(3)")),
		Types:    stackOnly,
		Params: []rule.Param{{
			Name: "maxDays", Kind: rule.Integer, Default: 90, Min: 1, Max: 365,
			Description: "After how many days without use the analyzer must report at the latest.",
		}},
		CheckStack: unusedAnalyzed,
		Fix: `accessanalyzer.NewAnalyzer with accessanalyzer.AnalyzerArgs{AnalyzerName: …, Type: pulumi.String("ACCOUNT_UNUSED_ACCESS"), ` +
			`Configuration: &accessanalyzer.AnalyzerConfigurationArgs{UnusedAccess: &accessanalyzer.AnalyzerConfigurationUnusedAccessArgs{UnusedAccessAge: pulumi.Int(90)}}}`,
		URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/what-is-access-analyzer.html",
	},
	{
		Name:     "iam-support-role-present",
		Summary:  "Somebody may open cases with AWS Support when there is an incident.",
		Guide:    []guide.ID{guide.ResponseSupportSecurityResponse, guide.ResponseSupportEnterpriseSupport},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(cis("1.16"), nist("IR-7")),
		Types:      stackOnly,
		CheckStack: supportReachable,
		Fix:        `iam.NewRolePolicyAttachment with iam.RolePolicyAttachmentArgs{Role: support.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/AWSSupportAccess")}`,
		URL:        "https://docs.aws.amazon.com/awssupport/latest/user/accessing-support.html",
	},
	{
		Name:     "iam-root-access-centralised",
		Summary:  "The organization manages root access centrally, so that member accounts have no root credentials.",
		Guide:    []guide.ID{guide.OperationsHighRootAccountUsage, guide.OverviewIdentityLeastPrivilege},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AC-6(9)")),
		Types:      stackOnly,
		CheckStack: rootCentralised,
		Fix:        `iam.NewOrganizationsFeatures with iam.OrganizationsFeaturesArgs{EnabledFeatures: pulumi.ToStringArray([]string{"RootCredentialsManagement", "RootSessions"})}`,
		URL:        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html",
	},
}

// analyzable are the resources that Access Analyzer looks at in their region.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html
var analyzable = []string{
	"s3/bucket", "kms/key", "kms/replicaKey", "lambda/function", "lambda/layerVersion", "sqs/queue", "secretsmanager/secret",
	"sns/topic", "ebs/snapshot", "rds/snapshot", "rds/clusterSnapshot", "ecr/repository", "efs/fileSystem", "dynamodb/table",
}

func analyzedEverywhere(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	found, sure := analyzers(s, "ACCOUNT", "ORGANIZATION")
	if len(found) == 0 {
		if !sure {
			return rule.Unsure("the type of an analyzer is unknown")
		}
		return rule.Fail("no analyzer of the type ACCOUNT or ORGANIZATION: what is open to other accounts shows nowhere")
	}
	var missing []string
	for _, r := range s.Of(analyzable...) {
		region := r.Region()
		covers := func(a *rule.Resource) bool { return a.Region() == region || a.Region() == "" }
		if region != "" && !slices.ContainsFunc(found, covers) && !slices.Contains(missing, region) {
			missing = append(missing, region)
		}
	}
	switch {
	case len(missing) > 0 && !sure:
		return rule.Unsure("the type of an analyzer is unknown")
	case len(missing) > 0:
		slices.Sort(missing)
		return rule.Fail("no external access analyzer in %s, where the stack has resources that can be shared", strings.Join(missing, ", "))
	}
	return rule.Pass()
}

// analyzers returns the analyzers of the types; sure is false where another
// one's type is unknown.
func analyzers(s *rule.Stack, types ...string) (found []*rule.Resource, sure bool) {
	sure = true
	for _, a := range s.Of("accessanalyzer/analyzer") {
		v := a.Get("type")
		typ, known := v.Str()
		if v.Absent() {
			typ, known = "ACCOUNT", true
		}
		sure = sure && known
		if slices.Contains(types, typ) {
			found = append(found, a)
		}
	}
	return found, sure
}

// unusedAnalyzed asks for one: IAM is global, so that one region's is enough.
func unusedAnalyzed(s *rule.Stack, _ *rule.Resource, p rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	found, sure := analyzers(s, "ACCOUNT_UNUSED_ACCESS", "ORGANIZATION_UNUSED_ACCESS")
	out := rule.Skip()
	for _, a := range found {
		out = rule.Any(out, reportsWithin(a, p.Int("maxDays")))
	}
	switch {
	case len(found) > 0:
		return out
	case !sure:
		return rule.Unsure("the type of an analyzer is unknown")
	default:
		return rule.Fail("no analyzer of unused access: forgotten roles, keys and rights stay")
	}
}

func reportsWithin(analyzer *rule.Resource, days int) rule.Verdict {
	age := analyzer.Get("configuration.unusedAccess.unusedAccessAge")
	if age.Absent() && days >= 90 { // AWS's default
		return rule.Pass()
	}
	return number(age, func(n int) bool { return n <= days }, analyzer.Name+" reports late")
}

func supportReachable(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	verdict := rule.Fail("nobody holds AWSSupportAccess: in an incident nobody could open a case")
	for _, a := range s.Of(attachmentTypes...) {
		for _, v := range a.Each(attachments[a.Type]) {
			if arn, _ := v.Str(); strings.HasSuffix(arn, ":policy/AWSSupportAccess") {
				return rule.Pass()
			}
		}
		if s.Refs(a, attachments[a.Type], "iam/policy").Unknown {
			verdict = rule.Unsure("the policy that %s attaches is unknown", a.Label())
		}
	}
	return verdict
}

// rootCentralised judges stacks that declare something of an organization.
func rootCentralised(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if len(s.Of("organizations/organization", "organizations/policy")) == 0 {
		return rule.Skip()
	}
	verdict := rule.Fail("no iam.OrganizationsFeatures: every member account has a root user with credentials of its own")
	for _, f := range s.Of("iam/organizationsFeatures") {
		verdict = containsAll(f.Get("enabledFeatures"), []string{"RootCredentialsManagement", "RootSessions"})
	}
	return verdict
}
