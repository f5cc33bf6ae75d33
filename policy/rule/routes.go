package rule

import "strings"

// PublicSubnet says whether traffic from the internet can reach the subnet:
// Failed means that its route table leads to an internet gateway (the subnet is
// public), Passed that it does not (private), Undetermined that the stack does
// not show it.
func (s *Stack) PublicSubnet(subnet *Resource) Verdict {
	tables := s.RouteTables(subnet)
	if tables.Unknown || len(tables.External) > 0 {
		return Unsure("the route table of subnet %s is not in this stack", subnet.Name)
	}
	if len(tables.Targets) == 0 {
		// Without an association the VPC's main route table counts, which has
		// only the local route unless somebody adds to it.
		if len(s.Refs(subnet, "vpcId", "ec2/vpc").Targets) == 0 {
			return Unsure("the VPC of subnet %s is not in this stack", subnet.Name)
		}
		return Pass()
	}
	out := Pass()
	for _, t := range tables.Targets {
		out = All(out, s.publicTable(t, subnet))
	}
	return out
}

// RouteTables returns the route tables that count for the subnet: those that are
// associated with it, else the main one of its VPC.
func (s *Stack) RouteTables(subnet *Resource) Refs {
	kinds := []string{"ec2/routeTable", "ec2/defaultRouteTable"}
	var out Refs
	add := func(f Refs) {
		out.Targets = append(out.Targets, f.Targets...)
		out.External = append(out.External, f.External...)
		out.Unknown = out.Unknown || f.Unknown
	}
	for _, a := range s.Pointing(subnet, "subnetId", "ec2/routeTableAssociation") {
		add(s.Refs(a, "routeTableId", kinds...))
	}
	if !out.Empty() {
		return out
	}
	out.Unknown = s.Loose("subnetId", "ec2/routeTableAssociation", subnet.Type)
	for _, vpc := range s.Refs(subnet, "vpcId", "ec2/vpc").Targets {
		mains := s.Pointing(vpc, "vpcId", "ec2/mainRouteTableAssociation")
		for _, m := range mains {
			add(s.Refs(m, "routeTableId", kinds...))
		}
		if len(mains) == 0 {
			add(Refs{Targets: s.Pointing(vpc, "defaultRouteTableId", "ec2/defaultRouteTable")})
		}
	}
	return out
}

func (s *Stack) publicTable(table, subnet *Resource) Verdict {
	out := s.publicRoute(table, "routes", table.Each("routes.gatewayId"), table, subnet)
	if table.Get("routes").Unknown() {
		out = All(out, Unsure("the routes of %s are unknown", table.Label()))
	}
	for _, r := range s.Pointing(table, "routeTableId", "ec2/route") {
		out = All(out, s.publicRoute(r, "gatewayId", r.Each("gatewayId"), table, subnet))
	}
	if s.Loose("routeTableId", "ec2/route", table.Type) {
		out = All(out, Unsure("a route belongs to an unknown route table"))
	}
	return out
}

func (s *Stack) publicRoute(holder *Resource, path string, gateways []Value, table, subnet *Resource) Verdict {
	refs := s.refsOf(holder, path, gateways, []string{"ec2/internetGateway", "ec2/vpnGateway"})
	for _, gateway := range refs.Targets {
		if gateway.Is("ec2/internetGateway") {
			return Fail("subnet %s is public: %s leads to internet gateway %s", subnet.Name, table.Label(), gateway.Name)
		}
	}
	for _, v := range refs.External {
		if id, _ := v.Str(); strings.HasPrefix(id, "igw-") {
			return Fail("subnet %s is public: %s leads to internet gateway %s", subnet.Name, table.Label(), v.Show())
		}
	}
	if refs.Unknown {
		return Unsure("a gateway of %s is unknown", table.Label())
	}
	return Pass()
}

// PrivateSubnets is the verdict of a property whose subnets must all be private.
func (s *Stack) PrivateSubnets(r *Resource, path string) Verdict {
	refs := s.Refs(r, path, "ec2/subnet")
	out := Skip()
	for _, subnet := range refs.Targets {
		out = All(out, s.PublicSubnet(subnet))
	}
	if !refs.Complete() {
		out = All(out, Unsure("%s names subnets that are not in this stack", path))
	}
	return out
}
