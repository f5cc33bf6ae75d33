package rules

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// groupExposure holds the rules about how much a security group opens, and to
// how many.
var groupExposure = []rule.Rule{
	{
		Name:     "sg-no-high-risk-ports-from-internet",
		Summary:  "No security group lets the internet reach the ports of databases, file shares, mail, and development servers.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsSpecificCIDRBlocks, guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("EC2.19"), nist("SC-7")),
		Types:    ingressTypes,
		Check:    closedToInternet(highRiskPorts...),
		Fix:      `ec2.SecurityGroupRuleArgs{SourceSecurityGroupId: client.ID()} in place of CidrBlocks`,
		URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19",
	},
	{
		Name:     "sg-no-all-protocols-from-cidr",
		Summary:  "No security group opens every protocol to a range of addresses.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsSpecificCIDRBlocks, guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("EC2.18"), cis("5.3", "5.4"), nist("SC-7")),
		Types:    ingressTypes,
		Check:    protocolsNamed,
		Fix:      `ec2.SecurityGroupRuleArgs{Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443)}`,
		URL:      "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
	{
		Name:     "sg-no-wide-cidr",
		Summary:  "A security group names public addresses in small ranges; neighbouring ranges count as one.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsSpecificCIDRBlocks, guide.OverviewNetworkSecurityGroups},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-7")),
		Types:    ingressTypes,
		Params: []rule.Param{
			{
				Name: "minPrefix", Kind: rule.Integer, Default: 24, Min: 8, Max: 32,
				Description: "The shortest prefix of a public IPv4 range.",
			},
			{
				Name: "minPrefixIpv6", Kind: rule.Integer, Default: 48, Min: 16, Max: 128,
				Description: "The shortest prefix of a public IPv6 range. A site gets a /48.",
			},
		},
		CheckStack: rangesNarrow,
		Fix:        `ec2.SecurityGroupRuleArgs{CidrBlocks: pulumi.StringArray{pulumi.String("198.51.100.7/32")}}`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
	{
		Name:     "sg-no-wide-port-range",
		Summary:  "A rule of a security group opens the ports that are needed, not a wide range of them.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("CM-7")),
		Types:    ingressTypes,
		Params: []rule.Param{{
			Name: "maxPorts", Kind: rule.Integer, Default: 100, Min: 1, Max: 65536,
			Description: "How many ports a rule may open.",
		}},
		Check: portsNarrow,
		Fix:   `ec2.SecurityGroupRuleArgs{FromPort: pulumi.Int(3000), ToPort: pulumi.Int(3000)}`,
		URL:   "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
	{
		Name:     "sg-self-rule-not-all-protocols",
		Summary:  "The members of a security group reach each other on named ports only.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AC-4")),
		Types:      ingressTypes,
		CheckStack: selfNamed,
		Fix:        `ec2.SecurityGroupRuleArgs{Self: pulumi.Bool(true), Protocol: pulumi.String("tcp"), FromPort: …, ToPort: …}`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
}

// highRiskPorts are those of EC2.19 but for 22 and 3389, which have a rule of
// their own.
var highRiskPorts = []int{
	20, 21, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 4333,
	5000, 5432, 5500, 5601, 8080, 8088, 8888, 9200, 9300,
}

// closedToInternet is the check that the internet reaches none of the ports.
func closedToInternet(ports ...int) func(*rule.Resource, rule.Params) rule.Verdict {
	return func(r *rule.Resource, _ rule.Params) rule.Verdict {
		list, out := ingressRules(nil, r)
		for _, g := range list {
			out = rule.All(out, portsClosed(g, ports))
		}
		return out
	}
}

func portsClosed(g rule.GroupRule, ports []int) rule.Verdict {
	internet := g.FromInternet()
	if internet.Outcome == rule.Passed {
		return internet
	}
	var open, unsure []int
	for _, port := range ports {
		switch g.Includes(port).Outcome {
		case rule.Failed:
			open = append(open, port)
		case rule.Undetermined:
			unsure = append(unsure, port)
		}
	}
	switch {
	case len(open) > 0 && internet.Outcome == rule.Failed:
		return rule.Fail("%s opens %s to %s", g.At(), portList(open), internet.Reason())
	case len(open)+len(unsure) > 0:
		return rule.Unsure("whether %s opens %s to the internet is not known", g.At(), portList(append(open, unsure...)))
	default:
		return rule.Pass()
	}
}

// portList names the ports: "port 22", "ports 3306, 5432 and 20 more".
func portList(ports []int) string {
	if len(ports) == 1 {
		return fmt.Sprintf("port %d", ports[0])
	}
	const shown = 4
	var names []string
	for _, p := range ports[:min(shown, len(ports))] {
		names = append(names, strconv.Itoa(p))
	}
	text := "ports " + strings.Join(names, ", ")
	if more := len(ports) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func protocolsNamed(r *rule.Resource, _ rule.Params) rule.Verdict {
	list, out := ingressRules(nil, r)
	for _, g := range list {
		every := g.AllProtocols()
		switch {
		case len(g.CIDRs)+len(g.PrefixLists) == 0:
			every = rule.Pass()
		case every.Outcome == rule.Failed:
			every = rule.Fail("%s opens all traffic to %s", g.At(), append(g.CIDRs, g.PrefixLists...)[0].Show())
		}
		out = rule.All(out, every)
	}
	return out
}

func rangesNarrow(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	list, out := ingressRules(s, r)
	for _, g := range list {
		out = rule.All(out, rule.Pass())
		for _, c := range g.CIDRs {
			out = rule.All(out, rangeNarrow(s, r, g, c, p))
		}
	}
	return out
}

// rangeNarrow judges a public range that is not the internet itself: that has
// rules of its own.
func rangeNarrow(s *rule.Stack, r *rule.Resource, g rule.GroupRule, c rule.Value, p rule.Params) rule.Verdict {
	cidr, known := c.Str()
	switch {
	case c.Unknown():
		return rule.Unsure("%s is unknown", c.Path())
	case !known || rule.PrivateCIDR(cidr) || rule.InternetWide(cidr):
		return rule.Pass()
	}
	widest, ok := rule.Ranges{}.Widest(cidr)
	if !ok {
		return rule.Pass()
	}
	for _, group := range s.GroupsDeclaredBy(r).Targets {
		if w, _ := s.Neighbours(group, g).Widest(cidr); w.Bits() < widest.Bits() {
			widest = w
		}
	}
	if widest.Bits() >= minPrefix(widest, p) {
		return rule.Pass()
	}
	if own, err := netip.ParsePrefix(cidr); err == nil && own.Bits() != widest.Bits() {
		// Only the width: a neighbour may be secret.
		return rule.Fail("%s lets in %s, which with its neighbours is a /%d", g.At(), c.Show(), widest.Bits())
	}
	return rule.Fail("%s lets in %s", g.At(), c.Show())
}

func minPrefix(prefix netip.Prefix, p rule.Params) int {
	if prefix.Addr().Is4() {
		return p.Int("minPrefix")
	}
	return p.Int("minPrefixIpv6")
}

func portsNarrow(r *rule.Resource, p rule.Params) rule.Verdict {
	list, out := ingressRules(nil, r)
	for _, g := range list {
		n, known := g.Width()
		switch {
		case known && n > p.Int("maxPorts"):
			out = rule.All(out, rule.Fail("%s opens %s", g.At(), g.Ports()))
		case g.Protocol.Unknown() || g.FromPort.Unknown() || g.ToPort.Unknown():
			out = rule.All(out, rule.Unsure("the ports of %s are unknown", g.At()))
		default:
			out = rule.All(out, rule.Pass())
		}
	}
	return out
}

func selfNamed(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	list, out := ingressRules(s, r)
	own := s.GroupsDeclaredBy(r).Targets
	for _, g := range list {
		self := g.IsSelf()
		for _, group := range own {
			self = self || g.Groups.Has(group)
		}
		every := g.AllProtocols()
		switch {
		case every.Outcome == rule.Passed:
		case self && every.Outcome == rule.Failed:
			every = rule.Fail("%s lets the members of the group reach each other with all traffic", g.At())
		case self:
		case g.Self.Unknown():
			every = rule.Unsure("whether %s is for the group itself is not known", g.At())
		default:
			every = rule.Pass()
		}
		out = rule.All(out, every)
	}
	return out
}
