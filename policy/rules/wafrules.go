package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

const managedGroupsURL = "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html"

// wafRules holds the rules about what a web ACL must hold beside the common rule
// set.
var wafRules = []rule.Rule{
	{
		Name:     "waf-known-bad-inputs-required",
		Summary:  "A web ACL holds AWS's rules against inputs that are known to exploit something, Log4j's among them.",
		Guide:    []guide.ID{guide.PracticesInputWAF, guide.PracticesInputSanitization, guide.OverviewNetworkWAF},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("SI-10")),
		Types:    []string{"wafv2/webAcl"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			return holdsManagedGroup(s, r, "AWSManagedRulesKnownBadInputsRuleSet")
		},
		Fix: `wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{VendorName: pulumi.String("AWS"), ` +
			`Name: pulumi.String("AWSManagedRulesKnownBadInputsRuleSet")} in a rule of the web ACL`,
		URL: managedGroupsURL,
	},
	{
		Name:     "waf-sqli-rule-set-when-database",
		Summary:  "In front of a relational database, a web ACL holds AWS's rules against SQL injection.",
		Guide:    []guide.ID{guide.PracticesInputSanitization, guide.PracticesInputWAF},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SI-10")),
		Types:    []string{"wafv2/webAcl"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			if len(s.Of("rds/cluster", "rds/instance")) == 0 {
				return rule.Skip()
			}
			return holdsManagedGroup(s, r, "AWSManagedRulesSQLiRuleSet")
		},
		Fix: `wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{VendorName: pulumi.String("AWS"), ` +
			`Name: pulumi.String("AWSManagedRulesSQLiRuleSet")} in a rule of the web ACL`,
		URL: managedGroupsURL,
	},
	{
		Name:     "waf-ip-reputation-required",
		Summary:  "A web ACL holds AWS's list of addresses that attack others.",
		Guide:    []guide.ID{guide.OverviewNetworkWAF, guide.PracticesInputWAF},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-7")),
		Types:    []string{"wafv2/webAcl"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			return holdsManagedGroup(s, r, "AWSManagedRulesAmazonIpReputationList")
		},
		Fix: `wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{VendorName: pulumi.String("AWS"), ` +
			`Name: pulumi.String("AWSManagedRulesAmazonIpReputationList")} in a rule of the web ACL`,
		URL: managedGroupsURL,
	},
	{
		Name:     "waf-rate-limit-required",
		Summary:  "A web ACL blocks callers that send too many requests.",
		Guide:    []guide.ID{guide.OverviewNetworkShield, guide.OperationsMediumAPIThrottling, guide.OverviewNetworkWAF},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("SC-5")),
		Types:    []string{"wafv2/webAcl"},
		Params: []rule.Param{{
			Name: "limit", Kind: rule.Integer, Default: 2000, Min: 10, Max: 2000000000,
			Description: "Requests that a caller may send in five minutes at most.",
		}},
		CheckStack: limitsRate,
		Fix: `wafv2.WebAclRuleArgs{Action: &wafv2.WebAclRuleActionArgs{Block: &wafv2.WebAclRuleActionBlockArgs{}}, Statement: ` +
			`&wafv2.WebAclRuleStatementArgs{RateBasedStatement: &wafv2.WebAclRuleStatementRateBasedStatementArgs{Limit: pulumi.Int(2000)}}, …}`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html",
	},
	{
		Name:     "waf-rule-priorities-unique",
		Summary:  "Each rule of a web ACL has a priority of its own, without which AWS refuses it.",
		Guide:    []guide.ID{guide.ConfigurationsWAFACL, guide.ConfigurationsWAFCommonRuleSet},
		Severity: rule.Low,
		// The update would fail; it is better to hear of it at preview.
		Level:    rule.Mandatory,
		Controls: mapped(nist("CM-6")),
		Types:    webACLs,
		Check:    prioritiesUnique,
		Fix:      `wafv2.WebAclRuleArgs{Priority: pulumi.Int(…)}, another in each rule`,
		URL:      "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-processing-order.html",
	},
}

func limitsRate(s *rule.Stack, acl *rule.Resource, p rule.Params) rule.Verdict {
	list, readable := aclRules(acl)
	parts := append([]rule.Verdict{readable}, groupRateLimits(s, acl, list, p.Int("limit"))...)
	for _, e := range list {
		parts = append(parts, rateLimit(e, p.Int("limit")))
	}
	if out := rule.Any(parts...); out.Outcome != rule.NotApplicable {
		return out
	}
	return rule.Fail("no rule limits the rate of a caller's requests")
}

// groupRateLimits are the verdicts of the rule groups that the web ACL refers to.
func groupRateLimits(s *rule.Stack, acl *rule.Resource, list []rule.Value, most int) (parts []rule.Verdict) {
	const path = "statement.ruleGroupReferenceStatement.arn"
	refs := s.Refs(acl, "rules."+path, "wafv2/ruleGroup")
	blocks := false
	for _, e := range list {
		if e.Unknown() || e.Get(path).Absent() {
			continue
		}
		acts := doesNotCount(e.Get("overrideAction"), "%s only counts what its rule group blocks", e.Path())
		if acts.Outcome != rule.Passed {
			parts = append(parts, acts)
			continue
		}
		blocks = true
		if len(refs.Targets) == 0 || !refs.Complete() {
			parts = append(parts, rule.Unsure("%s is a rule group that is not in this stack", e.Get(path).Path()))
		}
	}
	if !blocks {
		return parts
	}
	for _, g := range refs.Targets {
		inGroup, readable := aclRules(g)
		parts = append(parts, readable)
		for _, e := range inGroup {
			parts = append(parts, rateLimit(e, most))
		}
	}
	return parts
}

// rateLimit is the verdict of a rule that limits every caller; of a rule that
// limits no rate it is Skip.
func rateLimit(e rule.Value, most int) rule.Verdict {
	statement := e.Get("statement.rateBasedStatement")
	limit, scope := statement.Get("limit"), statement.Get("scopeDownStatement")
	acts := doesNotCount(e.Get("action"), "%s only counts who sends too many requests", e.Path())
	switch key, _ := statement.Get("aggregateKeyType").Str(); {
	case statement.Absent():
		return rule.Skip()
	case statement.Unknown():
		return rule.Unsure("%s is unknown", statement.Path())
	case key == "CONSTANT":
		return rule.Fail("%s limits all callers together, so that one shuts the others out", e.Path())
	case acts.Outcome != rule.Passed:
		return acts
	case scope.Present() && scope.Get("notStatement").Absent():
		// A limit for the login says nothing about the rest; a limit for all but
		// a few does.
		return rule.Unsure("%s limits a part of the requests", e.Path())
	}
	for _, v := range []rule.Value{limit, statement.Get("evaluationWindowSec")} {
		if v.Unknown() {
			return rule.Unsure("%s is unknown", v.Path())
		}
	}
	requests, known := limit.Int()
	if !known || requests*300 > most*rateWindow(statement) {
		return rule.Fail("%s is %s: more than %d requests in five minutes", limit.Path(), limit.Show(), most)
	}
	return rule.Pass()
}

// rateWindow is the seconds in which requests are counted.
func rateWindow(statement rule.Value) int {
	if seconds, set := statement.Get("evaluationWindowSec").Int(); set && seconds > 0 {
		return seconds
	}
	return 300
}

func prioritiesUnique(r *rule.Resource, _ rule.Params) rule.Verdict {
	list, readable := aclRules(r)
	out := rule.All(rule.Pass(), readable)
	first := map[int]string{}
	for _, e := range list {
		v := e.Get("priority")
		n, known := v.Int()
		switch at, taken := first[n]; {
		case v.Unknown():
			out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
		case known && taken:
			out = rule.All(out, rule.Fail("%s is %s, as that of %s is", v.Path(), v.Show(), at))
		case known:
			first[n] = e.Path()
		}
	}
	return out
}
