package awssts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"redoubt/automation/backend"
)

// timeout of a call to STS with all of its attempts.
const timeout = 30 * time.Second

// Roles assumes roles in the accounts of an allowlist. It is safe for concurrent use.
type Roles struct {
	accounts Accounts
	own      aws.Config
	options  []Option
}

// Option changes how clients of STS are made.
type Option = func(*sts.Options)

// Open takes the credentials of this process from where every program of AWS's SDK
// does: environment, files, web identity, the machine's own. It asks for nothing.
func Open(ctx context.Context, accounts Accounts, options ...Option) (*Roles, error) {
	if err := accounts.Check(); err != nil {
		return nil, err
	}
	own, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("this server's own credentials for AWS: %w", err)
	}
	return &Roles{accounts: accounts, own: own, options: options}, nil
}

// Request says what credentials are for.
type Request struct {
	Stack backend.StackName
	// Operation and Phase are the session's name, which CloudTrail has.
	Operation, Phase string
	// Blueprint is the catalogue's name of what is launched.
	Blueprint string
	// Launch says that the run may change the cloud.
	Launch bool
}

// Assume assumes the role that a run has, and tells its processes the credentials
// until the session is closed. The error is an *Error.
func (r *Roles) Assume(ctx context.Context, q Request) (*Session, error) {
	account, ok := r.accounts.Of(q.Stack)
	if !ok {
		return nil, &Error{Message: fmt.Sprintf("no AWS account is allowed for stack %s: the operator adds it to a pattern of provisioning.accounts, and starts the server again", q.Stack)}
	}
	role := account.ARN(account.PreviewRole)
	if q.Launch {
		role = account.ARN(account.Launcher(q.Blueprint))
	}
	provider := stscreds.NewAssumeRoleProvider(r.client(account), role, func(o *stscreds.AssumeRoleOptions) {
		o.ExternalID = aws.String(account.ExternalID)
		o.Duration = account.Session
		o.RoleSessionName = sessionName(q)
		o.Tags = tags(q)
		if !q.Launch {
			o.Policy = aws.String(previewPolicy)
		}
	})
	s := &Session{
		Role: role, account: account,
		credentials: aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = account.renewal() }),
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err := s.retrieve(ctx); err != nil {
		return nil, refusal(err, role, account, q)
	}
	if err := s.serve(); err != nil {
		return nil, &Error{Message: "no address on this machine for the credentials of a run", Cause: err}
	}
	return s, nil
}

func (r *Roles) client(a Account) *sts.Client {
	return sts.NewFromConfig(r.own, append([]Option{func(o *sts.Options) { o.Region = a.Region }}, r.options...)...)
}

// renewal is how long before their end credentials are replaced. The SDKs ask again
// in the last five minutes, and must get new ones then.
func (a Account) renewal() time.Duration { return min(10*time.Minute, a.Session/2) }

// sessionName is 2 to 64 characters of [\w+=,.@-].
func sessionName(q Request) string {
	const longest = 64
	name := q.Operation + "-" + q.Phase
	return name[:min(len(name), longest)]
}

// The session's tags, in lower case as names are the same in any: policies read them as aws:PrincipalTag/redoubt:project, trust
// policies as aws:RequestTag/redoubt:project.
const (
	TagOrganization = "redoubt:organization"
	TagProject      = "redoubt:project"
	TagStack        = "redoubt:stack"
	TagOperation    = "redoubt:operation"
)

func tags(q Request) (all []types.Tag) {
	for _, t := range [][2]string{
		{TagOrganization, q.Stack.Org}, {TagProject, q.Stack.Project}, {TagStack, q.Stack.Stack}, {TagOperation, q.Operation},
	} {
		all = append(all, types.Tag{Key: aws.String(t[0]), Value: aws.String(strings.ToLower(t[1]))})
	}
	return all
}

// previewPolicy keeps values of secrets and data out of previews even where the role
// would let them in: a session has what role and policy both allow. What it leaves
// open a drift check needs: a function's variables, which Lambda opens with the
// caller's rights and which are no secrets here, and the archives of its code.
const previewPolicy = `{"Version":"2012-10-17","Statement":[` +
	`{"Effect":"Allow","Action":"*","Resource":"*"},` +
	`{"Effect":"Deny","Action":["secretsmanager:BatchGetSecretValue","secretsmanager:GetSecretValue","dynamodb:BatchGetItem","dynamodb:GetItem","dynamodb:Query","dynamodb:Scan","sqs:ReceiveMessage","kinesis:GetRecords","sts:AssumeRole*"],"Resource":"*"},` +
	`{"Effect":"Deny","Action":["s3:GetObject","s3:GetObjectVersion"],"NotResource":"arn:*:s3:::*-artifacts-*/unsigned/*"},` +
	`{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*","Condition":{"StringNotLike":{"kms:ViaService":["lambda.*","s3.*"]}}}]}`
