package identity

import (
	"path"
	"slices"
	"strings"
)

// unscoped are the actions that name no resource, so that "*" is the least
// privilege there is. Each line is a service's actions which the Service
// Authorization Reference lists without a resource type
// (https://docs.aws.amazon.com/service-authorization/latest/reference/).
var unscoped = map[string][]string{
	"access-analyzer": {"ListAnalyzers"},
	"ce":              {"GetAnomalies", "GetCostAndUsage"},
	"cloudtrail":      {"DescribeTrails", "LookupEvents"},
	"cloudwatch":      {"DescribeAlarmsForMetric", "GetMetricData", "GetMetricStatistics", "ListMetrics", "PutMetricData"},
	"config":          {"DescribeConfigurationRecorders", "DescribeDeliveryChannels", "PutEvaluations", "SelectResourceConfig"},
	"ec2": {
		"DescribeAddresses", "DescribeFlowLogs", "DescribeInstances", "DescribeNetworkAcls", "DescribeNetworkInterfaces",
		"DescribeRouteTables", "DescribeSecurityGroupRules", "DescribeSecurityGroups", "DescribeSnapshots",
		"DescribeSubnets", "DescribeVolumes", "DescribeVpcEndpoints", "DescribeVpcs",
	},
	"ecr":       {"GetAuthorizationToken"},
	"ecs":       {"DescribeTaskDefinition", "ListClusters", "ListTaskDefinitions"},
	"guardduty": {"ListDetectors"},
	"iam": {
		"GenerateCredentialReport", "GetAccountAuthorizationDetails", "GetAccountPasswordPolicy",
		"GetAccountSummary", "GetCredentialReport", "ListRoles", "ListUsers",
	},
	"kms":    {"CreateKey", "GenerateRandom", "ListAliases", "ListKeys"},
	"lambda": {"GetAccountSettings", "ListFunctions"},
	"logs": {
		"CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies",
		"GetLogDelivery", "ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery",
	},
	"organizations":  {"DescribeOrganization", "ListAccounts", "ListRoots"},
	"rds":            {"DescribeEvents"},
	"s3":             {"ListAllMyBuckets"},
	"secretsmanager": {"BatchGetSecretValue", "GetRandomPassword", "ListSecrets"},
	"securityhub":    {"DescribeStandards"},
	"sns":            {"ListTopics"},
	"ssm":            {"DescribeInstanceInformation", "DescribeParameters"},
	// ECS Exec's channel: the service makes it, so there is no ARN to name.
	// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
	"ssmmessages": {"CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"},
	"sts":         {"GetCallerIdentity", "GetSessionToken"},
	"tag":         {"GetResources", "GetTagKeys", "GetTagValues"},
	"wafv2":       {"ListIPSets", "ListWebACLs"},
	"xray": {
		"GetSamplingRules", "GetSamplingStatisticSummaries", "GetSamplingTargets",
		"PutTelemetryRecords", "PutTraceSegments",
	},
}

// isUnscoped says whether every action that the pattern matches names no
// resource. Only exact names and patterns of xray:Put… are read: a pattern may
// gain actions as the service grows.
func isUnscoped(action string) bool {
	if strings.EqualFold(action, "xray:Put*") {
		return true
	}
	service, name, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(unscoped[strings.ToLower(service)], func(known string) bool {
		return strings.EqualFold(known, name)
	})
}

// actionMatches says whether the pattern of a policy covers the action.
// Actions are case-insensitive; "*" and "?" are the wildcards.
func actionMatches(pattern, action string) bool {
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
	return err == nil && ok
}
