package network_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// A site of one page in front of a private bucket. The provider is of
// us-east-1, where CloudFront's web ACLs, certificates and logs are.
func ExampleNewDistribution() {
	edge := scope.In(network.EdgeRegion)
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		acl, err := network.NewWebAcl(ctx, "site", &network.WebAclArgs{
			Prefix: "redoubt-site", Scope: edge, CloudFront: true, Mode: network.WAFBlock, RateLimit: 2000,
			LogKeyArn: logsKey, LogRetentionInDays: 365,
		})
		if err != nil {
			return err
		}
		site, err := network.NewDistribution(ctx, "site", &network.DistributionArgs{
			Prefix: "redoubt-site", Scope: edge, Host: "docs.example.org", ZoneID: "Z0123456789ABC", SinglePage: true,
			OriginDomain: pulumi.String("redoubt-site.s3.eu-central-1.amazonaws.com"), WebAcl: acl,
			LogKeyArn: logsKey, LogRetentionInDays: 365,
		})
		if err != nil {
			return err
		}
		fmt.Println(site.URL)
		return nil
	})
	fmt.Println(graph.Only("aws:cloudfront/distribution:Distribution").Input("viewerCertificate.minimumProtocolVersion"))
	fmt.Println(err)
	// Output:
	// https://docs.example.org
	// TLSv1.2_2021
	// <nil>
}

// The groups of a service that lives in another stack's VPC.
func ExampleNewServiceGroups() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewServiceGroups(ctx, "orders", &network.ServiceGroupsArgs{
			Prefix: "shop-orders", VpcID: pulumi.String("vpc-0123456789abcdef0"), Port: 8080,
			EndpointGroupID: pulumi.String("sg-endpoint"), S3PrefixListID: pulumi.String("pl-s3"),
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:network:ServiceGroups orders
	//   aws:ec2/securityGroup:SecurityGroup orders-alb
	//   aws:ec2/securityGroup:SecurityGroup orders-tasks
	//   aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule orders-alb-out-tasks
	//   aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule orders-tasks-out-endpoints
	//   aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule orders-tasks-out-s3
	//   aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule orders-alb-in-0.0.0.0-0
	//   aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule orders-endpoints-in-tasks
	//   aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule orders-tasks-in-alb
	// <nil>
}
