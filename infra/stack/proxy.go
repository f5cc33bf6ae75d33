package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/workload"
)

// proxyUser is who tasks are to the database proxy, and the proxy to the
// database: one name, because a client names it in its token.
const proxyUser = "app_proxy"

// proxyRole is the name of the role with which the proxy reads its secret.
func proxyRole(c config.Config) string { return c.Prefix() + "-db-proxy" }

// newDatabaseProxy makes the pool between tasks and database, and the secret
// with which it logs in; the tasks themselves log in with IAM tokens.
func (s *Stack) newDatabaseProxy(ctx *pulumi.Context, platform *workload.FunctionPlatform) (err error) {
	c := s.config
	if !c.Database.Proxy {
		return nil
	}
	s.proxyUser, err = workload.NewDatabaseUserSecret(ctx, c.Prefix()+"-db-proxy-user", &workload.DatabaseUserSecretArgs{
		Platform: platform, SecretName: "db-proxy-user", Role: databaseRole, User: proxyUser, Database: s.databaseTarget(),
		ReaderRoleNames: []string{proxyRole(c)}, Concurrency: s.concurrency("rotate-db-proxy-user"),
		RotationDays: c.Secrets.RotationDays, RecoveryWindowDays: c.Secrets.RecoveryDays, OrgID: c.OrgID, Protect: c.Keys.Protect,
	}, s.place.here())
	if err != nil {
		return err
	}
	s.proxy, err = data.NewProxy(ctx, c.Prefix()+"-db-proxy", &data.ProxyArgs{
		Scope: s.place.scope, ProxyName: c.Prefix() + "-db", Cluster: s.database, Secrets: []*data.Secret{s.proxyUser.Secret}, RoleName: proxyRole(c),
		SubnetIDs: s.vpc.DataSubnetIDs, SecurityGroupIDs: pulumi.StringArray{s.groups.DatabaseProxy},
		LogKmsKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays, PermissionsBoundary: s.boundary.Arn, Tags: c.Tags,
	}, s.place.here())
	return err
}
