package workload_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/workload"
	"redoubt/internal/graphtest"
)

const adminSecret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!cluster-0123-AbCdEf"

func userSecret(t *testing.T, change func(*workload.DatabaseUserSecretArgs)) pulumi.RunFunc {
	t.Helper()
	dir := archives(t)
	return func(ctx *pulumi.Context) error {
		p, err := newPlatform(ctx, dir)
		if err != nil {
			return err
		}
		instance, err := rds.NewClusterInstance(ctx, "writer", &rds.ClusterInstanceArgs{
			ClusterIdentifier: pulumi.String("redoubt-dev-db"), Engine: pulumi.String("aurora-postgresql"), InstanceClass: pulumi.String("db.serverless"),
		})
		if err != nil {
			return err
		}
		args := &workload.DatabaseUserSecretArgs{
			Platform: p, SecretName: "orders", Role: "orders", Concurrency: 1, RotationDays: 30, RecoveryWindowDays: 7,
			Database: workload.DatabaseUserTarget{
				ClusterIdentifier: "redoubt-dev-db", Host: pulumi.String("db.internal"), Name: "app", AdminSecretArn: pulumi.String(adminSecret),
				Ready: []pulumi.Resource{instance},
			},
			ReaderRoleNames: []string{"redoubt-dev-app-task"},
		}
		change(args)
		_, err = workload.NewDatabaseUserSecret(ctx, "orders", args)
		return err
	}
}

func TestDatabaseUserSecretRotatesFromTheStart(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, userSecret(t, func(*workload.DatabaseUserSecretArgs) {}))
	secret, fn := g.Only("aws:secretsmanager/secret:Secret"), g.Only(functionType)
	require.Equal(t, "redoubt-dev/orders", secret.Input("name"))
	require.Equal(t, keyARN, secret.Input("kmsKeyId"))
	require.EqualValues(t, 7, secret.Input("recoveryWindowInDays"))
	require.False(t, secret.Has("replicas"))
	require.Empty(t, g.ByType("aws:secretsmanager/secretVersion:SecretVersion"), "no password in Pulumi's state")

	rotation := g.Only("aws:secretsmanager/secretRotation:SecretRotation")
	require.EqualValues(t, 30, rotation.Input("rotationRules.automaticallyAfterDays"))
	require.Equal(t, true, rotation.Input("rotateImmediately"))
	require.Same(t, fn, g.Refers(rotation.Input("rotationLambdaArn")))
	require.EqualValues(t, 1, fn.Input("reservedConcurrentExecutions"))
	permission := g.Only("aws:lambda/permission:Permission")
	require.Equal(t, "secretsmanager.amazonaws.com", permission.Input("principal"))
	require.Equal(t, "123456789012", permission.Input("sourceAccount"))
	for _, first := range []*graphtest.Resource{permission, fn, g.Only("aws:secretsmanager/secretPolicy:SecretPolicy")} {
		require.True(t, g.Depends(rotation, first), "the first rotation starts at once and needs %s", first.Name)
	}
	instance := g.Only("aws:rds/clusterInstance:ClusterInstance")
	for _, first := range append(g.ByType("aws:iam/rolePolicy:RolePolicy"), instance) {
		require.True(t, g.Depends(fn, first), "and the function needs %s", first.Name)
	}
	require.Equal(t, map[string]any{
		"DATABASE_HOST": "db.internal", "DATABASE_PORT": "5432", "DATABASE_NAME": "app", "DATABASE_ROLE": "orders", "ADMIN_SECRET_ARN": adminSecret,
	}, fn.Input("environment.variables"))
}

func TestDatabaseUserSecretIsForNamedRoles(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, userSecret(t, func(*workload.DatabaseUserSecretArgs) {}), graphtest.Preview())
	p := g.Only("aws:secretsmanager/secretPolicy:SecretPolicy")
	require.Equal(t, true, p.Input("blockPublicPolicy"))
	var doc identity.Document
	require.NoError(t, json.Unmarshal([]byte(p.Input("policy").(string)), &doc))
	denied := map[string]identity.Statement{}
	for _, s := range doc {
		if s.Effect == identity.Deny {
			denied[s.Sid] = s
		}
	}
	require.Equal(t, "aws:SecureTransport", denied["DenyInsecureTransport"].Conditions[0].Key)
	require.Equal(t, []identity.Condition{{Test: "ArnNotEquals", Key: "aws:PrincipalArn", Values: []string{
		scope.RoleARN("redoubt-dev-app-task"), scope.RoleARN("redoubt-dev-rotate-orders"),
	}}}, denied["DenyOtherReaders"].Conditions)
	require.Equal(t, []string{scope.RoleARN("redoubt-dev-rotate-orders")}, denied["DenyOtherWriters"].Conditions[0].Values)

	rotate := policy(t, g, "orders-rotate-rotate")
	require.Equal(t, []string{"arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-dev/orders-??????"}, rotate["RotateSecret"].Resources)
	require.Equal(t, "secretsmanager:resource/AllowRotationLambdaArn", rotate["RotateSecret"].Conditions[0].Key)
	require.Equal(t, []string{scope.ARN("lambda", "function:redoubt-dev-rotate-orders")}, rotate["RotateSecret"].Conditions[0].Values)
	require.Equal(t, []string{"secretsmanager:GetSecretValue"}, rotate["ReadAdministrator"].Actions)
	require.Equal(t, []string{scope.ARN("rds", "cluster:redoubt-dev-db")}, rotate["ReadAdministrator"].Conditions[0].Values)
}

func TestDatabaseUserSecretOptions(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, userSecret(t, func(a *workload.DatabaseUserSecretArgs) {
		a.Replicas = []data.SecretReplica{{Region: "eu-west-1", KmsKeyArn: pulumi.String("arn:aws:kms:eu-west-1:123456789012:key/app")}}
		a.RecoveryWindowDays, a.Database.Port, a.Database.Authorities = 0, 5433, "-----BEGIN CERTIFICATE-----"
	}))
	secret := g.Only("aws:secretsmanager/secret:Secret")
	require.Equal(t, "eu-west-1", secret.Input("replicas[0].region"))
	require.Equal(t, "arn:aws:kms:eu-west-1:123456789012:key/app", secret.Input("replicas[0].kmsKeyId"))
	require.EqualValues(t, 0, secret.Input("recoveryWindowInDays"))
	fn := g.Only(functionType)
	require.Equal(t, "5433", fn.Input("environment.variables.DATABASE_PORT"))
	require.Equal(t, "-----BEGIN CERTIFICATE-----", fn.Input("environment.variables.DATABASE_CA"))
}

func TestDatabaseUserSecretFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*workload.DatabaseUserSecretArgs){
		"platform: nil":                    func(a *workload.DatabaseUserSecretArgs) { a.Platform = nil },
		"secretName: ":                     func(a *workload.DatabaseUserSecretArgs) { a.SecretName = "a/b" },
		"role: ":                           func(a *workload.DatabaseUserSecretArgs) { a.Role = `orders"; DROP` },
		"database.clusterIdentifier: ":     func(a *workload.DatabaseUserSecretArgs) { a.Database.ClusterIdentifier = "" },
		"database.host: nil":               func(a *workload.DatabaseUserSecretArgs) { a.Database.Host = nil },
		"database.port: 70000":             func(a *workload.DatabaseUserSecretArgs) { a.Database.Port = 70000 },
		"database.name: empty":             func(a *workload.DatabaseUserSecretArgs) { a.Database.Name = "" },
		"database.adminSecretArn: nil":     func(a *workload.DatabaseUserSecretArgs) { a.Database.AdminSecretArn = nil },
		"database.authorities: 4000 bytes": func(a *workload.DatabaseUserSecretArgs) { a.Database.Authorities = string(make([]byte, 4000)) },
		"concurrency: 0":                   func(a *workload.DatabaseUserSecretArgs) { a.Concurrency = 0 },
		"rotationDays: 0":                  func(a *workload.DatabaseUserSecretArgs) { a.RotationDays = 0 },
		"recoveryWindowDays: 3":            func(a *workload.DatabaseUserSecretArgs) { a.RecoveryWindowDays = 3 },
		"readerRoleNames: empty":           func(a *workload.DatabaseUserSecretArgs) { a.ReaderRoleNames = nil },
		"replicas[0].region: ": func(a *workload.DatabaseUserSecretArgs) {
			a.Replicas = []data.SecretReplica{{Region: scope.Region, KmsKeyArn: pulumi.String(keyARN)}}
		},
		"replicas[0].kmsKeyArn: nil": func(a *workload.DatabaseUserSecretArgs) {
			a.Replicas = []data.SecretReplica{{Region: "eu-west-1"}}
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(userSecret(t, change))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(functionType))
		})
	}
}
