package launch

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/awssts"
	"redoubt/automation/blueprint"
	"redoubt/infra/identity"
	"redoubt/policy/rule"
)

const server = "arn:aws:iam::999988887777:role/redoubt"

var account = awssts.Account{
	Stacks: []string{"acme/shop/prod-*", "acme/Pay"}, ID: "111122223333", ExternalID: "redoubt-acme", Region: "eu-central-1", Regions: []string{"eu-west-1"},
	PreviewRole: "redoubt-preview", LaunchRole: "redoubt-launch-{blueprint}", Session: time.Hour,
}

func made(t *testing.T) map[string]Role {
	t.Helper()
	all, err := Roles(account, server, blueprint.All)
	require.NoError(t, err)
	roles := map[string]Role{}
	for _, r := range all.Roles {
		roles[r.Name] = r
	}
	require.Len(t, roles, 1+len(blueprint.All))
	return roles
}

// read is a document as the policy pack's evaluator reads it.
func read(t *testing.T, d identity.Document) []rule.Statement {
	t.Helper()
	text, err := json.Marshal(d)
	require.NoError(t, err)
	parsed, err := rule.ParseDocument(string(text))
	require.NoError(t, err)
	return parsed.Statements
}

// statements are all of a role's.
func statements(t *testing.T, r Role) (all []rule.Statement) {
	t.Helper()
	for _, p := range r.Policies {
		all = append(all, read(t, p.Document)...)
	}
	return all
}

// grants are the statements that allow an action.
func grants(all []rule.Statement, action string) (found []rule.Statement) {
	for _, s := range all {
		if s.Allows() && s.Grants(action) {
			found = append(found, s)
		}
	}
	return found
}

// denied says whether an action is refused whatever it is about.
func denied(all []rule.Statement, action string) bool {
	return slices.ContainsFunc(all, func(s rule.Statement) bool {
		return !s.Allows() && s.AnyResource() && len(s.Conditions) == 0 && slices.ContainsFunc(s.Actions, func(pattern string) bool { return rule.WildcardMatch(pattern, action) })
	})
}

var reads = regexp.MustCompile(`^[a-z0-9-]+:(BatchGet|Describe|Get|GET$|List|View)`)

func TestThePreviewRoleOnlyReads(t *testing.T) {
	t.Parallel()
	all := statements(t, made(t)["redoubt-preview"])
	for _, s := range all {
		if !s.Allows() || s.Sid == "Open" {
			continue
		}
		for _, action := range s.Actions {
			require.Regexp(t, reads, action, s.Sid)
		}
		require.Empty(t, s.NotActions)
	}
	for _, b := range blueprint.All {
		for _, s := range statements(t, made(t)["redoubt-launch-"+b.Name]) {
			for _, action := range s.Actions {
				if s.Allows() && !reads.MatchString(action) && action != "kms:Decrypt" {
					require.Empty(t, grants(all, strings.ReplaceAll(action, "*", "Anything")), "%s makes with %s", b.Name, action)
				}
			}
		}
	}
	for _, action := range []string{"s3:PutObject", "iam:PassRole", "iam:CreateRole", "ec2:RunInstances", "lambda:InvokeFunction", "sts:AssumeRole", "kms:Encrypt", "ssm:SendCommand"} {
		require.Empty(t, grants(all, action), action)
	}
}

func TestThePreviewRoleReadsNoSecrets(t *testing.T) {
	t.Parallel()
	all := statements(t, made(t)["redoubt-preview"])
	for _, action := range []string{
		"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "cognito-idp:DescribeUserPoolClient", "dynamodb:GetItem", "dynamodb:Scan", "sqs:ReceiveMessage", "logs:GetLogEvents", "logs:FilterLogEvents", "sts:AssumeRoleWithWebIdentity",
	} {
		require.Empty(t, grants(all, action), action)
		require.True(t, denied(all, action), "%s stays denied whatever other policies the role collects", action)
	}
	for _, action := range []string{"s3:GetObject", "s3:GetObjectVersion"} {
		for _, s := range grants(all, action) {
			require.Equal(t, []string{"arn:aws:s3:::*-artifacts-*/unsigned/*"}, s.Resources)
		}
	}
	decrypt := grants(all, "kms:Decrypt")
	require.Len(t, decrypt, 1)
	require.True(t, decrypt[0].Requires("kms:viaservice"))
	for _, service := range decrypt[0].Conditions {
		if service.Key == "kms:viaservice" {
			require.Equal(t, []string{"lambda.*", "s3.*"}, service.Values, "and so no secure parameter, no secret, no queue")
		}
	}
	// A session of the preview role has this policy besides, whatever the role has.
	require.NotEmpty(t, grants(all, "secretsmanager:DescribeSecret"))
}

func TestALaunchRoleIsThatOfItsBlueprint(t *testing.T) {
	t.Parallel()
	roles := made(t)
	for name, row := range map[string]struct{ can, cannot []string }{
		"secure-bucket":    {[]string{"s3:CreateBucket", "kms:CreateKey", "s3:PutBucketPolicy"}, []string{"rds:CreateDBCluster", "lambda:CreateFunction", "ec2:CreateVpc", "iam:CreateUser", "iam:CreatePolicy", "s3:PutObject"}},
		"secure-database":  {[]string{"rds:CreateDBCluster", "secretsmanager:RotateSecret"}, []string{"s3:CreateBucket", "ec2:CreateVpc", "secretsmanager:GetSecretValue", "rds-db:connect"}},
		"secure-function":  {[]string{"lambda:CreateFunction", "signer:StartSigningJob", "sqs:CreateQueue"}, []string{"rds:CreateDBCluster", "lambda:InvokeFunction", "sqs:SendMessage", "sqs:ReceiveMessage"}},
		"secure-service":   {[]string{"ecs:CreateService", "elasticloadbalancing:CreateLoadBalancer", "ec2:CreateSecurityGroup"}, []string{"ec2:CreateVpc", "ec2:RunInstances", "ecs:ExecuteCommand", "ecs:RunTask", "ecr:PutImage"}},
		"static-site":      {[]string{"cloudfront:CreateDistribution", "wafv2:CreateWebACL"}, []string{"iam:CreateRole", "iam:PassRole", "lambda:CreateFunction"}},
		"defense-in-depth": {[]string{"ec2:CreateVpc", "guardduty:CreateDetector", "iam:CreatePolicy"}, []string{"iam:CreateUser", "iam:CreateAccessKey", "sts:AssumeRole", "ec2:RunInstances"}},
	} {
		all := statements(t, roles["redoubt-launch-"+name])
		for _, action := range row.can {
			require.NotEmpty(t, grants(all, action), "%s: %s", name, action)
		}
		for _, action := range row.cannot {
			require.Empty(t, grants(all, action), "%s: %s", name, action)
		}
		for _, s := range all {
			require.NotContains(t, s.Actions, "*", name)
			if s.Sid != "NamedRoles" {
				require.True(t, s.Requires("aws:resourceaccount") || conditioned(s, "aws:resourceaccount"), "%s: %s is held to the account", name, s.Sid)
			}
			require.True(t, conditioned(s, "aws:requestedregion"), "%s: %s is held to the regions", name, s.Sid)
		}
	}
}

func conditioned(s rule.Statement, key string) bool {
	return slices.ContainsFunc(s.Conditions, func(c rule.Condition) bool { return c.Key == key })
}

// What a stack's roles may do stays within the baseline's boundary.
func TestALaunchRoleMakesNoWiderRoles(t *testing.T) {
	t.Parallel()
	for _, b := range blueprint.All {
		all := statements(t, made(t)["redoubt-launch-"+b.Name])
		for _, s := range grants(all, "iam:PassRole") {
			require.True(t, s.Requires("iam:passedtoservice"), b.Name)
		}
		if !b.OnBaseline {
			continue
		}
		for _, s := range grants(all, "iam:PutRolePolicy") {
			require.True(t, s.Requires("iam:permissionsboundary"), b.Name)
		}
		for _, s := range grants(all, "iam:AttachRolePolicy") {
			require.True(t, s.Requires("iam:permissionsboundary", "iam:policyarn"), b.Name)
		}
		require.Empty(t, grants(all, "iam:DeleteRolePermissionsBoundary"), b.Name)
	}
}

func TestTheBoundaryKeepsTheRolesAsTheyAre(t *testing.T) {
	t.Parallel()
	out, err := Roles(account, server, blueprint.All)
	require.NoError(t, err)
	all := read(t, out.Boundary.Document)
	for _, action := range []string{"iam:CreateUser", "iam:CreateAccessKey", "sts:AssumeRole", "organizations:LeaveOrganization"} {
		require.True(t, denied(all, action), action)
	}
	own := slices.IndexFunc(all, func(s rule.Statement) bool { return s.Sid == "NotTheseRoles" })
	require.Contains(t, all[own].Resources, "arn:aws:iam::111122223333:role/redoubt-launch-*")
	require.Contains(t, all[own].Resources, "arn:aws:iam::111122223333:policy/redoubt-launch-boundary")
	for _, r := range out.Roles {
		require.Equal(t, "arn:aws:iam::111122223333:policy/redoubt-launch-boundary", r.PermissionsBoundary)
		require.Equal(t, 3600, r.MaxSessionDuration)
		require.LessOrEqual(t, len(r.Policies), 10, "a role has ten policies at most")
		for _, p := range r.Policies {
			require.LessOrEqual(t, size(p.Document), mostCharacters, p.Name)
		}
	}
}

// Only the server gets in, with the external id, and for the account's stacks.
func TestTrust(t *testing.T) {
	t.Parallel()
	for _, r := range made(t) {
		all := read(t, r.Trust)
		require.Len(t, all, 4)
		for _, s := range all {
			require.Equal(t, []rule.Principal{{Type: "AWS", ID: server}}, s.Principals)
			require.True(t, s.Requires("aws:requesttag/redoubt:organization"))
			require.True(t, s.Requires("aws:requesttag/redoubt:project"))
			if s.Grants("sts:AssumeRole") {
				require.True(t, s.Requires("sts:externalid"))
			}
		}
		text, err := r.Trust.TrustPolicy()
		require.NoError(t, err)
		require.Contains(t, text, `"aws:RequestTag/redoubt:stack":"prod-*"`)
		require.Contains(t, text, `"aws:RequestTag/redoubt:project":"pay"`, "as the session's tags are: in lower case")
	}
}

func TestARoleNamesAllThatItNeeds(t *testing.T) {
	t.Parallel()
	types, err := typesOf()
	require.NoError(t, err)
	for name, all := range types {
		names, unknown := rightsOf(all)
		require.Empty(t, unknown, name)
		for _, n := range names {
			require.Contains(t, rights, n)
		}
	}
	_, unknown := rightsOf([]string{"aws:quantum/gate:Gate"})
	require.Equal(t, []string{"aws:quantum/gate:Gate"}, unknown)
	for n := range rights {
		used := false
		for _, list := range needs {
			used = used || slices.Contains(list, n)
		}
		require.True(t, used || n == "iam-all", n)
	}
}
