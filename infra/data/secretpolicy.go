package data

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// The actions of readers and writers. UpdateSecret is not among those denied
// to others: whoever deploys changes description and key with it.
var (
	readSecret  = []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}
	writeSecret = []string{"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"}
)

// policy denies what does not come over TLS or from the organization, and
// hands the value to the named roles alone. The principals are the account
// with the roles as a condition: Secrets Manager refuses a policy that names a
// role which does not exist yet. The resource is "*", the secret itself: its
// ARN ends with letters that nobody knows at preview.
func (args *SecretArgs) policy() identity.Document {
	doc := identity.Document{
		args.deny("DenyInsecureTransport", []string{"secretsmanager:*"},
			identity.Condition{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}),
		args.deny("DenyOtherReaders", []string{"secretsmanager:GetSecretValue"}, args.except(args.readers())),
		args.deny("DenyOtherWriters", writeSecret, args.except(args.writers())),
	}
	if args.OrgID != "" {
		doc = append(doc, args.deny("DenyOutsideOrganization", []string{"secretsmanager:*"},
			identity.Condition{Test: "StringNotEquals", Key: "aws:PrincipalOrgID", Values: []string{args.OrgID}},
			identity.Condition{Test: "BoolIfExists", Key: "aws:PrincipalIsAWSService", Values: []string{"false"}}))
	}
	doc = append(doc, args.allow("AllowReaders", readSecret, args.readers()))
	if len(args.WriterRoles) > 0 {
		doc = append(doc, args.allow("AllowWriters", append([]string{"secretsmanager:DescribeSecret"}, writeSecret...), args.WriterRoles))
	}
	return doc
}

func (args *SecretArgs) deny(sid string, actions []string, only ...identity.Condition) identity.Statement {
	return identity.Statement{
		Sid: sid, Effect: identity.Deny, Principals: identity.Principals{Any: true},
		Actions: actions, Resources: []string{"*"}, Conditions: only,
	}
}

func (args *SecretArgs) allow(sid string, actions, roles []string) identity.Statement {
	return identity.Statement{
		Sid: sid, Effect: identity.Allow, Principals: identity.Principals{AWS: []string{args.Scope.Root()}},
		Actions: actions, Resources: []string{"*"},
		Conditions: []identity.Condition{{Test: "ArnEquals", Key: "aws:PrincipalArn", Values: args.arns(roles)}},
	}
}

// except makes a Deny spare the roles. The key holds the role and not its
// session, whoever assumed it.
func (args *SecretArgs) except(roles []string) identity.Condition {
	return identity.Condition{Test: "ArnNotEquals", Key: "aws:PrincipalArn", Values: args.arns(roles)}
}

func (args *SecretArgs) arns(roles []string) []string {
	out := make([]string, 0, len(roles))
	for _, role := range roles {
		out = append(out, args.Scope.RoleARN(role))
	}
	return out
}

func (args *SecretArgs) readers() []string { return args.withRotation(args.ReaderRoles) }

func (args *SecretArgs) writers() []string { return args.withRotation(args.WriterRoles) }

// withRotation adds the rotation function's role.
func (args *SecretArgs) withRotation(roles []string) []string {
	if args.Rotation == nil || slices.Contains(roles, args.Rotation.RoleName) {
		return roles
	}
	return append(roles[:len(roles):len(roles)], args.Rotation.RoleName)
}

// tags say how the secret is rotated and how old it may get.
func (args *SecretArgs) tags() pulumi.StringMap {
	out := tagged(args.Tags, args.SecretName)
	out["rotation"], out["rotate-after-days"] = pulumi.String("function"), pulumi.String(strconv.Itoa(args.RotateAfterDays))
	if args.Rotation == nil {
		out["rotation"] = pulumi.String("manual")
	}
	return out
}

// secretName leaves out what ends in a hyphen and six characters: Secrets
// Manager adds such an ending to the ARN, and a name that has one already is
// mistaken for a part of an ARN.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
var (
	secretName    = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)
	secretsSuffix = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)
)

// render returns the secret's policy.
func (args *SecretArgs) render() (string, error) {
	if args == nil {
		return "", errors.New("args: nil (pass &data.SecretArgs{…})")
	}
	findings := append(checkScope(args.Scope), args.check()...)
	if len(findings) > 0 {
		return "", errors.Join(findings...)
	}
	policy, err := args.policy().ResourcePolicy()
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	return policy, nil
}

func (args *SecretArgs) check() []error {
	var findings []error
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!secretName.MatchString(args.SecretName), "secretName: %q (1 to 512 letters, digits and /_+=.@-)", args.SecretName)
	refuse(secretsSuffix.MatchString(args.SecretName),
		"secretName: %q ends in a hyphen and six characters like an ARN (choose another ending)", args.SecretName)
	refuse(args.Description == "", "description: empty (say what the secret opens)")
	refuse(args.KmsKeyArn == nil, "kmsKeyArn: nil (the account's default key has no policy of ours)")
	refuse(!aliasNameForm.MatchString(args.KeyAlias), "keyAlias: %q (alias/<name>, see Key.AliasName)", args.KeyAlias)
	refuse(args.RecoveryWindowInDays != 0 && (args.RecoveryWindowInDays < 7 || args.RecoveryWindowInDays > 30),
		"recoveryWindowInDays: %d (7 to 30, or 0 to delete at once)", args.RecoveryWindowInDays)
	refuse(args.RecoveryWindowInDays == 0 && args.Protect, "recoveryWindowInDays: 0 with protect (a secret worth protecting is worth a way back; 7 to 30)")
	refuse(len(args.ReaderRoles) == 0, "readerRoles: empty (the names of the roles that read the value)")
	refuse(slices.Contains(args.ReaderRoles, ""), "readerRoles: an empty name (leave it out)")
	refuse(slices.Contains(args.WriterRoles, ""), "writerRoles: an empty name (leave it out)")
	refuse(args.OrgID != "" && !orgIDForm.MatchString(args.OrgID), "orgId: %q (o- and 10 to 32 lower-case letters and digits; empty outside an organization)", args.OrgID)
	refuse(args.RotateAfterDays < 1 || args.RotateAfterDays > 1000, "rotateAfterDays: %d (1 to 1000)", args.RotateAfterDays)
	refuse(args.Rotation == nil && len(args.WriterRoles) == 0, "writerRoles: empty without rotation (somebody must be able to set the value; name a role, or a rotation function)")
	refuse(args.Rotation != nil && args.Rotation.FunctionArn == nil, "rotation.functionArn: nil (the function that rotates; leave rotation out to rotate by hand)")
	refuse(args.Rotation != nil && args.Rotation.RoleName == "", "rotation.roleName: empty (the policy must spare the function's role)")
	return append(findings, args.checkReplicas()...)
}

func (args *SecretArgs) checkReplicas() []error {
	var findings []error
	seen := []string{args.Scope.Region}
	for i, r := range args.Replicas {
		if r.Region == "" || slices.Contains(seen, r.Region) {
			findings = append(findings, fmt.Errorf("replicas[%d].region: %q (each replica in a region of its own, not the secret's)", i, r.Region))
		}
		if r.KmsKeyArn == nil {
			findings = append(findings, fmt.Errorf("replicas[%d].kmsKeyArn: nil (a key of %s)", i, r.Region))
		}
		seen = append(seen, r.Region)
	}
	return findings
}
