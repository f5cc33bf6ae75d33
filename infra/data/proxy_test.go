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
	proxyType = "aws:rds/proxy:Proxy"
	proxyRole = "redoubt-prod-db-proxy"
)

func proxy(change func(*data.ProxyArgs), after func(*data.Proxy)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		cluster, err := data.NewAurora(ctx, "db", auroraArgs())
		if err != nil {
			return err
		}
		login := secretArgs()
		login.SecretName, login.ReaderRoles = "redoubt-prod/db/web", []string{proxyRole}
		secret, err := data.NewSecret(ctx, "web", login)
		if err != nil {
			return err
		}
		args := &data.ProxyArgs{
			Scope: scope, ProxyName: "redoubt-prod-db", Cluster: cluster, Secrets: []*data.Secret{secret}, RoleName: proxyRole,
			SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-proxy"}),
			LogKmsKeyArn:     pulumi.String(keyARN), LogRetentionInDays: 30,
		}
		change(args)
		c, err := data.NewProxy(ctx, "proxy", args)
		if err == nil {
			after(c)
		}
		return err
	}
}

func unchanged(*data.ProxyArgs) {}

func TestProxyTakesTokensOverTLS(t *testing.T) {
	t.Parallel()
	var connect identity.Statement
	g := graphtest.Run(t, proxy(unchanged, func(c *data.Proxy) { connect = c.Connect("web") }))
	p := g.Only(proxyType)
	for field, want := range map[string]any{
		"name": "redoubt-prod-db", "engineFamily": "POSTGRESQL", "requireTls": true, "debugLogging": false,
		"auths[0].authScheme": "SECRETS", "auths[0].iamAuth": "REQUIRED", "vpcSecurityGroupIds[0]": "sg-proxy",
	} {
		require.Equal(t, want, p.Input(field), field)
	}
	require.Equal(t, g.Only(secretType), g.Refers(p.Input("auths[0].secretArn")))
	require.True(t, g.Depends(p, g.Only(secretPolicyType)), "the proxy reads the secret as soon as it is there")

	group := g.One("aws:cloudwatch/logGroup:LogGroup", "proxy-logs")
	require.Equal(t, "/aws/rds/proxy/redoubt-prod-db", group.Input("name"))
	require.True(t, g.Depends(p, group), "RDS would make the group unencrypted")
	require.Equal(t, []string{"arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-*/web"}, connect.Resources)
}

func TestProxyReadsItsSecretsOnly(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, proxy(unchanged, func(*data.Proxy) {}), graphtest.Preview())
	rights := g.One("aws:iam/rolePolicy:RolePolicy", "proxy-secret-1")
	read := statement(t, rights, "policy", "ReadSecret")
	require.Equal(t, []string{"arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-prod/db/web-??????"}, read.Resources)
	decrypt := statement(t, rights, "policy", "DecryptSecret")
	require.Contains(t, decrypt.Conditions, identity.Condition{
		Test: "StringEquals", Key: "kms:ViaService", Values: []string{"secretsmanager.eu-central-1.amazonaws.com"},
	})
	require.Equal(t, []string{"rds.amazonaws.com"}, statement(t, g.One("aws:iam/role:Role", "proxy-role"), "assumeRolePolicy", "AssumeRole").Principals.Service)
}

func TestProxyTargetWaitsForInstances(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, proxy(unchanged, func(*data.Proxy) {}))
	target := g.Only("aws:rds/proxyTarget:ProxyTarget")
	require.Equal(t, "redoubt-prod", target.Input("dbClusterIdentifier"))
	require.False(t, target.Has("dbInstanceIdentifier"))
	for _, instance := range g.ByType("aws:rds/clusterInstance:ClusterInstance") {
		require.True(t, g.Depends(target, instance), "RDS refuses a cluster without instances")
	}
	pool := g.Only("aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup")
	require.EqualValues(t, 90, pool.Input("connectionPoolConfig.maxConnectionsPercent"), "administrators keep the rest")
}

func TestProxyArgsFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*data.ProxyArgs){
		"proxyName: \"db-\"":     func(a *data.ProxyArgs) { a.ProxyName = "db-" },
		"cluster: nil":           func(a *data.ProxyArgs) { a.Cluster = nil },
		"roleName: empty":        func(a *data.ProxyArgs) { a.RoleName = "" },
		"subnetIds: nil":         func(a *data.ProxyArgs) { a.SubnetIDs = nil },
		"securityGroupIds: nil":  func(a *data.ProxyArgs) { a.SecurityGroupIDs = nil },
		"logKmsKeyArn: nil":      func(a *data.ProxyArgs) { a.LogKmsKeyArn = nil },
		"logRetentionInDays: 31": func(a *data.ProxyArgs) { a.LogRetentionInDays = 31 },
		"secrets: empty":         func(a *data.ProxyArgs) { a.Secrets = nil },
		"secrets[0]: nil":        func(a *data.ProxyArgs) { a.Secrets = []*data.Secret{nil} },
		"secrets[0]: redoubt-prod/db/web is not for \"another\" to read": func(a *data.ProxyArgs) { a.RoleName = "another" },
		"scope.partition: empty": func(a *data.ProxyArgs) { a.Scope.Partition = "" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(proxy(change, func(*data.Proxy) {}))
			require.ErrorContains(t, err, want)
			require.Empty(t, g.ByType(proxyType))
		})
	}
}
