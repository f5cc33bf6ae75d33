package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// VpcComponent ties Vpc to the guide.
var VpcComponent = guide.Component{
	Token: "redoubt:network:Vpc",
	Serves: []guide.ID{
		guide.OverviewNetworkVPC,
		guide.ArchitectureVPCPublicSubnets,
		guide.ArchitectureVPCPrivateSubnets,
		guide.ArchitectureVPCNAT,
		guide.ArchitectureVPCFlowLogs,
		guide.ArchitectureInTransitEndpoints,
		guide.PracticesSecurityGroupsDefaultDeny,
		guide.DiagramECSS3,
	},
}

// NATStrategy is how the app tier reaches the internet.
type NATStrategy string

// The NAT strategies.
const (
	// NATNone leaves the app tier without a way out: everything that it calls
	// must have an endpoint.
	NATNone NATStrategy = "none"
	// NATSingle is one gateway in the first zone; its loss cuts all zones off.
	NATSingle NATStrategy = "single"
	// NATPerAZ is a gateway in each zone.
	NATPerAZ NATStrategy = "perAZ"
)

// gateways is how many NAT gateways each strategy makes for n zones.
var gateways = map[NATStrategy]func(n int) int{
	NATNone:   func(int) int { return 0 },
	NATSingle: func(int) int { return 1 },
	NATPerAZ:  func(n int) int { return n },
}

// VpcArgs describes a VPC. Prefix, Scope, CIDR, AvailabilityZones, NAT and
// FlowLogs are required.
type VpcArgs struct {
	// Prefix starts all physical names, for example "redoubt-dev".
	Prefix string
	// Scope is the account and region, for policies.
	Scope identity.Scope
	// CIDR and AvailabilityZones are as in NewPlan.
	CIDR              string
	AvailabilityZones []string
	NAT               NATStrategy
	// Ports are the ports that the network ACLs open between tiers.
	Ports Ports
	// HTTPRedirect lets port 80 in to the load balancer.
	HTTPRedirect bool
	// FlowLogs says where flow records go; Prefix, Scope and Tags of its own
	// are not needed.
	FlowLogs FlowLogsArgs
	Tags     map[string]string
}

// Ports are the TCP ports that cross tiers. Zero values mean the guide's 3000
// and PostgreSQL's 5432.
type Ports struct {
	App, Database int
}

func (p Ports) orDefault() Ports {
	if p.App == 0 {
		p.App = 3000
	}
	if p.Database == 0 {
		p.Database = 5432
	}
	return p
}

func (p Ports) check(f *findings) {
	for field, port := range map[string]int{"ports.app": p.App, "ports.database": p.Database} {
		if port < 1 || port > 65535 {
			f.add(field, fmt.Sprintf("%d is no TCP port", port), "1 to 65535, or 0 for the default")
		}
	}
}

// Vpc is a VPC with four tiers of subnets, their routes and network ACLs, NAT,
// gateway endpoints and flow logs. What AWS makes by itself in every VPC (the
// default security group, network ACL and route table) is emptied.
type Vpc struct {
	pulumi.ResourceState

	// Plan is the address plan that the subnets follow.
	Plan Plan
	// ID is the VPC's id.
	ID pulumi.IDOutput
	// PublicSubnetIDs and the others are in the order of AvailabilityZones.
	PublicSubnetIDs, AppSubnetIDs, DataSubnetIDs, EndpointSubnetIDs pulumi.StringArray
	// NATPublicIPs are the addresses that outbound traffic comes from.
	NATPublicIPs pulumi.StringArray
	// NATGatewayIDs are the gateways by their zone's letter.
	NATGatewayIDs map[string]pulumi.StringInput
	// S3PrefixListID is the prefix list of S3's gateway endpoint, for egress rules.
	S3PrefixListID pulumi.StringOutput
	// DynamoDBPrefixListID is the same for DynamoDB.
	DynamoDBPrefixListID pulumi.StringOutput
	// FlowLogs hold what was let through and what was refused.
	FlowLogs *FlowLogs
	// Egress are the routes to the internet: what needs it at start, such as a
	// service that pulls a public image, depends on them.
	Egress []pulumi.Resource

	vpc     *ec2.Vpc
	subnets map[Tier][]*ec2.Subnet
	igw     *ec2.InternetGateway
	// nats are none, one, or one per zone.
	nats []*ec2.NatGateway
	// appTables are the app tier's route tables, a zone each.
	appTables pulumi.StringArray
}

// NewVpc registers the VPC. It returns every finding about args at once.
func NewVpc(ctx *pulumi.Context, name string, args *VpcArgs, opts ...pulumi.ResourceOption) (*Vpc, error) {
	plan, err := args.validate()
	if err != nil {
		return nil, fmt.Errorf("vpc %s: %w", name, err)
	}
	c := &Vpc{NATGatewayIDs: map[string]pulumi.StringInput{}, Plan: plan, subnets: map[Tier][]*ec2.Subnet{}}
	if err := ctx.RegisterComponentResource(VpcComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("vpc %s: register component: %w", name, err)
	}
	b := &vpcBuilder{ctx: ctx, name: name, args: args, ports: args.Ports.orDefault(), c: c}
	for _, step := range []func() error{
		b.vpc, b.emptyDefaults, b.subnets, b.internet, b.nat, b.routes, b.networkACLs, b.gatewayEndpoints, b.flowLogs,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("vpc %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"vpcId":             c.ID,
		"publicSubnetIds":   c.PublicSubnetIDs,
		"appSubnetIds":      c.AppSubnetIDs,
		"dataSubnetIds":     c.DataSubnetIDs,
		"endpointSubnetIds": c.EndpointSubnetIDs,
		"natPublicIps":      c.NATPublicIPs,
		"s3PrefixListId":    c.S3PrefixListID,
	})
}

func (args *VpcArgs) validate() (Plan, error) {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a VpcArgs")
		return Plan{}, f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	if _, ok := gateways[args.NAT]; !ok {
		f.add("nat", fmt.Sprintf("%q is no strategy", args.NAT), "use none, single or perAZ")
	}
	args.Ports.orDefault().check(&f)
	args.FlowLogs.checkDestination(&f, "flowLogs.")
	plan, err := NewPlan(args.CIDR, args.AvailabilityZones)
	if err != nil {
		f.errs = append(f.errs, err)
	}
	return plan, f.err()
}

// vpcBuilder holds what the steps of NewVpc share.
type vpcBuilder struct {
	ctx   *pulumi.Context
	name  string
	args  *VpcArgs
	ports Ports
	c     *Vpc
}

// child is the option that every resource below the component gets.
func (b *vpcBuilder) child() pulumi.ResourceOption { return pulumi.Parent(b.c) }

func (b *vpcBuilder) tags(what string) pulumi.StringMap {
	return tagged(b.args.Tags, b.args.Prefix+"-"+what)
}

func (b *vpcBuilder) vpc() (err error) {
	b.c.vpc, err = ec2.NewVpc(b.ctx, b.name+"-vpc", &ec2.VpcArgs{
		CidrBlock: pulumi.String(b.c.Plan.VPC.String()),
		// Both are needed by the private DNS names of interface endpoints.
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               b.tags("vpc"),
	}, b.child())
	if err != nil {
		return err
	}
	b.c.ID = b.c.vpc.ID()
	return nil
}

// emptyDefaults adopts what AWS creates in every VPC and takes all rules out
// of it, so that a resource which names no group, ACL or table can do nothing.
func (b *vpcBuilder) emptyDefaults() error {
	_, err := ec2.NewDefaultSecurityGroup(b.ctx, b.name+"-default", &ec2.DefaultSecurityGroupArgs{
		VpcId: b.c.ID,
		Tags:  b.tags("default-unused"),
	}, b.child())
	if err != nil {
		return err
	}
	// A subnet without an ACL of its own belongs to the default one, whoever
	// made it; the provider would try to move it out on each update.
	_, err = ec2.NewDefaultNetworkAcl(b.ctx, b.name+"-default", &ec2.DefaultNetworkAclArgs{
		DefaultNetworkAclId: b.c.vpc.DefaultNetworkAclId,
		Tags:                b.tags("default-unused"),
	}, b.child(), pulumi.IgnoreChanges([]string{"subnetIds"}))
	if err != nil {
		return err
	}
	_, err = ec2.NewDefaultRouteTable(b.ctx, b.name+"-default", &ec2.DefaultRouteTableArgs{
		DefaultRouteTableId: b.c.vpc.DefaultRouteTableId,
		Routes:              ec2.DefaultRouteTableRouteArray{},
		Tags:                b.tags("default-unused"),
	}, b.child())
	return err
}

func (b *vpcBuilder) subnets() error {
	for _, planned := range b.c.Plan.Subnets {
		what := string(planned.Tier) + "-" + planned.Letter
		subnet, err := ec2.NewSubnet(b.ctx, b.name+"-"+what, &ec2.SubnetArgs{
			VpcId:            b.c.ID,
			AvailabilityZone: pulumi.String(planned.Zone),
			CidrBlock:        pulumi.String(planned.CIDR.String()),
			// Load balancers and NAT gateways bring their own addresses.
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                b.tags(what),
		}, b.child())
		if err != nil {
			return err
		}
		b.c.subnets[planned.Tier] = append(b.c.subnets[planned.Tier], subnet)
	}
	b.c.PublicSubnetIDs, b.c.AppSubnetIDs = b.subnetIDs(Public), b.subnetIDs(App)
	b.c.DataSubnetIDs, b.c.EndpointSubnetIDs = b.subnetIDs(Data), b.subnetIDs(Endpoint)
	return nil
}

func (b *vpcBuilder) subnetIDs(tier Tier) pulumi.StringArray {
	var ids pulumi.StringArray
	for _, s := range b.c.subnets[tier] {
		ids = append(ids, s.ID().ToStringOutput())
	}
	return ids
}

func (b *vpcBuilder) flowLogs() (err error) {
	args := b.args.FlowLogs
	args.Prefix, args.Scope, args.Tags = b.args.Prefix, b.args.Scope, b.args.Tags
	args.VpcID = b.c.ID
	b.c.FlowLogs, err = NewFlowLogs(b.ctx, b.name+"-flow-logs", &args, b.child())
	return err
}
