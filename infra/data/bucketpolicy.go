package data

import (
	"fmt"

	"redoubt/infra/identity"
)

// BucketWriter is a service that writes logs into a bucket.
type BucketWriter string

// The services that write logs into buckets.
const (
	// ServerAccessLogs are S3's own, of the buckets named SourcePrefix….
	ServerAccessLogs BucketWriter = "server-access-logs"
	// LoadBalancerLogs are access and connection logs of load balancers.
	LoadBalancerLogs BucketWriter = "load-balancer-logs"
	// DeliveredLogs are flow logs, WAF logs and others of vended log delivery.
	DeliveredLogs BucketWriter = "delivered-logs"
	// TrailLogs are CloudTrail's.
	TrailLogs BucketWriter = "trail-logs"
	// ConfigHistory is AWS Config's.
	ConfigHistory BucketWriter = "config-history"
	// GuardDutyFindings are exported findings.
	GuardDutyFindings BucketWriter = "guardduty-findings"
)

// bucketWriter is what a service needs of the policy.
type bucketWriter struct {
	// s3KeyOnly says that it cannot write into a bucket with a KMS key.
	s3KeyOnly bool
	// unlocked says that it cannot write under an object lock.
	unlocked   bool
	statements []serviceStatement
}

var ownerControl = identity.Condition{Test: "StringEquals", Key: "s3:x-amz-acl", Values: []string{"bucket-owner-full-control"}}

// from is a condition on the source's ARN, built as a string: the source does
// not exist yet when the policy must.
func from(arn string) identity.Condition {
	return identity.Condition{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{arn}}
}

var bucketWriters = map[BucketWriter]bucketWriter{
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
	ServerAccessLogs: {s3KeyOnly: true, statements: []serviceStatement{{
		sid: "AllowServerAccessLogs", service: "logging.s3.amazonaws.com",
		actions: []string{"s3:PutObject"}, resources: []string{"{bucket}/s3/*"},
		conditions: []identity.Condition{fromAccount, from("arn:{partition}:s3:::{sourcePrefix}*")},
	}}},
	// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
	LoadBalancerLogs: {s3KeyOnly: true, statements: []serviceStatement{{
		sid: "AllowLoadBalancerLogs", service: "logdelivery.elasticloadbalancing.amazonaws.com",
		actions: []string{"s3:PutObject"}, resources: []string{"{bucket}/AWSLogs/{account}/*", "{bucket}/*/AWSLogs/{account}/*"},
		conditions: []identity.Condition{fromAccount},
	}}},
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
	DeliveredLogs: {statements: []serviceStatement{{
		sid: "AllowDeliveredLogs", service: "delivery.logs.amazonaws.com",
		actions: []string{"s3:PutObject"}, resources: []string{"{bucket}/AWSLogs/{account}/*", "{bucket}/*/AWSLogs/{account}/*"},
		conditions: []identity.Condition{ownerControl, fromAccount, from("arn:{partition}:logs:{region}:{account}:*")},
	}, {
		sid: "AllowDeliveredLogsCheck", service: "delivery.logs.amazonaws.com",
		actions: []string{"s3:GetBucketAcl", "s3:ListBucket"}, resources: []string{"{bucket}"},
		conditions: []identity.Condition{fromAccount, from("arn:{partition}:logs:{region}:{account}:*")},
	}}},
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
	TrailLogs: {statements: []serviceStatement{{
		sid: "AllowTrailLogs", service: "cloudtrail.amazonaws.com",
		actions: []string{"s3:PutObject"}, resources: []string{"{bucket}/AWSLogs/{account}/*"},
		conditions: []identity.Condition{ownerControl, from("arn:{partition}:cloudtrail:{region}:{account}:trail/*")},
	}, {
		sid: "AllowTrailCheck", service: "cloudtrail.amazonaws.com",
		actions: []string{"s3:GetBucketAcl"}, resources: []string{"{bucket}"},
		conditions: []identity.Condition{from("arn:{partition}:cloudtrail:{region}:{account}:trail/*")},
	}}},
	// https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html,
	// and for the lock .../manage-delivery-channel.html
	ConfigHistory: {unlocked: true, statements: []serviceStatement{{
		sid: "AllowConfigHistory", service: "config.amazonaws.com",
		actions: []string{"s3:PutObject"}, resources: []string{"{bucket}/AWSLogs/{account}/Config/*"},
		conditions: []identity.Condition{ownerControl, fromAccount},
	}, {
		sid: "AllowConfigCheck", service: "config.amazonaws.com",
		actions: []string{"s3:GetBucketAcl", "s3:ListBucket"}, resources: []string{"{bucket}"},
		conditions: []identity.Condition{fromAccount},
	}}},
	// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html
	GuardDutyFindings: {statements: []serviceStatement{{
		sid: "AllowGuardDutyFindings", service: "guardduty.amazonaws.com", regionalIfOptIn: true,
		actions: []string{"s3:PutObject"}, resources: []string{"{bucket}/*"},
		conditions: []identity.Condition{fromAccount, from("arn:{partition}:guardduty:{region}:{account}:detector/*")},
	}, {
		sid: "AllowGuardDutyCheck", service: "guardduty.amazonaws.com", regionalIfOptIn: true,
		actions: []string{"s3:GetBucketLocation"}, resources: []string{"{bucket}"},
		conditions: []identity.Condition{fromAccount, from("arn:{partition}:guardduty:{region}:{account}:detector/*")},
	}}},
}

// loadBalancerAccounts are the accounts from which load balancers write their
// logs in regions that were there before August 2022; newer regions know the
// service principal only.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
var loadBalancerAccounts = map[string]string{
	"af-south-1": "098369216593", "ap-east-1": "754344448648", "ap-northeast-1": "582318560864",
	"ap-northeast-2": "600734575887", "ap-northeast-3": "383597477331", "ap-south-1": "718504428378",
	"ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266", "ap-southeast-3": "589379963580",
	"ca-central-1": "985666609251", "cn-north-1": "638102146993", "cn-northwest-1": "037604701340",
	"eu-central-1": "054676820928", "eu-north-1": "897822967062", "eu-south-1": "635631232127",
	"eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-west-3": "009996457667",
	"me-south-1": "076674570225", "sa-east-1": "507241528517", "us-east-1": "127311923021",
	"us-east-2": "033677994240", "us-gov-east-1": "190560391635", "us-gov-west-1": "048591011584",
	"us-west-1": "027434742980", "us-west-2": "797873946194",
}

// policy is the bucket's policy: no plain HTTP, no old TLS, no foreign
// encryption, and the writers.
func (args *BucketArgs) policy() (string, error) {
	arn := args.Scope.GlobalARN("s3", args.BucketName)
	doc := transportStatements(arn)
	if bucketKinds[args.Kind].ownWriters {
		doc = append(doc, encryptionStatements(arn)...)
	}
	if args.DenyDeletion {
		doc = append(doc, identity.Statement{
			Sid: "DenyDeletion", Effect: identity.Deny, Principals: identity.Principals{Any: true},
			Actions: []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, Resources: []string{objects(arn)},
		})
	}
	for _, w := range args.Writers {
		doc = append(doc, statements(writerRows(w, args.Scope.Region), args.Scope,
			[]string{"{bucket}", arn, "{sourcePrefix}", args.SourcePrefix})...)
	}
	for _, r := range args.Readers {
		doc = append(doc, statements(bucketReaders[r], args.Scope, []string{"{bucket}", arn})...)
	}
	text, err := doc.JSON(identity.BucketPolicy)
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	return text, nil
}

func writerRows(w BucketWriter, region string) []serviceStatement {
	rows := bucketWriters[w].statements
	account, old := loadBalancerAccounts[region]
	if w != LoadBalancerLogs || !old {
		return rows
	}
	return append(rows[:len(rows):len(rows)], serviceStatement{
		sid: "AllowLoadBalancerAccount", aws: "arn:{partition}:iam::" + account + ":root",
		actions: rows[0].actions, resources: rows[0].resources,
	})
}

// transportStatements deny what does not come over TLS 1.2 or newer, on the
// bucket and on its objects.
func transportStatements(arn string) identity.Document {
	deny := func(sid string, c identity.Condition) identity.Statement {
		return identity.Statement{
			Sid: sid, Effect: identity.Deny, Principals: identity.Principals{Any: true},
			Actions: []string{"s3:*"}, Resources: []string{arn, objects(arn)},
			Conditions: []identity.Condition{c},
		}
	}
	return identity.Document{
		deny("DenyInsecureTransport", identity.Condition{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}),
		deny("DenyOldTLS", identity.Condition{Test: "NumericLessThan", Key: "s3:TlsVersion", Values: []string{"1.2"}}),
	}
}

// encryptionStatements deny writes that ask for less than the bucket's key,
// and those with a key of the caller's own (SSE-C), the way of ransomware to
// make objects unreadable. Writes that ask for nothing get the bucket's key:
// the Null test keeps them out of the Deny, because a negated operator matches
// a missing header.
func encryptionStatements(arn string) identity.Document {
	deny := func(sid string, cs ...identity.Condition) identity.Statement {
		return identity.Statement{
			Sid: sid, Effect: identity.Deny, Principals: identity.Principals{Any: true},
			Actions: []string{"s3:PutObject"}, Resources: []string{objects(arn)},
			Conditions: cs,
		}
	}
	const header = "s3:x-amz-server-side-encryption"
	return identity.Document{
		deny("DenyOtherEncryption",
			identity.Condition{Test: "Null", Key: header, Values: []string{"false"}},
			identity.Condition{Test: "StringNotEquals", Key: header, Values: []string{"aws:kms"}}),
		deny("DenyCallerKeys",
			identity.Condition{Test: "Null", Key: header + "-customer-algorithm", Values: []string{"false"}}),
	}
}
