package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// ingressTypes are the resources that declare inbound rules. The finding is
// about the resource to edit: the group for an inline rule, else the rule.
var ingressTypes = []string{
	"ec2/securityGroup", "ec2/defaultSecurityGroup", "ec2/securityGroupRule", "vpc/securityGroupIngressRule",
}

// securityGroups holds the rules of "Security Groups" about one group.
var securityGroups = []rule.Rule{
	{
		Name:     "sg-no-unrestricted-ingress-except-public-alb",
		Summary:  "Only the security group of a public load balancer lets the internet in.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsALB, guide.PracticesSecurityGroupsDefaultDeny, guide.OverviewNetworkSecurityGroups},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(fsbp("EC2.18"), nist("SC-7", "AC-4"), pci("1.2.5", "1.2.8", "1.3.1")),
		Types:      ingressTypes,
		CheckStack: internetOnlyToPublicALB,
		Fix:        `ec2.SecurityGroupRuleArgs{SourceSecurityGroupId: client.ID()} in place of CidrBlocks`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18",
	},
	{
		Name:     "sg-no-ssh-rdp-from-internet",
		Summary:  "No security group lets the internet reach SSH or RDP.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsSpecificCIDRBlocks},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("EC2.13", "EC2.14"), cis("5.3", "5.4"), nist("AC-17", "SC-7"), pci("1.2.8", "1.3.1", "1.3.2")),
		Types:    ingressTypes,
		Check:    closedToInternet(22, 3389),
		Fix:      `remove the rule and use SSM Session Manager, or set CidrBlocks to the network of your administrators`,
		URL:      "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-13",
	},
	{
		Name:     "sg-descriptions-present",
		Summary:  "A security group and each of its rules say what they are for.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsProperDescriptions},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("CM-8")),
		Types:    rule.GroupTypes,
		Check:    described,
		Fix:      `ec2.SecurityGroupArgs{Description: pulumi.String("HTTPS inbound")}, and a Description in each rule`,
		URL:      "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
	{
		Name:     "sg-no-mixed-rule-management",
		Summary:  "A security group has its rules inline or in resources of their own; each kind deletes the other's.",
		Guide:    []guide.ID{guide.ConfigurationsSecurityGroupALBIngress, guide.ConfigurationsSecurityGroupECSIngress},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("CM-6")),
		Types:      []string{"ec2/securityGroup"},
		CheckStack: oneKindOfRules,
		Fix:        `ec2.SecurityGroupArgs without Ingress and Egress, and a vpc.NewSecurityGroupIngressRule for each rule`,
		URL:        "https://www.pulumi.com/registry/packages/aws/api-docs/ec2/securitygroup/",
	},
}

// ingressRules returns the resource's own inbound rules. unreadable is the
// verdict where they are not known at all.
func ingressRules(s *rule.Stack, r *rule.Resource) (list []rule.GroupRule, unreadable rule.Verdict) {
	if r.Type == "ec2/securityGroupRule" && r.Get("type").Unknown() {
		return nil, rule.Unsure("type is unknown")
	}
	for _, g := range rule.GroupRules(s, r) {
		switch {
		case !g.Ingress:
		case g.Unreadable():
			unreadable = rule.All(unreadable, rule.Unsure("%s is unknown", g.At()))
		default:
			list = append(list, g)
		}
	}
	return list, unreadable
}

func internetOnlyToPublicALB(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	list, out := ingressRules(s, r)
	for _, g := range list {
		internet := g.FromInternet()
		if internet.Outcome == rule.Failed {
			internet = publicALBOnly(s, r, g, internet.Reason())
		}
		out = rule.All(out, internet)
	}
	return out
}

// publicALBOnly accepts the internet where the group belongs to public load
// balancers and to nothing else.
func publicALBOnly(s *rule.Stack, r *rule.Resource, g rule.GroupRule, cidr string) rule.Verdict {
	for _, role := range []rule.Role{rule.ECS, rule.Database, rule.Search, rule.Lambda, rule.Proxy, rule.Endpoint, rule.InternalALB, rule.Other} {
		if held := s.HeldBy(r, role); len(held) > 0 {
			return rule.Fail("%s lets %s reach %s %s on %s", g.At(), cidr, role, held[0].Name, g.Ports())
		}
	}
	if len(s.HeldBy(r, rule.PublicALB)) > 0 {
		return rule.Pass()
	}
	maybeALB := !s.GroupsDeclaredBy(r).Complete() || s.GroupsOf(rule.PublicALB).Open
	if maybeALB && g.Only(443).Outcome == rule.Passed {
		return rule.Unsure("whether the group belongs to a public load balancer is not known")
	}
	return rule.Fail("%s opens %s to %s, and the group belongs to no public load balancer", g.At(), g.Ports(), cidr)
}

// placeholders are the descriptions that tools write where the program has none.
var placeholders = []string{"Managed by Pulumi", "Managed by Terraform"}

func described(r *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	if r.Type == "ec2/securityGroup" {
		out = descriptive(r.Get("description"), "description")
	}
	for _, g := range rule.GroupRules(nil, r) {
		if g.Unreadable() {
			out = rule.All(out, rule.Unsure("%s is unknown", g.At()))
			continue
		}
		path := "description"
		if g.Path != "" {
			path = g.Path + ".description"
		}
		out = rule.All(out, descriptive(g.Description, path))
	}
	return out
}

func descriptive(v rule.Value, path string) rule.Verdict {
	if v.Unknown() {
		return rule.Pass() // there will be one
	}
	s, _ := v.Str()
	for _, p := range append(placeholders, "") {
		if s == p {
			return rule.Fail("%s is %s", path, v.Show())
		}
	}
	return rule.Pass()
}

// oneKindOfRules compares inputs: after a refresh the provider echoes rule
// resources back into the group's outputs.
func oneKindOfRules(s *rule.Stack, group *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Pass()
	for _, d := range []struct{ block, typ string }{
		{"ingress", "vpc/securityGroupIngressRule"}, {"egress", "vpc/securityGroupEgressRule"},
	} {
		if group.Get(d.block).Absent() {
			continue
		}
		others := s.Pointing(group, "securityGroupId", d.typ)
		for _, r := range s.Pointing(group, "securityGroupId", "ec2/securityGroupRule") {
			if direction, known := r.Get("type").Str(); direction == d.block {
				others = append(others, r)
			} else if !known {
				out = rule.All(out, rule.Unsure("type of %s is unknown", r.Label()))
			}
		}
		if len(others) > 0 {
			out = rule.All(out, rule.Fail("%s is set inline, and %s adds to it: each update of one deletes the other's rules", d.block, others[0].Label()))
		}
	}
	return out
}
