package network

import (
	"fmt"
	"net/netip"
)

// maxGroupRules is the quota of inbound rules in one security group, by
// default. A prefix list counts as many as its weight, once a port.
// https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
const maxGroupRules = 60

// checkAllowed checks who may reach the load balancer.
func (args *SecurityGroupsArgs) checkAllowed(f *findings) {
	checkRanges(f, args.AllowedCIDRs, len(args.AllowedPrefixLists) > 0)
	seen, weight := map[string]bool{}, len(args.AllowedCIDRs)
	for i, l := range args.AllowedPrefixLists {
		field := fmt.Sprintf("allowedPrefixLists[%d].", i)
		checkListName(f, field+"name", l.Name)
		if seen[l.Name] {
			f.add(field+"name", l.Name+" is named twice", "give each list a name of its own")
		}
		seen[l.Name] = true
		f.required(field+"id", l.ID != nil, "pass the prefix list's id")
		if l.Weight < 1 {
			f.add(field+"weight", fmt.Sprintf("%d rules", l.Weight), "pass the list's maximum of entries")
		}
		weight += l.Weight
	}
	if args.HTTPRedirect {
		weight *= 2
	}
	if weight > maxGroupRules {
		f.add("allowedPrefixLists", fmt.Sprintf("the load balancer's group would count %d inbound rules of %d", weight, maxGroupRules),
			"leave out httpRedirect or ranges; every entry of a list counts, once a port")
	}
}

func checkRanges(f *findings, blocks []string, lists bool) {
	seen, ipv4 := map[string]bool{}, 0
	for i, block := range blocks {
		field := fmt.Sprintf("allowedCidrs[%d]", i)
		p, ok := parseRange(f, field, block)
		if ok && seen[block] {
			f.add(field, block+" is named twice", "name each range once")
		}
		seen[block] = true
		if p.Addr().Is4() {
			ipv4++
		}
	}
	if seen[anywhere] && (ipv4 > 1 || lists) {
		f.add("allowedCidrs", anywhere+" already holds every IPv4 range", "leave it or the others out")
	}
}

// parseRange parses a range, or notes why it is none.
func parseRange(f *findings, field, block string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(block)
	switch {
	case err != nil:
		f.add(field, fmt.Sprintf("%q is no range", block), "write it as 203.0.113.0/24")
	case p != p.Masked():
		f.add(field, block+" has bits beyond its prefix", "use "+p.Masked().String())
	default:
		return p, true
	}
	return p, false
}
