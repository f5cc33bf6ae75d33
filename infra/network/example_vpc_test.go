package network_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// A VPC of the size of staging: two zones that share one NAT gateway.
func ExampleNewVpc() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		vpc, err := network.NewVpc(ctx, "staging", &network.VpcArgs{
			Prefix: "redoubt-staging", Scope: scope, CIDR: "10.30.0.0/16",
			AvailabilityZones: []string{"eu-central-1a", "eu-central-1b"},
			NAT:               network.NATSingle,
			FlowLogs:          network.FlowLogsArgs{KmsKeyArn: logsKey, RetentionInDays: 30},
		})
		if err != nil {
			return err
		}
		for _, subnet := range vpc.Plan.Subnets {
			fmt.Println(subnet.Tier, subnet.Zone, subnet.CIDR)
		}
		return nil
	})
	fmt.Println(len(graph.ByType("aws:ec2/natGateway:NatGateway")), "NAT gateway", err)
	// Output:
	// public eu-central-1a 10.30.192.0/24
	// public eu-central-1b 10.30.193.0/24
	// app eu-central-1a 10.30.0.0/20
	// app eu-central-1b 10.30.16.0/20
	// data eu-central-1a 10.30.208.0/24
	// data eu-central-1b 10.30.209.0/24
	// endpoint eu-central-1a 10.30.224.0/24
	// endpoint eu-central-1b 10.30.225.0/24
	// 1 NAT gateway <nil>
}

// Flow logs of a VPC that another stack made, with a copy for Athena.
func ExampleNewFlowLogs() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewFlowLogs(ctx, "shared", &network.FlowLogsArgs{
			Prefix: "redoubt-prod", Scope: scope, VpcID: pulumi.String("vpc-0123456789abcdef0"),
			KmsKeyArn: logsKey, RetentionInDays: 365, ArchiveBucketArn: pulumi.String("arn:aws:s3:::redoubt-prod-audit"),
		})
		return err
	})
	for _, log := range graph.ByType("aws:ec2/flowLog:FlowLog") {
		fmt.Println(log.Name, log.Input("trafficType"), log.Input("logDestination"))
	}
	fmt.Println(err)
	// Output:
	// shared-archive ALL arn:aws:s3:::redoubt-prod-audit
	// shared-cloudwatch ALL arn:aws:logs:eu-central-1:123456789012:log-group:/redoubt-prod/vpc-flow-logs
	// <nil>
}

// The endpoints without which a Fargate task does not start in a VPC that has
// no NAT gateway.
func ExampleNewEndpoints() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewEndpoints(ctx, "staging", &network.EndpointsArgs{
			Prefix: "redoubt-staging", Scope: scope, Set: network.EndpointsCore, VpcID: pulumi.String("vpc-0123456789abcdef0"),
			SubnetIDs: pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}), SecurityGroupID: pulumi.String("sg-endpoint"),
		})
		return err
	})
	for _, endpoint := range graph.ByType("aws:ec2/vpcEndpoint:VpcEndpoint") {
		fmt.Println(endpoint.Input("serviceName"))
	}
	fmt.Println(err)
	// Output:
	// com.amazonaws.eu-central-1.ecr.api
	// com.amazonaws.eu-central-1.ecr.dkr
	// com.amazonaws.eu-central-1.kms
	// com.amazonaws.eu-central-1.logs
	// com.amazonaws.eu-central-1.secretsmanager
	// com.amazonaws.eu-central-1.sts
	// <nil>
}
