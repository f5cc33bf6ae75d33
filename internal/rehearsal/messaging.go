package rehearsal

import (
	"regexp"
	"slices"
)

const (
	docsTopic     = "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html"
	docsSubscribe = "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"
	docsQueue     = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"
)

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.fifo)?$`)

// messagingKinds are topics and queues.
var messagingKinds = []kind{
	{
		token: "aws:sns/topic:Topic", noun: "SNS Topic", service: "SNS", action: "Topic",
		id: "{arn}", arn: "arn:{partition}:sns:{region}:{account}:{name}",
		computed: props{"owner": "{account}", "signatureVersion": 1, "tracingConfig": "PassThrough", "beginningArchiveTime": "", "policy": "", "fifoThroughputScope": ""},
		replaces: []string{"fifoTopic", "name", "namePrefix"}, refs: refer(toKey, "kmsMasterKeyId"),
		unique: []unique{{key: "{name}", code: "InvalidParameter", message: "Invalid parameter: the topic {name} already exists with other attributes"}},
		limits: []limit{
			{path: "name", longest: 256, pattern: queueName, meaning: "only letters, digits, _ and - (and .fifo at the end)", source: docsTopic},
			{path: "policy", json: true, source: docsTopic},
		},
		refuses: []refusal{{name: "topic-policy-grammar", code: "InvalidParameter", source: docsTopic, because: policyMalformed("policy")}},
	},
	{
		token: "aws:sns/topicSubscription:TopicSubscription", noun: "SNS Topic Subscription", service: "SNS", action: "Subscription", call: "Subscribe",
		id: "{arn}", arn: "{topic}:{uuid:subscription}",
		defaults: props{"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": false, "rawMessageDelivery": false},
		computed: props{"ownerId": "{account}", "filterPolicyScope": "", "pendingConfirmation": false, "confirmationWasAuthenticated": true},
		replaces: []string{"endpoint", "protocol", "topic"}, refs: refer(toTopic, "topic"),
		limits: []limit{
			{path: "protocol", oneOf: []string{"application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"}, source: docsSubscribe},
			{path: "filterPolicy", json: true, source: docsSubscribe},
			{path: "redrivePolicy", json: true, source: docsSubscribe},
		},
	},
	{
		token: "aws:sns/topicPolicy:TopicPolicy", noun: "SNS Topic Policy", service: "SNS", action: "TopicAttributes", call: "SetTopicAttributes",
		id: "{arn}", computed: props{"owner": "{account}"}, replaces: []string{"arn"}, refs: refer(toTopic, "arn"),
		limits:  []limit{{path: "policy", json: true, source: docsTopic}},
		refuses: []refusal{{name: "topic-policy-grammar", code: "InvalidParameter", source: docsTopic, because: policyMalformed("policy")}},
	},
	{
		token: "aws:sqs/queue:Queue", noun: "SQS Queue", service: "SQS", action: "Queue",
		id: "{url}", arn: "arn:{partition}:sqs:{region}:{account}:{name}",
		defaults: props{"delaySeconds": 0, "maxMessageSize": 262144, "messageRetentionSeconds": 345600, "receiveWaitTimeSeconds": 0, "visibilityTimeoutSeconds": 30},
		computed: props{
			"url": "https://sqs.{region}.{dns}/{account}/{name}", "kmsDataKeyReusePeriodSeconds": 300, "sqsManagedSseEnabled": fresh(func(c *call) any { return c.text("kmsMasterKeyId") == "" }),
			"policy": "", "redrivePolicy": "", "redriveAllowPolicy": "", "deduplicationScope": "", "fifoThroughputLimit": "", "name": "{namePrefix|}{digits26:prefix}",
		},
		replaces: []string{"fifoQueue", "name", "namePrefix"}, refs: refer(toKey, "kmsMasterKeyId"),
		unique: []unique{{key: "{name}", code: "QueueAlreadyExists", message: "A queue already exists with the same name and a different value for an attribute: {name}"}},
		limits: []limit{
			{path: "name", longest: 80, pattern: queueName, meaning: "only letters, digits, _ and - (and .fifo at the end)", source: docsQueue},
			{path: "messageRetentionSeconds", least: 60, most: 1209600, source: docsQueue},
			{path: "visibilityTimeoutSeconds", least: 0, most: 43200, source: docsQueue},
			{path: "delaySeconds", least: 0, most: 900, source: docsQueue},
			{path: "kmsDataKeyReusePeriodSeconds", least: 60, most: 86400, source: docsQueue},
			{path: "policy", json: true, source: docsQueue},
			{path: "redrivePolicy", json: true, source: docsQueue},
		},
		refuses: []refusal{{name: "queue-policy-grammar", code: "InvalidAttributeValue", source: docsQueue, because: policyMalformed("policy")}},
	},
	{
		token: "aws:sqs/queuePolicy:QueuePolicy", noun: "SQS Queue Policy", service: "SQS", action: "QueueAttributes", call: "SetQueueAttributes",
		id: "{queueUrl}", replaces: []string{"queueUrl"}, refs: slices.Concat(refer(toQueue, "queueUrl")),
		limits:  []limit{{path: "policy", json: true, source: docsQueue}},
		refuses: []refusal{{name: "queue-policy-grammar", code: "InvalidAttributeValue", source: docsQueue, because: policyMalformed("policy")}},
	},
}
