package rules

import (
	"net/netip"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// production is the setting of rules that only stacks of production are held to.
var production = rule.Param{
	Name: "stacks", Kind: rule.Strings, Default: []string{"prod*", "*-prod"},
	Description: "The stacks that the rule is for, by name; * is any text.",
}

// judged says that the resource belongs to one of the stacks of the setting.
func judged(r *rule.Resource, p rule.Params) bool {
	for _, pattern := range p.Strs(production.Name) {
		if rule.WildcardMatch(pattern, r.URN.Stack().String()) {
			return true
		}
	}
	return false
}

// routing holds the rules about where a subnet's traffic goes.
var routing = []rule.Rule{
	{
		Name:     "private-subnet-default-route-via-nat",
		Summary:  "The default route of subnets with workloads leads to no internet gateway; a NAT gateway lets them out and nobody in.",
		Guide:    []guide.ID{guide.ArchitectureVPCNAT, guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-7")),
		Types:      rule.RouteTypes,
		CheckStack: workloadsLeaveByNAT,
		Fix:        `ec2.RouteArgs{DestinationCidrBlock: pulumi.String("0.0.0.0/0"), NatGatewayId: nat.ID()} in place of GatewayId`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html",
	},
	{
		Name:     "nat-gateway-per-az",
		Summary:  "A subnet reaches the internet through a NAT gateway of its own zone, and does not lose it with another zone.",
		Guide:    []guide.ID{guide.ArchitectureVPCNAT},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("CP-10")),
		Types:      []string{"ec2/subnet"},
		Params:     []rule.Param{production},
		CheckStack: natOfOwnZone,
		Fix:        `an ec2.NewNatGateway and an ec2.NewRouteTable for each availability zone`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html",
	},
	{
		Name:     "vpc-peering-routes-not-whole-vpc",
		Summary:  "A route to a peered VPC leads to the subnets that are needed, not to all of it.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(cis("5.6"), nist("AC-4")),
		Types:      rule.RouteTypes,
		CheckStack: peeringNarrow,
		Fix:        `ec2.RouteArgs{DestinationCidrBlock: …, VpcPeeringConnectionId: peering.ID()} with the range of one subnet`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/peering/peering-configurations-partial-access.html",
	},
}

func workloadsLeaveByNAT(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, t := range s.Routes(r) {
		gateway := internetGateway(t)
		toInternet := t.ToInternet()
		switch {
		case toInternet.Outcome == rule.Passed:
		case gateway.Outcome == rule.Passed:
			out = rule.All(out, rule.Pass())
		default:
			leads := toInternet
			if gateway.Outcome == rule.Undetermined {
				leads = gateway
			}
			out = rule.All(out, workloadsBehind(s, r, t, leads))
		}
	}
	return out
}

// internetGateway says whether the route leads to an internet gateway: Failed
// is yes, Passed is no.
func internetGateway(t rule.Route) rule.Verdict {
	for _, g := range t.Gateways.Targets {
		if g.Is("ec2/internetGateway") {
			return rule.Fail("internet gateway %s", g.Name)
		}
	}
	for _, v := range t.Gateways.External {
		if id, _ := v.Str(); rule.WildcardMatch("igw-*", id) {
			return rule.Fail("internet gateway %s", v.Show())
		}
	}
	if t.Gateways.Unknown {
		return rule.Unsure("the gateway of %s is unknown", t.At())
	}
	return rule.Pass()
}

// workloadsBehind is the verdict of a default route that leads, or may lead, to
// an internet gateway: whether a subnet that it counts for holds workloads.
func workloadsBehind(s *rule.Stack, r *rule.Resource, t rule.Route, leads rule.Verdict) rule.Verdict {
	tables := s.RouteTablesDeclaredBy(r)
	out := rule.Pass()
	if !tables.Complete() {
		out = rule.Unsure("the route table is not in this stack")
	}
	for _, table := range tables.Targets {
		for _, subnet := range s.SubnetsOf(table) {
			residents, open := s.Residents(subnet)
			switch {
			case len(residents) == 0 && open:
				out = rule.All(out, rule.Unsure("a resource lives in an unknown subnet"))
			case len(residents) > 0 && leads.Outcome == rule.Undetermined:
				out = rule.All(out, leads)
			case len(residents) > 0:
				out = rule.All(out, rule.Fail("%s leads subnet %s, where %s lives, to an internet gateway", t.At(), subnet.Name, residents[0].Label()))
			}
		}
	}
	return out
}

func natOfOwnZone(s *rule.Stack, subnet *rule.Resource, p rule.Params) rule.Verdict {
	if !judged(subnet, p) {
		return rule.Skip()
	}
	out := rule.Skip()
	for _, table := range s.RouteTables(subnet).Targets {
		for _, t := range s.RoutesOf(table) {
			for _, nat := range t.NATs.Targets {
				out = rule.All(out, sameZone(s, subnet, nat))
			}
			if !t.NATs.Complete() {
				out = rule.All(out, rule.Unsure("a NAT gateway is not in this stack"))
			}
		}
	}
	return out
}

func sameZone(s *rule.Stack, subnet, nat *rule.Resource) rule.Verdict {
	refs := s.Refs(nat, "subnetId", "ec2/subnet")
	out := rule.Skip()
	for _, home := range refs.Targets {
		out = rule.All(out, zonesMatch(subnet, home, nat))
	}
	return traced(refs, out, "the subnet of NAT gateway "+nat.Name+" is not in this stack")
}

func zonesMatch(subnet, home, nat *rule.Resource) rule.Verdict {
	for _, key := range []string{"availabilityZone", "availabilityZoneId"} {
		own, okOwn := subnet.Get(key).Str()
		its, okIts := home.Get(key).Str()
		switch {
		case okOwn && okIts && own == its:
			return rule.Pass()
		case okOwn && okIts:
			return rule.Fail("it is in %s and leaves through NAT gateway %s in %s", own, nat.Name, its)
		}
	}
	return rule.Unsure("the zones of the subnet and of NAT gateway %s are not both known", nat.Name)
}

func peeringNarrow(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, t := range s.Routes(r) {
		if t.Peerings.Empty() {
			continue
		}
		for _, d := range t.Destinations {
			out = rule.All(out, partOfVPC(s, t, d))
		}
	}
	return out
}

// Widest ranges that a VPC can have: a destination that is as wide holds one whole.
const (
	widestVPC     = 16
	widestVPCIPv6 = 56
)

func partOfVPC(s *rule.Stack, t rule.Route, destination rule.Value) rule.Verdict {
	cidr, known := destination.Str()
	prefix, err := netip.ParsePrefix(cidr)
	if !known || err != nil {
		return rule.Unsure("%s is not known", destination.Path())
	}
	if prefix.Addr().Is4() && prefix.Bits() <= widestVPC || prefix.Addr().Is6() && prefix.Bits() <= widestVPCIPv6 {
		return rule.Fail("%s leads to %s, which holds a whole VPC", t.At(), destination.Show())
	}
	out := rule.Pass()
	for _, peering := range t.Peerings.Targets {
		for _, end := range []string{"vpcId", "peerVpcId"} {
			refs := s.Refs(peering, end, "ec2/vpc")
			for _, vpc := range refs.Targets {
				block := vpc.Get("cidrBlock")
				if block.Unknown() {
					out = rule.All(out, rule.Unsure("the range of VPC %s is unknown", vpc.Name))
				}
				if whole, ok := block.Str(); ok && rule.SubsetOf(whole, []string{cidr}) {
					out = rule.All(out, rule.Fail("%s leads to %s, which is the whole of VPC %s", t.At(), destination.Show(), vpc.Name))
				}
			}
			if !refs.Complete() {
				out = rule.All(out, rule.Unsure("the range of the peered VPC is not in this stack"))
			}
		}
	}
	return traced(t.Peerings, out, "the peering connection is not in this stack")
}
