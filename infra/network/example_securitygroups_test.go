package network_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// An internal application: only the office and its partner may come in.
func ExampleNewSecurityGroups() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		office, err := network.NewPrefixList(ctx, "office", &network.PrefixListArgs{
			Prefix: "redoubt-prod", Name: "office", MaxEntries: 10,
			Entries: []network.PrefixListEntry{{CIDR: "203.0.113.0/24", Description: "Berlin office"}},
		})
		if err != nil {
			return err
		}
		_, err = network.NewSecurityGroups(ctx, "prod", &network.SecurityGroupsArgs{
			Prefix: "redoubt-prod", VpcID: pulumi.String("vpc-0123456789abcdef0"), S3PrefixListID: pulumi.String("pl-s3"),
			AllowedPrefixLists: []network.AllowedList{office.Allowed},
			AllowedCIDRs:       []string{"198.51.100.7/32"},
		})
		return err
	})
	for _, rule := range graph.ByType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
		fmt.Printf("%s: %s\n", rule.Name, rule.Input("description"))
	}
	fmt.Println(err)
	// Output:
	// prod-alb-in-cidr-443-198.51.100.7-32: HTTPS inbound
	// prod-alb-in-list-443-office: HTTPS inbound
	// prod-aurora-in-ecs-5432: Database connections from ECS tasks
	// prod-ecs-in-alb-3000: Traffic from ALB
	// prod-endpoint-in-ecs-443: HTTPS from ECS tasks
	// prod-endpoint-in-lambda-443: HTTPS from Lambda functions
	// prod-opensearch-in-ecs-443: HTTPS from ECS tasks
	// <nil>
}

// The ranges of an office, with room for eight more.
func ExampleNewPrefixList() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewPrefixList(ctx, "office", &network.PrefixListArgs{
			Prefix: "redoubt-prod", Name: "office", MaxEntries: 10,
			Entries: []network.PrefixListEntry{
				{CIDR: "203.0.113.0/24", Description: "Berlin office"},
				{CIDR: "198.51.100.7/32", Description: "VPN gateway"},
			},
		})
		return err
	})
	list := graph.Only("aws:ec2/managedPrefixList:ManagedPrefixList")
	fmt.Println(list.Input("name"), list.Input("addressFamily"), list.Input("maxEntries"), err)
	// Output: redoubt-prod-office IPv4 10 <nil>
}

// A load balancer behind CloudFront: nobody else reaches it.
func ExampleLookupAWSList() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		origins, err := network.LookupAWSList(ctx, "cloudfront", network.CloudFrontOrigins)
		if err != nil {
			return err
		}
		_, err = network.NewSecurityGroups(ctx, "prod", &network.SecurityGroupsArgs{
			Prefix: "redoubt-prod", VpcID: pulumi.String("vpc-0123456789abcdef0"), S3PrefixListID: pulumi.String("pl-s3"),
			AllowedPrefixLists: []network.AllowedList{origins},
		})
		return err
	})
	rule := graph.One("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "prod-alb-in-list-443-cloudfront")
	fmt.Println(rule.Input("fromPort"), rule.Has("prefixListId"), rule.Has("cidrIpv4"), err)
	// Output: 443 true false <nil>
}
