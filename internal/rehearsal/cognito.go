package rehearsal

import (
	"regexp"
	"slices"
)

const (
	docsUserPool   = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html"
	docsPoolClient = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html"
	docsPoolTier   = "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-sign-in-feature-plans.html"
	docsPoolDomain = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolDomain.html"
)

var toUserPool = &target{
	types: []string{"aws:cognito/userPool:UserPool"},
	code:  "ResourceNotFoundException", message: "User pool {value} does not exist.",
}

// cognitoKinds are user pools and what belongs to them.
var cognitoKinds = []kind{
	{
		token: "aws:cognito/userPool:UserPool", noun: "Cognito User Pool", service: "Cognito Identity Provider", action: "UserPool",
		id: "{region}_{alnum9:pool}", arn: "arn:{partition}:cognito-idp:{region}:{account}:userpool/{id}",
		defaults: props{"deletionProtection": "INACTIVE", "mfaConfiguration": "OFF"},
		computed: props{
			"endpoint": "cognito-idp.{region}.{dns}/{id}", "creationDate": "2026-01-01T00:00:00Z", "lastModifiedDate": "2026-01-01T00:00:00Z",
			"userPoolTier": "ESSENTIALS", "estimatedNumberOfUsers": 0, "domain": "", "customDomain": "",
		},
		replaces: []string{"aliasAttributes", "usernameAttributes"}, updates: []string{"name"},
		refs: refer(toFunction, "lambdaConfig.preSignUp", "lambdaConfig.postConfirmation", "lambdaConfig.preTokenGeneration"),
		limits: []limit{
			{path: "name", longest: 128, pattern: regexp.MustCompile(`^[\w\s+=,.@-]+$`), meaning: "only letters, digits, spaces and _+=,.@-", source: docsUserPool},
			{path: "mfaConfiguration", oneOf: []string{"OFF", "ON", "OPTIONAL"}, source: docsUserPool},
			{path: "deletionProtection", oneOf: []string{"ACTIVE", "INACTIVE"}, source: docsUserPool},
			{path: "passwordPolicy.minimumLength", least: 6, most: 99, source: docsUserPool},
		},
		refuses: []refusal{
			{name: "pool-mfa-without-factor", code: "InvalidParameterException", source: docsUserPool, because: func(c *call) string {
				if c.text("mfaConfiguration") != "OFF" && !c.truth("softwareTokenMfaConfiguration.enabled") && !has(c.in, "smsConfiguration") && !has(c.in, "emailMfaConfiguration") {
					return "SMS, email or software token MFA configuration is required when MFA is " + c.text("mfaConfiguration") + "."
				}
				return ""
			}},
			{name: "pool-threat-protection-tier", code: "FeatureUnavailableInTierException", source: docsPoolTier, because: func(c *call) string {
				mode := c.text("userPoolAddOns.advancedSecurityMode")
				if mode != "" && mode != "OFF" && c.text("userPoolTier") != "PLUS" {
					return "Threat protection (userPoolAddOns.advancedSecurityMode) is available in the tier PLUS, not in " + c.text("userPoolTier") + "."
				}
				return ""
			}},
			{name: "pool-protected", at: []operation{opDelete}, code: "InvalidParameterException", source: docsUserPool, because: func(c *call) string {
				if c.text("deletionProtection") == "ACTIVE" {
					return "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be inactivated first."
				}
				return ""
			}},
		},
		blocks: []block{{
			by:   []string{"aws:cognito/userPoolDomain:UserPoolDomain"},
			code: "InvalidParameterException", message: "User pool cannot be deleted. It has a domain configured that should be deleted first.",
		}},
	},
	{
		token: "aws:cognito/userPoolClient:UserPoolClient", noun: "Cognito User Pool Client", service: "Cognito Identity Provider", action: "UserPoolClient",
		id: "{alnum26:client}", replaces: []string{"userPoolId", "generateSecret"}, updates: []string{"name"},
		computed: props{
			"clientSecret": func(c *call) any {
				if c.truth("generateSecret") {
					return "{alnum51:secret}"
				}
				return ""
			},
			"authSessionValidity": 3, "enableTokenRevocation": true, "refreshTokenValidity": 30,
		},
		refs: refer(toUserPool, "userPoolId"),
		limits: []limit{
			{path: "preventUserExistenceErrors", oneOf: []string{"ENABLED", "LEGACY"}, source: docsPoolClient},
			{path: "authSessionValidity", least: 3, most: 15, source: docsPoolClient},
			{path: "allowedOauthFlows[*]", oneOf: []string{"client_credentials", "code", "implicit"}, source: docsPoolClient},
		},
		refuses: []refusal{
			{name: "client-rotation-and-refresh", code: "InvalidParameterException", source: docsPoolClient, because: func(c *call) string {
				if c.text("refreshTokenRotation.feature") == "ENABLED" && slices.Contains(c.texts("explicitAuthFlows[*]"), "ALLOW_REFRESH_TOKEN_AUTH") {
					return "ALLOW_REFRESH_TOKEN_AUTH cannot be used while refresh token rotation is enabled."
				}
				return ""
			}},
			{name: "client-machine-needs-secret", code: "InvalidOAuthFlowException", source: docsPoolClient, because: func(c *call) string {
				flows := c.texts("allowedOauthFlows[*]")
				switch {
				case !slices.Contains(flows, "client_credentials"):
					return ""
				case len(flows) > 1:
					return "client_credentials flow can not be selected along with code flow or implicit flow."
				case !c.truth("generateSecret"):
					return "client_credentials flow can not be selected if client does not have a client secret."
				}
				return ""
			}},
		},
	},
	{
		token: "aws:cognito/userPoolDomain:UserPoolDomain", noun: "Cognito User Pool Domain", service: "Cognito Identity Provider", action: "UserPoolDomain",
		id: "{domain}", replaces: []string{"domain", "userPoolId"}, refs: append(refer(toUserPool, "userPoolId"), refer(toCertificate, "certificateArn")...),
		computed: props{"awsAccountId": "{account}", "s3Bucket": "aws-cognito-prod-{region}-assets", "version": "20260101000000", "managedLoginVersion": 1},
		unique:   []unique{{key: "{domain}", everywhere: true, code: "InvalidParameterException", message: "Domain already associated with another user pool: {domain}"}},
		limits:   []limit{{path: "domain", longest: 63, pattern: regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$`), meaning: "only lower-case letters, digits and hyphens", source: docsPoolDomain}},
	},
	poolPart("resourceServer:ResourceServer", "Resource Server", "ResourceServer", "{userPoolId}|{identifier}", "userPoolId", "identifier"),
	poolPart("userGroup:UserGroup", "User Group", "Group", "{userPoolId}/{name}", "userPoolId", "name"),
	poolPart("riskConfiguration:RiskConfiguration", "Risk Configuration", "RiskConfiguration", "{userPoolId}:{clientId|}", "userPoolId", "clientId"),
}

func poolPart(path, noun, action, id string, replaces ...string) kind {
	token := "aws:cognito/" + path
	return kind{
		token: token, noun: "Cognito " + noun, service: "Cognito Identity Provider", action: action, id: id, replaces: replaces,
		refs: refsOf(token, refer(toUserPool, "userPoolId"), refer(toRole, "roleArn")),
	}
}
