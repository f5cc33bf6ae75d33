package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// openSearchLogs holds the rules about the logs that a domain writes and those
// that it receives.
var openSearchLogs = []rule.Rule{
	{
		Name:     "opensearch-audit-logs",
		Summary:  "An OpenSearch domain records who reads and changes what.",
		Guide:    []guide.ID{guide.OperationsLogsAuditLogs},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("Opensearch.5"), nist("AU-12"), pci("5.3.4", "10.5.1")),
		Types:    domains,
		Check:    publishes("AUDIT_LOGS"),
		Fix: `opensearch.DomainLogPublishingOptionArgs{LogType: pulumi.String("AUDIT_LOGS"), CloudwatchLogGroupArn: group.Arn}, ` +
			`which needs fine-grained access control`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/audit-logs.html",
	},
	{
		Name:     "opensearch-error-and-slow-logs",
		Summary:  "An OpenSearch domain records its errors and what takes it long.",
		Guide:    []guide.ID{guide.OperationsLogsApplicationLogs},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("Opensearch.4"), nist("AU-12"), pci("5.3.4", "10.5.1")),
		Types:    domains,
		Check:    publishes("ES_APPLICATION_LOGS", "INDEX_SLOW_LOGS", "SEARCH_SLOW_LOGS"),
		Fix: `opensearch.DomainLogPublishingOptionArgs{LogType: pulumi.String("ES_APPLICATION_LOGS"), CloudwatchLogGroupArn: group.Arn}, ` +
			`and one each for INDEX_SLOW_LOGS and SEARCH_SLOW_LOGS`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html",
	},
	{
		Name:     "opensearch-log-resource-policy-present",
		Summary:  "CloudWatch Logs lets OpenSearch write to the log groups of a domain, without which AWS refuses the domain.",
		Guide:    []guide.ID{guide.OverviewMonitoringLogs, guide.OverviewMonitoringOpenSearch},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AU-12")),
		Types:      domains,
		CheckStack: mayWriteLogs,
		Fix: `cloudwatch.NewLogResourcePolicy with a statement for the service principal es.amazonaws.com: logs:CreateLogStream and ` +
			`logs:PutLogEvents on "<ARN of the log group>:*"`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html",
	},
	{
		Name:     "opensearch-receives-logs",
		Summary:  "The logs of a stack with an OpenSearch domain arrive there.",
		Guide:    []guide.ID{guide.OverviewMonitoringOpenSearch},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AU-6")),
		Types:      domains,
		CheckStack: receivesLogs,
		Fix: `kinesis.NewFirehoseDeliveryStream with kinesis.FirehoseDeliveryStreamOpensearchConfigurationArgs{DomainArn: domain.Arn, …}, and for each log group ` +
			`cloudwatch.NewLogSubscriptionFilter with cloudwatch.LogSubscriptionFilterArgs{LogGroup: group.Name, DestinationArn: stream.Arn, …}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/integrations.html",
	},
}

// publishes makes a check of the logs that a domain writes.
func publishes(types ...string) func(*rule.Resource, rule.Params) rule.Verdict {
	return func(r *rule.Resource, _ rule.Params) rule.Verdict {
		out := rule.Skip()
		for _, t := range types {
			out = rule.All(out, publishesLog(r.Get("logPublishingOptions"), t))
		}
		return out
	}
}

func publishesLog(options rule.Value, logType string) rule.Verdict {
	unsure := options.Unknown()
	for _, o := range options.Items() {
		t := o.Get("logType")
		unsure = unsure || t.Unknown()
		if s, _ := t.Str(); s == logType {
			return rule.All(
				stillOn(o.Get("enabled"), logType+" are not written"),
				o.Get("cloudwatchLogGroupArn").Set(logType+" are not written"),
			)
		}
	}
	if unsure {
		return rule.Unsure("logPublishingOptions is unknown")
	}
	return rule.Fail("logPublishingOptions has no %s", logType)
}

// mayWriteLogs fails where the stack's own policy for OpenSearch leaves out a
// log group. Where the stack has no such policy the account may have one: there
// may be ten in all, so that one for every domain is usual.
func mayWriteLogs(s *rule.Stack, domain *rule.Resource, _ rule.Params) rule.Verdict {
	names, unknown := logGroupNames(s, domain)
	if len(names) == 0 && !unknown {
		return rule.Skip()
	}
	found := false
	out := rule.Pass()
	for _, name := range names {
		var parts []rule.Verdict
		for _, policy := range s.Of("cloudwatch/logResourcePolicy") {
			parts = append(parts, letsOpenSearchWrite(policy, name))
		}
		v := rule.Any(parts...)
		found = found || v.Outcome != rule.NotApplicable
		out = rule.All(out, v)
	}
	if !found || unknown && out.Outcome == rule.Passed {
		return rule.Unsure("whether a policy outside this stack lets OpenSearch write to the log groups is not known")
	}
	return out
}

// logGroupNames returns the names of the log groups that the domain writes to.
func logGroupNames(s *rule.Stack, domain *rule.Resource) (names []string, unknown bool) {
	refs := s.Refs(domain, "logPublishingOptions.cloudwatchLogGroupArn", "cloudwatch/logGroup")
	unknown = refs.Unknown
	for _, group := range refs.Targets {
		name, known := group.Get("name").Str()
		if unknown = unknown || !known; known {
			names = append(names, name)
		}
	}
	for _, v := range refs.External {
		arn, _ := v.Str()
		_, name, ok := strings.Cut(arn, ":log-group:")
		if unknown = unknown || !ok; ok {
			names = append(names, strings.TrimSuffix(name, ":*"))
		}
	}
	return names, unknown
}

// letsOpenSearchWrite is Skip for a policy that is not about OpenSearch.
func letsOpenSearchWrite(policy *rule.Resource, group string) rule.Verdict {
	doc, v := policy.Document("policyDocument")
	if v.Outcome != rule.Passed {
		return v
	}
	out := rule.Skip()
	for _, st := range doc.Statements {
		if !st.Allows() || !namesOpenSearch(st) {
			continue
		}
		if st.Grants("logs:PutLogEvents") && st.Grants("logs:CreateLogStream") && coversLogGroup(st, group) {
			return rule.Pass()
		}
		out = rule.Fail("no statement of %s lets OpenSearch create streams and put events in every log group of the domain", policy.Label())
	}
	return out
}

func namesOpenSearch(st rule.Statement) bool {
	for _, p := range st.Principals {
		if p.Type == "Service" && (p.ID == "es.amazonaws.com" || p.ID == "opensearchservice.amazonaws.com") {
			return true
		}
	}
	return false
}

// coversLogGroup says that the statement's resources match the group's streams.
// The account and the region are not known here; the name is.
func coversLogGroup(st rule.Statement, group string) bool {
	for _, pattern := range st.Resources {
		prefix, suffix, ok := strings.Cut(pattern, ":log-group:")
		if ok && rule.WildcardMatch(suffix, group+":log-stream:any") || !ok && strings.HasSuffix(prefix, "*") {
			return true
		}
	}
	return false
}

// deliveries are the resources that bring documents to a domain.
var deliveries = []struct{ typ, property string }{
	{"kinesis/firehoseDeliveryStream", "opensearchConfiguration.domainArn"},
	{"kinesis/firehoseDeliveryStream", "elasticsearchConfiguration.domainArn"},
	{"opensearchingest/pipeline", "pipelineConfigurationBody"},
}

func receivesLogs(s *rule.Stack, domain *rule.Resource, _ rule.Params) rule.Verdict {
	if !hasLogsBeside(s, domain) {
		return rule.Skip() // a domain for search
	}
	loose := false
	for _, d := range deliveries {
		for _, from := range s.Of(d.typ) {
			refs := s.Refs(from, d.property, domains...)
			if refs.Has(domain) || namesDomain(refs.External, domain) {
				return rule.Pass()
			}
			loose = loose || refs.Unknown
		}
	}
	for _, filter := range s.Of("cloudwatch/logSubscriptionFilter") {
		loose = loose || len(s.Refs(filter, "destinationArn", "lambda/function").Targets) > 0
	}
	if loose {
		return rule.Unsure("a function, a delivery stream or a pipeline of the stack may write to the domain")
	}
	nothing := rule.Fail("the stack has log groups, and nothing brings their events to the domain")
	return unless(nothing, append(domain.Each("logPublishingOptions.cloudwatchLogGroupArn"), domain.Get("domainName"))...)
}

// hasLogsBeside says that the stack has logs besides the domain's own.
func hasLogsBeside(s *rule.Stack, domain *rule.Resource) bool {
	own := s.Refs(domain, "logPublishingOptions.cloudwatchLogGroupArn", "cloudwatch/logGroup")
	for _, group := range s.Of("cloudwatch/logGroup") {
		if !own.Has(group) {
			return true
		}
	}
	return false
}

// namesDomain says that a text holds the domain's ARN or endpoint, which are
// known only in part before the domain exists.
func namesDomain(texts []rule.Value, domain *rule.Resource) bool {
	name, known := domain.Get("domainName").Str()
	for _, v := range texts {
		text, _ := v.Str()
		if known && (strings.HasSuffix(text, ":domain/"+name) || strings.Contains(text, "://vpc-"+name+"-")) {
			return true
		}
	}
	return false
}
