package identity

import (
	"fmt"
	"slices"
	"strings"
)

// sourceAccountServices are the service principals that send aws:SourceAccount
// when they assume a role, with the documentation page that says so. A trust
// in one of them without the condition lets the service be used from another
// account (the confused deputy). A condition on any other service would make
// the role impossible to assume: Lambda, Backup and EC2 among them do not send
// it (prowler#2810), and the S3 user guide shows none for replication.
var sourceAccountServices = map[string]string{
	"cognito-idp.amazonaws.com":    "Amazon Cognito developer guide, SMS message settings",
	"config.amazonaws.com":         "AWS Config developer guide, Cross-service confused deputy prevention",
	"ecs-tasks.amazonaws.com":      "Amazon ECS developer guide, Task IAM role: confused deputy",
	"events.amazonaws.com":         "Amazon EventBridge user guide, Cross-service confused deputy prevention",
	"logs.amazonaws.com":           "CloudWatch Logs user guide, Confused deputy prevention",
	"monitoring.rds.amazonaws.com": "Amazon RDS user guide, Enhanced Monitoring: confused deputy",
	"pipes.amazonaws.com":          "Amazon EventBridge user guide, Pipes permissions",
	"scheduler.amazonaws.com":      "EventBridge Scheduler user guide, Confused deputy prevention",
	"ssm.amazonaws.com":            "AWS Systems Manager user guide, Confused deputy prevention",
	"states.amazonaws.com":         "AWS Step Functions developer guide, Confused deputy prevention",
	"vpc-flow-logs.amazonaws.com":  "Amazon VPC user guide, IAM role for publishing flow logs",
}

// ServiceTrust returns the trust policy for a service principal, for example
// "ecs-tasks.amazonaws.com". Where the service tells whom it works for, the
// trust is conditioned on the scope's account and on the source ARNs (which
// may hold wildcards); elsewhere both would lock the service out and are left
// out.
func ServiceTrust(service string, scope Scope, sourceARNs ...string) Document {
	s := Statement{
		Sid: "AssumeRole", Effect: Allow,
		Principals: Principals{Service: []string{service}},
		Actions:    []string{"sts:AssumeRole"},
	}
	if _, ok := sourceAccountServices[service]; ok {
		s.Conditions = append(s.Conditions, Condition{"StringEquals", "aws:SourceAccount", []string{scope.AccountID}})
		if len(sourceARNs) > 0 {
			s.Conditions = append(s.Conditions, Condition{"ArnLike", "aws:SourceArn", sourceARNs})
		}
	}
	return Document{s}
}

// checkTrust holds a trust policy's Allow statements to the confused deputy
// rule and to knowing who may assume.
func (s Statement) checkTrust(report reporter) {
	if s.Effect != Allow {
		return
	}
	for _, p := range s.Principals.Service {
		source, supported := sourceAccountServices[p]
		if supported && !s.conditioned("aws:SourceAccount", "aws:SourceArn") {
			report("Conditions", fmt.Sprintf("%s may be used from another account", p),
				"add StringEquals aws:SourceAccount, see "+source)
		}
	}
	for _, a := range s.Actions {
		if !strings.HasPrefix(a, "sts:") || strings.Contains(a, "*") {
			report("Actions", fmt.Sprintf("%q is not one way to assume a role", a),
				"name sts:AssumeRole, sts:AssumeRoleWithWebIdentity, sts:AssumeRoleWithSAML or sts:TagSession")
		}
	}
	if len(s.Principals.Federated) > 0 && len(s.Conditions) == 0 {
		report("Conditions", "everyone whom the identity provider knows may assume the role",
			"condition on the provider's audience and subject")
	}
}

// conditioned says whether the statement has a condition on one of the keys.
// Keys are case-insensitive in IAM.
func (s Statement) conditioned(keys ...string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, c.Key) })
	})
}
