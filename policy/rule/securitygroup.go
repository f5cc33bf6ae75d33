package rule

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// GroupRule is one rule of a security group, whichever resource declares it.
type GroupRule struct {
	// Path is where the rule stands in the declaring resource: "ingress[0]", or
	// "" for a rule resource.
	Path string
	// Ingress says that the rule is inbound.
	Ingress     bool
	Protocol    Value
	FromPort    Value
	ToPort      Value
	CIDRs       []Value // IPv4 and IPv6
	PrefixLists []Value
	Groups      Refs // the other security groups
	Self        Value
	Description Value
}

// GroupTypes are the resources that declare security group rules.
var GroupTypes = []string{
	"ec2/securityGroup", "ec2/defaultSecurityGroup", "ec2/securityGroupRule",
	"vpc/securityGroupIngressRule", "vpc/securityGroupEgressRule",
}

// GroupRules returns the rules that the resource itself declares, inline or as a
// rule resource, in the order of the program. s may be nil: then Groups is empty.
func GroupRules(s *Stack, r *Resource) []GroupRule {
	switch r.Type {
	case "ec2/securityGroup", "ec2/defaultSecurityGroup":
		return append(inlineRules(s, r, "ingress"), inlineRules(s, r, "egress")...)
	case "ec2/securityGroupRule":
		g := GroupRule{
			Protocol: r.Get("protocol"), FromPort: r.Get("fromPort"), ToPort: r.Get("toPort"),
			CIDRs:       append(r.Each("cidrBlocks"), r.Each("ipv6CidrBlocks")...),
			PrefixLists: r.Each("prefixListIds"), Self: r.Get("self"), Description: r.Get("description"),
		}
		direction, _ := r.Get("type").Str()
		g.Ingress = direction == "ingress"
		g.refer(s, r, "sourceSecurityGroupId", r.Each("sourceSecurityGroupId"))
		return []GroupRule{g}
	case "vpc/securityGroupIngressRule", "vpc/securityGroupEgressRule":
		g := GroupRule{
			Ingress:  r.Type == "vpc/securityGroupIngressRule",
			Protocol: r.Get("ipProtocol"), FromPort: r.Get("fromPort"), ToPort: r.Get("toPort"),
			CIDRs:       append(r.Each("cidrIpv4"), r.Each("cidrIpv6")...),
			PrefixLists: r.Each("prefixListId"), Description: r.Get("description"),
		}
		g.refer(s, r, "referencedSecurityGroupId", r.Each("referencedSecurityGroupId"))
		return []GroupRule{g}
	default:
		return nil
	}
}

// RulesOf returns every rule of a group: its own, and those of rule resources.
// The list is shared: nobody may change it.
func (s *Stack) RulesOf(group *Resource) []GroupRule {
	if out, ok := s.rulesOf[group.URN]; ok {
		return out
	}
	out := GroupRules(s, group)
	for _, typ := range []string{"ec2/securityGroupRule", "vpc/securityGroupIngressRule", "vpc/securityGroupEgressRule"} {
		for _, r := range s.Pointing(group, "securityGroupId", typ) {
			out = append(out, GroupRules(s, r)...)
		}
	}
	s.rulesOf[group.URN] = out
	return out
}

// opening is what a rule opens of a group, for whomever.
type opening struct {
	group   resource.URN
	ingress bool
	ports   string
}

// Neighbours returns the ranges for which the group opens the same ports as the
// rule does, joined. They are shared: nobody may change them.
func (s *Stack) Neighbours(group *Resource, g GroupRule) Ranges {
	if _, ok := s.ranges[group.URN]; !ok {
		cidrs := map[opening][]string{}
		for _, sibling := range s.RulesOf(group) {
			of := opening{group.URN, sibling.Ingress, sibling.ports()}
			for _, c := range sibling.CIDRs {
				if cidr, known := c.Str(); known {
					cidrs[of] = append(cidrs[of], cidr)
				}
			}
		}
		joined := make(map[opening]Ranges, len(cidrs))
		for of, list := range cidrs {
			joined[of] = Join(list)
		}
		s.ranges[group.URN] = joined
	}
	return s.ranges[group.URN][opening{group.URN, g.Ingress, g.ports()}]
}

func inlineRules(s *Stack, r *Resource, block string) []GroupRule {
	var out []GroupRule
	for _, e := range r.Each(block) {
		g := GroupRule{
			Path: e.Path(), Ingress: block == "ingress",
			Protocol: e.Get("protocol"), FromPort: e.Get("fromPort"), ToPort: e.Get("toPort"),
			CIDRs:       append(e.Each("cidrBlocks"), e.Each("ipv6CidrBlocks")...),
			PrefixLists: e.Each("prefixListIds"), Self: e.Get("self"), Description: e.Get("description"),
		}
		g.refer(s, r, block, e.Each("securityGroups"))
		out = append(out, g)
	}
	return out
}

func (g *GroupRule) refer(s *Stack, r *Resource, path string, values []Value) {
	if s != nil {
		g.Groups = s.refsOf(r, path, values, []string{"ec2/securityGroup", "ec2/defaultSecurityGroup"})
	}
}

// At names the rule within its resource for a message.
func (g GroupRule) At() string {
	if g.Path == "" {
		return "the rule"
	}
	return g.Path
}

// Unreadable says that the whole rule is unknown, so that nothing can be said.
func (g GroupRule) Unreadable() bool {
	return g.Protocol.Unknown() && g.FromPort.Unknown() && g.Description.Unknown()
}

// FromInternet says whether the rule lets the internet in (or out): Passed is
// no, Failed is yes with the CIDR, Undetermined where a CIDR is unknown.
func (g GroupRule) FromInternet() Verdict {
	out := Pass()
	for _, c := range g.CIDRs {
		str, ok := c.Str()
		switch {
		case c.Unknown():
			out = All(out, Unsure("%s is unknown", c.Path()))
		case ok && InternetWide(str):
			out = All(out, Fail("%s", c.Show()))
		}
	}
	return out
}

// AllProtocols says whether the rule opens every protocol, and with it every
// port: Failed is yes, Passed is no.
func (g GroupRule) AllProtocols() Verdict {
	switch {
	case g.Protocol.Unknown():
		return Unsure("%s is unknown", g.Protocol.Path())
	case allProtocols(g.protocol()):
		return Fail("%s opens all traffic", g.At())
	default:
		return Pass()
	}
}

// Width returns how many TCP or UDP ports the rule opens; known is false where
// it opens none of them, or where that is unknown.
func (g GroupRule) Width() (n int, known bool) {
	switch p := g.protocol(); {
	case allProtocols(p):
		return 65536, true
	case g.Protocol.Unknown() || !tcpLike(p) && p != "udp" && p != "17":
		return 0, false
	}
	from, okF := g.FromPort.Int()
	to, okT := g.ToPort.Int()
	return to - from + 1, okF && okT
}

// allProtocols are the spellings of "every protocol"; ports do not count then.
func allProtocols(p string) bool { return p == "-1" || p == "all" }

// tcpLike says that ports of the rule may be TCP ports.
func tcpLike(p string) bool { return p == "tcp" || p == "6" || allProtocols(p) }

// Includes says whether the rule opens the TCP port: Failed is yes, Passed is no.
func (g GroupRule) Includes(port int) Verdict {
	if g.Protocol.Unknown() {
		return Unsure("%s is unknown", g.Protocol.Path())
	}
	p := g.protocol()
	if allProtocols(p) {
		return Fail("all protocols and ports are open")
	}
	if !tcpLike(p) {
		return Pass()
	}
	from, okF := g.FromPort.Int()
	to, okT := g.ToPort.Int()
	switch {
	case g.FromPort.Unknown() || g.ToPort.Unknown():
		return Unsure("the ports of %s are unknown", g.At())
	case !okF || !okT || (from <= port && port <= to):
		return Fail("%s is open", g.Ports())
	default:
		return Pass()
	}
}

// Only says whether the rule opens nothing but TCP on the ports.
func (g GroupRule) Only(ports ...int) Verdict {
	if g.Protocol.Unknown() || g.FromPort.Unknown() || g.ToPort.Unknown() {
		return Unsure("the ports of %s are unknown", g.At())
	}
	from, okF := g.FromPort.Int()
	to, okT := g.ToPort.Int()
	if p := g.protocol(); (p == "tcp" || p == "6") && okF && okT {
		all := true
		for n := from; n <= to && all; n++ {
			all = containsInt(ports, n)
		}
		if all {
			return Pass()
		}
	}
	return Fail("%s opens %s", g.At(), g.Ports())
}

func (g GroupRule) protocol() string {
	p, _ := g.Protocol.Str()
	if n, ok := g.Protocol.Int(); ok {
		p = fmt.Sprint(n)
	}
	return strings.ToLower(p)
}

// Ports prints the protocol and the ports: "tcp/443", "tcp/1024-65535", "all traffic".
func (g GroupRule) Ports() string {
	if !allProtocols(g.protocol()) && (g.Protocol.Secret() || g.FromPort.Secret() || g.ToPort.Secret()) {
		return "[secret] ports"
	}
	return g.ports()
}

// ports is Ports with what is secret.
func (g GroupRule) ports() string {
	p := g.protocol()
	if g.Protocol.Unknown() {
		p = "an unknown protocol"
	}
	if allProtocols(p) {
		return "all traffic"
	}
	from, okF := g.FromPort.Int()
	to, okT := g.ToPort.Int()
	switch {
	case !okF || !okT:
		return p + "/*"
	case from == to:
		return fmt.Sprintf("%s/%d", p, from)
	default:
		return fmt.Sprintf("%s/%d-%d", p, from, to)
	}
}

// IsSelf says that the rule's source is the group itself.
func (g GroupRule) IsSelf() bool { b, _ := g.Self.Bool(); return b }

func containsInt(list []int, n int) bool {
	for _, e := range list {
		if e == n {
			return true
		}
	}
	return false
}
