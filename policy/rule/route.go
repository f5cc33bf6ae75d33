package rule

// RouteTypes are the resources that declare routes.
var RouteTypes = []string{"ec2/route", "ec2/routeTable", "ec2/defaultRouteTable"}

// Route is one route of a route table, whichever resource declares it.
type Route struct {
	// Path is where the route stands in the declaring resource: "routes[0]", or
	// "" for a route resource.
	Path string
	// Destinations are the IPv4 and IPv6 ranges. A prefix list is none of them.
	Destinations []Value
	// Gateways are internet and VPN gateways.
	Gateways, NATs, Peerings Refs
}

// Routes returns the routes that the resource itself declares.
func (s *Stack) Routes(r *Resource) []Route {
	if r.Is("ec2/route") {
		t := Route{Destinations: append(r.Each("destinationCidrBlock"), r.Each("destinationIpv6CidrBlock")...)}
		s.trace(&t, r, "", r.Each)
		return []Route{t}
	}
	var out []Route
	for _, e := range r.Get("routes").Items() {
		t := Route{Path: e.Path(), Destinations: append(e.Each("cidrBlock"), e.Each("ipv6CidrBlock")...)}
		s.trace(&t, r, "routes", e.Each)
		out = append(out, t)
	}
	return out
}

// trace resolves the targets. block is the top-level input that holds the
// route, where it is not the target's own.
func (s *Stack) trace(t *Route, r *Resource, block string, values func(string) []Value) {
	for _, target := range []struct {
		refs     *Refs
		property string
		types    []string
	}{
		{&t.Gateways, "gatewayId", []string{"ec2/internetGateway", "ec2/vpnGateway"}},
		{&t.NATs, "natGatewayId", []string{"ec2/natGateway"}},
		{&t.Peerings, "vpcPeeringConnectionId", []string{"ec2/vpcPeeringConnection", "ec2/vpcPeeringConnectionAccepter"}},
	} {
		path := block
		if path == "" {
			path = target.property
		}
		*target.refs = s.refsOf(r, path, values(target.property), target.types)
	}
}

// RoutesOf returns every route of a table: its own, and those of route resources.
func (s *Stack) RoutesOf(table *Resource) []Route {
	out := s.Routes(table)
	for _, r := range s.Pointing(table, "routeTableId", "ec2/route") {
		out = append(out, s.Routes(r)...)
	}
	return out
}

// RouteTablesDeclaredBy returns the tables that the resource's routes belong to.
func (s *Stack) RouteTablesDeclaredBy(r *Resource) Refs {
	if r.Is("ec2/route") {
		return s.Refs(r, "routeTableId", "ec2/routeTable", "ec2/defaultRouteTable")
	}
	return Refs{Targets: []*Resource{r}}
}

// SubnetsOf returns the subnets of the stack that the table counts for.
func (s *Stack) SubnetsOf(table *Resource) []*Resource {
	var out []*Resource
	for _, subnet := range s.Of("ec2/subnet") {
		if s.RouteTables(subnet).Has(table) {
			out = append(out, subnet)
		}
	}
	return out
}

// At names the route within its resource for a message.
func (t Route) At() string {
	if t.Path == "" {
		return "the route"
	}
	return t.Path
}

// ToInternet says whether the route is one for the whole internet: Failed is
// yes with the range, Passed is no.
func (t Route) ToInternet() Verdict {
	out := Pass()
	for _, d := range t.Destinations {
		str, ok := d.Str()
		switch {
		case d.Unknown():
			out = All(out, Unsure("%s is unknown", d.Path()))
		case ok && InternetWide(str):
			out = All(out, Fail("%s", d.Show()))
		}
	}
	return out
}
