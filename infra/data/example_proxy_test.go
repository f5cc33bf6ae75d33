package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A proxy through which the database user "web" logs in with an IAM token;
// the statement is what the application's role needs for it.
func ExampleNewProxy() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		appKey, logsKey := pulumi.String(scope.ARN("kms", "key/app")), pulumi.String(scope.ARN("kms", "key/logs"))
		subnets := pulumi.ToStringArray([]string{"subnet-a", "subnet-b"})
		cluster, err := data.NewAurora(ctx, "db", &data.AuroraArgs{
			Scope: scope, Identifier: "redoubt-prod-db", EngineVersion: "16.6", MinACU: 1, MaxACU: 8, Instances: 2,
			SubnetIDs: subnets, SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-aurora"}),
			KmsKeyArn: appKey, LogKmsKeyArn: logsKey, LogRetentionInDays: 365, BackupRetentionDays: 35, SecretRotationDays: 30,
			MonitoringRoleName: "redoubt-prod-db-monitoring",
		})
		if err != nil {
			return err
		}
		login, err := data.NewSecret(ctx, "login", &data.SecretArgs{
			Scope: scope, SecretName: "redoubt-prod/db/web", Description: "Database login of the web application",
			KmsKeyArn: appKey, KeyAlias: "alias/redoubt-prod-app", RecoveryWindowInDays: 30,
			ReaderRoles: []string{"redoubt-prod-db-proxy"}, WriterRoles: []string{"redoubt-prod-operator"}, RotateAfterDays: 90,
		})
		if err != nil {
			return err
		}
		proxy, err := data.NewProxy(ctx, "proxy", &data.ProxyArgs{
			Scope: scope, ProxyName: "redoubt-prod-db", Cluster: cluster, Secrets: []*data.Secret{login}, RoleName: "redoubt-prod-db-proxy",
			SubnetIDs: subnets, SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-proxy"}),
			LogKmsKeyArn: logsKey, LogRetentionInDays: 365,
		})
		if err != nil {
			return err
		}
		statement := proxy.Connect("web")
		fmt.Println(statement.Actions, statement.Resources)
		return nil
	})
	fmt.Println(err)
	// Output:
	// [rds-db:connect] [arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-*/web]
	// <nil>
}
