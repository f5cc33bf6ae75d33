package rules

import (
	"sort"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// networkACL holds the rules about network access lists.
var networkACL = []rule.Rule{{
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
}}

// aclEntry is one inbound entry of a network ACL, inline or as a resource.
type aclEntry struct {
	number, action, protocol, from, to rule.Value
	cidr                               [2]rule.Value // IPv4, IPv6
}

func aclClosesAdminPorts(s *rule.Stack, acl *rule.Resource, _ rule.Params) rule.Verdict {
	if acl.Get("ingress").Unknown() {
		return rule.Unsure("ingress is unknown")
	}
	entries := inboundEntries(s, acl)
	for _, e := range entries {
		if e.number.Unknown() {
			return rule.Unsure("the number of a rule is unknown, and the lowest wins")
		}
	}
	sort.SliceStable(entries, func(i, j int) bool {
		a, _ := entries[i].number.Int()
		b, _ := entries[j].number.Int()
		return a < b
	})
	out := rule.Pass()
	for _, port := range []int{22, 3389} {
		for family := range 2 {
			out = rule.All(out, firstMatch(entries, port, family))
		}
	}
	return out
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
		if egress, _ := r.Get("egress").Bool(); egress {
			continue
		}
		out = append(out, aclEntry{
			r.Get("ruleNumber"), r.Get("ruleAction"), r.Get("protocol"), r.Get("fromPort"), r.Get("toPort"),
			[2]rule.Value{r.Get("cidrBlock"), r.Get("ipv6CidrBlock")},
		})
	}
	return out
}

// firstMatch follows the list as AWS does: the first entry that covers the
// whole internet and the port decides.
func firstMatch(entries []aclEntry, port, family int) rule.Verdict {
	for _, e := range entries {
		g := rule.GroupRule{Protocol: e.protocol, FromPort: e.from, ToPort: e.to}
		if !e.cidr[family].Empty() {
			g.CIDRs = []rule.Value{e.cidr[family]}
		}
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
