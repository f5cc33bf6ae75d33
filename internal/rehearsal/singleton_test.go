package rehearsal

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// neighbour is a row: what happens to the second of two stacks that both make
// a thing of which the account, or its region, has one.
type neighbour struct {
	token string
	// first is what the one stack makes, second the other.
	first, second props
	// code is AWS's refusal; empty where AWS overwrites in silence, and then
	// the account counts it among Overwritten.
	code string
	// near is the nearest that AWS takes from the second stack, nil for
	// nothing: it has to adopt.
	near props
	// needs are made before.
	needs []made
}

// neighbours are all singletons, by the resource that two stacks would both make.
var neighbours = map[string]neighbour{
	"detector":          {token: "aws:guardduty/detector:Detector", code: "BadRequestException"},
	"security hub":      {token: "aws:securityhub/account:Account", code: "ResourceConflictException"},
	"macie":             {token: "aws:macie2/account:Account", code: "ConflictException"},
	"recorder":          {token: configRecorderToken, first: props{"name": "one", "roleArn": "$role.arn"}, second: props{"name": "two", "roleArn": "$role.arn"}, code: "MaxNumberOfConfigurationRecordersExceededException", needs: configRole},
	"recorder's name":   {token: configRecorderToken, first: props{"name": "default", "roleArn": "$role.arn"}, second: props{"name": "default", "roleArn": "$role.arn"}, needs: configRole},
	"channel":           {token: "aws:cfg/deliveryChannel:DeliveryChannel", first: props{"name": "one", "s3BucketName": "$logs"}, second: props{"name": "two", "s3BucketName": "$logs"}, code: "MaxNumberOfDeliveryChannelsExceededException", needs: configRole},
	"external analyzer": {token: analyzerToken, first: props{"analyzerName": "one"}, second: props{"analyzerName": "two"}, code: "ServiceQuotaExceededException", near: props{"analyzerName": "two", "type": "ACCOUNT_UNUSED_ACCESS"}},
	"analyzer's name": {
		token: analyzerToken, first: props{"analyzerName": "one"}, second: props{"analyzerName": "one", "type": "ACCOUNT_UNUSED_ACCESS"}, code: "ConflictException",
		near: props{"analyzerName": "another", "type": "ACCOUNT_UNUSED_ACCESS"},
	},
	"monitor of services": {
		token: monitorToken, first: props{"name": "one", "monitorType": "DIMENSIONAL", "monitorDimension": "SERVICE"},
		second: props{"name": "two", "monitorType": "DIMENSIONAL", "monitorDimension": "SERVICE"}, code: "ValidationException",
		near: props{"name": "two", "monitorType": "CUSTOM", "monitorSpecification": "{}"},
	},
	"shield subscription": {token: "aws:shield/subscription:Subscription", code: "ResourceAlreadyExistsException"},
	"search role": {
		token: serviceLinkedRoleToken, first: props{"awsServiceName": "opensearchservice.amazonaws.com"}, second: props{"awsServiceName": "opensearchservice.amazonaws.com"},
		code: "InvalidInput", near: props{"awsServiceName": "autoscaling.amazonaws.com"},
	},
	"OIDC provider": {
		token: "aws:iam/openIdConnectProvider:OpenIdConnectProvider", first: props{"url": "https://token.example.org"}, second: props{"url": "https://token.example.org"},
		code: "EntityAlreadyExists", near: props{"url": "https://token.example.net"},
	},
	"parameter":             {token: parameterToken, first: parameter("/redoubt/account/x"), second: parameter("/redoubt/account/x"), code: "ParameterAlreadyExists", near: parameter("/redoubt/account/y")},
	"trail's name":          {token: trailToken, first: props{"name": "one", "s3BucketName": "$trail"}, second: props{"name": "one", "s3BucketName": "$trail"}, code: "TrailAlreadyExistsException", near: props{"name": "two", "s3BucketName": "$trail"}, needs: trailBucket},
	"password policy":       {token: "aws:iam/accountPasswordPolicy:AccountPasswordPolicy", first: props{"minimumPasswordLength": 14}, second: props{"minimumPasswordLength": 8}},
	"token preferences":     {token: "aws:iam/securityTokenServicePreferences:SecurityTokenServicePreferences", first: props{"globalEndpointTokenVersion": "v2Token"}, second: props{"globalEndpointTokenVersion": "v1Token"}},
	"public access block":   {token: "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", first: props{"blockPublicAcls": true}, second: props{"blockPublicAcls": false}},
	"volume encryption":     {token: "aws:ebs/encryptionByDefault:EncryptionByDefault", first: props{"enabled": true}, second: props{"enabled": false}},
	"public snapshots":      {token: "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", first: props{"state": "block-all-sharing"}, second: props{"state": "unblocked"}},
	"trace encryption":      {token: "aws:xray/encryptionConfig:EncryptionConfig", first: props{"type": "KMS", "keyId": "alias/aws/xray"}, second: props{"type": "NONE"}},
	"public images":         {token: "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess", first: props{"state": "block-new-sharing"}, second: props{"state": "unblocked"}},
	"metadata defaults":     {token: "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", first: props{"httpTokens": "required"}, second: props{"httpTokens": "optional"}},
	"serial console":        {token: "aws:ec2/serialConsoleAccess:SerialConsoleAccess", first: props{"enabled": false}, second: props{"enabled": true}},
	"backup region":         {token: "aws:backup/regionSettings:RegionSettings", first: props{"resourceTypeOptInPreference": props{"S3": true}}, second: props{"resourceTypeOptInPreference": props{"S3": false}}},
	"security contact":      {token: contactToken, first: contact("SECURITY", "a@example.org"), second: contact("SECURITY", "b@example.org")},
	"inspector":             {token: "aws:inspector2/enabler:Enabler", first: props{"accountIds": []any{"123456789012"}, "resourceTypes": []any{"ECR", "LAMBDA"}}, second: props{"accountIds": []any{"123456789012"}, "resourceTypes": []any{"ECR"}}},
	"response team":         {token: "aws:shield/drtAccessRoleArnAssociation:DrtAccessRoleArnAssociation", first: props{"roleArn": "$role.arn"}, second: props{"roleArn": "$other.arn"}, needs: configRole},
	"api account":           {token: apiAccountToken, first: props{"cloudwatchRoleArn": "$role.arn"}, second: props{"cloudwatchRoleArn": "$other.arn"}, needs: configRole},
	"rule of the event bus": {token: ruleToken, first: rule("aws.s3"), second: rule("aws.kms")},
	"alarm":                 {token: alarmToken, first: alarmOf("Errors"), second: alarmOf("Throttles")},
	"log policy":            {token: logPolicyToken, first: logPolicyOf("es.amazonaws.com"), second: logPolicyOf("delivery.logs.amazonaws.com")},
	"metric filter":         {token: metricFilterToken, first: filterOf("ERROR"), second: filterOf("WARN"), needs: []made{{"log", logToken, props{"name": "log"}}}},
}

const (
	analyzerToken     = "aws:accessanalyzer/analyzer:Analyzer"
	monitorToken      = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
	parameterToken    = "aws:ssm/parameter:Parameter"
	trailToken        = "aws:cloudtrail/trail:Trail"
	contactToken      = "aws:account/alternativeContact:AlternativeContact"
	ruleToken         = "aws:cloudwatch/eventRule:EventRule"
	alarmToken        = "aws:cloudwatch/metricAlarm:MetricAlarm"
	logPolicyToken    = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
	metricFilterToken = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
)

var (
	configRole = []made{
		{"role", roleToken, props{"name": "role", "assumeRolePolicy": trust("config.amazonaws.com")}},
		{"other", roleToken, props{"name": "other", "assumeRolePolicy": trust("config.amazonaws.com")}},
		{"logs", bucketToken, props{"bucket": "config-logs"}},
	}
	trailBucket = []made{
		{"trail", bucketToken, props{"bucket": "trail-logs"}},
		{"admits", policyToken, props{"bucket": "$trail", "policy": `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::trail-logs"},
			{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::trail-logs/AWSLogs/123456789012/*"}]}`}},
	}
)

func parameter(name string) props {
	return props{"name": name, "type": "String", "value": "redoubt-dev"}
}

func contact(kind, email string) props {
	return props{"alternateContactType": kind, "name": "Security Team", "title": "On-call", "emailAddress": email, "phoneNumber": "+49 30 901820"}
}

func rule(source string) props {
	return props{"name": "every-day", "eventPattern": `{"source":["` + source + `"]}`}
}

func alarmOf(metric string) props {
	return props{"name": "errors", "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricName": metric}
}

func logPolicyOf(service string) props {
	return props{"policyName": "logs", "policyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"logs:PutLogEvents","Resource":"*"}}`}
}

func filterOf(pattern string) props {
	return props{"name": "errors", "logGroupName": "log", "pattern": pattern, "metricTransformation": props{"name": "errors", "namespace": "app", "value": "1"}}
}

// Of two stacks that make the same, the second is told: by AWS's refusal, or,
// where AWS overwrites in silence, by what the account has noted, and the first
// finds that it has drifted.
func TestNeighboursMakeTheSame(t *testing.T) {
	t.Parallel()
	for name, row := range neighbours {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := staged(t, row.needs...)
			first := create(t, s.p, row.token, "first", s.resolve(row.first))
			second, err := attempt(t, s.p, row.token, "second", s.resolve(row.second))
			if row.code != "" {
				require.Equal(t, []string{row.code}, Codes(err), "%v", err)
				require.Empty(t, s.acct.Overwritten())
				if row.near != nil {
					create(t, s.p, row.token, "near", s.resolve(row.near))
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, first.id, second.id)
			require.Equal(t, []Overwrite{{
				Type: row.token, ID: string(first.id), By: string(urnOf(row.token, "second")), Of: string(urnOf(row.token, "first")), Source: kinds[row.token].overwrites,
			}}, s.acct.Overwritten())
			if !resource.PropertyMap(first.in).DeepEquals(second.in) {
				require.NotEqual(t, first.out, read(t, s.p, first).Outputs, "the first has drifted")
			}
			require.NoError(t, remove(s.p, second))
			require.Empty(t, read(t, s.p, first).ID, "what the second deletes is gone for both")
		})
	}
}

// What is global is one in all regions; what is regional is one in each.
func TestSingletonsOfOtherRegions(t *testing.T) {
	t.Parallel()
	for name, row := range neighbours {
		if row.needs != nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := staged(t)
			create(t, s.p, row.token, "first", row.first)
			_, err := attempt(t, configured(t, s.acct, "us-east-1"), row.token, "second", row.second)
			if k := kinds[row.token]; k.global {
				require.Equal(t, row.code != "", err != nil, "%v", err)
				require.Equal(t, row.code == "", len(s.acct.Overwritten()) == 1)
				return
			}
			require.NoError(t, err)
			require.Empty(t, s.acct.Overwritten())
		})
	}
}

func TestConfigRuleNeedsARecorder(t *testing.T) {
	t.Parallel()
	const token = "aws:cfg/rule:Rule"
	in := props{"name": "root-mfa", "source": props{"owner": "AWS", "sourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"}}
	s := staged(t, configRole...)
	s.run(t, []refusedCase{
		{"rule first", token, in, "NoAvailableConfigurationRecorderException", "recorder"},
		{"recorder", configRecorderToken, s.resolve(props{"name": "one", "roleArn": "$role.arn"}), "", ""},
		{"rule", token, in, "", ""},
	})
}

// Rules of two buses may have one name.
func TestRulesOfTwoBuses(t *testing.T) {
	t.Parallel()
	s := staged(t)
	other := rule("aws.s3")
	other["eventBusName"] = "orders"
	s.run(t, []refusedCase{{"default", ruleToken, rule("aws.s3"), "", ""}, {"orders", ruleToken, other, "", ""}})
	require.Empty(t, s.acct.Overwritten())
}

// A parameter is read back whether or not the program calls it a secret.
func TestParametersAreReadByPath(t *testing.T) {
	t.Parallel()
	s := staged(t,
		made{"plain", parameterToken, props{"name": "/redoubt/account/a", "type": "String", "insecureValue": "redoubt-dev"}},
		made{"secret", parameterToken, props{"name": "/redoubt/account/b", "type": "String", "value": "redoubt-prod"}},
	)
	answer := invoke(t, s.p, "aws:ssm/getParametersByPath:getParametersByPath", props{"path": "/redoubt/account"})
	require.Equal(t, []string{"redoubt-dev", "redoubt-prod"}, stringsAt(answer, "values[*]"))
}

func TestRolesAreFoundByPath(t *testing.T) {
	t.Parallel()
	s := staged(t, append([]made{{"search", serviceLinkedRoleToken, props{"awsServiceName": "opensearchservice.amazonaws.com"}}}, configRole...)...)
	found := func(in props) []string {
		return stringsAt(invoke(t, s.p, "aws:iam/getRoles:getRoles", in), "names[*]")
	}
	require.Equal(t, []string{"other", "role"}, found(props{"pathPrefix": "/", "nameRegex": "^(role|other)$"}))
	require.Equal(t, []string{s.made["search"].text("name")}, found(props{"pathPrefix": "/aws-service-role/opensearchservice.amazonaws.com/"}))
	require.Empty(t, found(props{"pathPrefix": "/aws-service-role/guardduty.amazonaws.com/"}))
}
