package rules

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// waf holds the rules of "WAF Rules".
var waf = []rule.Rule{
	{
		Name:     "waf-common-rule-set-required",
		Summary:  "A web ACL holds AWS's common rule set.",
		Guide:    []guide.ID{guide.ConfigurationsWAFCommonRuleSet, guide.PracticesInputWAF},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("WAF.10"), nist("SI-10", "SC-7"), pci("6.4.1", "6.4.2")),
		Types:    []string{"wafv2/webAcl"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			return holdsManagedGroup(s, r, "AWSManagedRulesCommonRuleSet")
		},
		Fix: `wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{VendorName: pulumi.String("AWS"), ` +
			`Name: pulumi.String("AWSManagedRulesCommonRuleSet")} in a rule of the web ACL`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html",
	},
	{
		Name:     "waf-managed-rules-not-in-count-mode",
		Summary:  "A web ACL's managed rule groups block what they match.",
		Guide:    []guide.ID{guide.ConfigurationsWAFCommonRuleSet},
		Severity: rule.High,
		// New rule groups run in count mode first, and development stacks keep it.
		Level:    rule.Advisory,
		Controls: mapped(nist("SI-10")),
		Types:    []string{"wafv2/webAcl"},
		Params: []rule.Param{{
			// That list matches VPNs and hosting providers, and with them customers:
			// it is there for its labels and metrics.
			Name: "mayCount", Kind: rule.Strings, Default: []string{"AWSManagedRulesAnonymousIpList"},
			Description: "Managed rule groups that may only count.",
		}},
		Check: managedRulesBlock,
		Fix:   `wafv2.WebAclRuleArgs{OverrideAction: &wafv2.WebAclRuleOverrideActionArgs{None: &wafv2.WebAclRuleOverrideActionNoneArgs{}}}`,
		URL:   "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-rule-group-override-options.html",
	},
	{
		Name:     "waf-visibility-metrics-enabled",
		Summary:  "A web ACL and each of its rules send metrics, and the web ACL samples requests.",
		Guide:    []guide.ID{guide.ConfigurationsWAFMetric, guide.OperationsMetricsWAFBlocks},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(fsbp("WAF.12"), nist("AU-12", "SI-4"), pci("10.2.1.1", "10.4.1", "10.4.1.1")),
		Types:    []string{"wafv2/webAcl", "wafv2/ruleGroup"},
		Check:    sendsMetrics,
		Fix: `wafv2.WebAclVisibilityConfigArgs{CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true)} ` +
			`on the web ACL and on each rule`,
		URL:       "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-testing-activities.html",
		Remediate: showRequests,
	},
	{
		Name:     "waf-logging-enabled",
		Summary:  "A web ACL logs the requests that it judges.",
		Guide:    []guide.ID{guide.OperationsLogsWAFLogs},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("WAF.11"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"wafv2/webAcl"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			if len(s.Pointing(r, "resourceArn", "wafv2/webAclLoggingConfiguration")) > 0 {
				return rule.Pass()
			}
			return missing(s, "resourceArn", "wafv2/webAclLoggingConfiguration", "wafv2/webAcl", "no logging configuration belongs to the web ACL")
		},
		Fix: `wafv2.NewWebAclLoggingConfiguration with wafv2.WebAclLoggingConfigurationArgs{ResourceArn: acl.Arn, LogDestinationConfigs: pulumi.StringArray{logs.Arn}}`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/logging.html",
	},
	{
		Name:     "waf-log-destination-name-prefix",
		Summary:  "The destination of a web ACL's logs has a name that starts with aws-waf-logs-, without which AWS refuses it.",
		Guide:    []guide.ID{guide.OperationsLogsWAFLogs},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls:   mapped(nist("CM-6")),
		Types:      []string{"wafv2/webAclLoggingConfiguration"},
		CheckStack: logDestinationNamed,
		Fix:        `cloudwatch.LogGroupArgs{Name: pulumi.String("aws-waf-logs-app")}`,
		URL:        "https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html",
	},
}

func managedRulesBlock(r *rule.Resource, p rule.Params) rule.Verdict {
	list, readable := aclRules(r)
	out := rule.All(rule.Pass(), readable)
	for _, e := range list {
		if e.Unknown() {
			out = rule.All(out, rule.Unsure("%s is unknown", e.Path()))
			continue
		}
		group := e.Get("statement.managedRuleGroupStatement")
		groupName, _ := group.Get("name").Str()
		if group.Absent() || slices.Contains(p.Strs("mayCount"), groupName) {
			continue
		}
		name := group.Get("name").Show()
		blocks := doesNotCount(e.Get("overrideAction"), "%s counts what %s matches and lets it pass", e.Path(), name)
		for _, o := range group.Get("ruleActionOverrides").Items() {
			blocks = rule.All(blocks, doesNotCount(o.Get("actionToUse"), "%s lets pass what rule %s of %s matches", e.Path(), o.Get("name").Show(), name))
		}
		if len(p.Strs("mayCount")) > 0 {
			blocks = unless(blocks, group.Get("name"))
		}
		out = rule.All(out, blocks)
	}
	return out
}

func sendsMetrics(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := r.Get("visibilityConfig.cloudwatchMetricsEnabled").True("what is blocked cannot be seen")
	if r.Type == "wafv2/webAcl" {
		out = rule.All(out, r.Get("visibilityConfig.sampledRequestsEnabled").True("no blocked request can be looked at"))
	}
	list, readable := aclRules(r)
	out = rule.All(out, readable)
	for _, e := range list {
		out = rule.All(out, e.Get("visibilityConfig.cloudwatchMetricsEnabled").True("what the rule matches cannot be seen"))
	}
	return out
}

// showRequests repairs what sendsMetrics finds, but not in rules that are a text.
func showRequests(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	const metrics = "visibilityConfig.cloudwatchMetricsEnabled"
	silent := func(v rule.Value) bool { return v.Get(metrics).True("").Outcome == rule.Failed }
	for _, text := range []string{"ruleJson", "rulesJson"} {
		if r.Get(text).Present() {
			return nil, false
		}
	}
	repairs := []rule.Repair{rule.SetTo(metrics, true)}
	if r.Type == "wafv2/webAcl" {
		repairs = append(repairs, rule.SetTo("visibilityConfig.sampledRequestsEnabled", true))
	}
	if slices.ContainsFunc(r.Get("rules").Items(), silent) {
		repairs = append(repairs, rule.SetInList("rules", metrics, true, silent))
	}
	return rule.InTurn(repairs...)(r, p)
}

const wafLogPrefix = "aws-waf-logs-"

func logDestinationNamed(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	named := map[string]string{"cloudwatch/logGroup": "name", "s3/bucket": "bucket", "kinesis/firehoseDeliveryStream": "name"}
	refs := s.Refs(r, "logDestinationConfigs", "cloudwatch/logGroup", "s3/bucket", "kinesis/firehoseDeliveryStream")
	out := rule.Skip()
	for _, t := range refs.Targets {
		out = rule.All(out, startsWith(t, named[t.Type]))
	}
	for _, v := range refs.External {
		arn, _ := v.Str()
		if name := destinationName(arn); !strings.HasPrefix(name, wafLogPrefix) {
			out = rule.All(out, rule.Fail("the destination %s does not start with %s", v.Show(), wafLogPrefix))
		} else {
			out = rule.All(out, rule.Pass())
		}
	}
	if refs.Unknown {
		out = rule.All(out, rule.Unsure("logDestinationConfigs is unknown"))
	}
	return out
}

func startsWith(t *rule.Resource, property string) rule.Verdict {
	for _, key := range []string{property, property + "Prefix"} {
		v := t.Get(key)
		if s, ok := v.Str(); ok && s != "" {
			if strings.HasPrefix(s, wafLogPrefix) {
				return rule.Pass()
			}
			return rule.Fail("%s of %s is %s and does not start with %s", key, t.Label(), v.Show(), wafLogPrefix)
		}
		if v.Unknown() {
			return rule.Unsure("%s of %s is unknown", key, t.Label())
		}
	}
	return rule.Unsure("%s of %s is made by the provider", property, t.Label())
}

// destinationName takes the name out of the ARN of a log group, a bucket or a
// delivery stream.
func destinationName(arn string) string {
	if _, name, ok := strings.Cut(arn, ":log-group:"); ok {
		return name
	}
	if _, name, ok := strings.Cut(arn, ":deliverystream/"); ok {
		return name
	}
	_, name, _ := strings.Cut(arn, ":::")
	return name
}
