package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
)

// Tier is a layer of subnets with one purpose, one network ACL and one kind of
// route table.
type Tier string

// The tiers, from the internet inwards.
const (
	// Public holds the load balancer and NAT gateways, nothing else.
	Public Tier = "public"
	// App holds the workloads: ECS tasks and Lambda functions.
	App Tier = "app"
	// Data holds Aurora and OpenSearch; it has no route out of the VPC.
	Data Tier = "data"
	// Endpoint holds the interface endpoints of AWS services.
	Endpoint Tier = "endpoint"
)

// Tiers are all tiers, from the internet inwards.
var Tiers = []Tier{Public, App, Data, Endpoint}

// tierSpace is where a tier's subnets lie. A VPC is cut into sixteen equal
// blocks: app subnets are a block each, from block 0; the other tiers share a
// block of their own between their availability zones. Block 15 is free.
type tierSpace struct {
	tier Tier
	// block is the first block.
	block int
	// extraBits is how much longer than the VPC's prefix a subnet's is.
	extraBits int
	// maxBits is the longest prefix that still holds what the tier needs.
	maxBits int
}

// A load balancer wants /27 subnets with eight free addresses
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer);
// seventeen interface endpoints need seventeen addresses in each subnet, and
// AWS keeps five; a subnet is never smaller than /28.
var tierSpaces = []tierSpace{
	{App, 0, 4, 28},
	{Public, 12, 8, 27},
	{Data, 13, 8, 28},
	{Endpoint, 14, 8, 27},
}

const (
	minVpcBits, maxVpcBits = 16, 22
	minZones, maxZones     = 2, 6
	blockBits              = 4
)

// Subnet is one planned subnet.
type Subnet struct {
	Tier Tier
	// Zone is the availability zone, for example "eu-central-1a".
	Zone string
	// Letter is the zone's last letter; logical names carry it.
	Letter string
	CIDR   netip.Prefix
}

// Plan says which subnet lies where. It is a pure function of the VPC's CIDR
// and the zones, and it is stable: a zone added at the end moves no other subnet.
type Plan struct {
	VPC   netip.Prefix
	Zones []string
	// Subnets are ordered by tier as in Tiers, then by zone as given.
	Subnets []Subnet
}

// In returns the tier's subnets, a zone each, in the order of the zones.
func (p Plan) In(tier Tier) []Subnet {
	var out []Subnet
	for _, s := range p.Subnets {
		if s.Tier == tier {
			out = append(out, s)
		}
	}
	return out
}

// zoneName leaves out Local Zones (us-west-2-lax-1a) and Wavelength Zones,
// which have neither NAT gateways nor interface endpoints.
var zoneName = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-\d)([a-z])$`)

// privateRanges are where AWS recommends that a VPC lies: RFC 1918 and the
// shared space of RFC 6598. A public range would hide part of the internet.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
}

// NewPlan plans the subnets of a VPC with a /16 to /22 private IPv4 range over
// two to six availability zones of one region. The error names every finding:
// a range that is no network address, zones of two regions, or a range too
// small for the zones together with the smallest that would do.
func NewPlan(cidr string, zones []string) (Plan, error) {
	var f findings
	vpc := checkRange(&f, cidr)
	letters := checkZones(&f, zones)
	if err := f.err(); err != nil {
		return Plan{}, err
	}
	if need := longestPrefixFor(len(zones)); vpc.Bits() > need {
		f.add("cidr", fmt.Sprintf("a /%d does not hold four tiers in %d availability zones", vpc.Bits(), len(zones)),
			fmt.Sprintf("use /%d or larger, or fewer zones", need))
		return Plan{}, f.err()
	}
	plan := Plan{VPC: vpc, Zones: append([]string(nil), zones...)}
	for _, tier := range Tiers {
		space := spaceOf(tier)
		for i, zone := range zones {
			plan.Subnets = append(plan.Subnets, Subnet{tier, zone, letters[i], space.subnet(vpc, i)})
		}
	}
	return plan, nil
}

func checkRange(f *findings, cidr string) netip.Prefix {
	vpc, err := netip.ParsePrefix(cidr)
	switch {
	case err != nil || !vpc.Addr().Is4():
		f.add("cidr", fmt.Sprintf("%q is no IPv4 range", cidr), "write it as 10.20.0.0/16")
		return vpc
	case vpc != vpc.Masked():
		f.add("cidr", fmt.Sprintf("%s has bits beyond its prefix", cidr), "use "+vpc.Masked().String())
	case vpc.Bits() < minVpcBits || vpc.Bits() > maxVpcBits:
		f.add("cidr", fmt.Sprintf("/%d is outside what four tiers fit in", vpc.Bits()), fmt.Sprintf("use /%d to /%d", minVpcBits, maxVpcBits))
	}
	for _, private := range privateRanges {
		if private.Contains(vpc.Addr()) && vpc.Bits() >= private.Bits() {
			return vpc
		}
	}
	f.add("cidr", fmt.Sprintf("%s is not private address space", cidr), "use a range of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
	return vpc
}

func checkZones(f *findings, zones []string) (letters []string) {
	if len(zones) < minZones || len(zones) > maxZones {
		f.add("availabilityZones", fmt.Sprintf("%d zones", len(zones)), fmt.Sprintf("name %d to %d; a load balancer needs two", minZones, maxZones))
	}
	seen, region := map[string]bool{}, ""
	for i, zone := range zones {
		field := fmt.Sprintf("availabilityZones[%d]", i)
		m := zoneName.FindStringSubmatch(zone)
		if m == nil {
			f.add(field, fmt.Sprintf("%q is no availability zone", zone), "write it as eu-central-1a; Local Zones cannot hold this network")
			continue
		}
		if seen[zone] {
			f.add(field, zone+" is named twice", "name each zone once")
		}
		if region != "" && m[1] != region {
			f.add(field, fmt.Sprintf("%s is not in %s", zone, region), "a VPC lies in one region")
		}
		seen[zone], region = true, m[1]
		letters = append(letters, m[2])
	}
	return letters
}

// longestPrefixFor is the smallest VPC that holds that many zones.
func longestPrefixFor(zones int) int {
	for bits := maxVpcBits; bits > minVpcBits; bits-- {
		fits := true
		for _, space := range tierSpaces {
			fits = fits && zones <= space.slots(bits)
		}
		if fits {
			return bits
		}
	}
	return minVpcBits
}

func spaceOf(tier Tier) tierSpace {
	for _, space := range tierSpaces {
		if space.tier == tier {
			return space
		}
	}
	panic("network: no address space for tier " + string(tier)) // Tiers and tierSpaces are both tables of this package
}

// bits is the prefix length of the tier's subnets in a VPC with that prefix.
func (s tierSpace) bits(vpcBits int) int { return min(vpcBits+s.extraBits, s.maxBits) }

// slots is how many subnets the tier's space holds.
func (s tierSpace) slots(vpcBits int) int {
	if s.extraBits == blockBits {
		return tierSpaces[1].block // app subnets go on until the first shared block
	}
	return 1 << (s.bits(vpcBits) - vpcBits - blockBits)
}

// subnet is the tier's i-th subnet.
func (s tierSpace) subnet(vpc netip.Prefix, i int) netip.Prefix {
	bits := s.bits(vpc.Bits())
	base := vpc.Addr().As4()
	at := binary.BigEndian.Uint32(base[:]) +
		uint32(s.block)<<(32-vpc.Bits()-blockBits) +
		uint32(i)<<(32-bits)
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], at)
	return netip.PrefixFrom(netip.AddrFrom4(addr), bits)
}
