package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// allow is a statement that every identity policy takes; tests change a field.
func allow(change func(*Statement)) Document {
	s := Statement{
		Sid: "Read", Effect: Allow, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::redoubt-dev-data/*"},
	}
	change(&s)
	return Document{s}
}

func TestIdentityPolicyRules(t *testing.T) {
	t.Parallel()
	onKey := []string{scope.ARN("kms", "key/*")}
	byAlias := []Condition{{"ForAnyValue:StringEquals", "kms:ResourceAliases", []string{"alias/redoubt-dev-app"}}}
	for name, tc := range map[string]struct {
		doc Document
		// want is a part of the finding; empty if there must be none.
		want string
	}{
		"as it should be":         {allow(func(*Statement) {}), ""},
		"sid with a space":        {allow(func(s *Statement) { s.Sid = "Read data" }), "letters and digits"},
		"no effect":               {allow(func(s *Statement) { s.Effect = "" }), "Allow or Deny"},
		"no action":               {allow(func(s *Statement) { s.Actions = nil }), "either Actions or NotActions"},
		"both kinds of action":    {allow(func(s *Statement) { s.NotActions = s.Actions }), "either Actions or NotActions"},
		"no resource":             {allow(func(s *Statement) { s.Resources = nil }), "either Resources or NotResources"},
		"a principal":             {allow(func(s *Statement) { s.Principals.Any = true }), "only resource and trust policies"},
		"an action without colon": {allow(func(s *Statement) { s.Actions = []string{"GetObject"} }), "not service:Action"},
		"a name as resource":      {allow(func(s *Statement) { s.Resources = []string{"redoubt-dev-data"} }), "not an ARN"},
		"an unknown operator":     {allow(func(s *Statement) { s.Conditions = []Condition{{"StringIs", "aws:a", []string{"b"}}} }), "not a condition operator"},
		"a qualified operator": {allow(func(s *Statement) {
			s.Conditions = []Condition{{"ForAllValues:StringLikeIfExists", "aws:TagKeys", []string{"b"}}}
		}), ""},
		"a key without prefix": {allow(func(s *Statement) { s.Conditions = []Condition{{"Bool", "mfa", []string{"true"}}} }), "not a condition key"},
		"an empty value":       {allow(func(s *Statement) { s.Conditions = []Condition{{"Bool", "aws:a", nil}} }), "empty value"},
		"a condition twice": {allow(func(s *Statement) {
			s.Conditions = []Condition{{"StringEquals", "aws:a", []string{"1"}}, {"StringEquals", "aws:A", []string{"2"}}}
		}), "twice"},
		"every action":               {allow(func(s *Statement) { s.Actions = []string{"*"} }), "every right in the account"},
		"a service on everything":    {allow(func(s *Statement) { s.Actions, s.Resources = []string{"s3:*"}, []string{"*"} }), "whole service"},
		"a service on one bucket":    {allow(func(s *Statement) { s.Actions = []string{"s3:*"} }), ""},
		"an action on everything":    {allow(func(s *Statement) { s.Resources = []string{"*"} }), "resource-level permissions"},
		"everything spelt as an ARN": {allow(func(s *Statement) { s.Resources = []string{"arn:aws:s3:::*"} }), "resource-level permissions"},
		"an unscoped action":         {allow(func(s *Statement) { s.Actions, s.Resources = []string{"ecr:GetAuthorizationToken"}, []string{"*"} }), ""},
		"X-Ray's puts":               {allow(func(s *Statement) { s.Actions, s.Resources = []string{"xray:Put*"}, []string{"*"} }), ""},
		"an unscoped and a scoped one": {allow(func(s *Statement) {
			s.Actions, s.Resources = []string{"logs:DescribeLogGroups", "logs:PutLogEvents"}, []string{"*"}
		}), "logs:PutLogEvents"},
		"every key":               {allow(func(s *Statement) { s.Actions, s.Resources = []string{"kms:Decrypt"}, onKey }), "every resource of its type"},
		"every key of an alias":   {allow(func(s *Statement) { s.Actions, s.Resources, s.Conditions = []string{"kms:Decrypt"}, onKey, byAlias }), ""},
		"allow all but":           {allow(func(s *Statement) { s.NotActions, s.Actions = s.Actions, nil }), "grows with every new AWS action"},
		"allow on all but":        {allow(func(s *Statement) { s.NotResources, s.Resources = s.Resources, nil }), "grows with every new resource"},
		"deny all but":            {allow(func(s *Statement) { s.Effect, s.NotActions, s.Actions = Deny, s.Actions, nil }), ""},
		"deny everything":         {allow(func(s *Statement) { s.Effect, s.Actions, s.Resources = Deny, []string{"*"}, []string{"*"} }), ""},
		"pass any role":           {allow(func(s *Statement) { s.Actions, s.Resources = []string{"iam:PassRole"}, []string{scope.RoleARN("task")} }), "iam:PassedToService"},
		"pass a role by wildcard": {allow(func(s *Statement) { s.Actions, s.Resources = []string{"iam:Pass*"}, []string{scope.RoleARN("task")} }), "iam:PassedToService"},
		"pass a role to a service": {allow(func(s *Statement) {
			s.Actions, s.Resources = []string{"iam:PassRole"}, []string{scope.RoleARN("task")}
			s.Conditions = []Condition{{"StringEquals", "iam:PassedToService", []string{"ecs-tasks.amazonaws.com"}}}
		}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tc.doc.IdentityPolicy()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			require.ErrorContains(t, err, "statement 0", "findings say where")
		})
	}
}

func TestResourcePolicyRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Statement)
		want   string
	}{
		"nobody":             {func(s *Statement) {}, "Principals"},
		"an account":         {func(s *Statement) { s.Principals.AWS = []string{scope.Root()} }, ""},
		"a sid with spaces":  {func(s *Statement) { s.Principals.AWS, s.Sid = []string{scope.Root()}, "Enable IAM User Permissions" }, ""},
		"everyone":           {func(s *Statement) { s.Principals.Any = true }, "everyone in the world"},
		"everyone as a star": {func(s *Statement) { s.Principals.AWS = []string{"*"} }, "everyone in the world"},
		"everyone denied":    {func(s *Statement) { s.Effect, s.Principals.Any = Deny, true }, ""},
		"everyone of the organization": {func(s *Statement) {
			s.Principals.Any = true
			s.Conditions = []Condition{{"StringEquals", "aws:PrincipalOrgID", []string{"o-abc1234567"}}}
		}, ""},
		"everyone and a service": {func(s *Statement) {
			s.Effect, s.Principals = Deny, Principals{Any: true, Service: []string{"sns.amazonaws.com"}}
		}, "not both"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := allow(tc.change).ResourcePolicy()
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestAllFindingsComeAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Document{
		{Sid: "a b", Effect: Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}},
		{Sid: "c", Effect: "Maybe", Actions: []string{"s3:GetObject"}, Resources: []string{"data"}},
		{Sid: "c", Effect: Deny, Actions: []string{"s3:GetObject"}, Resources: []string{"*"}},
	}.IdentityPolicy()
	require.Error(t, err)
	require.Equal(t, []string{
		`statement 0 "a b": Sid: "a b" has other signs than letters and digits (IAM allows A-Z, a-z and 0-9 here)`,
		`statement 0 "a b": Resources: "s3:*" on "*" is every right over a whole service (list the actions and the resources)`,
		`statement 1 "c": Effect: "Maybe" (Allow or Deny)`,
		`statement 1 "c": Resources: "data" is not an ARN (compose it with Scope.ARN or Scope.GlobalARN)`,
		`statement 2 "c": Sid: statement 1 has the same (statement ids are unique in a document)`,
	}, strings.Split(err.Error(), "\n"))
}

func TestEmptyDocumentsAndUnknownKindsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := Document{}.IdentityPolicy()
	require.ErrorContains(t, err, "without statements")
	_, err = allow(func(*Statement) {}).JSON("poster")
	require.ErrorContains(t, err, `"poster" is not a kind of policy`)
}

func TestTrustPolicyRules(t *testing.T) {
	t.Parallel()
	for service, source := range sourceAccountServices {
		require.NotEmpty(t, source)
		bare := Document{{Effect: Allow, Principals: Principals{Service: []string{service}}, Actions: []string{"sts:AssumeRole"}}}
		_, err := bare.TrustPolicy()
		require.ErrorContains(t, err, service+" may be used from another account")

		text, err := ServiceTrust(service, scope, scope.ARN("x", "*")).TrustPolicy()
		require.NoError(t, err)
		require.Contains(t, text, `"aws:SourceAccount":"123456789012"`)
		require.Contains(t, text, `"ArnLike":{"aws:SourceArn":"arn:aws:x:eu-central-1:123456789012:*"}`)
	}

	text, err := ServiceTrust("lambda.amazonaws.com", scope, "arn:aws:lambda:*:*:*").TrustPolicy()
	require.NoError(t, err)
	require.NotContains(t, text, "Condition", "a condition on a key that the service does not send locks it out")

	for name, tc := range map[string]struct {
		statement Statement
		want      string
	}{
		"any way to assume":     {Statement{Effect: Allow, Principals: Principals{AWS: []string{scope.Root()}}, Actions: []string{"sts:*"}}, "not one way to assume"},
		"another service":       {Statement{Effect: Allow, Principals: Principals{AWS: []string{scope.Root()}}, Actions: []string{"s3:GetObject"}}, "not one way to assume"},
		"a provider's everyone": {Statement{Effect: Allow, Principals: Principals{Federated: []string{"x"}}, Actions: []string{"sts:AssumeRoleWithWebIdentity"}}, "audience"},
		"a resource":            {Statement{Effect: Allow, Principals: Principals{AWS: []string{scope.Root()}}, Actions: []string{"sts:AssumeRole"}, Resources: []string{"*"}}, "its own role"},
	} {
		_, err := Document{tc.statement}.TrustPolicy()
		require.ErrorContains(t, err, tc.want, name)
	}
}

func TestUnscopedTableIsSortedAndExact(t *testing.T) {
	t.Parallel()
	for service, actions := range unscoped {
		require.Equal(t, strings.ToLower(service), service)
		require.IsIncreasing(t, actions, service)
		for _, a := range actions {
			require.NotContains(t, a, "*")
			require.True(t, isUnscoped(service+":"+a))
		}
	}
	require.False(t, isUnscoped("s3:List*"), "a pattern may gain actions")
}

func TestRoleArgsFindings(t *testing.T) {
	t.Parallel()
	_, err := (&RoleArgs{
		RoleName:            strings.Repeat("r", 65),
		MaxSessionDuration:  60,
		ManagedPolicyARNs:   []string{"ReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess"},
		PermissionsBoundary: "boundary",
		Policies:            map[string]Document{"all": {{Effect: Allow, Actions: []string{"*"}, Resources: []string{"*"}}}},
	}).render()
	for _, field := range []string{
		"roleName: ", "description: 0 characters", "maxSessionDuration: 60", "managedPolicyARNs[0]", "managedPolicyARNs[1]: AdministratorAccess",
		"permissionsBoundary: ", "trust: document: ", `policies["all"]: statement 0: Actions`,
	} {
		require.ErrorContains(t, err, field)
	}
	_, err = (*RoleArgs)(nil).render()
	require.ErrorContains(t, err, "args: nil")
}

func TestInlinePoliciesAreAddedUp(t *testing.T) {
	t.Parallel()
	half := Document{{Effect: Deny, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::" + strings.Repeat("x", 5500)}}}
	args := &RoleArgs{
		RoleName: "r", Description: "For the test only", Trust: ServiceTrust("ecs-tasks.amazonaws.com", scope),
		Policies: map[string]Document{"one": half},
	}
	_, err := args.render()
	require.NoError(t, err)
	args.Policies["two"] = half
	_, err = args.render()
	require.ErrorContains(t, err, "a role holds 10240 inline")
}

// FuzzAcceptedPoliciesAreNarrow: whatever a document holds, the rules do not
// panic, and what they accept for a role is neither every action nor a scoped
// action on everything.
func FuzzAcceptedPoliciesAreNarrow(f *testing.F) {
	f.Add("s3:GetObject", "arn:aws:s3:::data/*", "StringEquals", "aws:SourceAccount", "1", true)
	f.Add("*", "*", "Bool", "aws:SecureTransport", "true", true)
	f.Add("iam:PassRole", "arn:aws:iam::1:role/*", "StringEquals", "iam:PassedToService", "x", false)
	f.Add("kms:Decrypt", "arn:aws:kms:r:1:key/*:", "Null", ":", "", true)
	f.Fuzz(func(t *testing.T, action, resource, test, key, value string, allow bool) {
		s := Statement{
			Effect: Deny, Actions: []string{action}, Resources: []string{resource},
			Conditions: []Condition{{test, key, []string{value}}},
		}
		if allow {
			s.Effect = Allow
		}
		text, err := Document{s}.IdentityPolicy()
		if err != nil {
			require.Empty(t, text, "a refused document is not handed out")
			return
		}
		require.LessOrEqual(t, Size(text), 10240)
		if s.Effect == Allow {
			require.NotEqual(t, "*", action)
			if strings.Trim(resource, "*") == "" {
				require.True(t, isUnscoped(action), "%s on %s", action, resource)
			}
		}
	})
}
