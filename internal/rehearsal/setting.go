package rehearsal

const (
	docsPasswordPolicy = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html"
	docsTokenVersion   = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetSecurityTokenServicePreferences.html"
	docsAccountBlock   = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html"
	docsVolumes        = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html"
	docsSnapshots      = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSnapshotBlockPublicAccess.html"
	docsImages         = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageBlockPublicAccess.html"
	docsMetadata       = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html"
	docsSerialConsole  = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSerialConsoleAccess.html"
	docsBackupRegion   = "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateRegionSettings.html"
	docsContact        = "https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html"
	docsInspector      = "https://docs.aws.amazon.com/inspector/v2/APIReference/API_Enable.html"
	docsResponseTeam   = "https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_AssociateDRTRole.html"
	docsTraces         = "https://docs.aws.amazon.com/xray/latest/api/API_PutEncryptionConfig.html"
	docsAPIAccount     = "https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateAccount.html"
)

// settingKinds are values that an account, or its region, has once and from the
// beginning: to create one is to write it, whoever wrote it before. The provider
// gives some of them a random id; here they have one id each, because they are
// one thing.
var settingKinds = []kind{
	{
		token: "aws:iam/accountPasswordPolicy:AccountPasswordPolicy", noun: "IAM Account Password Policy", service: "IAM", action: "AccountPasswordPolicy", call: "UpdateAccountPasswordPolicy",
		overwrites: docsPasswordPolicy, global: true, id: "iam-account-password-policy",
		limits: []limit{
			{path: "minimumPasswordLength", least: 6, most: 128, source: docsPasswordPolicy},
			{path: "maxPasswordAge", least: 0, most: 1095, source: docsPasswordPolicy},
			{path: "passwordReusePrevention", least: 0, most: 24, source: docsPasswordPolicy},
		},
	},
	{
		token: "aws:iam/securityTokenServicePreferences:SecurityTokenServicePreferences", noun: "IAM Security Token Service Preferences", service: "IAM", action: "SecurityTokenServicePreferences", call: "SetSecurityTokenServicePreferences",
		overwrites: docsTokenVersion, global: true, id: "{account}",
		limits: []limit{{path: "globalEndpointTokenVersion", oneOf: []string{"v1Token", "v2Token"}, source: docsTokenVersion}},
	},
	{
		token: "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", noun: "S3 Account Public Access Block", service: "S3 Control", action: "PublicAccessBlock", call: "PutPublicAccessBlock",
		overwrites: docsAccountBlock, global: true, id: "{account}", computed: props{"accountId": "{account}"},
	},
	{
		token: "aws:ebs/encryptionByDefault:EncryptionByDefault", noun: "EC2 EBS Encryption By Default", service: "EC2", action: "EbsEncryptionByDefault", call: "EnableEbsEncryptionByDefault",
		overwrites: docsVolumes, id: "ebs-encryption-{region}",
	},
	{
		token: "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", noun: "EC2 EBS Snapshot Block Public Access", service: "EC2", action: "SnapshotBlockPublicAccess", call: "EnableSnapshotBlockPublicAccess",
		overwrites: docsSnapshots, id: "{region}",
		limits: []limit{{path: "state", oneOf: []string{"block-all-sharing", "block-new-sharing", "unblocked"}, source: docsSnapshots}},
	},
	{
		token: "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", noun: "EC2 Image Block Public Access", service: "EC2", action: "ImageBlockPublicAccess", call: "EnableImageBlockPublicAccess",
		overwrites: docsImages, id: "{region}",
		limits: []limit{{path: "state", oneOf: []string{"block-new-sharing", "unblocked"}, source: docsImages}},
	},
	{
		token: "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", noun: "EC2 Instance Metadata Defaults", service: "EC2", action: "InstanceMetadataDefaults", call: "ModifyInstanceMetadataDefaults",
		overwrites: docsMetadata, id: "{region}",
		limits: []limit{
			{path: "httpTokens", oneOf: []string{"no-preference", "optional", "required"}, source: docsMetadata},
			{path: "httpEndpoint", oneOf: []string{"disabled", "enabled", "no-preference"}, source: docsMetadata},
		},
	},
	{
		token: "aws:ec2/serialConsoleAccess:SerialConsoleAccess", noun: "EC2 Serial Console Access", service: "EC2", action: "SerialConsoleAccess", call: "EnableSerialConsoleAccess",
		overwrites: docsSerialConsole, id: "serial-console-{region}",
	},
	{
		token: "aws:xray/encryptionConfig:EncryptionConfig", noun: "X-Ray Encryption Config", service: "XRay", action: "EncryptionConfig", call: "PutEncryptionConfig",
		overwrites: docsTraces, id: "{region}", refs: refer(toKey, "keyId"),
		limits: []limit{{path: "type", oneOf: []string{"KMS", "NONE"}, source: docsTraces}},
	},
	{
		token: "aws:backup/regionSettings:RegionSettings", noun: "Backup Region Settings", service: "Backup", action: "RegionSettings", call: "UpdateRegionSettings",
		overwrites: docsBackupRegion, id: "{region}",
	},
	{
		token: "aws:account/alternativeContact:AlternativeContact", noun: "Account Alternate Contact", service: "Account", action: "AlternateContact", call: "PutAlternateContact",
		overwrites: docsContact, global: true, id: "{alternateContactType}", replaces: []string{"accountId", "alternateContactType"}, updates: []string{"name"},
		limits: []limit{{path: "alternateContactType", oneOf: []string{"BILLING", "OPERATIONS", "SECURITY"}, source: docsContact}},
	},
	{
		// To enable what is enabled succeeds. To disable it, when one of the two
		// stacks goes, ends the scans of both.
		token: "aws:inspector2/enabler:Enabler", noun: "Inspector Enabler", service: "Inspector2", action: "", call: "Enable",
		overwrites: docsInspector, id: "{account}",
		limits: []limit{{path: "resourceTypes[*]", oneOf: []string{"CODE_REPOSITORY", "EC2", "ECR", "LAMBDA", "LAMBDA_CODE"}, source: docsInspector}},
	},
	{
		token: "aws:shield/drtAccessRoleArnAssociation:DrtAccessRoleArnAssociation", noun: "Shield DRT Access Role Association", service: "Shield", action: "DRTRole", call: "AssociateDRTRole",
		overwrites: docsResponseTeam, global: true, id: "{account}", refs: refer(toRole, "roleArn"),
	},
}
