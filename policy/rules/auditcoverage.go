package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// auditCoverage holds the rules about what CloudTrail records and who looks at it.
var auditCoverage = []rule.Rule{
	{
		Name:     "cloudtrail-present",
		Summary:  "An account has a trail.",
		Guide:    []guide.ID{guide.OverviewMonitoringCloudTrail, guide.OperationsLogsAuditLogs},
		Severity: rule.High,
		// The organization's trail may record the account, and the stack cannot
		// show it.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("CloudTrail.1"), cis("3.1"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"pulumi:pulumi:Stack"},
		Params:   []rule.Param{organizationTrail},
		CheckStack: func(s *rule.Stack, _ *rule.Resource, p rule.Params) rule.Verdict {
			switch {
			case !baseline(s):
				return rule.Skip()
			case hasTrail(s, p):
				return rule.Pass()
			default:
				return rule.Fail("the stack is the account's baseline and has no trail: who did what in the account cannot be told")
			}
		},
		Fix: `cloudtrail.NewTrail with cloudtrail.TrailArgs{IsMultiRegionTrail: pulumi.Bool(true)}, or organizationTrail in the policy's configuration`,
		URL: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-a-trail.html",
	},
	{
		Name:     "cloudtrail-to-cloudwatch",
		Summary:  "A trail sends its events to CloudWatch Logs, where filters and alarms see them.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs, guide.OverviewMonitoringCloudTrail},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("CloudTrail.5"), nist("AU-6", "SI-4"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"cloudtrail/trail"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return rule.All(
				r.Get("cloudWatchLogsGroupArn").Set("nothing looks at the events as they come"),
				r.Get("cloudWatchLogsRoleArn").Set("CloudTrail may not write to the log group"),
			)
		},
		Fix: `cloudtrail.TrailArgs{CloudWatchLogsGroupArn: pulumi.Sprintf("%s:*", group.Arn), CloudWatchLogsRoleArn: role.Arn}`,
		URL: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html",
	},
	{
		Name:     "cloudtrail-data-events",
		Summary:  "A trail records who reads and who writes objects in S3.",
		Guide:    []guide.ID{guide.OperationsGuardDutyDataExfiltration, guide.OperationsLogsAuditLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(cis("3.8", "3.9"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"cloudtrail/trail"},
		Check:    recordsObjects,
		Fix: `cloudtrail.TrailAdvancedEventSelectorArgs with the fields eventCategory: Data and resources.type: AWS::S3::Object, ` +
			`beside one with eventCategory: Management`,
		URL: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html",
	},
	{
		Name:     "cloudtrail-insights",
		Summary:  "A trail looks for unusual rates of calls and of errors.",
		Guide:    []guide.ID{guide.OperationsGuardDutySuspiciousActivity, guide.OverviewMonitoringCloudTrail},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SI-4"), pci("5.3.4", "10.3.2", "10.3.3")),
		Types:    []string{"cloudtrail/trail"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, kind := range []string{"ApiCallRateInsight", "ApiErrorRateInsight"} {
				out = rule.All(out, hasElement(r.Each("insightSelectors.insightType"), kind, "insightSelectors"))
			}
			return out
		},
		Fix: `cloudtrail.TrailArgs{InsightSelectors: cloudtrail.TrailInsightSelectorArray{` +
			`&cloudtrail.TrailInsightSelectorArgs{InsightType: pulumi.String("ApiCallRateInsight")}, …}}`,
		URL: "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-insights-events-with-cloudtrail.html",
	},
}

// organizationTrail is the parameter of the rules that look for a trail.
var organizationTrail = rule.Param{
	Name: "organizationTrail", Kind: rule.Boolean, Default: false,
	Description: "The organization's trail records the account, so that it needs none of its own.",
}

func hasTrail(s *rule.Stack, p rule.Params) bool {
	return p.Bool(organizationTrail.Name) || len(s.Of("cloudtrail/trail")) > 0
}

// hasElement is the verdict of a list that must hold the text.
func hasElement(list []rule.Value, want, where string) rule.Verdict {
	out := rule.Fail("%s does not have %s", where, want)
	for _, v := range list {
		switch s, _ := v.Str(); {
		case s == want:
			return rule.Pass()
		case v.HasUnknown():
			out = rule.Unsure("%s is unknown", where)
		}
	}
	return out
}

const objectType = "AWS::S3::Object"

// recordsObjects wants both halves: CIS has a control for each.
func recordsObjects(r *rule.Resource, _ rule.Params) rule.Verdict {
	var reads, writes []rule.Verdict
	for _, selector := range r.Get("eventSelectors").Items() {
		read, write := basicSelector(selector)
		reads, writes = append(reads, read), append(writes, write)
	}
	for _, selector := range r.Get("advancedEventSelectors").Items() {
		read, write := advancedSelector(selector)
		reads, writes = append(reads, read), append(writes, write)
	}
	return rule.All(
		rule.Any(append(reads, rule.Fail("no selector records who reads objects"))...),
		rule.Any(append(writes, rule.Fail("no selector records who writes objects"))...),
	)
}

// basicSelector says whether the selector records reads and writes of objects.
func basicSelector(selector rule.Value) (read, write rule.Verdict) {
	objects := rule.Skip()
	for _, data := range selector.Each("dataResources") {
		switch kind, _ := data.Get("type").Str(); {
		case data.Get("type").Unknown():
			objects = rule.Any(objects, rule.Unsure("%s is unknown", data.Path()))
		case kind == objectType:
			objects = rule.Pass()
		}
	}
	if objects.Outcome == rule.NotApplicable {
		return objects, objects
	}
	mode := selector.Get("readWriteType")
	if mode.Unknown() {
		unsure := rule.Unsure("%s is unknown", mode.Path())
		return unsure, unsure
	}
	m, _ := mode.Str() // without one, All
	return halves(objects, m != "WriteOnly", m != "ReadOnly")
}

// advancedSelector is basicSelector for the later form, whose fields must all match.
func advancedSelector(selector rule.Value) (read, write rule.Verdict) {
	fields := selector.Get("fieldSelectors")
	if fields.HasUnknown() {
		unsure := rule.Unsure("%s is unknown", fields.Path())
		return unsure, unsure
	}
	equals := map[string][]string{}
	for _, f := range fields.Items() {
		name, _ := f.Get("field").Str()
		for _, v := range f.Each("equals") {
			text, _ := v.Str()
			equals[name] = append(equals[name], text)
		}
	}
	if !slices.Contains(equals["eventCategory"], "Data") || !slices.Contains(equals["resources.type"], objectType) {
		return rule.Skip(), rule.Skip()
	}
	only := strings.Join(equals["readOnly"], "")
	return halves(rule.Pass(), only != "false", only != "true")
}

func halves(v rule.Verdict, reads, writes bool) (read, write rule.Verdict) {
	if reads {
		read = v
	}
	if writes {
		write = v
	}
	return read, write
}
