package launch

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"redoubt/automation/awssts"
	"redoubt/automation/blueprint"
	"redoubt/infra/identity"
)

// Role is a role as an administrator makes it.
type Role struct {
	Name string `json:"name"`
	// MaxSessionDuration is in seconds.
	MaxSessionDuration  int               `json:"maxSessionDuration"`
	PermissionsBoundary string            `json:"permissionsBoundary"`
	Trust               identity.Document `json:"trust"`
	// Policies are managed policies of the account's own, by name.
	Policies []Policy `json:"policies"`
}

// Policy is a managed policy.
type Policy struct {
	Name     string            `json:"name"`
	Document identity.Document `json:"document"`
}

// Account is what an account needs.
type Account struct {
	ID string `json:"account"`
	// Boundary caps all the roles.
	Boundary Policy `json:"boundary"`
	Roles    []Role `json:"roles"`
}

//go:embed types.json
var typesJSON []byte

// typesOf are the types of resources that blueprints are made of.
func typesOf() (all map[string][]string, err error) {
	if err := json.Unmarshal(typesJSON, &all); err != nil {
		return nil, fmt.Errorf("types.json: %w", err)
	}
	return all, nil
}

// Roles are those that an account of the allowlist needs to launch some blueprints;
// server is the ARN of the role that the server has.
func Roles(a awssts.Account, server string, blueprints []blueprint.Blueprint) (Account, error) {
	types, err := typesOf()
	if err != nil {
		return Account{}, err
	}
	s := scoped{account: a, server: server}
	out := Account{ID: a.ID, Boundary: Policy{boundaryName, s.boundary()}}
	var read []string
	for _, b := range blueprints {
		names, unknown := rightsOf(types[b.Name])
		if len(names) == 0 || len(unknown) > 0 {
			return Account{}, fmt.Errorf("what it takes to launch %s is not known: %v (a mistake in package launch)", b.Name, unknown)
		}
		read = append(read, names...)
		out.Roles = append(out.Roles, s.role(a.Launcher(b.Name), s.launch(b, names)))
	}
	slices.Sort(read)
	out.Roles = append([]Role{s.role(a.PreviewRole, s.preview(slices.Compact(read)))}, out.Roles...)
	return out, nil
}

// scoped makes documents for an account.
type scoped struct {
	account awssts.Account
	server  string
}

func (s scoped) role(name string, statements identity.Document) Role {
	r := Role{
		Name: name, MaxSessionDuration: int(s.account.Session.Seconds()), Trust: s.trust(),
		PermissionsBoundary: s.policyARN(boundaryName),
	}
	base := name[strings.LastIndex(name, "/")+1:]
	for i, d := range packed(statements) {
		r.Policies = append(r.Policies, Policy{fmt.Sprintf("%s-%d", base, i+1), d})
	}
	return r
}

// here holds a statement to the account, and to its region and that of the services
// that have none.
func (s scoped) here() []identity.Condition {
	regions := append([]string{s.account.Region}, s.account.Regions...)
	if s.account.Partition() == "aws" {
		regions = append(regions, "us-east-1")
	}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	return []identity.Condition{
		{Test: "StringEqualsIfExists", Key: "aws:ResourceAccount", Values: []string{s.account.ID}},
		{Test: "StringEqualsIfExists", Key: "aws:RequestedRegion", Values: regions},
	}
}

func (s scoped) policyARN(name string) string {
	return "arn:" + s.account.Partition() + ":iam::" + s.account.ID + ":policy/" + name
}

// everywhere is any resource: account and region are conditions.
var everywhere = []string{"*"}

func (s scoped) allow(sid string, actions []string, more ...identity.Condition) identity.Statement {
	slices.Sort(actions)
	return identity.Statement{Sid: sid, Effect: identity.Allow, Actions: slices.Compact(actions), Resources: everywhere, Conditions: append(s.here(), more...)}
}

// sid is a right's name as a statement's.
func sid(verb, right string) string {
	out := verb
	for _, part := range strings.Split(right, "-") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}

// preview are the statements of the preview role.
func (s scoped) preview(names []string) (d identity.Document) {
	for _, name := range names {
		read := slices.Clone(rights[name].read)
		if len(read) == 0 {
			continue
		}
		d = append(d, s.allow(sid("Read", name), read))
		if name == "s3-objects" {
			d = append(d, identity.Statement{Sid: "ReadArchives", Effect: identity.Allow, Actions: []string{"s3:GetObject", "s3:GetObjectVersion"}, Resources: s.archives()})
		}
	}
	return append(d,
		// Lambda shows a function's variables to who may use their key, and a drift check
		// compares them; they are no secrets. S3 shows who may read an archive that it is
		// there.
		s.allow("Open", []string{"kms:Decrypt"}, identity.Condition{Test: "StringLike", Key: "kms:ViaService", Values: opened}),
		identity.Statement{Sid: "NoSecrets", Effect: identity.Deny, Actions: closed, Resources: everywhere},
		identity.Statement{Sid: "NoObjects", Effect: identity.Deny, Actions: []string{"s3:GetObject", "s3:GetObjectVersion"}, NotResources: s.archives()},
		identity.Statement{Sid: "NoDecryption", Effect: identity.Deny, Actions: []string{"kms:Decrypt"}, Resources: everywhere, Conditions: []identity.Condition{
			{Test: "StringNotLike", Key: "kms:ViaService", Values: opened},
		}},
	)
}

// opened are the services that previews may have something decrypted by.
var opened = []string{"lambda.*", "s3.*"}

// archives are where stacks keep the code of their functions.
func (s scoped) archives() []string {
	return []string{"arn:" + s.account.Partition() + ":s3:::*-artifacts-*/unsigned/*"}
}

// closed are the actions that tell the values of secrets, and what resources hold.
var closed = []string{
	"cognito-idp:DescribeUserPoolClient", "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "kinesis:GetRecords", "logs:FilterLogEvents",
	"logs:GetLogEvents", "logs:StartQuery", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage",
	"sts:AssumeRole*",
}

// launch are the statements of a blueprint's role: what the preview reads, too.
func (s scoped) launch(b blueprint.Blueprint, names []string) (d identity.Document) {
	for _, name := range names {
		d = append(d, s.allow(sid("Make", name), slices.Concat(rights[name].read, rights[name].write)))
	}
	if slices.Contains(names, "kms") || b.OnBaseline {
		// Services encrypt with the caller's rights what they keep for the stack.
		d = append(d, s.allow("UseKeys", []string{"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
			identity.Condition{Test: "StringLike", Key: "kms:ViaService", Values: []string{"*"}}))
	}
	if slices.Contains(names, "iam") {
		d = append(d, s.makeRoles(b)...)
	}
	return d
}

// unbounded are the names of roles that have no boundary although they have rights:
// of blueprints that stand on no baseline, whose boundary it would be.
var unbounded = map[string]string{"secure-bucket": "*-replication"}

// awsPolicies are AWS's own policies that roles without a boundary may have.
var awsPolicies = []string{"service-role/AmazonRDSEnhancedMonitoringRole"}

// makeRoles says which rights the roles may have that a stack makes: those within a
// boundary of a baseline. A role of this one's would be as wide as who makes it says.
func (s scoped) makeRoles(b blueprint.Blueprint) (d identity.Document) {
	give := []string{"iam:AttachRolePolicy", "iam:PutRolePolicy"}
	switch name, is := unbounded[b.Name]; {
	case b.OnBaseline:
		d = append(d, s.allow("BoundedRoles", append(give, "iam:PutRolePermissionsBoundary"), identity.Condition{
			Test: "ArnLike", Key: "iam:PermissionsBoundary", Values: []string{s.policyARN("*-workload-boundary")},
		}))
		var own []string
		for _, p := range awsPolicies {
			own = append(own, "arn:"+s.account.Partition()+":iam::aws:policy/"+p)
		}
		d = append(d, s.allow("AWSPolicies", []string{"iam:AttachRolePolicy"}, identity.Condition{Test: "ArnEquals", Key: "iam:PolicyARN", Values: own}))
	case is:
		statement := s.allow("NamedRoles", give)
		statement.Resources = []string{s.account.ARN(name)}
		d = append(d, statement)
	default:
		d = append(d, s.allow("Roles", slices.Clone(rights["iam-all"].write)))
	}
	return append(d,
		s.allow("PassRoles", []string{"iam:PassRole"}, identity.Condition{Test: "StringLike", Key: "iam:PassedToService", Values: []string{"*.amazonaws.com"}}),
		s.allow("ServiceRoles", []string{"iam:CreateServiceLinkedRole"}, identity.Condition{Test: "StringLike", Key: "iam:AWSServiceName", Values: []string{"*.amazonaws.com"}}),
	)
}

// boundaryName is the policy that caps the roles.
const boundaryName = "redoubt-launch-boundary"

// boundary is what no role that stacks are launched with may do, whatever policies it
// collects: change these roles or this policy, make people or their keys, become
// somebody else, or leave the organization.
func (s scoped) boundary() identity.Document {
	own := []string{s.policyARN(boundaryName), s.account.ARN(s.account.PreviewRole), s.account.ARN(s.account.Launcher("*")), s.policyARN("redoubt-preview-*"), s.policyARN("redoubt-launch-*")}
	return identity.Document{
		{Sid: "Ceiling", Effect: identity.Allow, Actions: everywhere, Resources: everywhere},
		{Sid: "NotTheseRoles", Effect: identity.Deny, Actions: []string{
			"iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*", "iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*",
		}, Resources: own},
		{Sid: "NoPeople", Effect: identity.Deny, Actions: []string{
			"iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateUser",
			"iam:PutGroupPolicy", "iam:PutUserPolicy", "iam:UpdateAccessKey", "iam:UpdateLoginProfile",
		}, Resources: everywhere},
		{Sid: "NobodyElse", Effect: identity.Deny, Actions: []string{"sts:AssumeRole*", "sts:GetFederationToken"}, Resources: everywhere},
		{Sid: "NoLeaving", Effect: identity.Deny, Actions: []string{
			"account:CloseAccount", "organizations:CloseAccount", "organizations:DeleteOrganization", "organizations:LeaveOrganization", "organizations:RemoveAccountFromOrganization",
		}, Resources: everywhere},
	}
}

// trust lets the server in with the external id, and only for the account's stacks.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func (s scoped) trust() (d identity.Document) {
	who := identity.Principals{AWS: []string{s.server}}
	for i, pattern := range s.account.Stacks {
		var tags []identity.Condition
		for n, part := range strings.Split(strings.ToLower(pattern), "/") {
			key := []string{awssts.TagOrganization, awssts.TagProject, awssts.TagStack}[n]
			tags = append(tags, identity.Condition{Test: "StringLike", Key: "aws:RequestTag/" + key, Values: []string{part}})
		}
		d = append(d,
			identity.Statement{
				Sid: fmt.Sprintf("Assume%d", i), Effect: identity.Allow, Principals: who, Actions: []string{"sts:AssumeRole"},
				Conditions: append([]identity.Condition{{Test: "StringEquals", Key: "sts:ExternalId", Values: []string{s.account.ExternalID}}}, tags...),
			},
			identity.Statement{Sid: fmt.Sprintf("Tag%d", i), Effect: identity.Allow, Principals: who, Actions: []string{"sts:TagSession"}, Conditions: tags},
		)
	}
	return d
}
