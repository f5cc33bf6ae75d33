package response_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/response"
	"redoubt/infra/response/internal/aslrun"
)

func TestApprovalDecides(t *testing.T) {
	t.Parallel()
	event := finding("Backdoor:EC2/X", onInstance, outbound)
	timeout := &aslrun.Failure{Name: "States.Timeout"}
	for _, tc := range []struct {
		name, ask string
		answer    any
		end       string
		contained bool
	}{
		{"denied", "AskContainment", object{"decision": "deny", "by": "bob"}, "LeftToPeople", false},
		{"unanswered", "AskContainment", timeout, "NeedsPeople", false},
		{"unreadable", "AskContainment", object{"decision": "perhaps", "by": "bob"}, "NeedsPeople", false},
		{"anonymous", "AskContainment", object{"decision": "approve"}, "NeedsPeople", false},
		{"eradication denied", "AskEradication", object{"decision": "deny", "by": "bob"}, "LeftToPeople", true},
		{"eradication unanswered", "AskEradication", timeout, "NeedsPeople", true},
		{"recovery denied", "AskRecovery", object{"decision": "deny", "by": "bob"}, "LeftToPeople", true},
		{"recovery unanswered", "AskRecovery", timeout, "NeedsPeople", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := play(t, args(), event, map[string]any{tc.ask: tc.answer})
			require.Equal(t, tc.end, r.Path[len(r.Path)-1])
			require.Equal(t, tc.contained, len(changes(r)) > 0, "%v", changes(r))
			require.False(t, r.Visited("ClearMarker"), "what is contained stays marked")
			if tc.end == "NeedsPeople" {
				requireEscalated(t, r)
			}
			if tc.name == "unanswered" {
				require.Equal(t, time.Hour, r.Elapsed)
			}
		})
	}
}

func TestTaskTokensStayOnTheQueue(t *testing.T) {
	t.Parallel()
	r := play(t, args(), finding("Backdoor:EC2/X", onInstance, outbound), nil)
	body, _ := r.CallOf("AskContainment").Parameters["MessageBody"].(map[string]any)
	require.Equal(t, "token-of-AskContainment", body["taskToken"])
	for _, c := range r.Calls {
		if c.Action == "sns:publish" {
			require.NotContains(t, c.Parameters["Message"], "token-of")
		}
	}
}

func TestAutoContainsOnlyItsTypes(t *testing.T) {
	t.Parallel()
	a := args(auto("CryptoCurrency:", "Backdoor:EC2/"))
	for kind, asked := range map[string]bool{
		"CryptoCurrency:EC2/BitcoinTool.B!DNS": false, "Backdoor:EC2/C&CActivity.B!DNS": false,
		"Backdoor:Lambda/C&CActivity.B": true, "Trojan:EC2/DropPoint": true,
	} {
		r := play(t, a, finding(kind, onInstance, nameQuery), nil)
		require.Equal(t, asked, r.Visited("AskContainment"), kind)
		require.True(t, r.Visited("AskEradication"), "what comes after always asks")
	}
}

func TestNotifyChangesNothing(t *testing.T) {
	t.Parallel()
	r := play(t, args(notify), finding("Backdoor:EC2/X", onInstance, outbound), nil)
	require.Nil(t, r.Failure)
	require.Empty(t, changes(r))
	require.Equal(t, "LeftToPeople", r.Path[len(r.Path)-1])
	for _, state := range []string{"PreserveAnalysis", "TellAnalysis", "NotifyOnly"} {
		require.True(t, r.Visited(state), state)
	}
}

func TestSomeResourcesAreNotTouched(t *testing.T) {
	t.Parallel()
	exempt := object{"Tags": []any{object{"Key": response.ExemptTag, "Value": "true"}}}
	other := object{"Tags": []any{object{"Key": response.ExemptTag, "Value": "false"}}}
	mapped := func(tags object) object { return object{"ResourceTagMappingList": []any{tags}} }
	for _, tc := range []struct {
		name, event string
		overrides   map[string]any
		touched     bool
	}{
		{"exempt instance", finding("Backdoor:EC2/X", onInstance, outbound), map[string]any{"ScopeOfResource": mapped(exempt)}, false},
		{"exempt user", finding("X:IAMUser/Y", onUser, apiCall), map[string]any{"ScopeOfUser": exempt}, false},
		{"exempt role", finding("X:IAMUser/Y", onRole, apiCall), map[string]any{"ScopeOfRole": exempt}, false},
		{"no longer exempt", finding("X:IAMUser/Y", onRole, apiCall), map[string]any{"ScopeOfRole": other}, true},
		{"evidence bucket", request("bucket", evidence, "arn:aws:s3:::"+evidence, ""), nil, false},
		{"audit bucket", request("bucket", "redoubt-dev-audit", "arn:aws:s3:::redoubt-dev-audit", ""), nil, false},
		{"its own role", request("role", "redoubt-dev-response-machine", "arn:r", ""), nil, false},
		{"the deployment role", request("role", "deployer", "arn:r", ""), nil, false},
		{"the root user", finding("Policy:IAMUser/RootCredentialUsage", onRoot, nameQuery), nil, false},
		{"a cluster of Kubernetes", finding("Policy:Kubernetes/X", onEKS, nameQuery), nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			// Even a type that is contained without asking leaves them alone.
			for _, a := range []*response.ResponderArgs{args(), args(auto("Backdoor:", "X:", "Operator:", "Policy:"))} {
				r := play(t, a, tc.event, tc.overrides)
				require.Nil(t, r.Failure)
				require.Equal(t, tc.touched, len(changes(r)) > 0, "%v", changes(r))
				if !tc.touched {
					require.Equal(t, "LeftToPeople", r.Path[len(r.Path)-1])
					require.True(t, r.Visited("TellExempt") || r.Visited("TellPeople"), "people are told")
				}
			}
		})
	}
}

func TestRootsAddressIsStillBlocked(t *testing.T) {
	t.Parallel()
	r := play(t, args(), finding("Policy:IAMUser/RootCredentialUsage", onRoot, apiCall), nil)
	require.Equal(t, []string{"ssm:putParameter", "wafv2:updateIPSet", "ec2:createNetworkAclEntry", "ssm:deleteParameter"}, changes(r))
}

func TestDuplicatesStop(t *testing.T) {
	t.Parallel()
	r := play(t, args(), finding("Backdoor:EC2/X", onInstance, outbound), map[string]any{
		"Remember": &aslrun.Failure{Name: "DynamoDb.ConditionalCheckFailedException"},
	})
	require.Nil(t, r.Failure)
	require.Equal(t, "Duplicate", r.Path[len(r.Path)-1])
	require.Equal(t, []string{"dynamodb:putItem"}, r.Called())
	item, _ := r.Calls[0].Parameters["Item"].(map[string]any)
	require.Equal(t, object{"N": "1801883045"}, item["expires"], "400 days after the start")
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	alarm := `{"source":"aws.cloudwatch","time":"2026-01-02T03:00:00Z","detail":{"alarmName":"redoubt-dev-waf-blocks","state":{"value":"ALARM","reason":"Threshold Crossed"}}}`
	r := play(t, args(), alarm, nil)
	require.Nil(t, r.Failure)
	require.True(t, r.Visited("TellPeople"))
	require.Contains(t, r.CallOf("TellAnalysis").Parameters["Message"], "Alarm:redoubt-dev-waf-blocks: Threshold Crossed")
	r = play(t, args(), `{"source":"somebody.else"}`, nil)
	require.Equal(t, "Redoubt.UnknownEvent", r.Failure.Name)
}

func TestReportMeasuresTheResponse(t *testing.T) {
	t.Parallel()
	r := play(t, args(), finding("X:Lambda/Y", onFunction, nameQuery), nil)
	body, _ := r.CallOf("WriteReport").Parameters["Body"].(string)
	for _, want := range []string{`"detectionToResponse":245`, `"detectionToContain":365`, `"containToRecover":1800`, `"detected":"2026-01-02T03:00:00Z"`, `"by":"alice"`} {
		require.Contains(t, body, want)
	}
	require.True(t, strings.HasPrefix(r.CallOf("WriteReport").Parameters["Key"].(string), "incidents/execution-1/"))
	require.Equal(t, "SHA256", r.CallOf("WriteReport").Parameters["ChecksumAlgorithm"], "object lock wants a checksum")
}
