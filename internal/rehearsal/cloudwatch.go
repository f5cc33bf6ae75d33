package rehearsal

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsLogGroup   = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html"
	docsLogKey     = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
	docsRetention  = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
	docsLogQuotas  = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"
	docsAlarm      = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
	docsRule       = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"
	docsTargets    = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html"
	docsLogPolicy  = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html"
	docsLogFilters = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html"
)

// retentionDays are the only retentions that CloudWatch Logs has; 0 is for ever.
var retentionDays = []float64{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// cloudwatchKinds are log groups, alarms and event rules.
var cloudwatchKinds = []kind{
	{
		token: "aws:cloudwatch/logGroup:LogGroup", noun: "CloudWatch Logs Log Group", service: "CloudWatch Logs", action: "LogGroup",
		id: "{name}", arn: "arn:{partition}:logs:{region}:{account}:log-group:{name}", handles: []string{"{arn}:*"},
		defaults: props{"retentionInDays": 0, "skipDestroy": false},
		computed: props{"logGroupClass": "STANDARD", "name": "{namePrefix|}{digits26:prefix}"},
		replaces: []string{"name", "namePrefix", "logGroupClass"}, refs: refer(toKey, "kmsKeyId"),
		unique: []unique{{key: "{name}", code: "ResourceAlreadyExistsException", message: "The specified log group already exists: {name}"}},
		limits: []limit{
			{path: "name", longest: 512, pattern: regexp.MustCompile(`^[._/#A-Za-z0-9-]+$`), meaning: "only letters, digits and ._/#-", source: docsLogGroup},
			{path: "retentionInDays", numbers: retentionDays, source: docsRetention},
		},
		refuses: []refusal{
			{name: "log-group-key-arn", code: "InvalidParameterException", source: docsLogKey, because: keyNotAnARN},
			{name: "log-group-key-policy", code: "InvalidParameterException", source: docsLogKey, because: logsMayNotUseKey},
		},
	},
	{
		token: "aws:cloudwatch/logResourcePolicy:LogResourcePolicy", noun: "CloudWatch Logs Resource Policy", service: "CloudWatch Logs", action: "ResourcePolicy", call: "PutResourcePolicy",
		overwrites: docsLogPolicy,
		id:         "{policyName}", replaces: []string{"policyName"},
		limits: []limit{{path: "policyDocument", json: true, source: docsLogGroup}},
		refuses: []refusal{
			{name: "log-policy-grammar", code: "InvalidParameterException", source: docsLogGroup, because: policyMalformed("policyDocument")},
			{name: "log-policy-size", code: "LimitExceededException", source: docsLogQuotas, because: tooLong("policyDocument", 5120)},
			quota("log-policies-per-region", 10, "LimitExceededException", "Resource limit exceeded: resource policies per region.", docsLogQuotas),
		},
	},
	{
		token: "aws:cloudwatch/logMetricFilter:LogMetricFilter", noun: "CloudWatch Logs Metric Filter", service: "CloudWatch Logs", action: "MetricFilter", call: "PutMetricFilter",
		overwrites: docsLogFilters,
		id:         "{logGroupName}:{name}", replaces: []string{"logGroupName", "name"}, refs: refer(toLogGroup, "logGroupName"),
		limits: []limit{{path: "pattern", longest: 1024, source: docsLogFilters}},
	},
	{
		token: "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter", noun: "CloudWatch Logs Subscription Filter", service: "CloudWatch Logs", action: "SubscriptionFilter", call: "PutSubscriptionFilter",
		id: "cwlsf-{digits10:id}", replaces: []string{"logGroup", "name", "destinationArn"}, defaults: props{"distribution": "ByLogStream"},
		refs: append(refer(toLogGroup, "logGroup"), refer(toRole, "roleArn")...),
		refuses: []refusal{{name: "subscriptions-per-group", at: []operation{opCreate}, code: "LimitExceededException", source: docsLogQuotas, because: func(c *call) string {
			if len(c.users(c.referred("logGroup"), c.kind.token)) >= 2 {
				return "Resource limit exceeded: a log group has at most 2 subscription filters."
			}
			return ""
		}}},
	},
	{
		token: "aws:cloudwatch/metricAlarm:MetricAlarm", noun: "CloudWatch Metric Alarm", service: "CloudWatch", action: "MetricAlarm", call: "PutMetricAlarm",
		overwrites: docsAlarm,
		id:         "{name}", arn: "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
		defaults: props{"actionsEnabled": true, "treatMissingData": "missing"}, replaces: []string{"name"},
		refs: refer(alarmAction, "alarmActions[*]", "okActions[*]", "insufficientDataActions[*]"),
		limits: []limit{
			{path: "name", longest: 255, source: docsAlarm},
			{path: "comparisonOperator", source: docsAlarm, oneOf: []string{"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "GreaterThanUpperThreshold", "LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "LessThanOrEqualToThreshold", "LessThanThreshold"}},
			{path: "statistic", oneOf: []string{"Average", "Maximum", "Minimum", "SampleCount", "Sum"}, source: docsAlarm},
			{path: "treatMissingData", oneOf: []string{"breaching", "ignore", "missing", "notBreaching"}, source: docsAlarm},
			{path: "evaluationPeriods", least: 1, most: 1440, source: docsAlarm},
		},
		refuses: []refusal{
			{name: "alarm-metric", code: "ValidationError", source: docsAlarm, because: func(c *call) string {
				if (c.text("metricName") == "") == (len(valuesAt(c.state(), "metricQueries[*]")) == 0) {
					return "an alarm needs either metricName or metricQueries"
				}
				return ""
			}},
			{name: "alarm-period", code: "ValidationError", source: docsAlarm, because: func(c *call) string {
				if n, ok := c.number("period"); ok && n != 10 && n != 20 && n != 30 && int(n)%60 != 0 {
					return fmt.Sprintf("Period must be 10, 20, 30 or a multiple of 60, not %s", number(n))
				}
				return ""
			}},
			{name: "alarm-data-points", code: "ValidationError", source: docsAlarm, because: func(c *call) string {
				points, ok := c.number("datapointsToAlarm")
				if periods, _ := c.number("evaluationPeriods"); ok && points > periods {
					return fmt.Sprintf("DatapointsToAlarm (%s) must not exceed EvaluationPeriods (%s)", number(points), number(periods))
				}
				return ""
			}},
		},
	},
	{
		token: "aws:cloudwatch/eventRule:EventRule", noun: "EventBridge Rule", service: "EventBridge", action: "Rule", call: "PutRule",
		// https://github.com/hashicorp/terraform-provider-aws/issues/3225 and 25598
		// are stacks that lost their rules.
		overwrites: docsRule,
		id:         "{onBus}{name}", arn: "arn:{partition}:events:{region}:{account}:rule/{onBus}{name}", handles: []string{"{name}"},
		words: map[string]func(*call) string{"onBus": func(c *call) string {
			if bus := c.text("eventBusName"); bus != "" && bus != "default" {
				return bus + "/"
			}
			return ""
		}},
		defaults: props{"eventBusName": "default", "forceDestroy": false, "state": "ENABLED"},
		computed: props{"name": "{namePrefix|}{digits26:prefix}"},
		replaces: []string{"eventBusName", "name", "namePrefix"}, refs: refer(toRole, "roleArn"),
		limits: []limit{
			{path: "name", longest: 64, pattern: regexp.MustCompile(`^[.\-_A-Za-z0-9]+$`), meaning: "only letters, digits and .-_", source: docsRule},
			{path: "eventPattern", json: true, longest: 4096, source: docsRule},
			{path: "description", longest: 512, source: docsRule},
		},
		refuses: []refusal{
			{name: "rule-trigger", code: "ValidationException", source: docsRule, because: func(c *call) string {
				if c.text("eventPattern") == "" && c.text("scheduleExpression") == "" {
					return "Parameter(s) EventPattern or ScheduleExpression must be specified."
				}
				return ""
			}},
			{name: "rule-pattern", code: "InvalidEventPatternException", source: docsRule, because: patternWithoutLists},
		},
		blocks: []block{{
			by: []string{"aws:cloudwatch/eventTarget:EventTarget"}, unless: "forceDestroy",
			code: "ValidationException", message: "Rule can't be deleted since it has targets.",
		}},
	},
	{
		token: "aws:cloudwatch/eventTarget:EventTarget", noun: "EventBridge Target", service: "EventBridge", action: "Targets", call: "PutTargets",
		overwrites: docsTargets,
		id:         "{rule}-{targetId}", defaults: props{"eventBusName": "default", "forceDestroy": false},
		computed: props{"targetId": "terraform-{digits26:id}"}, replaces: []string{"eventBusName", "rule", "targetId"},
		refs: append(refer(toEventRule, "rule"), refer(toRole, "roleArn")...),
		refuses: []refusal{{name: "targets-per-rule", at: []operation{opCreate}, code: "LimitExceededException", source: docsTargets, because: func(c *call) string {
			if len(c.users(c.referred("rule"), c.kind.token)) >= 5 {
				return "The requested resource exceeds the maximum number allowed: 5 targets per rule."
			}
			return ""
		}}},
	},
}

// alarmAction is what an alarm can start. Only topics are checked.
var alarmAction = &target{
	types: toTopic.types,
	code:  "ValidationError", message: "Invalid alarm action, the topic does not exist: {value}",
	outside: func(v string) bool { return !strings.Contains(v, ":sns:") },
}

func keyNotAnARN(c *call) string {
	if v := c.text("kmsKeyId"); v != "" && !strings.HasPrefix(v, "arn:") {
		return fmt.Sprintf("Invalid parameter: kmsKeyId must be the key's ARN, not %s", v)
	}
	return ""
}

// logsMayNotUseKey: CloudWatch Logs takes a key only if the key's policy lets the
// service of this region encrypt for this log group.
func logsMayNotUseKey(c *call) string {
	key := c.referred("kmsKeyId")
	if key == nil {
		return ""
	}
	policy, _ := text(key.outputs, "policy")
	d, err := parsePolicy(policy)
	if err != nil {
		return ""
	}
	service := "logs." + c.conf.region + "." + dnsSuffix(c.acct.partition)
	group, _ := c.expand("arn:{partition}:logs:{region}:{account}:log-group:{name}")
	for _, s := range d.Statement {
		fits := s.about(func(kind, who string) bool {
			return kind == "Service" && (who == service || who == "logs.amazonaws.com")
		})
		if s.Effect == "Allow" && fits && s.covers("kms:GenerateDataKey") && contextFits(s, "kms:EncryptionContext:aws:logs:arn", group) {
			return ""
		}
	}
	return fmt.Sprintf("The specified KMS Key Id could not be found or is not allowed to be used with Arn '%s': the key's policy allows kms:GenerateDataKey* to %s for it in no statement.", group, service)
}

// contextFits is true if the statement's conditions on a key let a value pass.
func contextFits(s statement, key, value string) bool {
	for _, keys := range s.Condition {
		for k, patterns := range keys {
			if strings.EqualFold(k, key) && !slices.ContainsFunc(patterns, func(p string) bool { return matches(p, value) }) {
				return false
			}
		}
	}
	return true
}

// patternWithoutLists refuses event patterns whose leaves are not lists.
func patternWithoutLists(c *call) string {
	text := c.text("eventPattern")
	if text == "" {
		return ""
	}
	var pattern map[string]any
	if err := json.Unmarshal([]byte(text), &pattern); err != nil {
		return "Event pattern is not valid. Reason: it is not a JSON object"
	}
	if at := leafOutsideList(pattern); at != "" {
		return fmt.Sprintf("Event pattern is not valid. Reason: %q must be an object or an array", at)
	}
	return ""
}

func leafOutsideList(pattern map[string]any) string {
	for _, name := range sortedNames(pattern) {
		switch v := pattern[name].(type) {
		case []any:
		case map[string]any:
			if at := leafOutsideList(v); at != "" {
				return name + "." + at
			}
		default:
			return name
		}
	}
	return ""
}

func sortedNames(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
