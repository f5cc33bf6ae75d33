package rules

import (
	"strings"

	"redoubt/policy/rule"
)

// unscopable lists, by service, the actions for which a statement must say
// Resource "*". Source: the Service Authorization Reference, actions without a
// resource type. A wildcard stands for a family of listing actions.
var unscopable = map[string][]string{
	"access-analyzer":         {"ListAnalyzers", "ValidatePolicy"},
	"application-autoscaling": {"Describe*"},
	"autoscaling":             {"Describe*"},
	"ce":                      {"GetAnomalies", "GetCostAndUsage"},
	"cloudformation":          {"DescribeAccountLimits", "ListStacks"},
	"cloudtrail":              {"DescribeTrails", "ListTrails", "LookupEvents"},
	"cloudwatch":              {"DescribeAlarmsForMetric", "GetMetricData", "GetMetricStatistics", "ListMetrics", "PutMetricData"},
	"cognito-idp":             {"ListUserPools"},
	"config":                  {"DescribeConfigurationRecorders", "DescribeDeliveryChannels", "PutEvaluations", "SelectResourceConfig"},
	"ec2": {
		"Describe*", "GetEbsEncryptionByDefault",
		// These five do know resources, but Lambda demands them on "*" before it
		// attaches a function to a VPC
		// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html).
		"AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface", "DetachNetworkInterface",
		"UnassignPrivateIpAddresses",
	},
	"ec2messages":          {"*"},
	"ecr":                  {"GetAuthorizationToken"},
	"ecr-public":           {"GetAuthorizationToken"},
	"ecs":                  {"DeregisterTaskDefinition", "DescribeTaskDefinition", "ListClusters", "ListTaskDefinitions"},
	"elasticloadbalancing": {"Describe*"},
	"es":                   {"ListDomainNames"},
	"guardduty":            {"ListDetectors"},
	"iam": {
		"GenerateCredentialReport", "GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "GetAccountSummary",
		"GetCredentialReport", "ListAccountAliases", "ListGroups", "ListPolicies", "ListRoles", "ListUsers", "ListVirtualMFADevices",
	},
	"kms":    {"CreateKey", "GenerateRandom", "ListAliases", "ListKeys"},
	"lambda": {"GetAccountSettings", "ListFunctions"},
	"logs": {
		"CreateLogDelivery", "DeleteLogDelivery", "DescribeLogGroups", "DescribeResourcePolicies", "GetLogDelivery",
		"ListLogDeliveries", "PutResourcePolicy", "UpdateLogDelivery",
	},
	"organizations":   {"DescribeOrganization", "ListAccounts", "ListRoots"},
	"pricing":         {"*"},
	"rds":             {"DescribeEvents"},
	"resource-groups": {"SearchResources"},
	"route53":         {"ListHostedZones"},
	"s3":              {"GetAccountPublicAccessBlock", "ListAllMyBuckets"},
	"secretsmanager":  {"BatchGetSecretValue", "GetRandomPassword", "ListSecrets"},
	"securityhub":     {"DescribeStandards"},
	"ses":             {"GetSendQuota"},
	"sns":             {"ListTopics"},
	"sqs":             {"ListQueues"},
	"ssm":             {"DescribeInstanceInformation", "DescribeParameters"},
	"ssmmessages":     {"*"},
	"sts":             {"GetCallerIdentity", "GetSessionToken"},
	"tag":             {"Get*"},
	"wafv2":           {"ListIPSets", "ListWebACLs"},
	"xray":            {"GetSamplingRules", "GetSamplingStatisticSummaries", "GetSamplingTargets", "Put*"},
}

// withoutResources says that the action, or every action that the pattern can
// mean, is in the table: "ec2:DescribeInst*" is, "ec2:D*" is not.
func withoutResources(action string) bool {
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	for _, known := range unscopable[service] {
		known = strings.ToLower(known)
		if known == name || strings.HasSuffix(known, "*") && rule.WildcardMatch(known, name) {
			return true
		}
	}
	return false
}
