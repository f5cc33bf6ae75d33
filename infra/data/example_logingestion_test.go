package data_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

// Log groups that are delivered to a domain, and one that must not be: the
// domain's own, to which each delivery would add.
func ExampleNewLogIngestion() {
	scope := identity.Scope{Partition: "aws", Region: "eu-central-1", AccountID: "123456789012"}
	key := pulumi.String(scope.ARN("kms", "key/logs"))
	deliver := func(groups ...string) {
		graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
			args := &data.LogIngestionArgs{
				Scope: scope, StreamName: "redoubt-prod-logs", IndexName: "logs",
				// In a stack, what NewOpenSearch and NewBucket return.
				Domain:           &data.OpenSearch{DomainName: "redoubt-prod-search", DomainArn: scope.ARN("es", "domain/redoubt-prod-search"), AccessRoles: []string{"redoubt-prod-log-delivery"}},
				Backup:           &data.Bucket{Kind: data.Audit, PhysicalName: "redoubt-prod-audit", Scope: scope},
				BackupKmsKeyArn:  key,
				BackupKeyAlias:   "alias/redoubt-prod-logs",
				SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
				SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-delivery"}),
				KmsKeyArn:        key, LogKmsKeyArn: key, LogRetentionInDays: 365,
				RoleName: "redoubt-prod-log-delivery", SubscriptionRoleName: "redoubt-prod-log-subscription",
			}
			for _, group := range groups {
				args.Sources = append(args.Sources, data.LogSource{LogGroup: group})
			}
			_, err := data.NewLogIngestion(ctx, "logs", args)
			fmt.Println(err)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
		for _, filter := range graph.ByType("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter") {
			fmt.Println(filter.Input("logGroup"))
		}
	}
	deliver("/redoubt-prod/app", "aws-waf-logs-redoubt-prod")
	deliver("/aws/opensearch/redoubt-prod-search/search-slow")
	// Output:
	// <nil>
	// aws-waf-logs-redoubt-prod
	// /redoubt-prod/app
	// log ingestion "logs": sources[0].logGroup: /aws/opensearch/redoubt-prod-search/search-slow: the domain logs its slow and failed requests there, so that each delivery would cause another (leave it out)
}
