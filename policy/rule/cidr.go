package rule

import "net/netip"

// internetWide says that a CIDR covers so much of the address space that it
// means "the internet". /0 is the usual spelling; two /1 or sixteen /4 in
// several rules are the usual way round a check for /0, so that everything
// wider than a /8 counts (IPv6: wider than a /16).
func internetWide(cidr string) bool {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	if p.Addr().Is4() {
		return p.Bits() < 8
	}
	return p.Bits() < 16
}

// private are the address ranges that the internet does not route.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("fc00::/7"),
}

// PrivateCIDR says that the whole CIDR lies in address space that the internet
// does not route. A CIDR that cannot be parsed is not private.
func PrivateCIDR(cidr string) bool { return within(cidr, private) }

// SubsetOf says that the CIDR lies wholly within one of the others.
func SubsetOf(cidr string, others []string) bool {
	var outer []netip.Prefix
	for _, o := range others {
		if p, err := netip.ParsePrefix(o); err == nil {
			outer = append(outer, p)
		}
	}
	return within(cidr, outer)
}

func within(cidr string, outer []netip.Prefix) bool {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	for _, o := range outer {
		if o.Addr().Is4() == p.Addr().Is4() && o.Bits() <= p.Bits() && o.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
