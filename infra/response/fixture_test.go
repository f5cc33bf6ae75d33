package response_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/response"
	"redoubt/infra/response/internal/aslrun"
)

var scope = identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}

const (
	key       = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555"
	isolation = "sg-isolation"
	attacker  = "203.0.113.9/32"
	evidence  = "redoubt-dev-evidence"

	workloadBoundary = "arn:aws:iam::123456789012:policy/security-redoubt-dev-workload-boundary"
)

// args are those of an environment that asks for everything.
func args(change ...func(*response.ResponderArgs)) *response.ResponderArgs {
	a := &response.ResponderArgs{
		Scope: scope, Prefix: "redoubt-dev", Environment: "dev", Mode: response.Approve,
		ApprovalTimeoutMinutes: 60, Approvers: []string{"arn:aws:iam::123456789012:role/security"},
		SubscriberEmails: []string{"security@corp.test"},
		Alarms:           []string{"redoubt-dev-waf-blocks"}, HealthAlarms: []string{"redoubt-dev-app-errors"}, LogGroupNames: []string{"/redoubt-dev/app"},
		EvidenceBucket: &data.Bucket{PhysicalName: evidence, Scope: scope}, ProtectedBuckets: []string{"redoubt-dev-audit"},
		Buckets: []string{"redoubt-dev-data"}, ProtectedRoles: []string{"deployer"}, WorkloadBoundary: workloadBoundary, ClusterName: "redoubt-dev", ServiceName: "app",
		IsolationGroupID: pulumi.String(isolation), BlockSetArn: pulumi.String("arn:aws:wafv2:eu-central-1:123456789012:regional/ipset/redoubt-dev-blocked/set-1"), TargetGroupArn: pulumi.String("arn:tg"),
		VpcID: pulumi.String("vpc-1"), DetectorID: pulumi.String("detector-1"),
		KmsKeyArn: pulumi.String(key), KeyAlias: "alias/redoubt-dev-messaging", EvidenceKeyAlias: "alias/redoubt-dev-audit",
		LogKmsKeyArn: pulumi.String(key), LogRetentionInDays: 30, GameDay: true, Tags: map[string]string{"owner": "security"},
	}
	for _, f := range change {
		f(a)
	}
	return a
}

func notify(a *response.ResponderArgs) { a.Mode = response.Notify }

func auto(prefixes ...string) func(*response.ResponderArgs) {
	return func(a *response.ResponderArgs) { a.Mode, a.AutoContain = response.Auto, prefixes }
}

type object = map[string]any

// answers are what AWS says where a test says nothing else. After containment
// the account answers that it is contained.
func answers() map[string]any {
	yes := object{"decision": "approve", "by": "alice"}
	attached := object{"AttachedPolicies": []any{object{"PolicyArn": "arn:aws:iam::123456789012:policy/redoubt-dev-quarantine"}}}
	return map[string]any{
		"ssm:getParameter": object{"Parameter": object{"Value": `{"isolationGroupId":"sg-isolation","blockIpSetId":"set-1","targetGroupArn":"arn:tg","detectorId":"detector-1","vpcId":"vpc-1"}`}},

		"guardduty:listFindings":                object{"FindingIds": []any{"f-1"}},
		"cloudwatch:getMetricData":              object{"MetricDataResults": []any{}},
		"cloudwatchlogs:startQuery":             object{"QueryId": "q-1"},
		"cloudtrail:lookupEvents":               object{"Events": []any{object{"EventId": "e-1", "EventName": "RunInstances", "EventTime": "2026-01-02T02:00:00Z"}}},
		"config:selectResourceConfig":           object{"Results": []any{"{}"}},
		"resourcegroupstaggingapi:getResources": object{"ResourceTagMappingList": []any{object{"Tags": []any{object{"Key": "owner", "Value": "shop"}}}}},
		"iam:listUserTags":                      object{"Tags": []any{}},
		"iam:listRoleTags":                      object{"Tags": []any{object{"Key": "data-class", "Value": "restricted"}}},
		"sqs:sendMessage.waitForTaskToken":      yes,
		"ec2:describeInstances": object{"Reservations": []any{object{"Instances": []any{object{
			"Tags":              []any{object{"Key": "aws:autoscaling:groupName", "Value": "workers"}},
			"NetworkInterfaces": []any{object{"NetworkInterfaceId": "eni-1", "Groups": []any{object{"GroupId": "sg-1"}}}, object{"NetworkInterfaceId": "eni-2", "Groups": []any{}}},
		}}}}},
		"ec2:describeNetworkInterfaces": object{"NetworkInterfaces": []any{object{"NetworkInterfaceId": "eni-1"}, object{"NetworkInterfaceId": "eni-2"}}},
		"FindNetworkAcls":               object{"NetworkAcls": []any{object{"NetworkAclId": "acl-1"}, object{"NetworkAclId": "acl-2"}}},
		"ec2:describeNetworkAcls":       object{"NetworkAcls": []any{object{"Entries": []any{object{"RuleNumber": 1}, object{"RuleNumber": 2}, object{"RuleNumber": 100}}}}},
		"ecs:describeTasks": object{"Tasks": []any{object{
			"TaskArn": "arn:task", "DesiredStatus": "STOPPED",
			"Attachments": []any{object{"Details": []any{object{"Name": "subnetId", "Value": "s"}, object{"Name": "privateIPv4Address", "Value": "10.0.0.7"}}}},
		}}},
		"lambda:getFunctionConcurrency": object{"ReservedConcurrentExecutions": 0},
		"rds:describeDBClusters":        object{"DbClusters": []any{object{"VpcSecurityGroups": []any{object{"VpcSecurityGroupId": isolation}}}}},
		"s3:getBucketPolicy":            object{"Policy": `{"Statement":[{"Sid":"IncidentQuarantine"}]}`},
		"iam:listAccessKeys":            object{"AccessKeyMetadata": []any{object{"AccessKeyId": "AKIA1", "Status": "Inactive"}, object{"AccessKeyId": "AKIA2", "Status": "Inactive"}}},
		"iam:listAttachedUserPolicies":  attached,
		"iam:listAttachedRolePolicies":  attached,
		"secretsmanager:describeSecret": object{"LastRotatedDate": "2026-01-02T03:05:00Z"},

		"cognitoidentityprovider:adminGetUser": object{"Enabled": false},
		"wafv2:getIPSet":                       object{"IpSet": object{"Addresses": []any{"198.51.100.1/32", attacker}}, "LockToken": "lock-1"},
		"cloudwatch:describeAlarms":            object{"MetricAlarms": []any{object{"AlarmName": "redoubt-dev-app-errors", "StateValue": "OK"}}},
	}
}

// play runs the machine. Overrides are by action, or by state where a state's
// name is given: a value answers, a *aslrun.Failure fails, a slice of such
// answers one after the other.
func play(t *testing.T, a *response.ResponderArgs, event string, overrides map[string]any) aslrun.Result {
	t.Helper()
	m, err := response.Definition(a)
	require.NoError(t, err)
	definition, err := m.JSON()
	require.NoError(t, err)
	known := answers()
	maps.Copy(known, overrides)
	series := map[string]int{}
	r, err := aslrun.Run(definition, event, func(c aslrun.Call) (any, error) {
		at := c.State
		answer, ok := known[at]
		if !ok {
			at = c.Action
			answer, ok = known[at]
		}
		if list, isList := answer.([]any); isList {
			answer = list[min(series[at], len(list)-1)]
			series[at]++
		}
		if failure, fails := answer.(*aslrun.Failure); fails {
			return nil, failure
		}
		if !ok {
			answer = object{}
		}
		return answer, nil
	})
	require.NoError(t, err, strings.Join(r.Path, " → "))
	return r
}

// changes are the calls of an execution that change something, without doubles,
// in order: not reads, notices, records and evidence.
func changes(r aslrun.Result) []string {
	var out []string
	for _, call := range r.Called() {
		_, action, _ := strings.Cut(call, ":")
		reads := slices.ContainsFunc([]string{"get", "adminGet", "list", "describe", "lookup", "select", "startQuery", "publish", "sendMessage"}, func(p string) bool { return strings.HasPrefix(action, p) })
		own := slices.Contains([]string{"dynamodb:putItem", "dynamodb:updateItem", "s3:putObject"}, call)
		if !reads && !own && !slices.Contains(out, call) {
			out = append(out, call)
		}
	}
	return out
}

// finding is an event from GuardDuty, from testdata by the resource's form.
func finding(kind, resource, action string) string {
	return `{"source":"aws.guardduty","time":"2026-01-02T03:00:00Z","detail":{"id":"f-1","type":"` + kind +
		`","title":"Something is wrong","severity":8,"resource":` + resource + `,"service":{"action":` + action + `}}}`
}

func request(kind, id, arn, more string) string {
	return `{"source":"redoubt.operator","time":"2026-01-02T03:00:00Z","detail":{"id":"r-1","type":"Operator:Request","title":"By hand","severity":5,"target":{"kind":"` +
		kind + `","id":"` + id + `","arn":"` + arn + `"` + more + `}}}`
}

const (
	outbound  = `{"networkConnectionAction":{"remoteIpDetails":{"ipAddressV4":"203.0.113.9"}}}`
	apiCall   = `{"awsApiCallAction":{"remoteIpDetails":{"ipAddressV4":"203.0.113.9"}}}`
	login     = `{"rdsLoginAttemptAction":{"remoteIpDetails":{"ipAddressV4":"203.0.113.9"}}}`
	probe     = `{"portProbeAction":{"portProbeDetails":[{"remoteIpDetails":{"ipAddressV4":"203.0.113.9"}}]}}`
	nameQuery = `{"dnsRequestAction":{"domain":"mine.test"}}`

	onInstance = `{"resourceType":"Instance","instanceDetails":{"instanceId":"i-1"}}`
	onUser     = `{"resourceType":"AccessKey","accessKeyDetails":{"userType":"IAMUser","userName":"bob","accessKeyId":"AKIA1"}}`
	onRole     = `{"resourceType":"AccessKey","accessKeyDetails":{"userType":"AssumedRole","userName":"app-task"}}`
	onRoot     = `{"resourceType":"AccessKey","accessKeyDetails":{"userType":"Root","userName":"Root"}}`
	onBucket   = `{"resourceType":"S3Bucket","s3BucketDetails":[{"name":"redoubt-dev-data"}]}`
	onTask     = `{"resourceType":"ECSCluster","ecsClusterDetails":{"taskDetails":{"arn":"arn:aws:ecs:eu-central-1:123456789012:task/redoubt-dev/t1"}}}`
	onCluster  = `{"resourceType":"RDSDBInstance","rdsDbInstanceDetails":{"dbClusterIdentifier":"redoubt-dev-db"}}`
	onFunction = `{"resourceType":"Lambda","lambdaDetails":{"functionName":"redoubt-dev-resize"}}`
	onEKS      = `{"resourceType":"EKSCluster"}`
)
