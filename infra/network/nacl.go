package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Rule numbers of network ACLs. Those up to naclReserved are left to incident
// response, whose deny entries must come before every allow of ours.
const (
	naclReserved = 50
	naclFirst    = 100
	naclStep     = 10
)

// ephemeral are the ports that answers come back to. Network ACLs have no
// memory of connections, so each conversation needs a rule either way. The
// range is the one that NAT gateways, load balancers and Lambda use:
// https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
var ephemeral = portRange{1024, 65535}

// Answers from the world leave out RDP's port, which lies among the ephemeral
// ones: without connections to remember, a network ACL could not tell an
// answer to port 3389 from an attempt to log in (Security Hub EC2.21). A
// connection whose source port is 3389 by chance, one in 64,512, is retried.
var (
	belowRDP = portRange{1024, 3388}
	aboveRDP = portRange{3390, 65535}
)

type portRange struct{ from, to int }

func only(port int) portRange { return portRange{port, port} }

// direction is which way traffic crosses the tier's edge.
type direction string

const (
	inbound  direction = "in"
	outbound direction = "out"
)

// naclRule allows TCP between a tier and a peer: another tier, or the world.
type naclRule struct {
	tier  Tier
	dir   direction
	peer  Tier
	ports portRange
}

// world is the peer of rules that hold for any address.
const world Tier = ""

// naclRules is who may talk to whom, tier by tier. Security groups narrow it
// further and know connections; this is the second line, and the one that
// incident response can shut for a whole tier at once.
//
// The app tier takes answers from anywhere because NAT and S3's gateway
// endpoint keep the far end's address.
func naclRules(ports Ports, httpRedirect bool) []naclRule {
	rules := []naclRule{
		{Public, inbound, world, only(443)},
		{Public, inbound, world, belowRDP},
		{Public, inbound, world, aboveRDP},
		{Public, outbound, App, only(ports.App)},
		{Public, outbound, world, only(443)},
		{Public, outbound, world, ephemeral},

		{App, inbound, Public, only(ports.App)},
		{App, inbound, world, belowRDP},
		{App, inbound, world, aboveRDP},
		{App, outbound, Public, ephemeral},
		{App, outbound, Data, only(ports.Database)},
		{App, outbound, world, only(443)},

		{Data, inbound, App, only(ports.Database)},
		{Data, inbound, App, only(443)},
		{Data, inbound, Data, ephemeral}, // a database proxy and its cluster
		{Data, outbound, App, ephemeral},
		{Data, outbound, Data, ephemeral},

		{Endpoint, inbound, App, only(443)},
		{Endpoint, outbound, App, ephemeral},
	}
	if httpRedirect {
		rules = append(rules, naclRule{Public, inbound, world, only(80)})
	}
	return rules
}

// networkACLs makes an ACL per tier, with a resource for each rule. Rules
// inside the NetworkAcl would make the provider own the whole list and take
// incident response's entries out at the next update.
func (b *vpcBuilder) networkACLs() error {
	acls := map[Tier]*ec2.NetworkAcl{}
	for _, tier := range Tiers {
		acl, err := ec2.NewNetworkAcl(b.ctx, b.name+"-"+string(tier), &ec2.NetworkAclArgs{
			VpcId:     b.c.ID,
			SubnetIds: b.subnetIDs(tier),
			Tags:      b.tags(string(tier)),
		}, b.child())
		if err != nil {
			return err
		}
		acls[tier] = acl
	}
	next := map[string]int{}
	for _, rule := range naclRules(b.ports, b.args.HTTPRedirect) {
		for _, cidr := range b.peerCIDRs(rule.peer) {
			list := string(rule.tier) + "-" + string(rule.dir)
			number := naclFirst + naclStep*next[list]
			next[list]++
			_, err := ec2.NewNetworkAclRule(b.ctx, fmt.Sprintf("%s-%s-%d", b.name, list, number), &ec2.NetworkAclRuleArgs{
				NetworkAclId: acls[rule.tier].ID(),
				RuleNumber:   pulumi.Int(number),
				Egress:       pulumi.Bool(rule.dir == outbound),
				Protocol:     pulumi.String("tcp"),
				RuleAction:   pulumi.String("allow"),
				CidrBlock:    pulumi.String(cidr),
				FromPort:     pulumi.Int(rule.ports.from),
				ToPort:       pulumi.Int(rule.ports.to),
			}, b.child())
			if err != nil {
				return err
			}
		}
	}
	return b.pathMTU(acls[Public])
}

// peerCIDRs are the peer's subnets; network ACLs know addresses only.
func (b *vpcBuilder) peerCIDRs(peer Tier) []string {
	if peer == world {
		return []string{anywhere}
	}
	var cidrs []string
	for _, s := range b.c.Plan.In(peer) {
		cidrs = append(cidrs, s.CIDR.String())
	}
	return cidrs
}

// pathMTU lets "fragmentation needed" through to the internet-facing tier, in
// the last rule before AWS's own deny. Without it large answers to clients
// behind a smaller MTU disappear:
// https://docs.aws.amazon.com/vpc/latest/userguide/path_mtu_discovery.html
func (b *vpcBuilder) pathMTU(public *ec2.NetworkAcl) error {
	for _, dir := range []direction{inbound, outbound} {
		_, err := ec2.NewNetworkAclRule(b.ctx, fmt.Sprintf("%s-public-%s-mtu", b.name, dir), &ec2.NetworkAclRuleArgs{
			NetworkAclId: public.ID(),
			RuleNumber:   pulumi.Int(900),
			Egress:       pulumi.Bool(dir == outbound),
			Protocol:     pulumi.String("icmp"),
			RuleAction:   pulumi.String("allow"),
			CidrBlock:    pulumi.String(anywhere),
			IcmpType:     pulumi.Int(3),
			IcmpCode:     pulumi.Int(4),
		}, b.child())
		if err != nil {
			return err
		}
	}
	return nil
}
