package response

import (
	"slices"
	"strings"

	"redoubt/infra/identity"
	"redoubt/infra/response/asl"
)

// right lets the machine's role make calls. A row that no state calls is left
// out of the role, so that Notify holds no right to change anything.
type right struct {
	sid string
	// calls are SDK actions, "ec2:createTags".
	calls []string
	// resources are ARNs; "*" where the actions name none.
	resources []string
	// guarded lets the calls change only what is not tagged exempt.
	guarded bool
	more    []identity.Condition
}

// servicePrefixes are the SDK's names of services where IAM has another.
var servicePrefixes = map[string]string{
	"cloudwatchlogs": "logs", "cognitoidentityprovider": "cognito-idp",
	"elasticloadbalancingv2": "elasticloadbalancing", "resourcegroupstaggingapi": "tag",
}

// actionNames are calls whose IAM action has another name.
var actionNames = map[string]string{
	"s3:putPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}

func iamAction(call string) string {
	if name, ok := actionNames[call]; ok {
		return name
	}
	service, action, _ := strings.Cut(call, ":")
	if prefix, ok := servicePrefixes[service]; ok {
		service = prefix
	}
	return service + ":" + strings.ToUpper(action[:1]) + action[1:]
}

func (a *ResponderArgs) rights() []right {
	own := identity.Condition{Test: "StringEquals", Key: "aws:ResourceAccount", Values: []string{a.Scope.AccountID}}
	quarantine := identity.Condition{Test: "ArnEquals", Key: "iam:PolicyARN", Values: []string{a.quarantineARN()}}
	users, roles := a.Scope.GlobalARN("iam", "user/*"), a.Scope.GlobalARN("iam", "role/*")
	rows := []right{
		{sid: "Observe", resources: []string{"*"}, calls: []string{
			"cloudtrail:lookupEvents", "cloudwatch:getMetricData", "config:selectResourceConfig", "ec2:describeInstances",
			"ec2:describeNetworkAcls", "ec2:describeNetworkInterfaces", "resourcegroupstaggingapi:getResources",
		}},
		{sid: "ReadFindings", calls: []string{"guardduty:listFindings"}, resources: []string{a.Scope.ARN("guardduty", "detector/*")}, more: []identity.Condition{own}},
		{sid: "ReadTags", calls: []string{"iam:listUserTags", "iam:listAccessKeys", "iam:listAttachedUserPolicies"}, resources: []string{users}, more: []identity.Condition{own}},
		{sid: "ReadRoles", calls: []string{"iam:listRoleTags", "iam:listAttachedRolePolicies"}, resources: []string{roles}, more: []identity.Condition{own}},
		{sid: "ReadTargets", calls: []string{"ssm:getParameter"}, resources: []string{a.Scope.ARN("ssm", "parameter"+a.targetsParameter())}},
		{sid: "RememberIncidents", calls: []string{"dynamodb:putItem", "dynamodb:updateItem"}, resources: []string{a.Scope.ARN("dynamodb", "table/"+a.tableName())}},
		{sid: "Tell", calls: []string{"sns:publish"}, resources: []string{a.topicARN()}},
		{sid: "Ask", calls: []string{"sqs:sendMessage"}, resources: []string{a.Scope.ARN("sqs", a.queueName())}},
		{sid: "MarkContainment", calls: []string{"ssm:putParameter", "ssm:deleteParameter"}, resources: []string{a.Scope.ARN("ssm", "parameter"+MarkerPath(a.Environment)+"/*")}},
		{
			sid: "IsolateInstances", guarded: true, calls: []string{"ec2:createSnapshots", "ec2:createTags", "ec2:modifyInstanceAttribute", "ec2:modifyNetworkInterfaceAttribute"},
			resources: []string{
				a.Scope.ARN("ec2", "instance/*"), a.Scope.ARN("ec2", "network-interface/*"), a.Scope.ARN("ec2", "security-group/*"),
				a.Scope.ARN("ec2", "volume/*"), "arn:" + a.Scope.Partition + ":ec2:" + a.Scope.Region + "::snapshot/*",
			},
		},
		{sid: "DetachInstances", guarded: true, calls: []string{"autoscaling:detachInstances"}, resources: []string{a.Scope.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")}},
		{sid: "DenyAtSubnets", guarded: true, calls: []string{"ec2:createNetworkAclEntry"}, resources: []string{a.Scope.ARN("ec2", "network-acl/*")}},
		{sid: "BlockAddresses", guarded: true, calls: []string{"wafv2:getIPSet", "wafv2:updateIPSet"}, resources: []string{a.Scope.ARN("wafv2", "regional/ipset/"+a.ipSetName()+"/*")}},
		{sid: "StopTasks", guarded: true, calls: []string{"ecs:describeTasks", "ecs:stopTask", "ecs:tagResource"}, resources: []string{a.Scope.ARN("ecs", "task/"+a.ClusterName+"/*")}},
		{sid: "ReplaceTasks", calls: []string{"ecs:updateService"}, resources: []string{a.Scope.ARN("ecs", "service/"+a.ClusterName+"/"+a.ServiceName)}},
		{sid: "DeregisterTasks", calls: []string{"elasticloadbalancingv2:deregisterTargets"}, resources: []string{a.Scope.ARN("elasticloadbalancing", "targetgroup/"+a.Prefix+"-*/*")}},
		{sid: "StopFunctions", guarded: true, calls: []string{"lambda:deleteFunctionConcurrency", "lambda:getFunctionConcurrency", "lambda:putFunctionConcurrency"}, resources: []string{a.Scope.ARN("lambda", "function:"+a.Prefix+"-*")}},
		{sid: "IsolateClusters", guarded: true, calls: []string{"rds:createDBClusterSnapshot", "rds:describeDBClusters", "rds:modifyDBCluster"}, resources: []string{
			a.Scope.ARN("rds", "cluster:"+a.Prefix+"-*"), a.Scope.ARN("rds", "cluster-snapshot:"+a.Prefix+"-*"),
		}},
		{sid: "ContainUsers", guarded: true, calls: []string{"iam:deleteAccessKey", "iam:deleteLoginProfile", "iam:updateAccessKey"}, resources: []string{users}},
		{sid: "QuarantineIdentities", guarded: true, calls: []string{"iam:attachUserPolicy", "iam:detachUserPolicy", "iam:attachRolePolicy", "iam:detachRolePolicy"}, resources: []string{roles, users}, more: []identity.Condition{quarantine}},
		// IAM has no condition on the name or text of an inline policy: only roles
		// that a boundary caps take one.
		{sid: "RevokeSessions", guarded: true, calls: []string{"iam:putRolePolicy"}, resources: []string{roles}, more: []identity.Condition{
			{Test: "StringEquals", Key: "iam:PermissionsBoundary", Values: []string{a.WorkloadBoundary}},
		}},
		{sid: "RotateSecrets", guarded: true, calls: []string{"secretsmanager:describeSecret", "secretsmanager:rotateSecret"}, resources: []string{a.Scope.ARN("secretsmanager", "secret:"+a.Prefix+"*"), a.Scope.ARN("secretsmanager", "secret:rds!cluster-*")}},
		{sid: "DisablePoolUsers", guarded: true, calls: []string{
			"cognitoidentityprovider:adminDisableUser", "cognitoidentityprovider:adminEnableUser", "cognitoidentityprovider:adminGetUser", "cognitoidentityprovider:adminUserGlobalSignOut",
		}, resources: []string{a.Scope.ARN("cognito-idp", "userpool/*")}},
		{sid: "CheckHealth", calls: []string{"cloudwatch:describeAlarms"}, resources: []string{a.Scope.ARN("cloudwatch", "alarm:*")}, more: []identity.Condition{own}},
		{sid: "KeepEvidence", calls: []string{"s3:putObject"}, resources: []string{a.Scope.GlobalARN("s3", a.EvidenceBucket.PhysicalName) + "/incidents/*"}},
	}
	if len(a.Buckets) > 0 {
		var arns []string
		for _, b := range a.Buckets {
			arns = append(arns, a.Scope.GlobalARN("s3", b))
		}
		rows = append(rows, right{sid: "CloseBuckets", calls: []string{"s3:getBucketPolicy", "s3:putBucketPolicy", "s3:putPublicAccessBlock"}, resources: arns})
	}
	return rows
}

// searchLogs is apart from the rights, because its list grows with the stack.
func (a *ResponderArgs) searchLogs() identity.Statement {
	s := identity.Statement{Sid: "SearchLogs", Effect: identity.Allow, Actions: []string{"logs:StartQuery"}}
	for _, name := range a.LogGroupNames {
		s.Resources = append(s.Resources, a.Scope.ARN("logs", "log-group:"+name), a.Scope.ARN("logs", "log-group:"+name+":*"))
	}
	return s
}

// called are the SDK actions of the machine, "ec2:createTags", without doubles.
func called(m asl.Machine) []string {
	var out []string
	for _, r := range m.Resources() {
		call := strings.TrimPrefix(r[strings.LastIndex(r, ":::")+3:], "aws-sdk:")
		call = strings.TrimSuffix(call, ".waitForTaskToken")
		if !slices.Contains(out, call) {
			out = append(out, call)
		}
	}
	slices.Sort(out)
	return out
}

// statements are the rights that the machine's calls need.
func (a *ResponderArgs) statements(calls []string) identity.Document {
	exempt := identity.Condition{Test: "StringNotEquals", Key: "aws:ResourceTag/" + ExemptTag, Values: []string{"true"}}
	var doc identity.Document
	for _, row := range a.rights() {
		s := identity.Statement{Sid: row.sid, Effect: identity.Allow, Resources: row.resources, Conditions: row.more}
		for _, call := range row.calls {
			if slices.Contains(calls, call) {
				s.Actions = append(s.Actions, iamAction(call))
			}
		}
		if row.guarded {
			s.Conditions = append(slices.Clone(row.more), exempt)
		}
		if len(s.Actions) > 0 {
			doc = append(doc, s)
		}
	}
	return doc
}
