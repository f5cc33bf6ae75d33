package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// response holds the rules of "Incident Response".
var response = []rule.Rule{
	{
		Name:     "security-alternate-contact",
		Summary:  "AWS knows whom to call about security: the account has an alternate contact for it.",
		Guide:    []guide.ID{guide.ResponseTeamEmail, guide.ResponseTeamPhone},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(fsbp("Account.1"), cis("1.2"), nist("IR-6"), pci("A1.2.3")),
		Types:      []string{stackType},
		CheckStack: securityContact,
		Fix:        `account.NewAlternativeContact with account.AlternativeContactArgs{AlternateContactType: pulumi.String("SECURITY"), EmailAddress: …, PhoneNumber: …}`,
		URL:        "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html",
	},
	{
		Name:     "ir-quarantine-security-group",
		Summary:  "A VPC with workloads has a security group without rules, to put what is compromised into.",
		Guide:    []guide.ID{guide.ResponseContainmentIsolateResources},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("IR-4")),
		Types:    []string{"ec2/vpc"},
		Params: []rule.Param{{
			Name: "words", Kind: rule.Strings, Default: []string{"quarantine", "isolation"},
			Description: "What the group's name or one of its tags says.",
		}},
		CheckStack: quarantineReady,
		Fix:        `ec2.SecurityGroupArgs{VpcId: vpc.ID(), Tags: pulumi.StringMap{"purpose": pulumi.String("quarantine")}} without Ingress and Egress`,
		URL:        "https://docs.aws.amazon.com/security-ir/latest/userguide/contain.html",
	},
	{
		Name:     "ir-containment-automation",
		Summary:  "A GuardDuty finding of high severity starts something that contains it and has the permissions for that.",
		Guide:    []guide.ID{guide.ResponseContainmentBlockAccess, guide.ResponseContainmentIsolateResources},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("IR-4(1)")),
		Types:      []string{stackType},
		CheckStack: findingsContained,
		Fix: `cloudwatch.EventRuleArgs{EventPattern: …} on findings of severity 7 and more with cloudwatch.EventTargetArgs{Arn: stateMachine.Arn, RoleArn: role.Arn}, ` +
			`or of a function with lambda.NewPermission for events.amazonaws.com`,
		URL: "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
	},
}

func securityContact(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !posture(s) {
		return rule.Skip()
	}
	parts := []rule.Verdict{rule.Fail("the stack has no account/alternativeContact of the type SECURITY")}
	for _, c := range s.Of("account/alternativeContact", "account/alternateContact") {
		kind := c.Get("alternateContactType")
		of, _ := kind.Str()
		switch {
		case kind.Unknown():
			parts = append(parts, rule.Unsure("the type of %s is unknown", c.Label()))
		case of == "SECURITY":
			parts = append(parts, rule.All(c.Get("emailAddress").Set("nobody is written to"), c.Get("phoneNumber").Set("nobody is called")))
		}
	}
	return rule.Any(parts...)
}

// quarantineReady applies to a VPC of a stack with something to isolate.
func quarantineReady(s *rule.Stack, vpc *rule.Resource, p rule.Params) rule.Verdict {
	if len(s.Of("ec2/instance", "ecs/service")) == 0 {
		return rule.Skip()
	}
	parts := []rule.Verdict{rule.Fail("no security group of the VPC is named or tagged %s", strings.Join(p.Strs("words"), " or "))}
	for _, group := range s.Pointing(vpc, "vpcId", "ec2/securityGroup") {
		if says := saysOneOf(group, p.Strs("words")); says.Outcome != rule.Failed {
			parts = append(parts, rule.All(says, withoutRules(s, group)))
		}
	}
	return unlessLinked(s, rule.Any(parts...), link{"vpcId", "ec2/securityGroup", "ec2/vpc"})
}

// saysOneOf looks for a word in the names and the tags of a resource: Failed is
// that there is none.
func saysOneOf(r *rule.Resource, words []string) rule.Verdict {
	texts, out := []string{r.Name}, rule.Fail("%s does not say it", r.Label())
	for _, v := range append([]rule.Value{r.Get("name"), r.Get("tags.purpose")}, r.Each("tags.Name")...) {
		text, _ := v.Str()
		texts = append(texts, text)
		if v.Unknown() {
			out = rule.Unsure("%s of %s is unknown", v.Path(), r.Label())
		}
	}
	for _, w := range words {
		if strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(w)) {
			return rule.Pass()
		}
	}
	return out
}

func withoutRules(s *rule.Stack, group *rule.Resource) rule.Verdict {
	out := rule.All(
		empty(group.Get("ingress"), group.Label()+" lets traffic in"),
		empty(group.Get("egress"), group.Label()+" lets traffic out"))
	for _, typ := range []string{"ec2/securityGroupRule", "vpc/securityGroupIngressRule", "vpc/securityGroupEgressRule"} {
		for _, r := range s.Pointing(group, "securityGroupId", typ) {
			out = rule.All(out, rule.Fail("%s is a rule of %s", r.Label(), group.Label()))
		}
	}
	return out
}

// findingsContained applies to a stack with a detector and something to contain.
func findingsContained(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if len(s.Of("guardduty/detector")) == 0 || len(s.Of("ec2/instance", "ecs/service", "rds/cluster", "lambda/function")) == 0 {
		return rule.Skip()
	}
	parts := []rule.Verdict{rule.Fail("no event rule starts anything on a finding of high severity")}
	finding := guardDutySignals()[1]
	for _, e := range listen(s, anyTopic).rules {
		m := e.about(finding)
		if m.Outcome == rule.Failed {
			continue
		}
		for _, target := range s.Pointing(e.r, "rule", "cloudwatch/eventTarget") {
			parts = append(parts, rule.All(m, contains(s, target)))
		}
		if s.Loose("rule", "cloudwatch/eventTarget", "cloudwatch/eventRule") {
			parts = append(parts, rule.Unsure("a target belongs to an unknown event rule"))
		}
	}
	return rule.Any(parts...)
}

// contains is the verdict of a target that must act and may be started: a
// function by a permission of it, a state machine or a runbook by a role.
func contains(s *rule.Stack, target *rule.Resource) rule.Verdict {
	refs := s.Refs(target, "arn", "lambda/function", "sfn/stateMachine", "sns/topic", "sqs/queue", "cloudwatch/eventBus")
	for _, t := range refs.Targets {
		switch {
		case t.Is("lambda/function"):
			return startedByEvents(s, t)
		case t.Is("sfn/stateMachine"):
			return target.Get("roleArn").Set("EventBridge may not start " + t.Label())
		}
	}
	for _, v := range refs.External {
		arn, _ := v.Str()
		switch {
		case strings.Contains(arn, ":automation-definition/") || strings.Contains(arn, ":stateMachine:"):
			return target.Get("roleArn").Set("EventBridge may not start what it names")
		case strings.Contains(arn, ":function:"):
			return rule.Unsure("the function of %s is not in this stack", target.Label())
		}
	}
	if refs.Unknown {
		return rule.Unsure("arn of %s is unknown", target.Label())
	}
	return rule.Fail("%s tells, and starts nothing", target.Label())
}

func startedByEvents(s *rule.Stack, function *rule.Resource) rule.Verdict {
	for _, p := range s.Pointing(function, "function", "lambda/permission") {
		principal := p.Get("principal")
		if service, _ := principal.Str(); service == "events.amazonaws.com" {
			return rule.Pass()
		} else if principal.Unknown() {
			return rule.Unsure("principal of %s is unknown", p.Label())
		}
	}
	return missing(s, "function", "lambda/permission", "lambda/function", "no permission lets EventBridge start "+function.Label())
}
