package monitoring

import (
	"maps"
	"strings"
)

// shape is how events of one detail type read to people.
type shape struct {
	// says is the sentence; <name> stands for what is found at the path.
	says string
	// paths are where in the event the names are, beside the envelope's.
	paths map[string]string
}

// envelope is what every event has.
var envelope = map[string]string{
	"account": "$.account", "region": "$.region", "time": "$.time", "event": "$.id",
}

// shapes are the sentences by a rule's shape. A path that an event does not
// have leaves an empty place in the sentence, never a lost alert.
var shapes = map[string]shape{
	"api-call": {
		says: "<actor> called <call> in <place> from <ip>. CloudTrail event <trail>.",
		paths: map[string]string{
			"actor": "$.detail.userIdentity.arn", "call": "$.detail.eventName", "place": "$.detail.awsRegion",
			"ip": "$.detail.sourceIPAddress", "trail": "$.detail.eventID",
		},
	},
	"sign-in": {
		says: "<actor> signed in from <ip>: <result>, with MFA: <mfa>. CloudTrail event <trail>.",
		paths: map[string]string{
			"actor": "$.detail.userIdentity.arn", "ip": "$.detail.sourceIPAddress", "result": "$.detail.responseElements.ConsoleLogin",
			"mfa": "$.detail.additionalEventData.MFAUsed", "trail": "$.detail.eventID",
		},
	},
	"finding": {
		says: "<title> (<type>, severity <severity>). Finding <finding>.",
		paths: map[string]string{
			"title": "$.detail.title", "type": "$.detail.type", "severity": "$.detail.severity", "finding": "$.detail.id",
		},
	},
	"malware": {
		says:  "Object <object> in bucket <bucket>: <threat>.",
		paths: map[string]string{"object": "$.detail.s3ObjectDetails.objectKey", "bucket": "$.detail.s3ObjectDetails.bucketName", "threat": "$.detail.scanResultDetails.threats[0].name"},
	},
	"analyzer": {
		says:  "<resource> is open to everyone. Finding <finding>.",
		paths: map[string]string{"resource": "$.detail.resource", "finding": "$.detail.id"},
	},
	"compliance": {
		says:  "<kind> <resource> breaks <rule>.",
		paths: map[string]string{"kind": "$.detail.resourceType", "resource": "$.detail.resourceId", "rule": "$.detail.configRuleName"},
	},
	"configuration": {
		says: "<kind> <resource> is now <status>.",
		paths: map[string]string{
			"kind": "$.detail.configurationItem.resourceType", "resource": "$.detail.configurationItem.resourceId", "status": "$.detail.configurationItem.configurationItemStatus",
		},
	},
	"resource-event": {says: "<kind>: <resource>.", paths: map[string]string{"kind": "$.detail-type", "resource": "$.resources[0]"}},
	"tags":           {says: "<keys> of <resource>.", paths: map[string]string{"keys": "$.detail.changed-tag-keys", "resource": "$.resources[0]"}},
	"state":          {says: "<kind> <resource>: <state>.", paths: map[string]string{"kind": "$.detail.resourceType", "resource": "$.detail.resourceArn", "state": "$.detail.state"}},
	"deployment":     {says: "<resource>: <reason>", paths: map[string]string{"resource": "$.resources[0]", "reason": "$.detail.reason"}},
	"alarm":          {says: "<alarm>: <reason>", paths: map[string]string{"alarm": "$.detail.alarmName", "reason": "$.detail.state.reason"}},
	"health":         {says: "<code>: <link>.", paths: map[string]string{"code": "$.detail.eventTypeCode", "link": "$.detail.eventArn"}},
	"cost":           {says: "<what>: USD <impact> since <day>. <link>", paths: map[string]string{"what": "$.detail.dimensionValue", "impact": "$.detail.impact.totalImpact", "day": "$.detail.anomalyStartDate", "link": "$.detail.anomalyDetailsLink"}},
	"self-test":      {says: "This <purpose>; nothing to do.", paths: map[string]string{"purpose": "$.detail.purpose"}},
}

// inputPaths are the shape's paths with the envelope's.
func (s shape) inputPaths() map[string]string {
	out := maps.Clone(envelope)
	maps.Copy(out, s.paths)
	return out
}

// sentence is the rule's input template: one JSON string, which EventBridge
// fills and SNS sends as the message.
func (s shape) sentence(r alertRule, prefix string) string {
	return `"[` + strings.ToUpper(string(r.Level)) + " " + prefix + "] " + r.Title + ". " + s.says +
		` Account <account>, <region>, <time>, event <event>."`
}
