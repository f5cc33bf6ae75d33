package monitoring

import (
	"redoubt/infra/identity"
)

// publisher is a service that publishes alerts.
type publisher struct {
	sid, service string
	// source is the ARN of what it publishes for; nil where it does not tell.
	source func(identity.Scope) string
	// bare says that the service sends no aws:SourceAccount either.
	bare bool
}

// publishers are everyone whose alerts the topics take.
var publishers = []publisher{
	// EventBridge sends no condition keys when it publishes to a topic; a
	// statement with a condition drops its events.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
	{sid: "AllowEvents", service: "events.amazonaws.com", bare: true},
	{sid: "AllowAlarms", service: "cloudwatch.amazonaws.com", source: func(s identity.Scope) string { return s.ARN("cloudwatch", "alarm:*") }},
	// https://docs.aws.amazon.com/cost-management/latest/userguide/ad-SNS.html
	{sid: "AllowCostAnomalies", service: "costalerts.amazonaws.com"},
	// https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html
	{sid: "AllowDatabaseEvents", service: "events.rds.amazonaws.com", source: func(s identity.Scope) string { return s.ARN("rds", "es:*") }},
	// https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-notifications.html
	{sid: "AllowBackup", service: "backup.amazonaws.com", bare: true},
	// Replication failures, which S3 does not tell EventBridge. The names of
	// the buckets are the world's, the account is the condition.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
	{sid: "AllowBuckets", service: "s3.amazonaws.com"},
	{sid: "AllowBudgets", service: "budgets.amazonaws.com", source: func(s identity.Scope) string { return s.GlobalARN("budgets", "*") }},
}

// topicPolicy is who may publish to a topic, and that all of it is encrypted
// on the way.
func topicPolicy(scope identity.Scope, topic string) identity.Document {
	arn := scope.ARN("sns", topic)
	var doc identity.Document
	for _, p := range publishers {
		s := identity.Statement{
			Sid: p.sid, Effect: identity.Allow, Principals: identity.Principals{Service: []string{p.service}},
			Actions: []string{"sns:Publish"}, Resources: []string{arn},
		}
		if !p.bare {
			s.Conditions = append(s.Conditions, identity.Condition{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{scope.AccountID}})
		}
		if p.source != nil {
			s.Conditions = append(s.Conditions, identity.Condition{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{p.source(scope)}})
		}
		doc = append(doc, s)
	}
	return append(doc, overTLS("sns:Publish", arn))
}

// queueWriter lets a service put what comes from the sources into a queue.
func queueWriter(sid, service, queue string, sources []string) identity.Statement {
	return identity.Statement{
		Sid: sid, Effect: identity.Allow, Principals: identity.Principals{Service: []string{service}},
		Actions: []string{"sqs:SendMessage"}, Resources: []string{queue},
		Conditions: []identity.Condition{{Test: "ArnLike", Key: "aws:SourceArn", Values: sources}},
	}
}

// overTLS denies what does not come encrypted.
func overTLS(action, resource string) identity.Statement {
	return identity.Statement{
		Sid: "DenyInsecureTransport", Effect: identity.Deny, Principals: identity.Principals{Any: true},
		Actions: []string{action}, Resources: []string{resource},
		Conditions: []identity.Condition{{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
	}
}
