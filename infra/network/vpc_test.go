package network_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	vpcType        = "aws:ec2/vpc:Vpc"
	subnetType     = "aws:ec2/subnet:Subnet"
	tableType      = "aws:ec2/routeTable:RouteTable"
	assocType      = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	routeType      = "aws:ec2/route:Route"
	natType        = "aws:ec2/natGateway:NatGateway"
	eipType        = "aws:ec2/eip:Eip"
	aclType        = "aws:ec2/networkAcl:NetworkAcl"
	aclRuleType    = "aws:ec2/networkAclRule:NetworkAclRule"
	endpointType   = "aws:ec2/vpcEndpoint:VpcEndpoint"
	flowLogType    = "aws:ec2/flowLog:FlowLog"
	roleType       = "aws:iam/role:Role"
	rolePolicyType = "aws:iam/rolePolicy:RolePolicy"
)

const logsKey = pulumi.String("arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-4333-8444-555555555555")

var (
	scope     = identity.Scope{Partition: graphtest.Partition, Region: graphtest.Region, AccountID: graphtest.AccountID}
	zones     = []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"}
	ownerTags = map[string]string{"owner": "platform"}
)

func vpcArgs(change ...func(*network.VpcArgs)) *network.VpcArgs {
	args := &network.VpcArgs{
		Prefix: "redoubt-dev", Scope: scope, CIDR: "10.20.0.0/16", AvailabilityZones: zones,
		NAT: network.NATPerAZ, Tags: ownerTags,
		FlowLogs: network.FlowLogsArgs{KmsKeyArn: logsKey, RetentionInDays: 30},
	}
	for _, f := range change {
		f(args)
	}
	return args
}

func vpcGraph(t *testing.T, args *network.VpcArgs, opts ...graphtest.Option) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := network.NewVpc(ctx, "net", args)
		return err
	}, opts...)
}

func TestVpcHasFourTiersWithoutPublicAddresses(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs())
	vpc := g.One(vpcType, "net-vpc")
	require.Equal(t, "10.20.0.0/16", vpc.Input("cidrBlock"))
	require.Equal(t, true, vpc.Input("enableDnsSupport"))
	require.Equal(t, true, vpc.Input("enableDnsHostnames"))
	require.Equal(t, map[string]any{"Name": "redoubt-dev-vpc", "owner": "platform"}, vpc.Input("tags"))

	subnets := g.ByType(subnetType)
	require.Len(t, subnets, 12)
	for _, s := range subnets {
		require.Equal(t, false, s.Input("mapPublicIpOnLaunch"), s.Name)
		require.Same(t, vpc, g.Refers(s.Input("vpcId")))
	}
	require.Equal(t, "10.20.16.0/20", g.One(subnetType, "net-app-b").Input("cidrBlock"))
}

func TestVpcTakesTheSizeOfEachEnvironment(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		environment, cidr string
		zones             int
		nat               network.NATStrategy
		subnets, gateways int
	}{
		{"dev", "10.20.0.0/16", 2, network.NATSingle, 8, 1},
		{"staging", "10.30.0.0/16", 2, network.NATSingle, 8, 1},
		{"prod", "10.40.0.0/16", 3, network.NATPerAZ, 12, 3},
	} {
		t.Run(tc.environment, func(t *testing.T) {
			t.Parallel()
			g := vpcGraph(t, vpcArgs(func(a *network.VpcArgs) {
				a.Prefix, a.CIDR, a.AvailabilityZones, a.NAT = "redoubt-"+tc.environment, tc.cidr, zones[:tc.zones], tc.nat
			}))
			require.Len(t, g.ByType(subnetType), tc.subnets)
			require.Len(t, g.ByType(natType), tc.gateways)
			require.Equal(t, "redoubt-"+tc.environment+"-vpc", g.One(vpcType, "net-vpc").Input("tags.Name"))
		})
	}
}

func TestVpcEmptiesWhatAwsMakesByItself(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs())
	group := g.Only("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
	require.False(t, group.Has("ingress") || group.Has("egress"))
	acl := g.Only("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl")
	require.False(t, acl.Has("ingress") || acl.Has("egress"))
	require.Equal(t, []string{"subnetIds"}, acl.IgnoreChanges)
	require.Equal(t, []any{}, g.Only("aws:ec2/defaultRouteTable:DefaultRouteTable").Input("routes"))
}

// defaultRouteOf is the target of 0.0.0.0/0 for a subnet, "" without one.
func defaultRouteOf(g *graphtest.Graph, subnet string) string {
	for _, a := range g.ByType(assocType) {
		if g.Refers(a.Input("subnetId")).Name != subnet {
			continue
		}
		for _, r := range g.ByType(routeType) {
			if r.Input("routeTableId") == a.Input("routeTableId") && r.Input("destinationCidrBlock") == "0.0.0.0/0" {
				if target := g.Refers(r.Input("gatewayId")); target != nil {
					return target.Name
				}
				return g.Refers(r.Input("natGatewayId")).Name
			}
		}
		return ""
	}
	return "no route table"
}

func TestWaysOutOfEachTier(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		nat network.NATStrategy
		app map[string]string
	}{
		{network.NATNone, map[string]string{"a": "", "b": "", "c": ""}},
		{network.NATSingle, map[string]string{"a": "net-nat-a", "b": "net-nat-a", "c": "net-nat-a"}},
		{network.NATPerAZ, map[string]string{"a": "net-nat-a", "b": "net-nat-b", "c": "net-nat-c"}},
	} {
		t.Run(string(tc.nat), func(t *testing.T) {
			t.Parallel()
			g := vpcGraph(t, vpcArgs(func(a *network.VpcArgs) { a.NAT = tc.nat }))
			for zone, want := range tc.app {
				require.Equal(t, want, defaultRouteOf(g, "net-app-"+zone))
				require.Equal(t, "net-igw", defaultRouteOf(g, "net-public-"+zone))
				require.Empty(t, defaultRouteOf(g, "net-data-"+zone), "the data tier has no way out")
				require.Empty(t, defaultRouteOf(g, "net-endpoint-"+zone))
			}
			require.Len(t, g.ByType(tableType), 6, "changing the strategy replaces no table")
			igw := g.Only("aws:ec2/internetGateway:InternetGateway")
			for _, nat := range g.ByType(natType) {
				require.True(t, g.Depends(nat, igw), "a NAT gateway needs the internet gateway first")
				require.True(t, strings.HasPrefix(g.Refers(nat.Input("subnetId")).Name, "net-public-"))
				eip := g.Refers(nat.Input("allocationId"))
				require.Equal(t, "vpc", eip.Input("domain"))
				require.False(t, eip.Has("vpc"), "deprecated")
				require.True(t, g.Depends(eip, igw))
			}
			require.Len(t, g.ByType(eipType), len(g.ByType(natType)))
		})
	}
}

// Flow logs of a VPC that another stack made need all that the VPC would say.
func TestFlowLogsAlone(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := network.NewFlowLogs(ctx, "shared", &network.FlowLogsArgs{
			Prefix: "redoubt-prod", Scope: scope, VpcID: pulumi.String("vpc-0123456789abcdef0"), KmsKeyArn: logsKey, RetentionInDays: 365,
		})
		return err
	})
	require.Equal(t, "vpc-0123456789abcdef0", g.Only(flowLogType).Input("vpcId"))
	require.Equal(t, network.FlowLogGroup("redoubt-prod"), g.Only("aws:cloudwatch/logGroup:LogGroup").Input("name"))

	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewFlowLogs(ctx, "shared", &network.FlowLogsArgs{})
		return err
	})
	for _, want := range []string{"prefix:", "scope.region:", "vpcId:", "kmsKeyArn:", "retentionInDays:"} {
		require.ErrorContains(t, err, want)
	}
}

func TestFlowLogsRecordEverything(t *testing.T) {
	t.Parallel()
	bucket := pulumi.String("arn:aws:s3:::redoubt-dev-flow-logs")
	g := vpcGraph(t, vpcArgs(func(a *network.VpcArgs) { a.FlowLogs.ArchiveBucketArn = bucket }))
	for _, name := range []string{"net-flow-logs-cloudwatch", "net-flow-logs-archive"} {
		log := g.One(flowLogType, name)
		require.Equal(t, "ALL", log.Input("trafficType"))
		require.EqualValues(t, 60, log.Input("maxAggregationInterval"))
		require.Equal(t, vpcType, g.Refers(log.Input("vpcId")).Type)
		require.Contains(t, log.Input("logFormat"), "${pkt-srcaddr}")
		require.False(t, log.Has("logGroupName"), "deprecated")
	}
	archive := g.One(flowLogType, "net-flow-logs-archive")
	require.Equal(t, string(bucket), archive.Input("logDestination"))
	require.Equal(t, "parquet", archive.Input("destinationOptions.fileFormat"))
	require.False(t, archive.Has("iamRoleArn"), "S3 delivery is by bucket policy")

	log := g.One(flowLogType, "net-flow-logs-cloudwatch")
	group := g.Refers(log.Input("logDestination"))
	require.Equal(t, "/redoubt-dev/vpc-flow-logs", group.Input("name"))
	require.Equal(t, string(logsKey), group.Input("kmsKeyId"))
	require.EqualValues(t, 30, group.Input("retentionInDays"))
	require.True(t, g.Depends(log, g.Only(rolePolicyType)), "delivery tests its rights at once")

	trust, _ := g.Refers(log.Input("iamRoleArn")).Input("assumeRolePolicy").(string)
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"AssumeRole","Effect":"Allow",
		"Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},
			"ArnLike":{"aws:SourceArn":"arn:aws:ec2:eu-central-1:123456789012:vpc-flow-log/*"}}}]}`, trust)
}

func TestGatewayEndpointsServeTheAppTierAlone(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs())
	for _, service := range []string{"s3", "dynamodb"} {
		e := g.One(endpointType, "net-"+service)
		require.Equal(t, "com.amazonaws.eu-central-1."+service, e.Input("serviceName"))
		require.Equal(t, "Gateway", e.Input("vpcEndpointType"))
		tables, _ := e.Input("routeTableIds").([]any)
		require.Len(t, tables, 3)
		for _, id := range tables {
			require.True(t, strings.HasPrefix(g.Refers(id).Name, "net-app-"))
		}
		policy, _ := e.Input("policy").(string)
		require.Contains(t, policy, `"aws:ResourceAccount":"123456789012"`)
		require.Contains(t, policy, `"aws:PrincipalAccount":"123456789012"`)
	}
	policy, _ := g.One(endpointType, "net-s3").Input("policy").(string)
	require.Contains(t, policy, "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*", "image layers come from AWS's own bucket")
}

func TestVpcPoliciesAreDecidableAtPreview(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs(), graphtest.Preview())
	for typ, input := range map[string]string{
		endpointType: "policy", roleType: "assumeRolePolicy", rolePolicyType: "policy",
	} {
		require.NotEmpty(t, g.ByType(typ))
		for _, r := range g.ByType(typ) {
			require.NotEqual(t, graphtest.Unknown, r.Input(input), "%s %s", r.Name, input)
		}
	}
}

func TestVpcReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args *network.VpcArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &network.VpcArgs{}, []string{"prefix:", "scope.region:", "scope.accountId:", "nat:", "cidr:", "availabilityZones:", "flowLogs.kmsKeyArn:", "flowLogs.retentionInDays:"}},
		{"a port", vpcArgs(func(a *network.VpcArgs) { a.Ports.App = 70000 }), []string{"ports.app: 70000"}},
		{"a prefix too long for a load balancer", vpcArgs(func(a *network.VpcArgs) { a.Prefix = strings.Repeat("x", 27) }), []string{"prefix:"}},
		{"a reserved prefix", vpcArgs(func(a *network.VpcArgs) { a.Prefix = "internal-dev" }), []string{"internal-"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := network.NewVpc(ctx, "net", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func ExampleNewPlan() {
	plan, err := network.NewPlan("10.20.0.0/16", []string{"eu-central-1a", "eu-central-1b"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range plan.In(network.Data) {
		fmt.Println(s.Tier, s.Zone, s.CIDR)
	}
	// Output:
	// data eu-central-1a 10.20.208.0/24
	// data eu-central-1b 10.20.209.0/24
}
