package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// A domain of one node for development. A standby zone needs more, and the
// error says how much.
func ExampleNewOpenSearch() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	args := &data.OpenSearchArgs{
		Scope: scope, DomainName: "redoubt-dev-search", EngineVersion: "OpenSearch_2.19",
		InstanceType: "t3.small.search", InstanceCount: 1, VolumeGiB: 10, Standby: true,
		SubnetIDs:        []pulumi.StringInput{pulumi.String("subnet-a")},
		SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-search"}),
		KmsKeyArn:        pulumi.String(scope.ARN("kms", "key/app")), LogKmsKeyArn: pulumi.String(scope.ARN("kms", "key/logs")),
		LogRetentionInDays: 14, MasterRoleName: "redoubt-dev-search-admin",
	}
	for range 2 {
		_, err := graphtest.Build(func(ctx *pulumi.Context) error {
			domain, err := data.NewOpenSearch(ctx, "search", args)
			if err != nil {
				fmt.Println(err)
				return nil
			}
			fmt.Println(domain.DomainArn)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
		args.Standby = false
	}
	// Output:
	// opensearch "search": standby: needs 3 zones, 3 data nodes, 3 masters and no burstable instances; there are 1, 1, 0 and t3.small.search (change them or switch standby off)
	// arn:aws:es:eu-central-1:123456789012:domain/redoubt-dev-search
}
