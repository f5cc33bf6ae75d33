package rehearsal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPIRefusals(t *testing.T) {
	t.Parallel()
	s := staged(t,
		made{"api", apiToken, props{"name": "orders"}},
		made{"orders", "aws:apigateway/resource:Resource", props{"restApi": "$api", "parentId": "$api.rootResourceId", "pathPart": "orders"}},
	)
	require.Equal(t, "/orders", s.made["orders"].text("path"))
	post := func(more props) props {
		in := props{"restApi": "$api", "resourceId": "$orders", "httpMethod": "POST"}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	const deployment, model = "aws:apigateway/deployment:Deployment", "aws:apigateway/model:Model"
	s.run(t, []refusedCase{
		{"empty", deployment, props{"restApi": "$api"}, "BadRequestException", "doesn't contain any methods"},
		{"integration first", integrationToken, post(props{"type": "MOCK"}), "NotFoundException", "depend on its method"},
		{"no authorizer", apiMethodToken, post(props{"authorization": "COGNITO_USER_POOLS"}), "BadRequestException", "valid authorizer"},
		{"unknown authorizer", apiMethodToken, post(props{"authorization": "CUSTOM", "authorizerId": "none"}), "NotFoundException", "none"},
		{"method", apiMethodToken, post(props{"authorization": "AWS_IAM"}), "", ""},
		{"method twice", apiMethodToken, post(props{"authorization": "AWS_IAM"}), "ConflictException", "already exists"},
		{"without integration", deployment, props{"restApi": "$api"}, "BadRequestException", "No integration"},
		{"integration", integrationToken, post(props{"type": "MOCK"}), "", ""},
		{"deployment", deployment, props{"restApi": "$api"}, "", ""},
		{"model name", model, props{"restApi": "$api", "name": "an-order", "contentType": "application/json"}, "BadRequestException", "alphanumeric"},
		{"model schema", model, props{"restApi": "$api", "name": "Order", "contentType": "application/json", "schema": `{"type":"object","required":true}`}, "BadRequestException", "draft 4"},
	})
}

func TestUserPoolRefusals(t *testing.T) {
	t.Parallel()
	const pool, client = "aws:cognito/userPool:UserPool", "aws:cognito/userPoolClient:UserPoolClient"
	s := staged(t, made{"pool", pool, props{"deletionProtection": "ACTIVE"}})
	s.run(t, []refusedCase{
		{"mfa", pool, props{"mfaConfiguration": "ON"}, "InvalidParameterException", "MFA"},
		{"tier", pool, props{"userPoolAddOns": props{"advancedSecurityMode": "ENFORCED"}}, "FeatureUnavailableInTierException", "PLUS"},
		{"no pool", client, props{"userPoolId": "eu-west-1_none"}, "ResourceNotFoundException", "eu-west-1_none"},
		{"rotation", client, props{"userPoolId": "$pool", "refreshTokenRotation": props{"feature": "ENABLED"}, "explicitAuthFlows": []any{"ALLOW_REFRESH_TOKEN_AUTH"}}, "InvalidParameterException", "rotation"},
		{"machine", client, props{"userPoolId": "$pool", "allowedOauthFlows": []any{"client_credentials"}}, "InvalidOAuthFlowException", "secret"},
	})
	require.Equal(t, []string{"InvalidParameterException"}, Codes(remove(s.p, s.made["pool"])))
}

func TestBackupRefusals(t *testing.T) {
	t.Parallel()
	const plan, vault = "aws:backup/plan:Plan", "aws:backup/vault:Vault"
	rule := func(vault string, cold, remove int) props {
		return props{"rules": []any{props{"ruleName": "daily", "targetVaultName": vault, "lifecycle": props{"coldStorageAfter": cold, "deleteAfter": remove}}}}
	}
	staged(t, made{"vault", vault, props{"name": "main"}}).run(t, []refusedCase{
		{"no vault", plan, rule("none", 30, 365), "ResourceNotFoundException", "none"},
		{"cold", plan, rule("main", 30, 90), "InvalidParameterValueException", "90 days apart"},
		{"plan", plan, rule("main", 30, 365), "", ""},
		{"lock", "aws:backup/vaultLockConfiguration:VaultLockConfiguration", props{"backupVaultName": "main", "changeableForDays": 1}, "InvalidParameterValueException", "3 at least"},
	})
}

func TestAuditRefusals(t *testing.T) {
	t.Parallel()
	const trail, detector = "aws:cloudtrail/trail:Trail", "aws:guardduty/detector:Detector"
	s := staged(t, made{"logs", bucketToken, props{"bucket": "trail-logs"}}, made{"history", bucketToken, props{"bucket": "config-history"}})
	s.run(t, []refusedCase{
		{"trail first", trail, props{"s3BucketName": "$logs"}, "InsufficientS3BucketPolicyException", "trail-logs"},
		{"policy", policyToken, props{"bucket": "$logs", "policy": `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::trail-logs"},
			{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::trail-logs/AWSLogs/123456789012/*"}]}`}, "", ""},
		{"trail", trail, props{"s3BucketName": "$logs"}, "", ""},
		{"log group without suffix", trail, props{"s3BucketName": "$logs", "cloudWatchLogsGroupArn": "arn:aws:logs:eu-west-1:999999999999:log-group:x"}, "InvalidCloudWatchLogsLogGroupArnException", ":*"},
		{"versions", versioningToken, props{"bucket": "$logs", "versioningConfiguration": props{"status": "Enabled"}}, "", ""},
		{"lock", "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", props{"bucket": "$logs", "rule": props{"defaultRetention": props{"mode": "GOVERNANCE", "days": 1}}}, "", ""},
		{"history under lock", "aws:cfg/deliveryChannel:DeliveryChannel", props{"name": "config", "s3BucketName": "$logs"}, "InsufficientDeliveryPolicyException", "default retention"},
		{"history", "aws:cfg/deliveryChannel:DeliveryChannel", props{"name": "config", "s3BucketName": "$history"}, "", ""},
		{"detector", detector, nil, "", ""},
		{"second detector", detector, nil, "BadRequestException", "already exists"},
	})
	for i, want := range []string{"", "", "", "", "", "VpcLimitExceeded"} {
		_, err := attempt(t, s.p, vpcToken, string(rune('a'+i)), props{"cidrBlock": "10.0.0.0/16"})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, []string{want}, Codes(err))
	}
}

func TestWorkflowRefusals(t *testing.T) {
	t.Parallel()
	staged(t, made{"role", roleToken, props{"assumeRolePolicy": trust("states.amazonaws.com")}}).run(t, []refusedCase{
		{"log suffix", "aws:sfn/stateMachine:StateMachine", props{"roleArn": "$role.arn", "definition": "{}", "loggingConfiguration": props{"logDestination": "arn:aws:logs:eu-west-1:999999999999:log-group:x"}}, "InvalidLoggingConfiguration", ":*"},
		{"no role", "aws:sfn/stateMachine:StateMachine", props{"roleArn": "arn:aws:iam::123456789012:role/none", "definition": "{}"}, "NoSuchEntity", "role/none"},
		{"table key", "aws:dynamodb/table:Table", props{"hashKey": "id", "attributes": []any{props{"name": "other", "type": "S"}}}, "ValidationException", "id"},
		{"rule without trigger", "aws:cloudwatch/eventRule:EventRule", nil, "ValidationException", "EventPattern"},
		{"rule pattern", "aws:cloudwatch/eventRule:EventRule", props{"eventPattern": `{"source":"aws.s3"}`}, "InvalidEventPatternException", "source"},
		{"alarm to no topic", "aws:cloudwatch/metricAlarm:MetricAlarm", props{"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricName": "m", "alarmActions": []any{"arn:aws:sns:eu-west-1:123456789012:none"}}, "ValidationError", "none"},
		{"function without runtime", "aws:lambda/function:Function", props{"role": "$role.arn", "code": "x"}, "InvalidParameterValueException", "Runtime"},
		{"unsigned queue policy", "aws:sqs/queue:Queue", props{"policy": `{"Version":"2012-10-17"}`}, "InvalidAttributeValue", "no Statement"},
	})
}
