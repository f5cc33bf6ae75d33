package response_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/infra/response/internal/aslrun"
)

// What each family of findings leads to, from containment to the end of the watch.
func TestEveryFamilyIsContainedItsWay(t *testing.T) {
	t.Parallel()
	block := []string{"wafv2:updateIPSet", "ec2:createNetworkAclEntry"}
	mark, clear := "ssm:putParameter", "ssm:deleteParameter"
	whole := func(contain, after []string) []string {
		out := append([]string{mark}, contain...)
		return append(append(out, after...), clear)
	}
	with := func(contain ...string) []string { return append(contain, block...) }
	instance := []string{"ec2:createSnapshots", "ec2:modifyInstanceAttribute", "ec2:createTags", "autoscaling:detachInstances", "ec2:modifyNetworkInterfaceAttribute"}
	user := []string{"iam:updateAccessKey", "iam:attachUserPolicy", "iam:deleteLoginProfile"}
	for _, tc := range []struct {
		name, event string
		want        []string
		verify      string
	}{
		{"Backdoor:EC2/C&CActivity.B", finding("Backdoor:EC2/C&CActivity.B", onInstance, outbound), whole(with(instance...), nil), "VerifyInstance"},
		{"CryptoCurrency:EC2/BitcoinTool.B!DNS", finding("CryptoCurrency:EC2/BitcoinTool.B!DNS", onInstance, nameQuery), whole(instance, nil), "VerifyInstance"},
		{"Recon:EC2/PortProbeUnprotectedPort", finding("Recon:EC2/PortProbeUnprotectedPort", onInstance, probe), whole(with(instance...), nil), "VerifyInstance"},
		{"UnauthorizedAccess:IAMUser", finding("UnauthorizedAccess:IAMUser/MaliciousIPCaller", onUser, apiCall), whole(with(user...), []string{"iam:detachUserPolicy"}), "VerifyUser"},
		{"CredentialAccess:IAMUser by a role", finding("CredentialAccess:IAMUser/AnomalousBehavior", onRole, apiCall), whole(with("iam:attachRolePolicy", "iam:putRolePolicy"), []string{"iam:detachRolePolicy"}), "VerifyRole"},
		{"Exfiltration:S3", finding("Exfiltration:S3/AnomalousBehavior", onBucket, apiCall), whole(with("s3:putPublicAccessBlock", "s3:putBucketPolicy"), nil), "VerifyBucket"},
		{"CryptoCurrency:Runtime", finding("CryptoCurrency:Runtime/BitcoinTool.B", onTask, outbound), whole(with("ecs:tagResource", "elasticloadbalancingv2:deregisterTargets", "ecs:stopTask"), []string{"ecs:updateService"}), "VerifyTask"},
		{"CredentialAccess:RDS", finding("CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin", onCluster, login), whole(with("rds:modifyDBCluster", "rds:createDBClusterSnapshot"), nil), "VerifyCluster"},
		{"Backdoor:Lambda", finding("Backdoor:Lambda/C&CActivity.B", onFunction, outbound), whole(with("lambda:putFunctionConcurrency"), nil), "VerifyFunction"},
		{"a secret, by hand", request("secret", "s", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-dev-x", ""), whole([]string{"secretsmanager:rotateSecret"}, nil), "VerifySecret"},
		{"a pool user, by hand", request("pool-user", "eve", "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/p", `,"pool":"p"`), whole([]string{"cognitoidentityprovider:adminDisableUser", "cognitoidentityprovider:adminUserGlobalSignOut"}, []string{"cognitoidentityprovider:adminEnableUser"}), "VerifyPoolUser"},
		{"an address, by hand", request("address", "203.0.113.9", "", `,"address":"203.0.113.9"`), whole(block, nil), "ReadBlockListAgain"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := play(t, args(), tc.event, nil)
			require.Nil(t, r.Failure)
			require.Equal(t, "Closed", r.Path[len(r.Path)-1])
			require.Equal(t, tc.want, changes(r))
			require.True(t, r.Visited(tc.verify), "containment is proved")
			for _, bullet := range []string{
				"CheckGuardDuty", "AnalyzeMetrics", "ReviewLogs", "ReviewAuditLogs", "CheckConfigurations", "IdentifyScope", "DetermineImpact",
				"PreserveAnalysis", "TellAnalysis", "AskContainment", "MarkContainment", "PreserveContainment", "AskEradication", "VerifyRemoval",
				"AskRecovery", "VerifyFunctionality", "ClearMarker", "WatchFindings", "WriteReport",
			} {
				require.True(t, r.Visited(bullet), bullet)
			}
			require.GreaterOrEqual(t, r.Elapsed, 72*time.Hour, "the watch lasts three days")
			require.Less(t, r.Elapsed, 74*time.Hour)
		})
	}
}

func TestRecoveryPutsBackWhatWasThere(t *testing.T) {
	t.Parallel()
	quarantined := object{"Policy": `{"Statement":[{"Sid":"IncidentQuarantine"}]}`}
	r := play(t, args(), finding("Exfiltration:S3/AnomalousBehavior", onBucket, nameQuery), map[string]any{
		"BucketFacts": object{"Policy": `{"Statement":"before"}`}, "VerifyBucket": quarantined,
	})
	require.Equal(t, `{"Statement":"before"}`, r.CallOf("RestoreBucket").Parameters["Policy"])
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"IncidentQuarantine","Effect":"Deny","Principal":"*","Action":"s3:*",
		"Resource":["arn:aws:s3:::redoubt-dev-data","arn:aws:s3:::redoubt-dev-data/*"],"Condition":{"ArnNotEquals":{"aws:PrincipalArn":[
		"arn:aws:iam::123456789012:role/redoubt-dev-response-machine","arn:aws:iam::123456789012:role/deployer"]}}}]}`,
		r.CallOf("QuarantineBucket").Parameters["Policy"].(string))

	r = play(t, args(), finding("Backdoor:Lambda/C&CActivity.B", onFunction, nameQuery), map[string]any{"FunctionFacts": object{"ReservedConcurrentExecutions": 20}})
	require.EqualValues(t, 20, r.CallOf("ReserveFunction").Parameters["ReservedConcurrentExecutions"])
	r = play(t, args(), finding("Backdoor:Lambda/C&CActivity.B", onFunction, nameQuery), map[string]any{"FunctionFacts": object{}})
	require.NotNil(t, r.CallOf("ReleaseFunction"))

	r = play(t, args(), finding("CredentialAccess:RDS/X", onCluster, nameQuery), map[string]any{
		"ClusterFacts": object{"DbClusters": []any{object{"VpcSecurityGroups": []any{object{"VpcSecurityGroupId": "sg-db"}}}}},
	})
	require.Equal(t, []any{isolation}, r.CallOf("IsolateCluster").Parameters["VpcSecurityGroupIds"])
	require.Equal(t, []any{"sg-db"}, r.CallOf("RestoreCluster").Parameters["VpcSecurityGroupIds"])
}

func TestKeysAreDeactivatedAndDeletedOnlyIfSaid(t *testing.T) {
	t.Parallel()
	event := finding("UnauthorizedAccess:IAMUser/MaliciousIPCaller", onUser, nameQuery)
	r := play(t, args(), event, nil)
	require.Equal(t, object{"UserName": "bob", "AccessKeyId": "AKIA1", "Status": "Inactive"}, r.CallOf("DeactivateKey").Parameters)
	require.NotContains(t, r.Called(), "iam:deleteAccessKey")
	r = play(t, args(), event, map[string]any{"AskEradication": object{"decision": "approve", "by": "alice", "removeKeys": true}})
	require.Contains(t, r.Called(), "iam:deleteAccessKey")
	r = play(t, args(), event, map[string]any{"iam:deleteLoginProfile": &aslrun.Failure{Name: "Iam.NoSuchEntityException"}})
	require.Nil(t, r.Failure, "a user without a console password is contained")
}

func TestRoleSessionsAreRevoked(t *testing.T) {
	t.Parallel()
	r := play(t, args(), finding("CredentialAccess:IAMUser/AnomalousBehavior", onRole, nameQuery), nil)
	require.Equal(t, "app-task", r.CallOf("RevokeSessions").Parameters["RoleName"])
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"RevokeOlderSessions","Effect":"Deny","Action":"*","Resource":"*",
		"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T03:04:05Z"}}}]}`, r.CallOf("RevokeSessions").Parameters["PolicyDocument"].(string))
	require.Contains(t, r.CallOf("TellAnalysis").Parameters["Message"], "impact high", "the role's data is restricted")
}

// IAM refuses an inline policy on a role without the boundary: it stays in
// quarantine, with all its sessions, until people have gone on.
func TestARoleWithoutBoundaryStaysInQuarantine(t *testing.T) {
	t.Parallel()
	r := play(t, args(), finding("CredentialAccess:IAMUser/AnomalousBehavior", onRole, nameQuery), map[string]any{
		"RevokeSessions": &aslrun.Failure{Name: "Iam.AccessDeniedException"},
	})
	require.NotNil(t, r.CallOf("QuarantineRole"))
	require.NotContains(t, r.Called(), "iam:detachRolePolicy")
	requireEscalated(t, r)
}

func TestAddressesAreBlockedBesideTheOthers(t *testing.T) {
	t.Parallel()
	event := finding("Backdoor:Lambda/C&CActivity.B", onFunction, outbound)
	before := object{"IpSet": object{"Addresses": []any{"198.51.100.1/32"}}, "LockToken": "lock-7"}
	r := play(t, args(), event, map[string]any{"ReadBlockList": before})
	write := r.CallOf("WriteBlockList").Parameters
	require.Equal(t, []any{"198.51.100.1/32", attacker}, write["Addresses"])
	require.Equal(t, "lock-7", write["LockToken"])
	require.Equal(t, []any{
		object{"Name": "vpc-id", "Values": []any{"vpc-1"}}, object{"Name": "default", "Values": []any{"false"}},
	}, r.CallOf("FindNetworkAcls").Parameters["Filters"])
	deny := r.CallOf("DenyInbound").Parameters
	require.Equal(t, object{"NetworkAclId": "acl-1", "RuleNumber": float64(3), "Protocol": "-1", "RuleAction": "deny", "Egress": false, "CidrBlock": attacker}, deny, "1 and 2 are used")

	lost := &aslrun.Failure{Name: "Wafv2.WafOptimisticLockException"}
	r = play(t, args(), event, map[string]any{"WriteBlockList": []any{lost, lost, object{}}})
	require.Nil(t, r.Failure, "a lost race reads the list again")
	r = play(t, args(), event, map[string]any{"WriteBlockList": lost})
	require.True(t, r.Visited("BlockListBusy"))
	requireEscalated(t, r)

	var full []any
	for n := 1; n <= 50; n++ {
		full = append(full, object{"RuleNumber": n})
	}
	r = play(t, args(), event, map[string]any{"ReadEntries": object{"NetworkAcls": []any{object{"Entries": full}}}})
	require.True(t, r.Visited("NoNumberLeft"))
	requireEscalated(t, r)
}

// requireEscalated holds that people were told and that the execution failed.
func requireEscalated(t *testing.T, r aslrun.Result) {
	t.Helper()
	require.NotNil(t, r.Failure)
	require.Equal(t, "Redoubt.NeedsPeople", r.Failure.Name)
	require.NotNil(t, r.CallOf("Escalate"))
	require.Equal(t, "redoubt-dev: ESCALATION", r.CallOf("Escalate").Parameters["Subject"])
}

func TestEveryFailureEscalates(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		finding("Backdoor:EC2/X", onInstance, outbound), finding("UnauthorizedAccess:IAMUser/X", onUser, apiCall), finding("X:IAMUser/Y", onRole, apiCall),
		finding("Exfiltration:S3/X", onBucket, apiCall), finding("X:Runtime/Y", onTask, outbound), finding("X:RDS/Y", onCluster, login), finding("X:Lambda/Y", onFunction, outbound),
		request("secret", "s", "arn:s", ""), request("pool-user", "eve", "arn:p", `,"pool":"p"`),
	} {
		good := play(t, args(), event, nil)
		tried := map[string]bool{}
		for _, call := range good.Calls {
			switch call.State {
			case "CheckGuardDuty", "AnalyzeMetrics", "ReviewLogs", "ReviewAuditLogs", "CheckConfigurations":
				continue // An analysis may fail; see TestAnalysesMayFail.
			}
			if tried[call.State] {
				continue
			}
			tried[call.State] = true
			r := play(t, args(), event, map[string]any{call.State: &aslrun.Failure{Name: "Some.Exception", Cause: "denied"}})
			require.NotNil(t, r.Failure, "%s failed in silence", call.State)
			requireEscalated(t, r)
			require.Contains(t, r.CallOf("Escalate").Parameters["Message"], "Some.Exception")
		}
	}
}

func TestAnalysesMayFail(t *testing.T) {
	t.Parallel()
	failed := &aslrun.Failure{Name: "Any.Exception", Cause: "no trail"}
	r := play(t, args(), finding("Backdoor:EC2/X", onInstance, outbound), map[string]any{
		"AnalyzeMetrics": failed, "ReviewLogs": failed, "ReviewAuditLogs": failed, "CheckConfigurations": failed,
	})
	require.Nil(t, r.Failure)
	require.Contains(t, r.CallOf("PreserveAnalysis").Parameters["Body"], "no trail")
}

func TestWhatIsNotContainedEscalates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		event, state string
		answer       any
	}{
		{finding("X:EC2/Y", onInstance, nameQuery), "VerifyInstance", object{"NetworkInterfaces": []any{object{"NetworkInterfaceId": "eni-1"}}}},
		{finding("X:IAMUser/Y", onUser, nameQuery), "VerifyUser", object{"AccessKeyMetadata": []any{object{"AccessKeyId": "AKIA1", "Status": "Active"}}}},
		{finding("X:IAMUser/Y", onUser, nameQuery), "ReadUserPolicies", object{"AttachedPolicies": []any{}}},
		{finding("X:IAMUser/Y", onRole, nameQuery), "VerifyRole", object{"AttachedPolicies": []any{}}},
		{finding("X:S3/Y", onBucket, nameQuery), "VerifyBucket", object{"Policy": "{}"}},
		{finding("X:Runtime/Y", onTask, nameQuery), "VerifyTask", object{"Tasks": []any{object{"TaskArn": "t", "DesiredStatus": "RUNNING"}}}},
		{finding("X:RDS/Y", onCluster, nameQuery), "VerifyCluster", object{"DbClusters": []any{object{"VpcSecurityGroups": []any{object{"VpcSecurityGroupId": "sg-db"}}}}}},
		{finding("X:Lambda/Y", onFunction, nameQuery), "VerifyFunction", object{}},
		{finding("X:Lambda/Y", onFunction, outbound), "ReadBlockListAgain", object{"IpSet": object{"Addresses": []any{}}, "LockToken": "l"}},
		{request("secret", "s", "arn:s", ""), "VerifySecret", object{"LastRotatedDate": "2025-12-31T00:00:00Z"}},
		{request("pool-user", "eve", "arn:p", `,"pool":"p"`), "VerifyPoolUser", object{"Enabled": true}},
	} {
		r := play(t, args(), tc.event, map[string]any{tc.state: tc.answer})
		require.True(t, r.Visited("NotContained"), tc.state)
		requireEscalated(t, r)
		require.False(t, r.Visited("ClearMarker"), "the stack stays closed for deployments")
	}
}

func TestLaterStagesEscalate(t *testing.T) {
	t.Parallel()
	event := finding("X:Lambda/Y", onFunction, nameQuery)
	more := object{"FindingIds": []any{"f-1", "f-2"}}
	for state, override := range map[string]map[string]any{
		"ThreatRemains":    {"VerifyRemoval": more},
		"IntruderBack":     {"WatchFindings": []any{object{"FindingIds": []any{"f-1"}}, more}},
		"ServiceUnhealthy": {"VerifyFunctionality": object{"MetricAlarms": []any{object{"AlarmName": "a", "StateValue": "ALARM"}}}},
	} {
		r := play(t, args(), event, override)
		require.True(t, r.Visited(state), state)
		requireEscalated(t, r)
	}
}
