package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// logSources holds the rules about which logs there are and what is in them.
var logSources = []rule.Rule{
	{
		Name:     "log-group-data-protection",
		Summary:  "A log group of an application masks the personal data and secrets that it finds.",
		Guide:    []guide.ID{guide.OperationsLogsApplicationLogs, guide.OverviewMonitoringLogs},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("SI-12", "AU-9")),
		Types:      []string{"cloudwatch/logGroup"},
		CheckStack: masksData,
		Fix:        `cloudwatch.NewLogDataProtectionPolicy with cloudwatch.LogDataProtectionPolicyArgs{LogGroupName: group.Name, PolicyDocument: …} and a document that audits and de-identifies`,
		URL:        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html",
	},
	{
		Name:    "required-log-sources",
		Summary: "An account's baseline has the application, access, audit, WAF and VPC flow logs of what the stack holds.",
		Guide: []guide.ID{
			guide.OperationsLogsApplicationLogs, guide.OperationsLogsAccessLogs, guide.OperationsLogsAuditLogs,
			guide.OperationsLogsWAFLogs, guide.OperationsLogsVPCFlowLogs,
		},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("AU-2", "AU-12")),
		Types:      []string{"pulumi:pulumi:Stack"},
		Params:     []rule.Param{organizationTrail},
		CheckStack: everySourceLogs,
		Fix: `cloudwatch.NewLogGroup, lb.LoadBalancerArgs{AccessLogs: …}, cloudtrail.NewTrail, wafv2.NewWebAclLoggingConfiguration ` +
			`or ec2.NewFlowLog, whichever the finding names`,
		URL: "https://docs.aws.amazon.com/prescriptive-guidance/latest/logging-monitoring-for-application-owners/introduction.html",
	},
	{
		Name:     "xray-encryption-cmk",
		Summary:  "An account encrypts its X-Ray traces with a key of its own.",
		Guide:    []guide.ID{guide.PracticesLambdaXRayTracing, guide.OverviewDataKMS},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("SC-28")),
		Types:      []string{"pulumi:pulumi:Stack"},
		CheckStack: tracesEncrypted,
		Fix:        `xray.NewEncryptionConfig with xray.EncryptionConfigArgs{Type: pulumi.String("KMS"), KeyId: key.Arn}`,
		URL:        "https://docs.aws.amazon.com/xray/latest/devguide/xray-console-encryption.html",
	},
}

func masksData(s *rule.Stack, group *rule.Resource, _ rule.Params) rule.Verdict {
	if !holdsApplicationLog(s, group) {
		return rule.Skip()
	}
	class := group.Get("logGroupClass")
	if name, _ := class.Str(); name == "INFREQUENT_ACCESS" {
		return rule.Skip() // the class has no data protection
	}
	exceptions := []rule.Value{class}
	if len(s.Pointing(group, "logGroupName", "cloudwatch/logDataProtectionPolicy")) > 0 {
		return rule.Pass()
	}
	for _, account := range s.Of("cloudwatch/logAccountPolicy") {
		kind := account.Get("policyType")
		if name, _ := kind.Str(); name == "DATA_PROTECTION_POLICY" {
			return rule.Pass()
		}
		exceptions = append(exceptions, kind)
	}
	return unless(missing(s, "logGroupName", "cloudwatch/logDataProtectionPolicy", "cloudwatch/logGroup",
		"no data protection policy belongs to the log group"), exceptions...)
}

// holdsApplicationLog says that a container or a function writes to the log
// group. What AWS's own services write, flow logs for example, has no text of
// the application.
func holdsApplicationLog(s *rule.Stack, group *rule.Resource) bool {
	if len(s.Pointing(group, "containerDefinitions", "ecs/taskDefinition")) > 0 ||
		len(s.Pointing(group, "loggingConfig.logGroup", "lambda/function")) > 0 {
		return true
	}
	name, _ := group.Get("name").Str()
	return strings.HasPrefix(name, "/aws/lambda/") || name != "" && slices.ContainsFunc(s.Of("ecs/taskDefinition"), func(t *rule.Resource) bool {
		containers, _ := t.Get("containerDefinitions").Str()
		return strings.Contains(containers, `"`+name+`"`)
	})
}

// logSource is one of the guide's five logs: which resources have something to
// log, and whether they do.
type logSource struct {
	name    string
	holders []string
	logs    func(s *rule.Stack, p rule.Params) rule.Verdict
}

var guideLogs = []logSource{
	{"application logs", []string{"ecs/service", "lambda/function"}, declared("cloudwatch/logGroup")},
	{"access logs", []string{"lb/loadBalancer", "apigateway/stage", "apigatewayv2/stage"}, anyAccessLog},
	{"audit logs", nil, func(s *rule.Stack, p rule.Params) rule.Verdict {
		if hasTrail(s, p) {
			return rule.Pass()
		}
		return rule.Fail("")
	}},
	{"WAF logs", []string{"wafv2/webAcl"}, declared("wafv2/webAclLoggingConfiguration")},
	{"VPC flow logs", []string{"ec2/vpc"}, declared("ec2/flowLog")},
}

func declared(typ string) func(*rule.Stack, rule.Params) rule.Verdict {
	return func(s *rule.Stack, _ rule.Params) rule.Verdict {
		if len(s.Of(typ)) > 0 {
			return rule.Pass()
		}
		return rule.Fail("")
	}
}

func anyAccessLog(s *rule.Stack, _ rule.Params) rule.Verdict {
	parts := []rule.Verdict{rule.Fail("")}
	for _, alb := range s.Of("lb/loadBalancer") {
		parts = append(parts, alb.Get("accessLogs.enabled").True(""))
	}
	for _, stage := range s.Of(apiStages...) {
		parts = append(parts, stage.Get("accessLogSettings.destinationArn").Set(""))
	}
	return rule.Any(parts...)
}

func everySourceLogs(s *rule.Stack, _ *rule.Resource, p rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	var lacks, unsure []string
	for _, source := range guideLogs {
		if source.holders != nil && len(s.Of(source.holders...)) == 0 {
			continue
		}
		switch source.logs(s, p).Outcome {
		case rule.Failed:
			lacks = append(lacks, source.name)
		case rule.Undetermined:
			unsure = append(unsure, source.name)
		}
	}
	switch {
	case len(lacks) > 0:
		return rule.Fail("the stack has no %s", strings.Join(lacks, ", no "))
	case len(unsure) > 0:
		return rule.Unsure("whether there are %s is unknown", strings.Join(unsure, ", "))
	default:
		return rule.Pass()
	}
}

func tracesEncrypted(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	configs := s.Of("xray/encryptionConfig")
	if len(configs) == 0 && !baseline(s) {
		return rule.Skip()
	}
	if len(configs) == 0 {
		return rule.Fail("the stack is the account's baseline and has no xray.EncryptionConfig: traces are encrypted with a key whose policy nobody can change")
	}
	out := rule.Skip()
	for _, c := range configs {
		out = rule.All(out,
			oneOf(c.Get("type"), []string{"KMS"}, c.Label()+" leaves traces to a key of AWS"),
			c.Get("keyId").Set(c.Label()+" names no key"))
	}
	return out
}
