package rehearsal

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

const (
	docsBucketNames  = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
	docsBucketPolicy = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html"
	docsReplication  = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html"
	docsObjectLock   = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html"
	docsLogging      = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html"
	docsLifecycle    = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"
)

const versioningToken = "aws:s3/bucketVersioningV2:BucketVersioningV2"

// bucketSides are the resources that set one thing of a bucket; their id is the
// bucket's name, so that a bucket has one of each.
var bucketSides = []kind{
	bucketSide("bucketVersioningV2:BucketVersioningV2", "Versioning", "BucketVersioning",
		[]limit{{path: "versioningConfiguration.status", oneOf: []string{"Enabled", "Suspended", "Disabled"}, source: docsReplication}},
		refusal{name: "versioning-replicated", code: "InvalidBucketState", source: docsReplication, because: suspendedUnderReplication}),
	bucketSide("bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "Server-side Encryption Configuration", "BucketEncryption",
		[]limit{{path: "rules[*].applyServerSideEncryptionByDefault.sseAlgorithm", oneOf: []string{"AES256", "aws:kms", "aws:kms:dsse"}, source: docsBucketPolicy}}),
	bucketSide("bucketPublicAccessBlock:BucketPublicAccessBlock", "Public Access Block", "PublicAccessBlock", nil),
	bucketSide("bucketOwnershipControls:BucketOwnershipControls", "Ownership Controls", "BucketOwnershipControls",
		[]limit{{path: "rule.objectOwnership", oneOf: []string{"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"}, source: docsBucketPolicy}}),
	bucketSide("bucketPolicy:BucketPolicy", "Policy", "BucketPolicy",
		[]limit{{path: "policy", json: true, longest: 20480, source: docsBucketPolicy}},
		refusal{name: "bucket-policy-grammar", code: "MalformedPolicy", source: docsBucketPolicy, because: policyMalformed("policy")},
		refusal{name: "bucket-policy-resource", code: "MalformedPolicy", source: docsBucketPolicy, because: policyOfAnotherBucket},
		refusal{name: "bucket-policy-public", code: "AccessDenied", status: 403, source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html", because: publicThoughBlocked}),
	bucketSide("bucketLoggingV2:BucketLoggingV2", "Logging", "BucketLogging", nil,
		refusal{name: "log-bucket-region", code: "CrossLocationLoggingProhibitted", status: 403, source: docsLogging, because: logsElsewhere},
		refusal{name: "log-bucket-self", code: "InvalidTargetBucketForLogging", source: docsLogging, because: logsItself}),
	bucketSide("bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "Lifecycle Configuration", "BucketLifecycleConfiguration",
		[]limit{{path: "rules[*].status", oneOf: []string{"Enabled", "Disabled"}, source: docsLifecycle}},
		refusal{name: "lifecycle-ids", code: "InvalidRequest", source: docsLifecycle, because: sameRuleTwice("rules[*].id")},
		refusal{name: "lifecycle-order", code: "InvalidArgument", source: docsLifecycle, because: lifecycleOutOfOrder}),
	bucketSide("bucketNotification:BucketNotification", "Notification", "BucketNotificationConfiguration", nil),
	bucketSide("bucketReplicationConfig:BucketReplicationConfig", "Replication Configuration", "BucketReplication", nil,
		refusal{name: "replication-needs-versioning", code: "InvalidRequest", source: docsReplication, because: replicationUnversioned},
		refusal{name: "replication-priority", code: "InvalidRequest", source: docsReplication, because: sameRuleTwice("rules[*].priority")},
		refusal{name: "replication-kms-selection", code: "InvalidRequest", source: "https://github.com/hashicorp/terraform-provider-aws/issues/26241", because: replicaKeyUnselected}),
	bucketSide("bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", "Object Lock Configuration", "ObjectLockConfiguration", nil,
		refusal{name: "object-lock-needs-versioning", code: "InvalidBucketState", status: 409, source: docsObjectLock, because: lockUnversioned}),
}

// s3Kinds are buckets and objects.
var s3Kinds = []kind{
	bucketKind("aws:s3/bucketV2:BucketV2"),
	bucketKind("aws:s3/bucket:Bucket"),
	{
		token: "aws:s3/bucketObjectv2:BucketObjectv2", noun: "S3 Object", service: "S3", action: "Object",
		id: "{bucket}/{key}", arn: "arn:{partition}:s3:::{bucket}/{key}",
		computed: props{
			"versionId": "{alnum32:version}", "etag": "{hex32:etag}", "storageClass": "STANDARD", "serverSideEncryption": "AES256",
			"contentType": "application/octet-stream", "key": "{urnName}",
		},
		replaces: []string{"bucket", "key"}, refs: append(refer(toBucket, "bucket"), refer(toKey, "kmsKeyId")...),
		unique: []unique{{key: "{bucket}/{key}", code: "OperationAborted", message: "{bucket}/{key} exists already"}},
	},
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`)

func bucketKind(token string) kind {
	return kind{
		token: token, noun: "S3 Bucket", service: "S3", action: "Bucket", everywhere: true,
		id: "{bucket}", arn: "arn:{partition}:s3:::{bucket}",
		defaults: props{"forceDestroy": false},
		computed: props{
			"bucket": "{bucketPrefix|}{digits26:prefix}", "bucketDomainName": "{bucket}.s3.{dns}", "bucketRegionalDomainName": "{bucket}.s3.{region}.{dns}",
			"region": "{region}", "hostedZoneId": "Z3{upper12:zone}", "requestPayer": "BucketOwner",
		},
		replaces: inputsOf(token, "bucket", "bucketPrefix", "objectLockEnabled"),
		unique: []unique{{
			key: "{bucket}", everywhere: true, code: "BucketAlreadyOwnedByYou",
			message: "Your previous request to create the named bucket succeeded and you already own it: {bucket}",
		}},
		limits: []limit{{
			path: "bucket", shortest: 3, longest: 63, pattern: bucketName, source: docsBucketNames,
			meaning: "only lower-case letters, digits, dots and hyphens, and a letter or digit at both ends",
		}},
		refuses: []refusal{{name: "bucket-name", at: []operation{opCreate}, code: "InvalidBucketName", source: docsBucketNames, because: badBucketName}},
		blocks: []block{{
			by:     []string{"aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketObject:BucketObject"},
			unless: "forceDestroy", code: "BucketNotEmpty", status: 409, message: "The bucket {id} you tried to delete is not empty",
		}},
	}
}

func bucketSide(path, noun, action string, limits []limit, refuses ...refusal) kind {
	token := "aws:s3/" + path
	return kind{
		token: token, noun: "S3 Bucket " + noun, service: "S3", action: action, call: "Put" + action,
		id: "{bucket}", replaces: inputsOf(token, "bucket", "expectedBucketOwner"),
		refs: refsOf(token, refer(toBucket, "bucket", "targetBucket", "rules[*].destination.bucket"), refer(toRole, "role"),
			refer(toKey, "rules[*].applyServerSideEncryptionByDefault.kmsMasterKeyId", "rules[*].destination.encryptionConfiguration.replicaKmsKeyId"),
			refer(toFunction, "lambdaFunctions[*].lambdaFunctionArn"), refer(toQueue, "queues[*].queueArn"), refer(toTopic, "topics[*].topicArn")),
		unique:  []unique{{key: "{bucket}", code: "OperationAborted", message: "the bucket {bucket} has this configuration already; two resources must not manage it"}},
		limits:  limits,
		refuses: refuses,
	}
}

func badBucketName(c *call) string {
	name := c.text("bucket")
	_, err := netip.ParseAddr(name)
	switch {
	case strings.Contains(name, ".."), err == nil,
		strings.HasPrefix(name, "xn--"), strings.HasPrefix(name, "sthree-"), strings.HasPrefix(name, "amzn-s3-demo-"),
		strings.HasSuffix(name, "-s3alias"), strings.HasSuffix(name, "--ol-s3"), strings.HasSuffix(name, "--x-s3"), strings.HasSuffix(name, ".mrap"):
		return fmt.Sprintf("The specified bucket is not valid: %q is reserved or malformed.", name)
	}
	return ""
}

// side is another resource on a bucket.
func (c *call) side(bucket *record, token string) *call {
	for _, r := range c.users(bucket, token) {
		if r.id == bucket.id {
			k, _ := kindOf(token)
			return c.acct.view(k, r)
		}
	}
	return nil
}

func versioned(c *call, bucket *record) bool {
	v := c.side(bucket, versioningToken)
	return v != nil && v.text("versioningConfiguration.status") == "Enabled"
}

func replicationUnversioned(c *call) string {
	source := c.referred("bucket")
	if source != nil && !versioned(c, source) {
		return fmt.Sprintf("Versioning must be 'Enabled' on the bucket to apply a replication configuration: %s. Make the replication depend on its BucketVersioningV2.", source.id)
	}
	for _, destination := range c.referredAll("rules[*].destination.bucket") {
		if !versioned(c, destination) {
			return fmt.Sprintf("Destination bucket must have versioning enabled: %s. Make the replication depend on its BucketVersioningV2.", destination.id)
		}
	}
	return ""
}

func replicaKeyUnselected(c *call) string {
	for _, rule := range valuesAt(c.state(), "rules[*]") {
		if !rule.IsObject() {
			continue
		}
		withKey := len(stringsAt(rule.ObjectValue(), "destination.encryptionConfiguration.replicaKmsKeyId")) > 0
		selected := slices.Contains(stringsAt(rule.ObjectValue(), "sourceSelectionCriteria.sseKmsEncryptedObjects.status"), "Enabled")
		if withKey != selected {
			return "SseKmsEncryptedObjects and EncryptionConfiguration of a replication rule go together: set both or neither"
		}
	}
	return ""
}

func suspendedUnderReplication(c *call) string {
	if c.op != opUpdate || c.text("versioningConfiguration.status") == "Enabled" {
		return ""
	}
	if bucket := c.referred("bucket"); bucket != nil && c.side(bucket, "aws:s3/bucketReplicationConfig:BucketReplicationConfig") != nil {
		return "A replication configuration is present on this bucket, so the versioning state cannot be changed."
	}
	return ""
}

func lockUnversioned(c *call) string {
	bucket := c.referred("bucket")
	if bucket == nil || versioned(c, bucket) || c.acct.view(c.kind, bucket).truth("objectLockEnabled") {
		return ""
	}
	return fmt.Sprintf("Versioning must be 'Enabled' on the bucket %s to apply an Object Lock configuration.", bucket.id)
}

func logsElsewhere(c *call) string {
	source, target := c.referred("bucket"), c.referred("targetBucket")
	if source == nil || target == nil || source.region == target.region {
		return ""
	}
	return fmt.Sprintf("Cross S3 location logging not allowed: %s is in %s, %s in %s.", source.id, source.region, target.id, target.region)
}

func logsItself(c *call) string {
	if b := c.text("bucket"); b != "" && b == c.text("targetBucket") {
		return b + " would log to itself, and every log entry would make another"
	}
	return ""
}

// sameRuleTwice refuses rules that share what must be their own.
func sameRuleTwice(path string) func(c *call) string {
	return func(c *call) string {
		seen := map[string]bool{}
		for _, v := range valuesAt(c.state(), path) {
			if v.ContainsUnknowns() {
				continue
			}
			s := fmt.Sprint(v.V)
			if seen[s] {
				return fmt.Sprintf("Found duplicate %s in the rules: %s", path[strings.LastIndex(path, ".")+1:], s)
			}
			seen[s] = true
		}
		return ""
	}
}

// lifecycleOutOfOrder refuses transitions that come no later than the one
// before, and an expiration before the last of them.
func lifecycleOutOfOrder(c *call) string {
	for _, rule := range valuesAt(c.state(), "rules[*]") {
		if !rule.IsObject() {
			continue
		}
		last := -1.0
		for _, days := range valuesAt(rule.ObjectValue(), "transitions[*].days") {
			if days.IsNumber() && days.NumberValue() <= last {
				return fmt.Sprintf("'Days' in the transitions must grow: %s comes after %s", number(days.NumberValue()), number(last))
			}
			if days.IsNumber() {
				last = days.NumberValue()
			}
		}
		for _, days := range valuesAt(rule.ObjectValue(), "expiration.days") {
			if days.IsNumber() && days.NumberValue() > 0 && days.NumberValue() <= last {
				return fmt.Sprintf("'Days' in the Expiration action (%s) must be greater than in the last transition (%s)", number(days.NumberValue()), number(last))
			}
		}
	}
	return ""
}

func policyOfAnotherBucket(c *call) string {
	bucket := c.text("bucket")
	d, err := parsePolicy(c.text("policy"))
	if err != nil || bucket == "" {
		return ""
	}
	arn := "arn:" + c.acct.partition + ":s3:::" + bucket
	for _, s := range d.Statement {
		for _, r := range s.Resource {
			if r != "*" && !matches(r, arn) && !strings.HasPrefix(r, arn+"/") && !matches(r, arn+"/x") {
				return fmt.Sprintf("Policy has invalid resource: %s is not of the bucket %s", r, bucket)
			}
		}
	}
	return ""
}

// publicThoughBlocked: with blockPublicPolicy S3 refuses a policy that is open
// to everybody.
func publicThoughBlocked(c *call) string {
	bucket := c.referred("bucket")
	if bucket == nil {
		return ""
	}
	pab := c.side(bucket, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
	d, err := parsePolicy(c.text("policy"))
	if pab == nil || err != nil || !pab.truth("blockPublicPolicy") {
		return ""
	}
	for _, s := range d.Statement {
		everybody := s.about(func(kind, who string) bool { return kind == "AWS" && who == "*" })
		if s.Effect == "Allow" && everybody && len(s.Condition) == 0 {
			return "User is not authorized to perform s3:PutBucketPolicy because public policies are blocked by the BlockPublicPolicy setting of " + bucket.id
		}
	}
	return ""
}
