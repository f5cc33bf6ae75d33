package rules

import (
	"slices"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// groupUse holds the rules about who uses which security group, and for what
// way out.
var groupUse = []rule.Rule{
	{
		Name:     "sg-egress-not-open",
		Summary:  "A security group lets traffic out to named groups, ranges and prefix lists; to the internet at most HTTPS.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny, guide.OperationsGuardDutyDataExfiltration},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-7(5)")),
		Types:    egressTypes,
		Params: []rule.Param{{
			Name: "allowHttps", Kind: rule.Boolean, Default: true,
			Description: "Accept tcp/443 to the internet, which the NAT gateway is for.",
		}},
		Check: egressNamed,
		Fix:   `vpc.SecurityGroupEgressRuleArgs{IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443), ReferencedSecurityGroupId: …}`,
		URL:   "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
	{
		Name:     "sg-no-default-sg-attached",
		Summary:  "A resource names security groups of its own; the default group of the VPC belongs to nobody.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-7")),
		Types:      rule.HolderTypes(),
		CheckStack: ownGroup,
		Fix:        `VpcSecurityGroupIds (or SecurityGroups, SecurityGroupIds) with an ec2.NewSecurityGroup`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html",
	},
	{
		Name:     "sg-no-unused",
		Summary:  "A security group is used: forgotten ones are attached by mistake.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsRegularReviews},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("CM-8")),
		Types:      []string{"ec2/securityGroup"},
		CheckStack: groupUsed,
		Fix:        `remove the ec2.NewSecurityGroup, or name it in the SecurityGroupIds of a resource`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-22",
	},
	{
		Name:     "sg-prefer-sg-reference-for-internal",
		Summary:  "Inside a VPC a security group lets in groups, which follow their members, rather than ranges, into which anybody may move.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsServiceLinkedRules, guide.PracticesSecurityGroupsSpecificCIDRBlocks, guide.OverviewNetworkSecurityGroups},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AC-4")),
		Types:      ingressTypes,
		CheckStack: internalByGroup,
		Fix:        `ec2.SecurityGroupRuleArgs{SourceSecurityGroupId: client.ID()} in place of CidrBlocks`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
	},
}

// egressTypes are the resources that declare outbound rules.
var egressTypes = []string{
	"ec2/securityGroup", "ec2/defaultSecurityGroup", "ec2/securityGroupRule", "vpc/securityGroupEgressRule",
}

func egressNamed(r *rule.Resource, p rule.Params) rule.Verdict {
	if r.Is("ec2/securityGroupRule") && r.Get("type").Unknown() {
		return rule.Unsure("type is unknown")
	}
	out := rule.Skip()
	for _, g := range rule.GroupRules(nil, r) {
		switch {
		case g.Ingress:
		case g.Unreadable():
			out = rule.All(out, rule.Unsure("%s is unknown", g.At()))
		default:
			out = rule.All(out, egressRuleNamed(g, p.Bool("allowHttps")))
		}
	}
	return out
}

func egressRuleNamed(g rule.GroupRule, allowHTTPS bool) rule.Verdict {
	internet := g.FromInternet()
	if internet.Outcome == rule.Passed {
		return internet
	}
	https := rule.Fail("HTTPS is not accepted")
	if allowHTTPS {
		https = g.Only(443)
	}
	switch {
	case https.Outcome != rule.Failed:
		return https
	case internet.Outcome == rule.Failed:
		return rule.Fail("%s lets %s out to %s", g.At(), g.Ports(), internet.Reason())
	default:
		return internet
	}
}

func ownGroup(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	property := rule.GroupsProperty(r.Type)
	for _, group := range s.Refs(r, property, "ec2/defaultSecurityGroup").Targets {
		return rule.Fail("%s has %s, the default group of the VPC", property, group.Name)
	}
	// The output defaultSecurityGroupId of a VPC is its default group, too.
	for _, vpc := range s.Refs(r, property, "ec2/vpc", "ec2/defaultVpc").Targets {
		return rule.Fail("%s has the default group of VPC %s", property, vpc.Name)
	}
	if len(r.Each(property)) > 0 {
		return rule.Pass()
	}
	return defaultByOmission(s, r, property)
}

// defaultByOmission is the verdict of a resource without groups: AWS attaches
// the default one wherever the resource has an interface in the VPC.
func defaultByOmission(s *rule.Stack, r *rule.Resource, property string) rule.Verdict {
	switch r.Type {
	case "lb/loadBalancer":
		if kind := r.Get("loadBalancerType"); kind.Unknown() {
			return rule.Unsure("loadBalancerType is unknown")
		} else if name, _ := kind.Str(); name != "" && name != "application" {
			return rule.Skip() // a network load balancer may have none
		}
	case "ec2/vpcEndpoint":
		const split = "ec2/securityGroupAssociation"
		if kind := r.Get("vpcEndpointType"); kind.Unknown() {
			return rule.Unsure("vpcEndpointType is unknown")
		}
		if !isInterface(r) || len(s.Pointing(r, "vpcEndpointId", split)) > 0 {
			return rule.Skip()
		}
		return missing(s, "vpcEndpointId", split, "ec2/vpcEndpoint", property+" is not set: the endpoint has the default group")
	case "ecs/service":
		if r.Get("networkConfiguration").Empty() {
			return rule.Skip()
		}
	case "rds/instance":
		if !r.Get("replicateSourceDb").Empty() {
			return rule.Skip() // a replica has the groups of its source
		}
	case "ec2/networkInterface", "efs/mountTarget", "rds/cluster", "rds/proxy":
	default:
		return rule.Skip() // the groups may come from a template or an interface
	}
	return rule.Fail("%s is not set: the resource has the default group of the VPC", property)
}

func groupUsed(s *rule.Stack, group *rule.Resource, _ rule.Params) rule.Verdict {
	for _, user := range s.Users(group) {
		if !user.Is(rule.GroupTypes...) || usesAsPeer(s, user, group) {
			return rule.Pass()
		}
	}
	if len(s.Of(rule.HolderTypes()...)) == 0 {
		return rule.Unsure("what uses the groups of this stack is elsewhere")
	}
	return unlessLinked(s, rule.Fail("no resource of the stack uses the group"), groupUses()...)
}

// groupUses are the ways in which a security group is of use.
func groupUses() []link {
	out := []link{
		{"ingress.securityGroups", "ec2/securityGroup", "ec2/securityGroup"},
		{"egress.securityGroups", "ec2/securityGroup", "ec2/securityGroup"},
		{"sourceSecurityGroupId", "ec2/securityGroupRule", "ec2/securityGroup"},
		{"referencedSecurityGroupId", "vpc/securityGroupIngressRule", "ec2/securityGroup"},
		{"referencedSecurityGroupId", "vpc/securityGroupEgressRule", "ec2/securityGroup"},
	}
	for _, typ := range rule.HolderTypes() {
		out = append(out, link{rule.GroupsProperty(typ), typ, "ec2/securityGroup"})
	}
	return out
}

// usesAsPeer says that a rule of another group names the group as its far end.
func usesAsPeer(s *rule.Stack, user, group *rule.Resource) bool {
	if s.GroupsDeclaredBy(user).Has(group) {
		return false
	}
	return slices.ContainsFunc(rule.GroupRules(s, user), func(g rule.GroupRule) bool { return g.Groups.Has(group) })
}

// doors are the roles whose clients are too many for a list of groups.
var doors = []rule.Role{rule.PublicALB, rule.InternalALB, rule.Endpoint}

func internalByGroup(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	for _, role := range doors {
		if len(s.HeldBy(r, role)) > 0 {
			return rule.Skip()
		}
	}
	network, known := vpcRanges(s, r)
	list, out := ingressRules(s, r)
	for _, g := range list {
		out = rule.All(out, rule.Pass())
		for _, c := range g.CIDRs {
			cidr, isKnown := c.Str()
			switch {
			case !isKnown:
				out = rule.All(out, rule.Unsure("%s is unknown", c.Path()))
			case rule.SubsetOf(cidr, network):
				out = rule.All(out, rule.Fail("%s lets in %s of the VPC", g.At(), c.Show()))
			case !known && rule.PrivateCIDR(cidr):
				out = rule.All(out, rule.Unsure("the range of the VPC is not known"))
			}
		}
	}
	return unlessLinked(s, out,
		link{"securityGroups", "lb/loadBalancer", "ec2/securityGroup"},
		link{"securityGroupIds", "ec2/vpcEndpoint", "ec2/securityGroup"})
}
