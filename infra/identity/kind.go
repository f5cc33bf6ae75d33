package identity

// Kind is what a document is attached to. It decides the rules and the size.
type Kind string

// The kinds of policy documents.
const (
	ManagedPolicy        Kind = "managed policy"
	InlinePolicy         Kind = "inline role policy"
	TrustPolicy          Kind = "trust policy"
	ServiceControlPolicy Kind = "service control policy"
	BucketPolicy         Kind = "bucket policy"
	KeyPolicy            Kind = "key policy"
	LogPolicy            Kind = "log resource policy"
	ResourcePolicy       Kind = "resource policy"
)

// kindRules is what the kind's grammar asks for.
type kindRules struct {
	// limit is the document's size in characters without white space.
	limit int
	// principal says that statements name one; otherwise they must not.
	principal bool
	// resource says that statements name one; otherwise they must not.
	resource bool
	// plainSid says that statement ids are letters and digits only.
	plainSid bool
	// grants says that the statements give rights to who carries the policy,
	// so that the least-privilege rules apply.
	grants bool
}

// Sizes: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
// S3 and KMS "Quotas" pages, CloudWatch Logs PutResourcePolicy, Organizations
// "Quotas". The inline limit is for all inline policies of a role together;
// Role adds them up.
var kinds = map[Kind]kindRules{
	ManagedPolicy:        {limit: 6144, resource: true, plainSid: true, grants: true},
	InlinePolicy:         {limit: 10240, resource: true, plainSid: true, grants: true},
	TrustPolicy:          {limit: 2048, principal: true, plainSid: true},
	ServiceControlPolicy: {limit: 5120, resource: true, plainSid: true},
	BucketPolicy:         {limit: 20480, principal: true, resource: true},
	KeyPolicy:            {limit: 32768, principal: true, resource: true},
	LogPolicy:            {limit: 5120, principal: true, resource: true},
	ResourcePolicy:       {limit: 20480, principal: true, resource: true},
}
