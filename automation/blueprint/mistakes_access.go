package blueprint

// boundary is a permissions boundary, for roles whose mistake is another.
const boundary = "arn:aws:iam::123456789012:policy/boundary"

// guardrails deny what an organization denies all its accounts.
var guardrails = document(
	map[string]any{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"},
	map[string]any{
		"Effect": "Deny", "Resource": "*",
		"Action": []any{"cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "config:StopConfigurationRecorder", "guardduty:Delete*"},
	},
	map[string]any{
		"Effect": "Deny", "NotAction": []any{"iam:*", "organizations:*", "sts:*", "support:*"}, "Resource": "*",
		"Condition": map[string]any{"StringNotEquals": map[string]any{"aws:RequestedRegion": []any{"eu-central-1", "us-east-1"}}},
	},
	map[string]any{
		"Effect": "Deny", "Action": "*", "Resource": "*",
		"Condition": map[string]any{
			"ArnLike":      map[string]any{"aws:PrincipalArn": "arn:aws:iam::*:root"},
			"BoolIfExists": map[string]any{"aws:AssumedRoot": "false"},
		},
	},
)

var accessMistakes = []Mistake{
	{
		Name: "unbounded-users", Family: "IAM", Deed: "a policy makes users without a permissions boundary",
		Rule: "iam-sensitive-actions-require-condition",
		Change: Change{
			On:  Target{"iam/policy", "unbounded-users"},
			Add: map[string]any{"policy": allow("iam:CreateUser", "arn:aws:iam::123456789012:user/app-1")},
		},
	},
	{
		Name: "guardrail-unattached", Family: "service control policies", Deed: "a service control policy is attached to nothing",
		Rule: "org-scp-attached",
		Change: Change{
			On:  Target{"organizations/policy", "unattached"},
			Add: map[string]any{"name": "unattached", "type": "SERVICE_CONTROL_POLICY", "content": guardrails},
		},
		Beside: []Change{{
			On:  Target{"iam/organizationsFeatures", "root"},
			Add: map[string]any{"enabledFeatures": []any{"RootCredentialsManagement", "RootSessions"}},
		}},
	},
	{
		Name: "administrator-attached", Family: "IAM", Deed: "a role is given AdministratorAccess",
		Rule: "iam-no-administrator-managed-policy",
		Change: Change{
			On:  Target{"iam/rolePolicyAttachment", "administrator"},
			Add: map[string]any{"role": "anything", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
		},
	},
	{
		Name: "whole-service-allowed", Family: "IAM", Deed: "a policy allows all of S3 on one bucket",
		Rule:   "iam-no-service-wildcard-actions",
		Change: Change{On: Target{"iam/rolePolicy", "response-trigger-start"}, Set: map[string]any{"policy": allow("states:*", "arn:aws:states:eu-central-1:123456789012:stateMachine:one")}},
	},
	{
		Name: "every-resource-allowed", Family: "IAM", Deed: "a policy allows writing to every queue",
		Rule:   "iam-no-wildcard-resource",
		Change: Change{On: Target{"iam/rolePolicy", "events-self-test-send"}, Set: map[string]any{"policy": allow("sqs:SendMessage", "*")}},
	},
	{
		Name: "all-but-named", Family: "IAM", Deed: "a policy allows all but what it names",
		Rule: "iam-no-allow-notaction",
		Change: Change{
			On: Target{"iam/rolePolicy", "access-review-schedule-start"},
			Set: map[string]any{"policy": document(map[string]any{
				"Effect": "Allow", "NotAction": []any{"ecs:*", "iam:*", "kms:*", "lambda:*", "secretsmanager:*", "ssm:*"}, "Resource": "arn:aws:states:eu-central-1:123456789012:stateMachine:one",
			})},
		},
	},
	{
		Name: "pass-any-role", Family: "IAM", Deed: "a policy passes roles to whatever service asks",
		Rule:   "iam-passrole-scoped",
		Change: Change{On: Target{"iam/policy", "pass-any-role"}, Add: map[string]any{"policy": allow("iam:PassRole", "arn:aws:iam::123456789012:role/app-task")}},
	},
	{
		Name: "decrypt-everything", Family: "IAM", Deed: "a policy decrypts with every key",
		Rule:   "iam-no-kms-decrypt-on-all-keys",
		Change: Change{On: Target{"iam/policy", "decrypt-everything"}, Add: map[string]any{"policy": allow("kms:Decrypt", "arn:aws:kms:*:123456789012:key/*")}},
	},
	{
		Name: "everybody-trusted", Family: "IAM", Deed: "everybody may become a role",
		Rule:   "iam-trust-no-wildcard-principal",
		Change: Change{On: Target{"iam/role", "everybody"}, Add: map[string]any{"assumeRolePolicy": trust(map[string]any{"AWS": "*"}), "permissionsBoundary": boundary}},
	},
	{
		Name: "account-trusted-blindly", Family: "IAM", Deed: "another account may become a role, without an external id",
		Rule:   "iam-trust-cross-account-has-condition",
		Change: Change{On: Target{"iam/role", "stranger"}, Add: map[string]any{"assumeRolePolicy": trust(map[string]any{"AWS": "arn:aws:iam::999999999999:role/partner"}), "permissionsBoundary": boundary}},
	},
	{
		Name: "auditor-without-mfa", Family: "IAM", Deed: "auditors sign in without a second factor",
		Rule: "iam-human-role-trust-requires-mfa",
		Change: Change{
			On:  Target{"iam/role", "access-auditor-role"},
			Set: map[string]any{"assumeRolePolicy": trust(map[string]any{"AWS": "arn:aws:iam::123456789012:root"})},
		},
	},
	{
		Name: "endless-session", Family: "IAM", Deed: "a session of a role lasts twelve hours",
		Rule:   "iam-role-max-session-duration",
		Change: Change{On: Target{"iam/role", "contacts-legal-role"}, Set: map[string]any{"maxSessionDuration": 43200}},
	},
	{
		Name: "access-key", Family: "IAM", Deed: "a user gets an access key that never ends",
		Rule:   "iam-no-long-lived-access-keys",
		Change: Change{On: Target{"iam/accessKey", "robot"}, Add: map[string]any{"user": "robot"}},
	},
	{
		Name: "user", Family: "IAM", Deed: "somebody is made a user instead of signing in with a role",
		Rule:   "iam-no-users-use-federation",
		Change: Change{On: Target{"iam/user", "robot"}, Add: map[string]any{"name": "robot", "permissionsBoundary": boundary}},
	},
	{
		Name: "short-passwords", Family: "IAM", Deed: "passwords of eight letters will do",
		Rule:   "iam-password-policy-strong",
		Change: Change{On: Target{"iam/accountPasswordPolicy", "passwords-policy"}, Set: map[string]any{"minimumPasswordLength": 8}},
	},
	{
		Name: "open-event-bus", Family: "EventBridge", Deed: "everybody may put events on a bus",
		Rule:   "eventbus-policy-not-public",
		Change: Change{On: Target{"cloudwatch/eventPermission", "everybody"}, Add: map[string]any{"principal": "*", "statementId": "everybody"}},
	},
}

var signInMistakes = []Mistake{
	{
		Name: "users-without-mfa", Family: "Cognito", Deed: "users sign in without a second factor",
		Rule:   "cognito-mfa-required",
		Change: Change{On: Target{"cognito/userPool", "users-pool"}, Set: map[string]any{"mfaConfiguration": "OFF"}},
	},
	{
		Name: "users-short-passwords", Family: "Cognito", Deed: "users have passwords of eight letters",
		Rule:   "cognito-password-policy",
		Change: Change{On: Target{"cognito/userPool", "users-pool"}, Set: map[string]any{"passwordPolicy.minimumLength": 8}},
	},
	{
		Name: "tokens-for-a-day", Family: "Cognito", Deed: "a stolen token is good for a day",
		Rule:   "cognito-client-token-lifetimes",
		Change: Change{On: Target{"cognito/userPoolClient", "app-client-client"}, Set: map[string]any{"accessTokenValidity": 1440}},
	},
	{
		Name: "implicit-flow", Family: "Cognito", Deed: "tokens travel in addresses",
		Rule:   "cognito-no-implicit-or-password-flows",
		Change: Change{On: Target{"cognito/userPoolClient", "app-client-client"}, Set: map[string]any{"allowedOauthFlows": []any{"code", "implicit"}}},
	},
	{
		Name: "guests", Family: "Cognito", Deed: "guests get credentials of AWS",
		Rule: "cognito-no-guest-identities",
		Change: Change{
			On:  Target{"cognito/identityPool", "guests"},
			Add: map[string]any{"identityPoolName": "guests", "allowUnauthenticatedIdentities": true},
		},
	},
	{
		Name: "open-method", Family: "API Gateway", Deed: "orders are placed without a token",
		Rule:   "apigw-method-authorization",
		Change: Change{On: Target{"apigateway/method", "api.orders-post"}, Set: map[string]any{"authorization": "NONE"}},
	},
	{
		Name: "unlimited-api", Family: "API Gateway", Deed: "the API takes as many requests as come",
		Rule:   "apigw-throttling",
		Change: Change{On: Target{"apigateway/methodSettings", "api-settings"}, Set: map[string]any{"settings.throttlingRateLimit": -1}},
	},
	{
		Name: "bodies-in-logs", Family: "API Gateway", Deed: "bodies of requests are logged",
		Rule:   "apigw-execution-logging-no-data-trace",
		Change: Change{On: Target{"apigateway/methodSettings", "api-settings"}, Set: map[string]any{"settings.dataTraceEnabled": true}},
	},
	{
		Name: "unreadable-api-log", Family: "API Gateway", Deed: "the API's access log does not say who called",
		Rule:   "apigw-structured-access-log",
		Change: Change{On: Target{"apigateway/stage", "api-stage"}, Set: map[string]any{"accessLogSettings.format": "$context.requestId"}},
	},
	{
		Name: "old-tls-domain", Family: "API Gateway", Deed: "a domain of the API accepts TLS 1.0",
		Rule: "apigw-custom-domain-tls12",
		Change: Change{
			On: Target{"apigateway/domainName", "old"},
			Add: map[string]any{
				"domainName": "api.example.org", "securityPolicy": "TLS_1_0",
				"regionalCertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/0123",
			},
		},
	},
}
