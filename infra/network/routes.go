package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const anywhere = "0.0.0.0/0"

func (b *vpcBuilder) internet() (err error) {
	b.c.igw, err = ec2.NewInternetGateway(b.ctx, b.name+"-igw", &ec2.InternetGatewayArgs{
		VpcId: b.c.ID,
		Tags:  b.tags("igw"),
	}, b.child())
	return err
}

func (b *vpcBuilder) nat() error {
	n := gateways[b.args.NAT](len(b.c.Plan.Zones))
	public := b.c.Plan.In(Public)
	for i := range n {
		what := "nat-" + public[i].Letter
		// Without the internet gateway AWS refuses to make a public NAT gateway.
		eip, err := ec2.NewEip(b.ctx, b.name+"-"+what, &ec2.EipArgs{
			Domain: pulumi.String("vpc"),
			Tags:   b.tags(what),
		}, b.child(), pulumi.DependsOn([]pulumi.Resource{b.c.igw}))
		if err != nil {
			return err
		}
		gateway, err := ec2.NewNatGateway(b.ctx, b.name+"-"+what, &ec2.NatGatewayArgs{
			AllocationId: eip.ID().ToStringOutput(),
			SubnetId:     b.c.subnets[Public][i].ID(),
			Tags:         b.tags(what),
		}, b.child(), pulumi.DependsOn([]pulumi.Resource{b.c.igw}))
		if err != nil {
			return err
		}
		b.c.nats = append(b.c.nats, gateway)
		b.c.NATPublicIPs = append(b.c.NATPublicIPs, eip.PublicIp)
		b.c.NATGatewayIDs[b.c.Plan.In(Public)[i].Letter] = gateway.ID().ToStringOutput()
	}
	return nil
}

// routes gives each tier its tables. The app tier has one per zone whatever
// the NAT strategy is, so that a change of strategy changes routes and moves
// no subnet. Data and endpoint tables hold the VPC's local route alone.
func (b *vpcBuilder) routes() error {
	public, err := b.table("public", b.c.subnets[Public]...)
	if err != nil {
		return err
	}
	if err := b.defaultRoute("public", public, &ec2.RouteArgs{GatewayId: b.c.igw.ID()}); err != nil {
		return err
	}
	for i, planned := range b.c.Plan.In(App) {
		what := "app-" + planned.Letter
		table, err := b.table(what, b.c.subnets[App][i])
		if err != nil {
			return err
		}
		b.c.appTables = append(b.c.appTables, table.ID().ToStringOutput())
		if len(b.c.nats) == 0 {
			continue
		}
		nat := b.c.nats[i%len(b.c.nats)]
		if err := b.defaultRoute(what, table, &ec2.RouteArgs{NatGatewayId: nat.ID()}); err != nil {
			return err
		}
	}
	for _, tier := range []Tier{Data, Endpoint} {
		if _, err := b.table(string(tier), b.c.subnets[tier]...); err != nil {
			return err
		}
	}
	return nil
}

// table makes a route table and associates the subnets.
func (b *vpcBuilder) table(what string, subnets ...*ec2.Subnet) (*ec2.RouteTable, error) {
	table, err := ec2.NewRouteTable(b.ctx, b.name+"-"+what, &ec2.RouteTableArgs{
		VpcId: b.c.ID,
		Tags:  b.tags(what),
	}, b.child())
	if err != nil {
		return nil, err
	}
	for i, subnet := range subnets {
		name := b.name + "-" + what
		if len(subnets) > 1 {
			name += "-" + b.c.Plan.In(Public)[i].Letter
		}
		_, err := ec2.NewRouteTableAssociation(b.ctx, name, &ec2.RouteTableAssociationArgs{
			RouteTableId: table.ID(),
			SubnetId:     subnet.ID().ToStringOutput(),
		}, b.child())
		if err != nil {
			return nil, err
		}
	}
	return table, nil
}

func (b *vpcBuilder) defaultRoute(what string, table *ec2.RouteTable, args *ec2.RouteArgs) error {
	args.RouteTableId = table.ID()
	args.DestinationCidrBlock = pulumi.String(anywhere)
	route, err := ec2.NewRoute(b.ctx, b.name+"-"+what, args, b.child())
	if err != nil {
		return err
	}
	b.c.Egress = append(b.c.Egress, route)
	return nil
}
