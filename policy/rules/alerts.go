package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// alert is a rule about events of the account that somebody must hear of, by a
// metric filter with an alarm or by an EventBridge rule with a target.
type alert struct {
	name, summary string
	guide         []guide.ID
	severity      rule.Severity
	controls      []rule.Control
	signals       []signal
	// fix is the pattern to write, and url what asks for it.
	fix, url string
}

const (
	// trailAlarms is the page with the metric filters of CIS, letter by letter.
	trailAlarms = "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"

	byFilter = `cloudwatch.LogMetricFilterArgs{Pattern: pulumi.String("{ $.eventName = … }")} on the trail's log group and ` +
		`cloudwatch.MetricAlarmArgs{AlarmActions: pulumi.Array{topic.Arn}} on its metric`
	orByRule = `, or cloudwatch.EventRuleArgs{EventPattern: …} with cloudwatch.EventTargetArgs{Arn: topic.Arn}`
)

// accountAlerts are the alerts of the guide's three priorities. They are
// advisory: an account's alerts may live in another stack than its trail.
var accountAlerts = []alert{
	{
		name:     "alarm-security-group-changes",
		summary:  "Somebody is told when a security group changes.",
		guide:    []guide.ID{guide.OperationsHighSecurityGroupChanges},
		severity: rule.High,
		controls: mapped(cis("4.10"), nist("SI-4(5)", "AU-6(1)")),
		// The filter of CIS is older than ModifySecurityGroupRules, which the
		// console calls for every change of a rule.
		signals: calls("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
			"RevokeSecurityGroupEgress", "ModifySecurityGroupRules", "CreateSecurityGroup", "DeleteSecurityGroup"),
		fix: byFilter + orByRule, url: trailAlarms,
	},
	{
		name:     "alarm-iam-policy-changes",
		summary:  "Somebody is told when an IAM policy changes or is attached.",
		guide:    []guide.ID{guide.OperationsHighIAMPolicyChanges},
		severity: rule.High,
		controls: mapped(cis("4.4"), nist("SI-4(5)", "AC-2(4)")),
		signals: calls("iam", "DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy",
			"CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "AttachRolePolicy", "DetachRolePolicy",
			"AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy"),
		fix: byFilter + orByRule + ` in us-east-1, where the events of IAM are`, url: trailAlarms,
	},
	{
		name:     "alarm-root-account-usage",
		summary:  "Somebody is told when the root user signs in or calls an API.",
		guide:    []guide.ID{guide.OperationsHighRootAccountUsage},
		severity: rule.High,
		controls: mapped(cis("4.3"), nist("SI-4(5)", "AC-6(9)")),
		signals:  rootSignals(),
		fix: `cloudwatch.LogMetricFilterArgs{Pattern: pulumi.String("{$.userIdentity.type=\"Root\" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !=\"AwsServiceEvent\"}")} ` +
			`on the trail's log group and cloudwatch.MetricAlarmArgs{AlarmActions: pulumi.Array{topic.Arn}} on its metric`,
		url: trailAlarms,
	},
	{
		name:     "alarm-kms-key-deletion",
		summary:  "Somebody is told when a KMS key is disabled or scheduled for deletion.",
		guide:    []guide.ID{guide.OperationsHighKMSKeyDeletion},
		severity: rule.High,
		controls: mapped(cis("4.7"), nist("SI-4(5)", "SC-12")),
		signals:  calls("kms", "DisableKey", "ScheduleKeyDeletion"),
		fix:      byFilter + orByRule, url: trailAlarms,
	},
	{
		name:     "alarm-guardduty-high-severity",
		summary:  "Somebody is told of GuardDuty's findings of high and critical severity.",
		guide:    []guide.ID{guide.OperationsHighGuardDutyHighSeverity},
		severity: rule.High,
		controls: mapped(nist("SI-4(5)", "IR-4")),
		signals:  guardDutySignals(),
		fix: `cloudwatch.EventRuleArgs{EventPattern: pulumi.String("{\"source\":[\"aws.guardduty\"],\"detail-type\":[\"GuardDuty Finding\"],` +
			`\"detail\":{\"severity\":[{\"numeric\":[\">=\",7]}]}}")} with cloudwatch.EventTargetArgs{Arn: topic.Arn}`,
		url: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
	},
	{
		name:     "alarm-console-login-failures",
		summary:  "Somebody is told when sign-ins to the console fail.",
		guide:    []guide.ID{guide.OperationsMediumFailedLoginAttempts},
		severity: rule.Medium,
		controls: mapped(cis("4.6"), nist("AC-7", "SI-4(5)")),
		signals: []signal{consoleSignIn("failed sign-ins", map[string]any{
			"errorMessage": "Failed authentication", "responseElements": map[string]any{"ConsoleLogin": "Failure"},
			"additionalEventData": map[string]any{"MFAUsed": "No"},
		})},
		fix: byFilter, url: trailAlarms,
	},
	{
		name:     "alarm-console-login-without-mfa",
		summary:  "Somebody is told when a user signs in to the console without MFA.",
		guide:    []guide.ID{guide.OverviewIdentityMFA, guide.PracticesAuthenticationMFA},
		severity: rule.Medium,
		controls: mapped(cis("4.2"), nist("IA-2(1)", "SI-4(5)")),
		signals: []signal{consoleSignIn("sign-ins without MFA", map[string]any{
			"responseElements": map[string]any{"ConsoleLogin": "Success"}, "additionalEventData": map[string]any{"MFAUsed": "No"},
		})},
		fix: byFilter, url: trailAlarms,
	},
	{
		name:     "alarm-unauthorized-api-calls",
		summary:  "Somebody is told when API calls are denied.",
		guide:    []guide.ID{guide.OperationsMetricsAuthorizationFailures},
		severity: rule.Medium,
		controls: mapped(cis("4.1"), nist("SI-4(5)", "AC-6")),
		signals:  deniedSignals(),
		fix:      byFilter, url: trailAlarms,
	},
	{
		name:     "alarm-s3-public-access-changes",
		summary:  "Somebody is told when the policy, the access list or the public access block of a bucket changes.",
		guide:    []guide.ID{guide.OperationsMediumS3PublicAccess},
		severity: rule.Medium,
		controls: mapped(cis("4.8"), nist("SI-4(5)", "AC-3")),
		// CloudTrail calls PutPublicAccessBlock by another name than the API, and
		// CIS's filter has neither.
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
		signals: calls("s3", "PutBucketPolicy", "PutBucketAcl", "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"),
		fix:     byFilter + orByRule, url: trailAlarms,
	},
	{
		name:     "alarm-cloudtrail-config-changes",
		summary:  "Somebody is told when a trail or AWS Config's recorder is changed or stopped.",
		guide:    []guide.ID{guide.OperationsLowConfigurationChanges},
		severity: rule.Medium,
		controls: mapped(cis("4.5", "4.9"), nist("AU-9", "SI-4(5)")),
		signals: slices.Concat(
			calls("cloudtrail", "CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
			calls("config", "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder")),
		fix: byFilter + orByRule, url: trailAlarms,
	},
	{
		name:     "alarm-network-changes",
		summary:  "Somebody is told when network ACLs, gateways, routes or VPCs change.",
		guide:    []guide.ID{guide.OperationsLowConfigurationChanges},
		severity: rule.Low,
		controls: mapped(cis("4.11", "4.12", "4.13", "4.14"), nist("SI-4(5)", "CM-3")),
		signals: calls("ec2",
			"CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation",
			"CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway", "DeleteInternetGateway", "DetachInternetGateway",
			"CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable", "DeleteRoute", "DisassociateRouteTable",
			"CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection",
			"DeleteVpcPeeringConnection", "RejectVpcPeeringConnection"),
		fix: byFilter + orByRule, url: trailAlarms,
	},
	{
		name:     "alert-resource-creation-and-tag-changes",
		summary:  "Somebody can read which resources were created and which tags changed.",
		guide:    []guide.ID{guide.OperationsLowResourceCreation, guide.OperationsLowTagModifications},
		severity: rule.Low,
		controls: mapped(nist("CM-3", "CM-8")),
		signals:  inventorySignals(),
		fix: `cloudwatch.EventRuleArgs{EventPattern: pulumi.String("{\"source\":[\"aws.tag\"],\"detail-type\":[\"Tag Change on Resource\"]}")} ` +
			`and one on what Create calls CloudTrail has, each with cloudwatch.EventTargetArgs{Arn: topic.Arn}`,
		url: "https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html",
	},
}

// alerts are the alerts as rules.
var alerts = func() []rule.Rule {
	out := make([]rule.Rule, len(accountAlerts))
	for i, a := range accountAlerts {
		out[i] = a.rule()
	}
	return out
}()

func (a alert) rule() rule.Rule {
	return rule.Rule{
		Name: a.name, Summary: a.summary, Guide: a.guide, Severity: a.severity, Level: rule.Advisory, Controls: a.controls,
		Types: []string{stackType},
		Params: []rule.Param{{
			Name: "topic", Kind: rule.String, Default: anyTopic,
			Description: "The name of the topic that must be told, with * for any text: for example *-high. By default any topic, function or state machine.",
		}},
		CheckStack: a.judge,
		Fix:        a.fix, URL: a.url,
	}
}

// stackType is the stack itself, which rules about presence judge.
const stackType = "pulumi:pulumi:Stack"

func (a alert) judge(s *rule.Stack, _ *rule.Resource, p rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	o := listen(s, p.Str("topic"))
	out := rule.Pass()
	var unheard []string
	for _, g := range a.signals {
		v, heard := o.hear(g)
		if !heard {
			unheard = append(unheard, g.name)
			continue
		}
		out = rule.All(out, v)
	}
	if len(unheard) > 0 {
		out = rule.All(out, rule.Fail("no metric filter and no event rule matches %s", strings.Join(unheard, ", ")))
	}
	return out
}
