package rehearsal

import (
	"regexp"
	"slices"
)

const (
	docsFunction   = "https://docs.aws.amazon.com/lambda/latest/dg/API_CreateFunction.html"
	docsPermission = "https://docs.aws.amazon.com/lambda/latest/dg/API_AddPermission.html"
	issueSigning   = "https://github.com/aws/aws-cdk/issues/29474"
)

// lambdaKinds are functions and who may call them.
var lambdaKinds = []kind{
	{
		token: "aws:lambda/function:Function", noun: "Lambda Function", service: "Lambda", action: "Function",
		id: "{name}", arn: "arn:{partition}:lambda:{region}:{account}:function:{name}",
		defaults: props{"memorySize": 128, "packageType": "Zip", "publish": false, "reservedConcurrentExecutions": -1, "skipDestroy": false, "timeout": 3},
		computed: props{
			"invokeArn": "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations", "version": "$LATEST",
			"qualifiedArn": "{arn}:$LATEST", "qualifiedInvokeArn": "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}:$LATEST/invocations",
			"lastModified": "2026-01-01T00:00:00.000+0000", "codeSha256": "{hex64:code}", "sourceCodeHash": "{hex64:code}", "sourceCodeSize": 1024,
			"signingJobArn": "", "signingProfileVersionArn": "",
		},
		replaces: []string{"name", "packageType"},
		refs: slices.Concat(refer(toRole, "role"), refer(toKey, "kmsKeyArn"), refer(toSubnet, "vpcConfig.subnetIds[*]"), refer(toSecurityGroup, "vpcConfig.securityGroupIds[*]"),
			refer(toBucket, "s3Bucket"), refer(toLogGroup, "loggingConfig.logGroup")),
		unique: []unique{{key: "{name}", code: "ResourceConflictException", message: "Function already exist: {name}"}},
		limits: []limit{
			{path: "name", longest: 64, pattern: regexp.MustCompile(`^[a-zA-Z0-9_-]+$`), meaning: "only letters, digits, _ and -", source: docsFunction},
			{path: "memorySize", least: 128, most: 10240, source: docsFunction},
			{path: "timeout", least: 1, most: 900, source: docsFunction},
			{path: "architectures[*]", oneOf: []string{"arm64", "x86_64"}, source: docsFunction},
			{path: "packageType", oneOf: []string{"Image", "Zip"}, source: docsFunction},
			{path: "tracingConfig.mode", oneOf: []string{"Active", "PassThrough"}, source: docsFunction},
		},
		refuses: []refusal{
			{name: "function-code", at: []operation{opCreate}, code: "InvalidParameterValueException", source: docsFunction, because: func(c *call) string {
				if has(c.in, "code") || has(c.in, "s3Bucket") || has(c.in, "imageUri") {
					return ""
				}
				return "one of code, s3Bucket or imageUri must be set"
			}},
			{name: "function-runtime", code: "InvalidParameterValueException", source: docsFunction, because: func(c *call) string {
				if c.text("packageType") == "Zip" && (c.text("runtime") == "" || c.text("handler") == "") {
					return "Runtime and Handler are mandatory parameters for functions created with deployment packages."
				}
				return ""
			}},
			{name: "function-unsigned", code: "CodeVerificationFailedException", source: issueSigning, because: unsignedCode},
			{name: "function-vpc-permissions", at: []operation{opCreate}, code: "InvalidParameterValueException", source: docsFunction, because: roleWithoutInterfaces},
		},
	},
	{
		token: "aws:lambda/permission:Permission", noun: "Lambda Permission", service: "Lambda", action: "Permission", call: "AddPermission",
		id: "{statementId}", computed: props{"statementId": func(c *call) any {
			if has(c.in, "statementIdPrefix") {
				return "{statementIdPrefix}{digits26:statement}"
			}
			return "terraform-{digits26:statement}"
		}},
		replaces: []string{"action", "eventSourceToken", "function", "functionUrlAuthType", "principal", "principalOrgId", "qualifier", "sourceAccount", "sourceArn", "statementId", "statementIdPrefix"},
		refs:     refer(toFunction, "function"),
		unique:   []unique{{key: "{function}/{statementId}", code: "ResourceConflictException", message: "The statement id ({statementId}) provided already exists."}},
		limits:   []limit{{path: "action", pattern: regexp.MustCompile(`^lambda:`), meaning: "it must begin with lambda:", source: docsPermission}},
	},
	{
		token: signingToken, noun: "Lambda Code Signing Config", service: "Lambda", action: "CodeSigningConfig",
		id: "{arn}", arn: "arn:{partition}:lambda:{region}:{account}:code-signing-config:csc-{hex17}",
		computed: props{"configId": "csc-{hex17}", "lastModified": "2026-01-01T00:00:00.000+0000"},
		blocks: []block{{
			by:   []string{"aws:lambda/function:Function"},
			code: "ResourceConflictException", message: "The code signing configuration {arn} is used by functions.",
		}},
	},
}

const signingToken = "aws:lambda/codeSigningConfig:CodeSigningConfig"

// unsignedCode: where signing is enforced, a package must come from S3, because
// Signer signs only objects of buckets.
func unsignedCode(c *call) string {
	if !has(c.in, "code") {
		return ""
	}
	for _, config := range c.all(signingToken) {
		enforced, _ := text(config.outputs, "policies.untrustedArtifactOnDeployment")
		if config.arn() == c.text("codeSigningConfigArn") && enforced == "Enforce" {
			return "The code signature failed the integrity check or has no signature: a local code archive is never signed; deploy a signed object with s3Bucket and s3Key."
		}
	}
	return ""
}

// roleWithoutInterfaces: a function in a VPC needs a role that may make network
// interfaces, before the function is made. Only the role's own resources can be
// seen; a role with a policy of its own is taken to have it.
func roleWithoutInterfaces(c *call) string {
	role := c.referred("role")
	if role == nil || len(c.texts("vpcConfig.subnetIds[*]")) == 0 {
		return ""
	}
	if len(c.users(role, "aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment")) > 0 || has(role.outputs, "managedPolicyArns") || has(role.outputs, "inlinePolicies") {
		return ""
	}
	return "The provided execution role does not have permissions to call CreateNetworkInterface on EC2; make the function depend on the role's policies."
}
