package data_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

const (
	secretType       = "aws:secretsmanager/secret:Secret"
	secretPolicyType = "aws:secretsmanager/secretPolicy:SecretPolicy"
	rotationType     = "aws:secretsmanager/secretRotation:SecretRotation"
	rotatorARN       = "arn:aws:lambda:eu-central-1:123456789012:function:redoubt-prod-rotate"
)

func secretArgs() *data.SecretArgs {
	return &data.SecretArgs{
		Scope: scope, SecretName: "redoubt-prod/payments", Description: "API key of the payment provider",
		KmsKeyArn: pulumi.String(keyARN), KeyAlias: "alias/redoubt-prod-app", RecoveryWindowInDays: 30,
		ReaderRoles: []string{"redoubt-prod-app-task"}, WriterRoles: []string{"redoubt-prod-operator"},
		OrgID: "o-abc1234567", RotateAfterDays: 90, Protect: true,
	}
}

func secret(change func(*data.SecretArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		args := secretArgs()
		change(args)
		_, err := data.NewSecret(ctx, "payments", args)
		return err
	}
}

func TestSecretByHand(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, secret(func(*data.SecretArgs) {}))
	s := g.Only(secretType)
	for field, want := range map[string]any{
		"name": "redoubt-prod/payments", "kmsKeyId": keyARN, "recoveryWindowInDays": 30.0,
		"tags.rotation": "manual", "tags.rotate-after-days": "90",
	} {
		require.Equal(t, want, s.Input(field), field)
	}
	require.True(t, s.Protect)
	require.Equal(t, true, g.Only(secretPolicyType).Input("blockPublicPolicy"))
	require.Empty(t, g.ByType(rotationType))
	require.Empty(t, g.ByType("aws:secretsmanager/secretVersion:SecretVersion"), "a value given here would rest in the state")
}

func TestSecretOpensToNamedRolesOnly(t *testing.T) {
	t.Parallel()
	policy := graphtest.Run(t, secret(func(*data.SecretArgs) {}), graphtest.Preview()).Only(secretPolicyType)
	reader, writer := "arn:aws:iam::123456789012:role/redoubt-prod-app-task", "arn:aws:iam::123456789012:role/redoubt-prod-operator"
	for sid, want := range map[string]struct {
		effect    identity.Effect
		action    string
		condition identity.Condition
	}{
		"DenyInsecureTransport": {identity.Deny, "secretsmanager:*", identity.Condition{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}}},
		"DenyOtherReaders":      {identity.Deny, "secretsmanager:GetSecretValue", identity.Condition{Test: "ArnNotEquals", Key: "aws:PrincipalArn", Values: []string{reader}}},
		"DenyOtherWriters":      {identity.Deny, "secretsmanager:PutSecretValue", identity.Condition{Test: "ArnNotEquals", Key: "aws:PrincipalArn", Values: []string{writer}}},
		"DenyOutsideOrganization": {identity.Deny, "secretsmanager:*", identity.Condition{
			Test: "StringNotEquals", Key: "aws:PrincipalOrgID", Values: []string{"o-abc1234567"},
		}},
		"AllowReaders": {identity.Allow, "secretsmanager:GetSecretValue", identity.Condition{Test: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{reader}}},
		"AllowWriters": {identity.Allow, "secretsmanager:PutSecretValue", identity.Condition{Test: "ArnEquals", Key: "aws:PrincipalArn", Values: []string{writer}}},
	} {
		s := statement(t, policy, "policy", sid)
		require.Equal(t, want.effect, s.Effect, sid)
		require.Contains(t, s.Actions, want.action, sid)
		require.Contains(t, s.Conditions, want.condition, sid)
		require.Equal(t, want.effect == identity.Deny, s.Principals.Any, sid)
	}
}

func TestSecretRotatedByAFunction(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, secret(func(args *data.SecretArgs) {
		args.WriterRoles, args.Rotation = nil, &data.SecretRotation{FunctionArn: pulumi.String(rotatorARN), RoleName: "redoubt-prod-rotate", Immediately: true}
	}))
	rotation, permission := g.Only(rotationType), g.Only("aws:lambda/permission:Permission")
	require.Equal(t, rotatorARN, rotation.Input("rotationLambdaArn"))
	require.EqualValues(t, 90, rotation.Input("rotationRules.automaticallyAfterDays"))
	require.Equal(t, true, rotation.Input("rotateImmediately"))
	require.Equal(t, "function", g.Only(secretType).Input("tags.rotation"))
	require.Equal(t, "secretsmanager.amazonaws.com", permission.Input("principal"))
	require.Equal(t, "123456789012", permission.Input("sourceAccount"), "no other account's secret may call the function")
	require.Equal(t, g.Only(secretType), g.Refers(permission.Input("sourceArn")))
	require.True(t, g.Depends(rotation, permission))

	policy := g.Only(secretPolicyType)
	require.True(t, g.Depends(rotation, policy))
	for _, sid := range []string{"DenyOtherReaders", "DenyOtherWriters"} {
		require.Contains(t, statement(t, policy, "policy", sid).Conditions[0].Values, "arn:aws:iam::123456789012:role/redoubt-prod-rotate", sid)
	}
}

func TestSecretReplicas(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, secret(func(args *data.SecretArgs) {
		args.Replicas = []data.SecretReplica{{Region: replicaRegion, KmsKeyArn: pulumi.String(replicaKeyARN)}}
	}))
	require.Equal(t, []any{map[string]any{"region": replicaRegion, "kmsKeyId": replicaKeyARN}}, g.Only(secretType).Input("replicas"))
}

func TestSecretReadStatements(t *testing.T) {
	t.Parallel()
	var doc identity.Document
	graphtest.Run(t, func(ctx *pulumi.Context) error {
		s, err := data.NewSecret(ctx, "payments", secretArgs())
		if err != nil {
			return err
		}
		doc = s.Read()
		return nil
	}, graphtest.Preview())
	require.Equal(t, []string{"arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-prod/payments-??????"}, doc[0].Resources)
	_, err := doc.IdentityPolicy()
	require.NoError(t, err)
}

func TestSecretArgsFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*data.SecretArgs){
		"secretName: \"a b\"":                 func(a *data.SecretArgs) { a.SecretName = "a b" },
		"like an ARN":                         func(a *data.SecretArgs) { a.SecretName = "redoubt-secret" },
		"description: empty":                  func(a *data.SecretArgs) { a.Description = "" },
		"kmsKeyArn: nil":                      func(a *data.SecretArgs) { a.KmsKeyArn = nil },
		"keyAlias: \"app\"":                   func(a *data.SecretArgs) { a.KeyAlias = "app" },
		"recoveryWindowInDays: 3":             func(a *data.SecretArgs) { a.RecoveryWindowInDays = 3 },
		"recoveryWindowInDays: 0 with":        func(a *data.SecretArgs) { a.RecoveryWindowInDays = 0 },
		"readerRoles: empty (":                func(a *data.SecretArgs) { a.ReaderRoles = nil },
		"readerRoles: an empty name":          func(a *data.SecretArgs) { a.ReaderRoles = []string{""} },
		"writerRoles: an empty name":          func(a *data.SecretArgs) { a.WriterRoles = []string{""} },
		"writerRoles: empty without rotation": func(a *data.SecretArgs) { a.WriterRoles = nil },
		"orgId: \"o-1\"":                      func(a *data.SecretArgs) { a.OrgID = "o-1" },
		"rotateAfterDays: 0":                  func(a *data.SecretArgs) { a.RotateAfterDays = 0 },
		"rotation.functionArn: nil":           func(a *data.SecretArgs) { a.Rotation = &data.SecretRotation{RoleName: "r"} },
		"rotation.roleName: empty":            func(a *data.SecretArgs) { a.Rotation = &data.SecretRotation{FunctionArn: pulumi.String(rotatorARN)} },
		"replicas[0].region: \"eu-central-1\"": func(a *data.SecretArgs) {
			a.Replicas = []data.SecretReplica{{Region: "eu-central-1", KmsKeyArn: pulumi.String(keyARN)}}
		},
		"replicas[0].kmsKeyArn: nil": func(a *data.SecretArgs) { a.Replicas = []data.SecretReplica{{Region: "eu-west-1"}} },
		"scope.accountId":            func(a *data.SecretArgs) { a.Scope.AccountID = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(secret(change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(secretType))
		})
	}
}
