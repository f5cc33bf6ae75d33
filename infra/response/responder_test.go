package response_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/response"
	"redoubt/internal/graphtest"
)

const (
	machineType = "aws:sfn/stateMachine:StateMachine"
	ruleType    = "aws:cloudwatch/eventRule:EventRule"
	targetType  = "aws:cloudwatch/eventTarget:EventTarget"
	policyType  = "aws:iam/rolePolicy:RolePolicy"
	managedType = "aws:iam/policy:Policy"
	alarmType   = "aws:cloudwatch/metricAlarm:MetricAlarm"
	queueType   = "aws:sqs/queue:Queue"
)

func graph(t *testing.T, a *response.ResponderArgs, opts ...graphtest.Option) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := response.NewResponder(ctx, "ir", a)
		return err
	}, opts...)
}

func TestMachineIsKnownAtPreview(t *testing.T) {
	t.Parallel()
	g := graph(t, args(func(a *response.ResponderArgs) { a.Protect = true }), graphtest.Preview())
	m := g.Only(machineType)
	require.Equal(t, "redoubt-dev-response", m.Input("name"))
	require.Equal(t, "STANDARD", m.Input("type"))
	definition, _ := m.Input("definition").(string)
	require.True(t, json.Valid([]byte(definition)), "no outputs in it")
	require.NotContains(t, definition, graphtest.Unknown)
	require.Equal(t, "CUSTOMER_MANAGED_KMS_KEY", m.Input("encryptionConfiguration.type"))
	require.Equal(t, key, m.Input("encryptionConfiguration.kmsKeyId"))
	require.Equal(t, "ALL", m.Input("loggingConfiguration.level"))
	require.Equal(t, true, m.Input("tracingConfiguration.enabled"))
	require.Equal(t, "/aws/vendedlogs/states/redoubt-dev-response", g.Only("aws:cloudwatch/logGroup:LogGroup").Input("name"))
	for _, p := range append(g.ByType(policyType), g.ByType(managedType)...) {
		require.True(t, json.Valid([]byte(p.Input("policy").(string))), p.Name)
	}
	table := g.Only("aws:dynamodb/table:Table")
	require.True(t, table.Protect)
	require.Equal(t, key, table.Input("serverSideEncryption.kmsKeyArn"))
	require.Equal(t, true, table.Input("pointInTimeRecovery.enabled"))
	require.Equal(t, "expires", table.Input("ttl.attributeName"))
}

func TestWhatStartsTheMachine(t *testing.T) {
	t.Parallel()
	g := graph(t, args())
	require.JSONEq(t, `{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"],"detail":{"$or":[{"severity":[{"numeric":[">=",7]}]},
		{"type":[{"prefix":"Backdoor:"},{"prefix":"CryptoCurrency:"},{"prefix":"Exfiltration:"},{"prefix":"Trojan:"},{"prefix":"UnauthorizedAccess:"}]}]}}`,
		g.One(ruleType, "ir-findings").Input("eventPattern").(string))
	require.Contains(t, g.One(ruleType, "ir-alarms").Input("eventPattern"), `"alarmName":["redoubt-dev-waf-blocks"]`)
	for _, target := range g.ByType(targetType) {
		require.Same(t, g.Only(machineType), g.Refers(target.Input("arn")))
		require.Same(t, g.One(queueType, "ir-dead-letters"), g.Refers(target.Input("deadLetterConfig.arn")))
	}
	require.Len(t, g.ByType(alarmType), 3)
	for _, alarm := range g.ByType(alarmType) {
		require.Same(t, g.Only("aws:sns/topic:Topic"), g.Refers(alarm.Input("alarmActions[0]")))
		require.Equal(t, "notBreaching", alarm.Input("treatMissingData"))
	}
	for _, queue := range g.ByType(queueType) {
		require.Equal(t, key, queue.Input("kmsMasterKeyId"))
	}
	require.Empty(t, graph(t, args(func(a *response.ResponderArgs) { a.Alarms = nil })).ByType(ruleType)[1:])
}

func TestTargetsReachTheMachineByParameter(t *testing.T) {
	t.Parallel()
	p := graph(t, args()).Only("aws:ssm/parameter:Parameter")
	require.Equal(t, "/security/dev/response/targets", p.Input("name"))
	require.JSONEq(t, `{"isolationGroupId":"sg-isolation","blockIpSetId":"set-1","targetGroupArn":"arn:tg","detectorId":"detector-1","vpcId":"vpc-1"}`, p.Input("value").(string))
}

// statement is a policy statement as IAM reads it.
type statement struct {
	Sid, Effect      string
	Action, Resource any
	Condition        map[string]map[string]any
}

func statements(t *testing.T, g *graphtest.Graph, name string) []statement {
	t.Helper()
	var doc struct{ Statement []statement }
	found := append(g.ByType(policyType), g.ByType(managedType)...)
	i := slices.IndexFunc(found, func(r *graphtest.Resource) bool { return r.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	require.NoError(t, json.Unmarshal([]byte(found[i].Input("policy").(string)), &doc))
	return doc.Statement
}

func list(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var out []string
	for _, e := range v.([]any) {
		out = append(out, e.(string))
	}
	return out
}

// Every call of the machine has its right, and there is no right without a call.
func TestRightsAreWhatTheMachineCalls(t *testing.T) {
	t.Parallel()
	names := map[string]string{"cloudwatchlogs": "logs", "cognitoidentityprovider": "cognito-idp", "elasticloadbalancingv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag"}
	for _, a := range []*response.ResponderArgs{args(), args(notify), args(auto("Backdoor:"))} {
		m, err := response.Definition(a)
		require.NoError(t, err)
		want := map[string]bool{}
		for _, r := range m.Resources() {
			call := strings.TrimSuffix(strings.TrimPrefix(r[strings.LastIndex(r, ":::")+3:], "aws-sdk:"), ".waitForTaskToken")
			service, action, _ := strings.Cut(call, ":")
			if other := names[service]; other != "" {
				service = other
			}
			action = strings.ToUpper(action[:1]) + action[1:]
			if action == "PutPublicAccessBlock" {
				action = "PutBucketPublicAccessBlock"
			}
			want[service+":"+action] = true
		}
		got := map[string]bool{}
		g := graph(t, a)
		for _, s := range append(statements(t, g, "ir-machine-respond"), statements(t, g, "ir-operation")...) {
			require.Equal(t, "Allow", s.Effect)
			if slices.Contains([]string{"DeliverLog", "Trace", "UseKeysThroughServices", "UseKeyForExecutions", "UseKeyForLog"}, s.Sid) {
				continue // To run at all, not to make calls.
			}
			for _, action := range list(s.Action) {
				got[action] = true
			}
		}
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	}
}

func TestNotifyHoldsNoRightToContain(t *testing.T) {
	t.Parallel()
	g := graph(t, args(notify, func(a *response.ResponderArgs) {
		a.IsolationGroupID, a.BlockSetArn, a.TargetGroupArn, a.VpcID, a.Approvers, a.HealthAlarms = nil, nil, nil, nil, nil, nil
	}))
	for _, s := range statements(t, g, "ir-machine-respond") {
		for _, action := range list(s.Action) {
			_, verb, _ := strings.Cut(action, ":")
			reads := slices.ContainsFunc([]string{"Get", "List", "Describe", "Lookup", "Select", "StartQuery"}, func(p string) bool { return strings.HasPrefix(verb, p) })
			own := slices.Contains([]string{"dynamodb:PutItem", "dynamodb:UpdateItem", "s3:PutObject", "sns:Publish"}, action)
			require.True(t, reads || own, action)
		}
	}
	require.Len(t, g.ByType(queueType), 1, "nobody is asked")
}

func TestFencesHoldTheMachine(t *testing.T) {
	t.Parallel()
	g := graph(t, args(func(a *response.ResponderArgs) { a.PermissionsBoundary = "arn:aws:iam::123456789012:policy/boundary" }))
	fences := map[string]statement{}
	for _, s := range statements(t, g, "ir-fences") {
		require.Equal(t, "Deny", s.Effect)
		fences[s.Sid] = s
	}
	require.Contains(t, list(fences["NeverItself"].Resource), "arn:aws:iam::123456789012:role/redoubt-dev-response-machine")
	require.Contains(t, list(fences["NeverItself"].Resource), "arn:aws:iam::123456789012:role/deployer")
	require.Contains(t, list(fences["NeverItsMachine"].Resource), "arn:aws:states:eu-central-1:123456789012:stateMachine:redoubt-dev-response")
	for _, bucket := range []string{evidence, "redoubt-dev-audit"} {
		require.Contains(t, list(fences["NeverEvidence"].Resource), "arn:aws:s3:::"+bucket+"/*")
	}
	require.Contains(t, list(fences["NeverEvidence"].Action), "s3:Delete*")
	require.Equal(t, map[string]map[string]any{"StringEquals": {"aws:ResourceTag/ir:exempt": "true"}}, fences["NeverExempt"].Condition)
	for _, action := range []string{"ec2:ModifyNetworkInterfaceAttribute", "iam:PutRolePolicy", "ecs:StopTask", "rds:ModifyDBCluster"} {
		require.Contains(t, list(fences["NeverExempt"].Action), action)
	}
	for _, role := range g.ByType("aws:iam/role:Role") {
		require.Equal(t, "arn:aws:iam::123456789012:policy/boundary", role.Input("permissionsBoundary"), role.Name)
	}
	for _, s := range statements(t, g, "ir-machine-respond") {
		if s.Sid == "QuarantineIdentities" {
			require.Equal(t, map[string]any{"iam:PolicyARN": "arn:aws:iam::123456789012:policy/redoubt-dev-quarantine"}, s.Condition["ArnEquals"])
		}
	}
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Quarantine","Effect":"Deny","Action":"*","Resource":"*"}]}`, g.One(managedType, "ir-quarantine").Input("policy").(string))
}

func TestOffMakesNothing(t *testing.T) {
	t.Parallel()
	g := graph(t, &response.ResponderArgs{Scope: scope, Prefix: "redoubt-dev", Environment: "dev", Mode: response.Off})
	require.Len(t, g.Resources, 1)
}

func TestGameDayIsQuarterlyAndNotInProd(t *testing.T) {
	t.Parallel()
	s := graph(t, args()).Only("aws:scheduler/schedule:Schedule")
	require.Equal(t, "cron(0 9 ? 1,4,7,10 TUE#1 *)", s.Input("scheduleExpression"))
	require.Contains(t, s.Input("target.input"), `"DetectorId":"detector-1"`)
	require.Empty(t, graph(t, args(func(a *response.ResponderArgs) { a.GameDay = false })).ByType(s.Type))
}

func TestResponderReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args *response.ResponderArgs
		want []string
	}{
		{"nothing", nil, []string{"args: nil"}},
		{"all at once", &response.ResponderArgs{Mode: response.Approve}, []string{
			"prefix:", "environment:", "scope:", "approvalTimeoutMinutes:", "approvers:", "healthAlarms:", "logGroupNames:", "clusterName", "logRetentionInDays:",
			"evidenceBucket:", "kmsKeyArn:", "keyAlias:", "logKmsKeyArn:", "detectorId:", "isolationGroupId:", "blockSetArn:", "targetGroupArn:", "vpcId:",
		}},
		{"a mode that is none", args(func(a *response.ResponderArgs) { a.Mode = "on" }), []string{`mode: "on"`}},
		{"a list without auto", args(func(a *response.ResponderArgs) { a.AutoContain = []string{"Backdoor:"} }), []string{"autoContain: set"}},
		{"auto without a list", args(auto()), []string{"autoContain: empty"}},
		{"a pattern", args(auto("Backdoor:*", "Trojan")), []string{"autoContain[0]", "autoContain[1]"}},
		{"both", args(func(a *response.ResponderArgs) { a.Buckets = []string{evidence} }), []string{"buckets[0]"}},
		{"a game day in prod", args(func(a *response.ResponderArgs) { a.Environment = "prod" }), []string{"gameDay:"}},
		{"odd values", args(func(a *response.ResponderArgs) {
			a.SubscriberEmails, a.Approvers, a.EvidenceKeyAlias = []string{"me"}, []string{"alice"}, "audit"
		}), []string{"subscriberEmails[0]", "approvers[0]", "evidenceKeyAlias"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := response.NewResponder(ctx, "ir", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestWorksWithARealEvidenceBucket(t *testing.T) {
	t.Parallel()
	graphtest.Run(t, func(ctx *pulumi.Context) error {
		logs, err := data.NewBucket(ctx, "logs", &data.BucketArgs{
			Scope: scope, Kind: data.AccessLogs, BucketName: "redoubt-dev-logs", Writers: []data.BucketWriter{data.ServerAccessLogs}, SourcePrefix: "redoubt-dev-",
		})
		if err != nil {
			return err
		}
		bucket, err := data.NewBucket(ctx, "evidence", &data.BucketArgs{
			Scope: scope, Kind: data.Audit, BucketName: evidence, KmsKeyArn: pulumi.String(key), LogBucket: logs, ObjectLock: &data.ObjectLock{Mode: "GOVERNANCE", Days: 365},
		})
		if err != nil {
			return err
		}
		_, err = response.NewResponder(ctx, "ir", args(func(a *response.ResponderArgs) { a.EvidenceBucket = bucket }))
		return err
	})
}

// A role's inline policies hold 10240 characters together: a large environment
// has to fit too.
func TestRightsFitIntoTheRole(t *testing.T) {
	t.Parallel()
	g := graph(t, args(func(a *response.ResponderArgs) {
		a.Prefix, a.ClusterName = "redoubt-platform-production", "redoubt-platform-production"
		for i := range 20 {
			a.LogGroupNames = append(a.LogGroupNames[:i:i], "/redoubt-platform-production/application/"+strings.Repeat("x", i+1))
		}
		for range 8 {
			a.Buckets = append(a.Buckets, "redoubt-platform-production-data-123456789012-eu-central-1")
		}
	}))
	require.NotEmpty(t, g.Resources)
}
