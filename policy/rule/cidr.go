package rule

import "net/netip"

// InternetWide says that a CIDR covers so much of the address space that it
// means "the internet". /0 is the usual spelling; two /1 or sixteen /4 in
// several rules are the usual way round a check for /0, so that everything
// wider than a /8 counts (IPv6: wider than a /16).
func InternetWide(cidr string) bool {
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

// Ranges are address ranges of which no two are the halves of a wider one.
type Ranges map[netip.Prefix]bool

// Join joins ranges that together are a wider one: 192.0.2.0/25 beside
// 192.0.2.128/25 is 192.0.2.0/24. What cannot be parsed is left out.
func Join(cidrs []string) Ranges {
	out := Ranges{}
	var byLength [129][]netip.Prefix
	add := func(p netip.Prefix) {
		if !out[p] {
			out[p] = true
			byLength[p.Bits()] = append(byLength[p.Bits()], p)
		}
	}
	for _, c := range cidrs {
		if p, err := netip.ParsePrefix(c); err == nil {
			add(p.Masked())
		}
	}
	for bits := len(byLength) - 1; bits > 0; bits-- { // the narrow ones first: what they make may have a half, too
		for _, p := range byLength[bits] {
			if other := sibling(p); out[p] && out[other] {
				delete(out, p)
				delete(out, other)
				add(netip.PrefixFrom(p.Addr(), bits-1).Masked())
			}
		}
	}
	return out
}

// Widest returns the widest of the ranges that the CIDR is part of, which is
// the CIDR itself where it is in none. ok is false where it cannot be parsed.
func (r Ranges) Widest(cidr string) (widest netip.Prefix, ok bool) {
	own, err := netip.ParsePrefix(cidr)
	if err != nil {
		return netip.Prefix{}, false
	}
	for bits := range own.Bits() {
		if p := netip.PrefixFrom(own.Addr(), bits).Masked(); r[p] {
			return p, true
		}
	}
	return own.Masked(), true
}

// sibling is the other half of the next wider range.
func sibling(p netip.Prefix) netip.Prefix {
	b := p.Addr().AsSlice()
	last := p.Bits() - 1
	b[last/8] ^= 0x80 >> (last % 8)
	addr, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(addr, p.Bits())
}
