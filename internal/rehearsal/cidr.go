package rehearsal

import (
	"fmt"
	"net/netip"
)

// network is an IPv4 or IPv6 network in canonical form.
func network(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

// notCanonical says what is wrong with text that must be a network: not one, or
// with bits behind its mask.
func notCanonical(s string) string {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Sprintf("%q is not a valid CIDR block", s)
	}
	if p != p.Masked() {
		return fmt.Sprintf("%q is not a valid CIDR block; did you mean %q?", s, p.Masked())
	}
	return ""
}

// contains is true if inner lies wholly in outer.
func contains(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}
