package rules

import (
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// messaging holds the rules about topics and queues.
var messaging = []rule.Rule{
	{
		Name:     "sns-topic-cmk",
		Summary:  "A topic is encrypted with a customer managed key.",
		Guide:    []guide.ID{guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("SNS.1"), nist("SC-28"), pci("3.5.1", "8.3.2")),
		Types:    []string{"sns/topic"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			key := r.Get("kmsMasterKeyId")
			if name, _ := key.Str(); strings.HasSuffix(name, "alias/aws/sns") {
				return rule.Fail("%s is AWS's own key: who may read the messages is not up to you", key.Path())
			}
			return key.Set("the messages are not encrypted with a key")
		},
		Fix: `sns.TopicArgs{KmsMasterKeyId: key.ID()}`,
		URL: "https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html",
	},
	{
		Name:     "sns-subscription-no-plain-http",
		Summary:  "A subscription is not delivered over plain HTTP.",
		Guide:    []guide.ID{guide.OverviewDataTLS},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"sns/topicSubscription"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			v := r.Get("protocol")
			switch protocol, _ := v.Str(); {
			case v.Unknown():
				return rule.Unsure("protocol is unknown")
			case protocol == "http":
				return rule.Fail("protocol is %s: whoever is on the way reads the messages", v.Show())
			default:
				return rule.Pass()
			}
		},
		Fix: `sns.TopicSubscriptionArgs{Protocol: pulumi.String("https"), Endpoint: pulumi.String("https://…")}`,
		URL: "https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
	},
	{
		Name:     "sns-sqs-tls-only",
		Summary:  "The policy of a topic or queue denies requests that are not over TLS.",
		Guide:    []guide.ID{guide.OverviewDataTLS},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    []string{"sns/topicPolicy", "sqs/queuePolicy"},
		Check:    messagesOverTLS,
		Fix: `a statement {Effect: Deny, Principal: "*", Action: "sns:Publish" or "sqs:*", Resource: …, ` +
			`Condition: {Bool: {"aws:SecureTransport": "false"}}}`,
		URL: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
	},
	{
		Name:     "sqs-encrypted-with-dlq",
		Summary:  "A queue is encrypted, and one that functions read has a dead-letter queue for the messages that they fail on.",
		Guide:    []guide.ID{guide.OverviewDataKMS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(fsbp("SQS.1"), nist("SC-28", "AU-5")),
		Types:      []string{"sqs/queue"},
		CheckStack: encryptedWithDLQ,
		Fix:        `sqs.QueueArgs{KmsMasterKeyId: key.ID(), RedrivePolicy: …} with "deadLetterTargetArn" and "maxReceiveCount" in the policy's JSON`,
		URL:        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
	},
}

// messagesOverTLS asks for a denial of what writes: publishing and sending.
func messagesOverTLS(r *rule.Resource, _ rule.Params) rule.Verdict {
	action := "sns:Publish"
	if r.Is("sqs/queuePolicy") {
		action = "sqs:SendMessage"
	}
	doc, v := r.Document("policy")
	if v.Outcome != rule.Passed {
		return v
	}
	for _, st := range doc.Statements {
		if st.Effect == "Deny" && st.AnyPrincipal() && st.Grants(action) && onlyForPlaintext(st) {
			return rule.Pass()
		}
	}
	return rule.Fail("no statement of policy denies every principal %s when aws:SecureTransport is false", action)
}

// encryptedWithDLQ judges a queue. SQS encrypts a queue with a key of its own
// unless it is told not to, since October 2022. Only what is received too often
// goes to a dead-letter queue, so that an archive, which nobody reads, needs none.
func encryptedWithDLQ(s *rule.Stack, queue *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	if queue.Get("kmsMasterKeyId").Empty() {
		if v := queue.Get("sqsManagedSseEnabled"); v.Present() {
			out = v.True("the messages are not encrypted")
		}
	}
	if queue.Get("redrivePolicy").Empty() && len(s.Pointing(queue, "eventSourceArn", "lambda/eventSourceMapping")) > 0 {
		out = rule.All(out, dlqElsewhere(s, queue))
	}
	return out
}

// dlqElsewhere looks for a redrive policy in a resource of its own.
func dlqElsewhere(s *rule.Stack, queue *rule.Resource) rule.Verdict {
	if len(s.Pointing(queue, "queueUrl", "sqs/redrivePolicy")) > 0 {
		return rule.Pass()
	}
	return missing(s, "queueUrl", "sqs/redrivePolicy", "sqs/queue",
		"redrivePolicy is not set: a message that the function fails on comes back until it expires")
}
