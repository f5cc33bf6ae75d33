package launch

import (
	"slices"
	"strings"
)

// right is what it takes to read resources of a service, and to make, change and
// delete them. No action in it reads or writes what a resource holds, unless a
// destroy must.
type right struct{ read, write []string }

// rights are by a name of ours, mostly the service's prefix in IAM.
var rights = map[string]right{
	"access-analyzer":         {acts("access-analyzer", "Get*", "List*"), acts("access-analyzer", "CreateAnalyzer", "DeleteAnalyzer", "TagResource", "UntagResource", "UpdateAnalyzer")},
	"account":                 {acts("account", "GetAlternateContact"), acts("account", "DeleteAlternateContact", "PutAlternateContact")},
	"acm":                     {acts("acm", "DescribeCertificate", "GetCertificate", "ListCertificates", "ListTagsForCertificate"), acts("acm", "AddTagsToCertificate", "DeleteCertificate", "RemoveTagsFromCertificate", "RequestCertificate", "UpdateCertificateOptions")},
	"apigateway":              {acts("apigateway", "GET"), acts("apigateway", "DELETE", "PATCH", "POST", "PUT", "SetWebACL", "UpdateRestApiPolicy")},
	"application-autoscaling": {acts("application-autoscaling", "Describe*", "ListTagsForResource"), acts("application-autoscaling", "DeleteScalingPolicy", "DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget", "TagResource", "UntagResource")},
	"backup":                  {acts("backup", "Describe*", "GetBackup*", "GetRestoreTesting*", "List*"), acts("backup", "Create*", "DeleteBackup*", "DeleteRestoreTesting*", "PutBackupVault*", "PutRestoreTestingSelection", "TagResource", "UntagResource", "UpdateBackupPlan", "UpdateRestoreTesting*")},
	"backup-storage":          {nil, acts("backup-storage", "MountCapsule")},
	"budgets":                 {acts("budgets", "Describe*", "ListTagsForResource", "ViewBudget"), acts("budgets", "ModifyBudget", "TagResource", "UntagResource")},
	"ce":                      {acts("ce", "GetAnomaly*", "ListTagsForResource"), acts("ce", "CreateAnomaly*", "DeleteAnomaly*", "TagResource", "UntagResource", "UpdateAnomaly*")},
	"cloudfront":              {acts("cloudfront", "DescribeFunction", "Get*", "List*"), acts("cloudfront", "Create*", "Delete*", "TagResource", "UntagResource", "Update*")},
	"cloudtrail":              {acts("cloudtrail", "DescribeTrails", "Get*", "List*"), acts("cloudtrail", "AddTags", "CreateTrail", "DeleteTrail", "PutEventSelectors", "PutInsightSelectors", "RemoveTags", "StartLogging", "StopLogging", "UpdateTrail")},
	"cloudwatch":              {acts("cloudwatch", "Describe*", "GetDashboard", "List*"), acts("cloudwatch", "Delete*", "PutCompositeAlarm", "PutDashboard", "PutMetricAlarm", "TagResource", "UntagResource")},
	"cognito":                 {acts("cognito-idp", "DescribeResourceServer", "DescribeRiskConfiguration", "DescribeUserPool", "DescribeUserPoolDomain", "GetGroup", "GetUserPoolMfaConfig", "ListTagsForResource"), acts("cognito-idp", "CreateGroup", "CreateResourceServer", "CreateUserPool*", "DeleteGroup", "DeleteResourceServer", "DeleteUserPool*", "DescribeUserPoolClient", "SetRiskConfiguration", "SetUserPoolMfaConfig", "TagResource", "UntagResource", "UpdateGroup", "UpdateResourceServer", "UpdateUserPool*")},
	"config":                  {acts("config", "Describe*", "ListTagsForResource"), acts("config", "DeleteConfigRule", "DeleteConfigurationRecorder", "DeleteConformancePack", "DeleteDeliveryChannel", "PutConfigRule", "PutConfigurationRecorder", "PutConformancePack", "PutDeliveryChannel", "StartConfigurationRecorder", "StopConfigurationRecorder", "TagResource", "UntagResource")},
	"dynamodb":                {acts("dynamodb", "Describe*", "ListTagsOfResource"), acts("dynamodb", "CreateTable", "DeleteTable", "TagResource", "UntagResource", "UpdateContinuousBackups", "UpdateTable", "UpdateTimeToLive")},
	"ec2":                     {acts("ec2", "Describe*", "GetEbs*", "GetImageBlockPublicAccessState", "GetInstanceMetadataDefaults", "GetManagedPrefixList*", "GetSerialConsoleAccessStatus", "GetSnapshotBlockPublicAccessState"), acts("ec2", "AllocateAddress", "Associate*", "AttachInternetGateway", "AuthorizeSecurityGroup*", "Create*", "Delete*", "DetachInternetGateway", "Disable*", "Disassociate*", "Enable*", "Modify*", "ReleaseAddress", "Replace*", "RevokeSecurityGroup*", "UpdateSecurityGroupRuleDescriptions*")},
	"ec2-groups":              {acts("ec2", "Describe*"), acts("ec2", "AuthorizeSecurityGroup*", "CreateSecurityGroup", "CreateTags", "DeleteSecurityGroup", "DeleteTags", "ModifySecurityGroupRules", "RevokeSecurityGroup*", "UpdateSecurityGroupRuleDescriptions*")},
	"ec2-look":                {acts("ec2", "Describe*"), nil},
	"ecr":                     {acts("ecr", "DescribeRepositories", "GetLifecyclePolicy", "GetRepositoryPolicy", "ListTagsForResource"), acts("ecr", "CreateRepository", "DeleteLifecyclePolicy", "DeleteRepository", "PutImageScanningConfiguration", "PutImageTagMutability", "PutLifecyclePolicy", "TagResource", "UntagResource")},
	"ecs":                     {acts("ecs", "Describe*", "List*"), acts("ecs", "CreateCluster", "CreateService", "DeleteCluster", "DeleteService", "DeregisterTaskDefinition", "PutClusterCapacityProviders", "RegisterTaskDefinition", "TagResource", "UntagResource", "UpdateCluster*", "UpdateService")},
	"es":                      {acts("es", "Describe*", "GetCompatibleVersions", "GetUpgrade*", "List*"), acts("es", "AddTags", "CreateDomain", "CreateElasticsearchDomain", "DeleteDomain", "DeleteElasticsearchDomain", "RemoveTags", "UpdateDomainConfig", "UpdateElasticsearchDomainConfig", "UpgradeDomain")},
	"elb":                     {acts("elasticloadbalancing", "Describe*"), acts("elasticloadbalancing", "AddTags", "CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup", "DeleteListener", "DeleteLoadBalancer", "DeleteRule", "DeleteTargetGroup", "Modify*", "RemoveTags", "SetIpAddressType", "SetRulePriorities", "SetSecurityGroups", "SetSubnets", "SetWebAcl")},
	"events":                  {acts("events", "Describe*", "List*"), acts("events", "DeleteRule", "DisableRule", "EnableRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource")},
	"firehose":                {acts("firehose", "DescribeDeliveryStream", "ListTagsForDeliveryStream"), acts("firehose", "CreateDeliveryStream", "DeleteDeliveryStream", "StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption", "TagDeliveryStream", "UntagDeliveryStream", "UpdateDestination")},
	"guardduty":               {acts("guardduty", "Describe*", "Get*", "List*"), acts("guardduty", "Create*", "Delete*", "TagResource", "UntagResource", "Update*")},
	"iam":                     {acts("iam", "GetAccountPasswordPolicy", "GetPolicy*", "GetRole*", "GetServiceLinkedRoleDeletionStatus", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListOrganizationsFeatures", "ListPolicyTags", "ListPolicyVersions", "ListRolePolicies", "ListRoleTags"), acts("iam", "CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole*")},
	"iam-all":                 {nil, acts("iam", "AttachRolePolicy", "CreatePolicy", "CreatePolicyVersion", "DeleteAccountPasswordPolicy", "DeletePolicy", "DeletePolicyVersion", "DeleteServiceLinkedRole", "PutRolePermissionsBoundary", "PutRolePolicy", "SetDefaultPolicyVersion", "SetSecurityTokenServicePreferences", "TagPolicy", "UntagPolicy", "UpdateAccountPasswordPolicy")},
	"inspector2":              {acts("inspector2", "BatchGetAccountStatus", "List*"), acts("inspector2", "Disable", "Enable")},
	"kms":                     {acts("kms", "DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases", "ListKeyRotations", "ListResourceTags"), acts("kms", "CancelKeyDeletion", "CreateAlias", "CreateKey", "DeleteAlias", "DisableKey*", "EnableKey*", "PutKeyPolicy", "ReplicateKey", "ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateAlias", "UpdateKeyDescription")},
	"lambda":                  {acts("lambda", "GetCodeSigningConfig", "GetFunction*", "GetPolicy", "GetRuntimeManagementConfig", "ListFunction*", "ListTags", "ListVersionsByFunction"), acts("lambda", "AddPermission", "CreateCodeSigningConfig", "CreateFunction", "DeleteCodeSigningConfig", "DeleteFunction*", "PutFunction*", "RemovePermission", "TagResource", "UntagResource", "UpdateCodeSigningConfig", "UpdateFunction*")},
	"lambda-code":             {nil, acts("s3", "GetObject", "GetObjectVersion")},
	"lambda-invoke":           {nil, acts("lambda", "InvokeFunction")},
	"logs":                    {acts("logs", "Describe*", "GetDataProtectionPolicy", "GetDelivery*", "ListTags*"), acts("logs", "AssociateKmsKey", "CreateDelivery", "CreateLogDelivery", "CreateLogGroup", "CreateLogStream", "Delete*", "DisassociateKmsKey", "GetLogDelivery", "ListLogDeliveries", "PutDataProtectionPolicy", "PutDelivery*", "PutMetricFilter", "PutQueryDefinition", "PutResourcePolicy", "PutRetentionPolicy", "PutSubscriptionFilter", "TagResource", "UntagResource", "UpdateLogDelivery")},
	"macie2":                  {acts("macie2", "GetMacieSession"), acts("macie2", "DisableMacie", "EnableMacie", "UpdateMacieSession")},
	"organizations":           {acts("organizations", "Describe*", "List*"), acts("organizations", "AttachPolicy", "CreatePolicy", "DeletePolicy", "DetachPolicy", "TagResource", "UntagResource", "UpdatePolicy")},
	"rds":                     {acts("rds", "Describe*", "ListTagsForResource"), acts("rds", "AddTagsToResource", "CreateDBCluster*", "CreateDBInstance", "CreateDBProxy", "CreateDBSubnetGroup", "CreateEventSubscription", "DeleteDBCluster", "DeleteDBClusterParameterGroup", "DeleteDBInstance", "DeleteDBProxy", "DeleteDBSubnetGroup", "DeleteEventSubscription", "DeregisterDBProxyTargets", "Modify*", "RegisterDBProxyTargets", "RemoveTagsFromResource", "ResetDBClusterParameterGroup")},
	"rds-secret":              {nil, acts("secretsmanager", "CreateSecret", "TagResource")},
	"route53":                 {acts("route53", "GetChange", "GetHostedZone", "ListHostedZones*", "ListResourceRecordSets", "ListTagsForResource"), acts("route53", "ChangeResourceRecordSets")},
	"route53resolver":         {acts("route53resolver", "Get*", "List*"), acts("route53resolver", "Associate*", "Create*", "Delete*", "Disassociate*", "TagResource", "UntagResource", "Update*")},
	"s3":                      {acts("s3", "GetAccelerateConfiguration", "GetAccountPublicAccessBlock", "GetBucket*", "GetEncryptionConfiguration", "GetLifecycleConfiguration", "GetReplicationConfiguration", "ListBucket", "ListTagsForResource"), acts("s3", "CreateBucket", "DeleteBucket*", "PutAccountPublicAccessBlock", "PutBucket*", "PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutReplicationConfiguration", "TagResource", "UntagResource")},
	"s3-empty":                {nil, acts("s3", "DeleteObject", "DeleteObjectVersion", "ListBucketVersions")},
	"s3-objects":              {acts("s3", "GetObjectTagging"), acts("s3", "DeleteObject*", "GetObject", "GetObjectVersion", "PutObject", "PutObjectTagging")},
	"scheduler":               {acts("scheduler", "Get*", "ListTagsForResource"), acts("scheduler", "CreateSchedule", "DeleteSchedule", "UpdateSchedule")},
	"secretsmanager":          {acts("secretsmanager", "DescribeSecret", "GetResourcePolicy"), acts("secretsmanager", "CancelRotateSecret", "CreateSecret", "DeleteResourcePolicy", "DeleteSecret", "PutResourcePolicy", "RotateSecret", "TagResource", "UntagResource", "UpdateSecret", "ValidateResourcePolicy")},
	"securityhub":             {acts("securityhub", "Describe*", "Get*", "List*"), acts("securityhub", "BatchDisableStandards", "BatchEnableStandards", "DisableSecurityHub", "EnableSecurityHub", "UpdateSecurityHubConfiguration", "UpdateStandardsControl")},
	"signer":                  {acts("signer", "DescribeSigningJob", "GetSigningProfile", "ListTagsForResource"), acts("signer", "CancelSigningProfile", "PutSigningProfile", "StartSigningJob", "TagResource", "UntagResource")},
	"sns":                     {acts("sns", "GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource"), acts("sns", "CreateTopic", "DeleteTopic", "SetSubscriptionAttributes", "SetTopicAttributes", "Subscribe", "TagResource", "Unsubscribe", "UntagResource")},
	"sqs":                     {acts("sqs", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags"), acts("sqs", "CreateQueue", "DeleteQueue", "SetQueueAttributes", "TagQueue", "UntagQueue")},
	"ssm":                     {acts("ssm", "DescribeDocument*", "DescribeParameters", "GetDocument", "GetParameter", "GetParameters", "ListTagsForResource"), acts("ssm", "AddTagsToResource", "CreateDocument", "DeleteDocument", "DeleteParameter", "ModifyDocumentPermission", "PutParameter", "RemoveTagsFromResource", "UpdateDocument*")},
	"states":                  {acts("states", "DescribeStateMachine", "ListStateMachineVersions", "ListTagsForResource"), acts("states", "CreateStateMachine", "DeleteStateMachine", "TagResource", "UntagResource", "UpdateStateMachine", "ValidateStateMachineDefinition")},
	"wafv2":                   {acts("wafv2", "Get*", "List*"), acts("wafv2", "AssociateWebACL", "CreateIPSet", "CreateWebACL", "DeleteIPSet", "DeleteLoggingConfiguration", "DeleteWebACL", "DisassociateWebACL", "PutLoggingConfiguration", "TagResource", "UntagResource", "UpdateIPSet", "UpdateWebACL")},
	"xray":                    {acts("xray", "GetEncryptionConfig"), acts("xray", "PutEncryptionConfig")},
}

// acts are actions of a service.
func acts(service string, names ...string) []string {
	for i := range names {
		names[i] = service + ":" + names[i]
	}
	return names
}

// needs are the rights that resources take, by how their types begin; the longest
// start counts.
var needs = map[string][]string{
	"accessanalyzer/": {"access-analyzer"}, "account/": {"account"}, "acm/": {"acm"}, "apigateway/": {"apigateway"}, "appautoscaling/": {"application-autoscaling"},
	"backup/": {"backup", "backup-storage"}, "budgets/": {"budgets"}, "cfg/": {"config"}, "cloudfront/": {"cloudfront"}, "cloudtrail/": {"cloudtrail"},
	"cloudwatch/": {"cloudwatch"}, "cloudwatch/event": {"events"}, "cloudwatch/log": {"logs"}, "cloudwatch/query": {"logs"}, "cognito/": {"cognito"}, "costexplorer/": {"ce"},
	"dynamodb/": {"dynamodb"}, "ebs/": {"ec2"}, "ec2/": {"ec2"}, "ec2/securityGroup": {"ec2-groups"}, "ecr/": {"ecr"}, "ecs/": {"ecs", "ec2-look"},
	"guardduty/": {"guardduty"}, "iam/": {"iam"}, "inspector2/": {"inspector2"}, "kinesis/firehose": {"firehose"}, "kms/": {"kms"},
	"lambda/": {"lambda", "lambda-code", "ec2-look"}, "lambda/invocation": {"lambda-invoke"}, "lb/": {"elb", "ec2-look"}, "macie2/": {"macie2"}, "opensearch/": {"es", "ec2-look"},
	"organizations/": {"organizations"}, "rds/": {"rds", "ec2-look"}, "rds/cluster:": {"rds", "rds-secret", "ec2-look"}, "route53/": {"route53"}, "route53/resolver": {"route53resolver"},
	"s3/": {"s3"}, "s3/bucketV2": {"s3", "s3-empty"}, "s3/bucketObjectv2": {"s3", "s3-objects"}, "scheduler/": {"scheduler"}, "secretsmanager/": {"secretsmanager"},
	"securityhub/": {"securityhub"}, "sfn/": {"states"}, "signer/": {"signer"}, "sns/": {"sns"}, "sqs/": {"sqs"}, "ssm/": {"ssm"},
	"vpc/securityGroup": {"ec2-groups"}, "wafv2/": {"wafv2"}, "xray/": {"xray"},
}

// rightsOf are the rights that resources of these types take, and the types that the
// table does not know.
func rightsOf(types []string) (names, unknown []string) {
	for _, t := range types {
		best := ""
		for start := range needs {
			if strings.HasPrefix(strings.TrimPrefix(t, "aws:"), start) && len(start) > len(best) {
				best = start
			}
		}
		if best == "" {
			unknown = append(unknown, t)
		}
		names = append(names, needs[best]...)
	}
	slices.Sort(names)
	return slices.Compact(names), unknown
}
