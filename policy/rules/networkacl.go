package rules

import (
	"sort"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// networkACL holds the rules about network access lists.
var networkACL = []rule.Rule{
	{
		Name:     "network-acl-no-admin-ports-from-internet",
		Summary:  "A network ACL does not let the internet reach SSH and RDP; an earlier denial counts, as it does in AWS.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("EC2.21"), cis("5.2"), nist("SC-7", "AC-4")),
		Types:      []string{"ec2/networkAcl", "ec2/defaultNetworkAcl"},
		CheckStack: aclClosesAdminPorts,
		Fix: `an ec2.NetworkAclRuleArgs{RuleAction: pulumi.String("deny")} for ports 22 and 3389 with a lower RuleNumber than the allow, ` +
			`or a narrower CidrBlock`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-21",
	},
	{
		Name:     "network-acl-no-allow-all-ports",
		Summary:  "A network ACL does not let the internet reach every port.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(cis("5.2"), nist("SC-7")),
		Types:      []string{"ec2/networkAcl", "ec2/defaultNetworkAcl"},
		CheckStack: aclOpensSomePorts,
		Fix:        `ec2.NetworkAclRuleArgs{Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443)} in place of protocol "-1"`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html",
	},
}

// aclEntry is one inbound entry of a network ACL, inline or as a resource.
type aclEntry struct {
	number, action, protocol, from, to rule.Value
	cidr                               [2]rule.Value // IPv4, IPv6
}

func aclClosesAdminPorts(s *rule.Stack, acl *rule.Resource, _ rule.Params) rule.Verdict {
	entries, out := orderedEntries(s, acl)
	if out.Outcome != rule.Passed {
		return out
	}
	for _, port := range []int{22, 3389} {
		for family := range 2 {
			out = rule.All(out, firstMatch(entries, port, family))
		}
	}
	return out
}

// aclOpensSomePorts reads each family to the entry that denies the rest of it.
func aclOpensSomePorts(s *rule.Stack, acl *rule.Resource, _ rule.Params) rule.Verdict {
	entries, out := orderedEntries(s, acl)
	if out.Outcome != rule.Passed {
		return out
	}
	for family := range 2 {
		shadowed := false // perhaps: an earlier denial is not known in full
		for _, e := range entries {
			g := e.groupRule(family)
			action, _ := e.action.Str()
			internet, every := g.FromInternet(), everyPort(g)
			if internet.Outcome == rule.Passed || every.Outcome == rule.Passed {
				continue
			}
			if action == "deny" && every.Outcome == rule.Failed && wholeFamily(e.cidr[family]) {
				break
			}
			switch {
			case action == "deny":
				shadowed = shadowed || internet.Outcome == rule.Undetermined || every.Outcome == rule.Undetermined
			case shadowed || internet.Outcome == rule.Undetermined || every.Outcome == rule.Undetermined || e.action.Unknown():
				shadowed = shadowed || e.action.Unknown()
				out = rule.All(out, rule.Unsure("rule %s, or one before it, is not known in full", e.number.Show()))
			default:
				out = rule.All(out, rule.Fail("rule %s allows %s from %s", e.number.Show(), g.Ports(), e.cidr[family].Show()))
			}
		}
	}
	return out
}

// everyPort says whether the rule opens all traffic, or all ports of TCP or
// UDP: Failed is yes, Passed is no.
func everyPort(g rule.GroupRule) rule.Verdict {
	if v := g.AllProtocols(); v.Outcome != rule.Passed {
		return v
	}
	switch n, known := g.Width(); {
	case known && n >= 65535:
		return rule.Fail("%s opens %s", g.At(), g.Ports())
	case g.FromPort.Unknown() || g.ToPort.Unknown():
		return rule.Unsure("the ports of %s are unknown", g.At())
	default:
		return rule.Pass()
	}
}

// orderedEntries are the inbound entries in the order of AWS. The verdict is
// Passed where that order is known.
func orderedEntries(s *rule.Stack, acl *rule.Resource) ([]aclEntry, rule.Verdict) {
	if acl.Get("ingress").Unknown() {
		return nil, rule.Unsure("ingress is unknown")
	}
	entries := inboundEntries(s, acl)
	for _, e := range entries {
		if e.number.Unknown() {
			return nil, rule.Unsure("the number of a rule is unknown, and the lowest wins")
		}
	}
	sort.SliceStable(entries, func(i, j int) bool {
		a, _ := entries[i].number.Int()
		b, _ := entries[j].number.Int()
		return a < b
	})
	return entries, rule.Pass()
}

// groupRule is the entry for one family of addresses, IPv4 or IPv6.
func (e aclEntry) groupRule(family int) rule.GroupRule {
	g := rule.GroupRule{Protocol: e.protocol, FromPort: e.from, ToPort: e.to}
	if !e.cidr[family].Empty() {
		g.CIDRs = []rule.Value{e.cidr[family]}
	}
	return g
}

func inboundEntries(s *rule.Stack, acl *rule.Resource) []aclEntry {
	var out []aclEntry
	for _, e := range acl.Get("ingress").Items() {
		out = append(out, aclEntry{
			e.Get("ruleNo"), e.Get("action"), e.Get("protocol"), e.Get("fromPort"), e.Get("toPort"),
			[2]rule.Value{e.Get("cidrBlock"), e.Get("ipv6CidrBlock")},
		})
	}
	for _, r := range s.Pointing(acl, "networkAclId", "ec2/networkAclRule") {
		egress, action := r.Get("egress"), r.Get("ruleAction")
		if out, _ := egress.Bool(); out {
			continue
		}
		if egress.Unknown() { // what it does to inbound traffic is then unknown, too
			action = egress
		}
		out = append(out, aclEntry{
			r.Get("ruleNumber"), action, r.Get("protocol"), r.Get("fromPort"), r.Get("toPort"),
			[2]rule.Value{r.Get("cidrBlock"), r.Get("ipv6CidrBlock")},
		})
	}
	return out
}

// firstMatch follows the list as AWS does: the first entry that covers the
// whole internet and the port decides.
func firstMatch(entries []aclEntry, port, family int) rule.Verdict {
	for _, e := range entries {
		g := e.groupRule(family)
		internet, open := g.FromInternet(), g.Includes(port)
		if internet.Outcome == rule.Passed || open.Outcome == rule.Passed {
			continue
		}
		action, _ := e.action.Str()
		switch {
		case internet.Outcome == rule.Undetermined || open.Outcome == rule.Undetermined || e.action.Unknown():
			return rule.Unsure("rule %s is not known in full", e.number.Show())
		case action == "deny" && wholeFamily(e.cidr[family]):
			return rule.Pass()
		case action == "allow":
			return rule.Fail("rule %s allows port %d from %s", e.number.Show(), port, e.cidr[family].Show())
		}
	}
	return rule.Pass() // the list ends with a denial of everything
}

func wholeFamily(cidr rule.Value) bool {
	s, _ := cidr.Str()
	return s == "0.0.0.0/0" || s == "::/0"
}
