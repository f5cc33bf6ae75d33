package rules

import (
	"maps"
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// options holds the rules about what Pulumi is told to do with a resource.
var options = []rule.Rule{
	{
		Name:     "no-ignore-changes-on-security-properties",
		Summary:  "Pulumi watches the properties that security depends on; what ignoreChanges names drifts unseen, and no other rule can hold it.",
		Guide:    []guide.ID{guide.ResponseEradicationVerifyRemoval, guide.OperationsLowConfigurationChanges},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("CM-3", "CM-6")),
		Types:    slices.Sorted(maps.Keys(guarded)),
		Check:    nothingGuardedIgnored,
		Fix:      `pulumi.IgnoreChanges without the property; what another tool must change belongs in a resource of its own`,
		URL:      "https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/",
	},
	{
		Name:     "stateful-resources-protected",
		Summary:  "A resource of production that holds data cannot be deleted by a mistake in the program: Pulumi or AWS protects it.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices, guide.ArchitectureLifecycleBackupRetention},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("CP-9")),
		Types: []string{
			"cognito/userPool", "dynamodb/table", "kms/key", "opensearch/domain", "rds/cluster", "rds/instance",
			"s3/bucketV2", "s3/bucket", "secretsmanager/secret",
		},
		Params: []rule.Param{production},
		Check:  protected,
		Fix:    `the option pulumi.Protect(true), or DeletionProtection where the resource has it`,
		URL:    "https://www.pulumi.com/docs/iac/concepts/options/protect/",
	},
}

// guarded are the properties that must not be ignored, by type. What pipelines
// and scaling change by design, such as the task definition of a service and
// the actions of a listener, is not among them.
var guarded = map[string][]string{
	"cloudfront/distribution":      {"defaultCacheBehavior", "viewerCertificate", "webAclId"},
	"cloudtrail/trail":             {"enableLogFileValidation", "enableLogging", "eventSelectors", "isMultiRegionTrail", "kmsKeyId", "s3BucketName"},
	"cloudwatch/logGroup":          {"kmsKeyId", "retentionInDays"},
	"cloudwatch/metricAlarm":       {"actionsEnabled", "alarmActions"},
	"cognito/userPool":             {"mfaConfiguration", "passwordPolicy"},
	"dynamodb/table":               {"pointInTimeRecovery", "serverSideEncryption"},
	"ec2/defaultSecurityGroup":     {"egress", "ingress"},
	"ec2/instance":                 {"associatePublicIpAddress", "metadataOptions", "vpcSecurityGroupIds"},
	"ec2/networkAcl":               {"egress", "ingress"},
	"ec2/routeTable":               {"routes"},
	"ec2/securityGroup":            {"egress", "ingress"},
	"ec2/securityGroupRule":        {"cidrBlocks", "fromPort", "ipv6CidrBlocks", "protocol", "sourceSecurityGroupId", "toPort"},
	"ec2/vpcEndpoint":              {"policy", "securityGroupIds"},
	"ecr/repository":               {"imageScanningConfiguration", "imageTagMutability"},
	"ecr/repositoryPolicy":         {"policy"},
	"ecs/service":                  {"networkConfiguration"},
	"guardduty/detector":           {"enable"},
	"iam/groupPolicy":              {"policy"},
	"iam/policy":                   {"policy"},
	"iam/role":                     {"assumeRolePolicy", "inlinePolicies", "managedPolicyArns", "permissionsBoundary"},
	"iam/rolePolicy":               {"policy"},
	"iam/userPolicy":               {"policy"},
	"kms/key":                      {"enableKeyRotation", "isEnabled", "policy"},
	"kms/keyPolicy":                {"policy"},
	"lambda/function":              {"codeSigningConfigArn", "kmsKeyArn", "role", "vpcConfig"},
	"lb/listener":                  {"certificateArn", "protocol", "sslPolicy"},
	"lb/loadBalancer":              {"accessLogs", "dropInvalidHeaderFields", "internal", "securityGroups"},
	"opensearch/domain":            {"accessPolicies", "advancedSecurityOptions", "domainEndpointOptions", "encryptAtRest", "nodeToNodeEncryption", "vpcOptions"},
	"opensearch/domainPolicy":      {"accessPolicies"},
	"rds/cluster":                  {"dbClusterParameterGroupName", "deletionProtection", "iamDatabaseAuthenticationEnabled", "kmsKeyId", "storageEncrypted", "vpcSecurityGroupIds"},
	"rds/instance":                 {"deletionProtection", "kmsKeyId", "publiclyAccessible", "storageEncrypted", "vpcSecurityGroupIds"},
	"s3/bucket":                    {"acl", "policy"},
	"s3/bucketPolicy":              {"policy"},
	"s3/bucketPublicAccessBlock":   {"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"},
	"s3/bucketVersioning":          {"versioningConfiguration"},
	"secretsmanager/secret":        {"kmsKeyId", "policy"},
	"secretsmanager/secretPolicy":  {"policy"},
	"sns/topic":                    {"kmsMasterKeyId", "policy"},
	"sns/topicPolicy":              {"policy"},
	"sqs/queue":                    {"kmsMasterKeyId", "policy"},
	"sqs/queuePolicy":              {"policy"},
	"vpc/securityGroupEgressRule":  {"cidrIpv4", "cidrIpv6", "fromPort", "ipProtocol", "referencedSecurityGroupId", "toPort"},
	"vpc/securityGroupIngressRule": {"cidrIpv4", "cidrIpv6", "fromPort", "ipProtocol", "referencedSecurityGroupId", "toPort"},
	"wafv2/webAcl":                 {"defaultAction", "rules"},

	"s3/bucketServerSideEncryptionConfiguration": {"rules"},
}

func nothingGuardedIgnored(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, path := range r.IgnoreChanges {
		switch property := firstProperty(path); {
		case property == "*":
			out = rule.All(out, rule.Fail("ignoreChanges names every property"))
		case slices.Contains(guarded[r.Type], property):
			out = rule.All(out, rule.Fail("ignoreChanges names %s", path))
		}
	}
	return out
}

// firstProperty returns "policy" for the property paths "policy",
// "policy.Statement[0]" and `["policy"]`.
func firstProperty(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "["), `"`)
	if end := strings.IndexAny(path, `.["`); end >= 0 {
		path = path[:end]
	}
	return strings.TrimSuffix(path, "]")
}

func protected(r *rule.Resource, p rule.Params) rule.Verdict {
	if !judged(r, p) {
		return rule.Skip()
	}
	if r.Protect {
		return rule.Pass()
	}
	for _, property := range []string{"deletionProtection", "deletionProtectionEnabled"} {
		v := r.Get(property)
		if v.Unknown() {
			return rule.Unsure("%s is unknown", property)
		}
		on, _ := v.Bool()
		active, _ := v.Str() // a user pool says ACTIVE
		if on || active == "ACTIVE" {
			return rule.Pass()
		}
	}
	return rule.Fail("the option protect is off, and so is AWS's own protection")
}
