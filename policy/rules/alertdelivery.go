package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// everyProtocol is what a subscription may have.
var everyProtocol = []string{"application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"}

// alertDelivery holds the rules about the way from an alarm to a person. Each
// part of it can be there and pass nothing on: AWS tells nobody.
var alertDelivery = []rule.Rule{
	{
		Name:     "alarm-has-actions-enabled",
		Summary:  "An alarm tells somebody: by an action, by a composite alarm, or by an event rule on its state.",
		Guide:    []guide.ID{guide.ResponseDetectionMonitorAlerts},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("CloudWatch.15", "CloudWatch.17"), nist("SI-4(5)", "AU-6(1)"), pci("10.2.1.1", "10.4.1", "10.4.1.1")),
		Types:      []string{"cloudwatch/metricAlarm", "cloudwatch/compositeAlarm"},
		CheckStack: alarmTells,
		Fix:        `cloudwatch.MetricAlarmArgs{AlarmActions: pulumi.Array{topic.Arn}, ActionsEnabled: pulumi.Bool(true)}`,
		URL:        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html",
	},
	{
		Name:     "alarm-path-reaches-a-human",
		Summary:  "A topic that alarms or event rules publish to has subscribers.",
		Guide:    []guide.ID{guide.ResponseDetectionMonitorAlerts, guide.ResponseTeamOnCall},
		Severity: rule.High, Level: rule.Advisory, // the subscribers may live in another stack
		Controls: mapped(nist("IR-6", "SI-4(5)")),
		Types:    []string{"sns/topic"},
		Params: []rule.Param{{
			Name: "protocols", Kind: rule.Strings, Default: everyProtocol, Enum: everyProtocol,
			Description: "The protocols of a subscription that counts. Without sqs and firehose, an archive alone is not enough.",
		}},
		CheckStack: topicSubscribed,
		Fix:        `sns.NewTopicSubscription with sns.TopicSubscriptionArgs{Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: …}`,
		URL:        "https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html",
	},
	{
		Name:     "alert-topic-policy-allows-publisher",
		Summary:  "The policy of a topic lets CloudWatch and EventBridge publish the alerts that they send to it.",
		Guide:    []guide.ID{guide.ResponseDetectionMonitorAlerts},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("SI-4(5)")),
		Types:      []string{"sns/topic"},
		CheckStack: topicTakes,
		Fix: `sns.TopicPolicyArgs{Policy: …} with a statement for the service principals events.amazonaws.com (without conditions) and ` +
			`cloudwatch.amazonaws.com: sns:Publish`,
		URL: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
	},
	{
		Name:     "alert-topic-key-usable-by-publisher",
		Summary:  "The key of an encrypted topic lets CloudWatch and EventBridge use it, without which their alerts are dropped.",
		Guide:    []guide.ID{guide.ResponseDetectionMonitorAlerts, guide.PracticesKMSKeyPolicies},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("SI-4(5)", "SC-12")),
		Types:      []string{"sns/topic"},
		CheckStack: topicKeyUsable,
		Fix: `kms.KeyArgs{Policy: …} with a statement for the service principals of the publishers: kms:GenerateDataKey*, kms:Decrypt; ` +
			`a customer managed key, because the policy of alias/aws/sns cannot be changed`,
		URL: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
	},
	{
		Name:     "event-target-dlq",
		Summary:  "An event rule's target has a dead-letter queue for what cannot be delivered.",
		Guide:    []guide.ID{guide.ResponseDetectionMonitorAlerts},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AU-5")),
		Types:    []string{"cloudwatch/eventTarget"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("deadLetterConfig.arn").Set("an event that cannot be delivered is gone after the retries")
		},
		Fix: `cloudwatch.EventTargetArgs{DeadLetterConfig: &cloudwatch.EventTargetDeadLetterConfigArgs{Arn: queue.Arn}}`,
		URL: "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
	},
}

func alarmTells(s *rule.Stack, alarm *rule.Resource, _ rule.Params) rule.Verdict {
	v := alarmActs(s, alarm, anyTopic)
	if v.Outcome == rule.Passed {
		return v
	}
	return rule.Any(v, stateHeard(s, alarm))
}

// stateHeard is the verdict of the third way: an event rule on the alarm's state.
func stateHeard(s *rule.Stack, alarm *rule.Resource) rule.Verdict {
	name, known := alarm.Get("name").Str()
	if alarm.Is("cloudwatch/compositeAlarm") {
		name, known = alarm.Get("alarmName").Str()
	}
	heard := listen(s, anyTopic).rules
	switch {
	case !known && len(heard) > 0:
		return rule.Unsure("the name of %s is unknown", alarm.Label())
	case !known:
		return rule.Skip()
	}
	changed := onBus("", "aws.cloudwatch", "CloudWatch Alarm State Change", map[string]any{
		"alarmName": name, "state": map[string]any{"value": "ALARM"}, "previousState": map[string]any{"value": "OK"},
	})
	out := rule.Skip()
	for _, e := range heard {
		told := e.delivery()
		if sendsOn(s, e.r) {
			told = rule.Pass()
		}
		switch v := rule.All(e.about(changed), told); v.Outcome {
		case rule.Passed:
			return v
		case rule.Undetermined:
			out = v
		}
	}
	return out
}

// publisher is a service that publishes alerts to a topic.
type publisher struct {
	service string
	from    []*rule.Resource
}

// publishers are the services that send alerts to the topic in this stack.
func publishers(s *rule.Stack, topic *rule.Resource) []publisher {
	cloudwatch := publisher{service: "cloudwatch.amazonaws.com"}
	for _, typ := range []string{"cloudwatch/metricAlarm", "cloudwatch/compositeAlarm"} {
		for _, actions := range []string{"alarmActions", "okActions", "insufficientDataActions"} {
			cloudwatch.from = append(cloudwatch.from, s.Pointing(topic, actions, typ)...)
		}
	}
	events := publisher{service: "events.amazonaws.com"}
	for _, t := range s.Pointing(topic, "arn", "cloudwatch/eventTarget") {
		if t.Get("roleArn").Empty() { // with a role, it is the role that publishes
			events.from = append(events.from, t)
		}
	}
	return slices.DeleteFunc([]publisher{cloudwatch, events}, func(p publisher) bool { return len(p.from) == 0 })
}

func topicSubscribed(s *rule.Stack, topic *rule.Resource, p rule.Params) rule.Verdict {
	if len(publishers(s, topic)) == 0 && len(s.Pointing(topic, "arn", "cloudwatch/eventTarget")) == 0 {
		return rule.Skip()
	}
	for _, l := range chatChannels {
		if len(s.Pointing(topic, l.property, l.from)) > 0 {
			return rule.Pass()
		}
	}
	var parts []rule.Verdict
	for _, sub := range s.Pointing(topic, "topic", "sns/topicSubscription") {
		parts = append(parts, oneOf(sub.Get("protocol"), p.Strs("protocols"), "it does not count"))
	}
	if len(parts) == 0 {
		parts = append(parts, missing(s, "topic", "sns/topicSubscription", "sns/topic", "nobody subscribes: what is published to the topic is lost"))
	}
	return unlessLinked(s, rule.Any(parts...), chatChannels...)
}

// chatChannels show what is published to a topic to the people of a channel.
var chatChannels = []link{
	{"snsTopicArns", "chatbot/slackChannelConfiguration", "sns/topic"},
	{"snsTopicArns", "chatbot/teamsChannelConfiguration", "sns/topic"},
}

func topicTakes(s *rule.Stack, topic *rule.Resource, _ rule.Params) rule.Verdict {
	from := publishers(s, topic)
	if len(from) == 0 {
		return rule.Skip()
	}
	holders := s.Pointing(topic, "arn", "sns/topicPolicy")
	if !topic.Get("policy").Empty() {
		holders = append(holders, topic)
	}
	out := rule.Pass()
	for _, p := range from {
		out = rule.All(out, p.mayPublish(s, holders))
	}
	return out
}

// mayPublish is the verdict of a topic's policies for one publisher. The policy
// that AWS gives a topic lets the account's alarms publish, and no event rule.
func (p publisher) mayPublish(s *rule.Stack, holders []*rule.Resource) rule.Verdict {
	if len(holders) == 0 {
		if p.service == "cloudwatch.amazonaws.com" {
			return rule.Pass()
		}
		return missing(s, "arn", "sns/topicPolicy", "sns/topic",
			"the topic has AWS's own policy, which drops what "+p.from[0].Label()+" sends")
	}
	var parts []rule.Verdict
	for _, h := range holders {
		doc, v := h.Document("policy")
		if v.Outcome == rule.Passed {
			v = p.allowed(doc, h, "sns:Publish")
		}
		parts = append(parts, v)
	}
	return rule.Any(parts...)
}

// allowed is the verdict of a document that must allow the publisher the actions.
func (p publisher) allowed(doc rule.Document, holder *rule.Resource, actions ...string) rule.Verdict {
	granted := map[string]bool{}
	for _, st := range doc.Statements {
		for _, action := range actions {
			granted[action] = granted[action] || st.Allows() && p.covered(st) && st.Grants(action)
		}
	}
	for _, action := range actions {
		if !granted[action] {
			return rule.Fail("no statement of %s allows %s %s: the alerts of %s are dropped", holder.Label(), p.service, action, p.from[0].Label())
		}
	}
	return rule.Pass()
}

// covered says that the statement is for the publisher. EventBridge sends no
// condition keys, so that a condition keeps it out; an account's own alarms pass
// where everybody of the account may publish.
func (p publisher) covered(st rule.Statement) bool {
	for _, of := range st.Principals {
		switch {
		case of.Type == "Service" && of.ID == p.service:
			return p.service != "events.amazonaws.com" || len(st.Conditions) == 0
		case of.ID == "*":
			return p.service == "cloudwatch.amazonaws.com" || len(st.Conditions) == 0
		}
	}
	return false
}

func topicKeyUsable(s *rule.Stack, topic *rule.Resource, _ rule.Params) rule.Verdict {
	from := publishers(s, topic)
	key := topic.Get("kmsMasterKeyId")
	if len(from) == 0 || key.Empty() {
		return rule.Skip()
	}
	if name, _ := key.Str(); strings.HasSuffix(name, "alias/aws/sns") {
		return rule.Fail("%s is AWS's own key, which lets neither CloudWatch nor EventBridge publish", key.Path())
	}
	keys := s.Refs(topic, "kmsMasterKeyId", "kms/key", "kms/replicaKey", "kms/alias")
	out := rule.Skip()
	for _, k := range keysBehind(s, keys.Targets) {
		for _, p := range from {
			out = rule.All(out, p.mayUse(s, k))
		}
	}
	if out.Outcome == rule.NotApplicable {
		return rule.Unsure("the key of %s is not in this stack", topic.Label())
	}
	return out
}

// keysBehind follows aliases to their keys.
func keysBehind(s *rule.Stack, targets []*rule.Resource) []*rule.Resource {
	var out []*rule.Resource
	for _, t := range targets {
		if t.Is("kms/alias") {
			out = append(out, s.Refs(t, "targetKeyId", "kms/key", "kms/replicaKey").Targets...)
			continue
		}
		out = append(out, t)
	}
	return out
}

func (p publisher) mayUse(s *rule.Stack, key *rule.Resource) rule.Verdict {
	holders := s.Pointing(key, "keyId", "kms/keyPolicy")
	if !key.Get("policy").Empty() {
		holders = append(holders, key)
	}
	if len(holders) == 0 {
		return missing(s, "keyId", "kms/keyPolicy", key.Type, key.Label()+" has the default policy, which does not name "+p.service)
	}
	var parts []rule.Verdict
	for _, h := range holders {
		doc, v := h.Document("policy")
		if v.Outcome == rule.Passed {
			v = p.usable(doc, h)
		}
		parts = append(parts, v)
	}
	return rule.Any(parts...)
}

// usable is allowed with any condition: which context SNS sends with a request
// is its own affair.
func (p publisher) usable(doc rule.Document, holder *rule.Resource) rule.Verdict {
	doc.Statements = slices.Clone(doc.Statements)
	for i := range doc.Statements {
		doc.Statements[i].Conditions = nil
	}
	return p.allowed(doc, holder, "kms:GenerateDataKey", "kms:Decrypt")
}
