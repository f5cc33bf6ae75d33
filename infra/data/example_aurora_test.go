package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A cluster of two instances that is backed up by its tier, tells a topic of
// failovers, and leaves a snapshot that a second destroy does not trip over.
func ExampleNewAurora() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := data.NewAurora(ctx, "db", &data.AuroraArgs{
			Scope: scope, Identifier: "redoubt-prod-db", EngineVersion: "16.6", DatabaseName: "app",
			MinACU: 1, MaxACU: 32, Instances: 2,
			SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
			SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-aurora"}),
			KmsKeyArn:        pulumi.String(scope.ARN("kms", "key/app")), LogKmsKeyArn: pulumi.String(scope.ARN("kms", "key/logs")),
			LogRetentionInDays: 365, BackupRetentionDays: 35, SecretRotationDays: 30, DeletionProtection: true,
			FinalSnapshotSuffix: "2", BackupTier: "redoubt-prod", EventTopicArn: pulumi.String(scope.ARN("sns", "redoubt-prod-medium")),
			MonitoringRoleName: "redoubt-prod-db-monitoring", Protect: true,
		})
		return err
	})
	for _, cluster := range graph.ByType("aws:rds/cluster:Cluster") {
		fmt.Println(cluster.Input("finalSnapshotIdentifier"), cluster.Input("tags.backup"))
	}
	for _, events := range graph.ByType("aws:rds/eventSubscription:EventSubscription") {
		fmt.Println(events.Input("sourceType"), events.Input("sourceIds"))
	}
	fmt.Println(err)
	// Output:
	// redoubt-prod-db-final-2 redoubt-prod
	// db-cluster [redoubt-prod-db]
	// db-instance [redoubt-prod-db-1 redoubt-prod-db-2]
	// <nil>
}
