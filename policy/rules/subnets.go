package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// subnets holds the rules about what lives in which subnet.
var subnets = []rule.Rule{
	{
		Name:     "lambda-private-subnets-only",
		Summary:  "A Lambda function of a VPC runs in subnets that no internet gateway reaches; in the others it has no way out.",
		Guide:    []guide.ID{guide.PracticesLambdaVPCConfiguration, guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("SC-7")),
		Types:      []string{"lambda/function"},
		CheckStack: privateOnly("vpcConfig.subnetIds"),
		Fix:        `lambda.FunctionVpcConfigArgs{SubnetIds: …} with private subnets`,
		URL:        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html",
	},
	{
		Name:     "ec2-instance-private-subnet-only",
		Summary:  "An instance lies in a subnet that no internet gateway reaches, and has no public address.",
		Guide:    []guide.ID{guide.ArchitectureVPCPrivateSubnets, guide.ArchitectureVPCPublicSubnets},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("EC2.9"), nist("SC-7", "AC-4")),
		Types:      []string{"ec2/instance"},
		CheckStack: instancePrivate,
		Fix:        `ec2.InstanceArgs{SubnetId: private.ID(), AssociatePublicIpAddress: pulumi.Bool(false)}`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-9",
	},
	{
		Name:     "public-subnet-holds-only-lb-and-nat",
		Summary:  "A subnet that an internet gateway reaches holds load balancers and NAT gateways, and neither workloads nor data.",
		Guide:    []guide.ID{guide.ArchitectureVPCPublicSubnets},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("SC-7")),
		Types:      []string{"ec2/subnet"},
		CheckStack: noResidentsInPublic,
		Fix:        `SubnetIds of subnets whose route table has no route to an ec2.InternetGateway`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-example-private-subnets-nat.html",
	},
	{
		Name:     "internal-lb-not-in-public-subnet",
		Summary:  "An internal load balancer lies in subnets that no internet gateway reaches.",
		Guide:    []guide.ID{guide.ArchitectureVPCPublicSubnets, guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-7")),
		Types:      []string{"lb/loadBalancer"},
		CheckStack: internalBalancerPrivate,
		Fix:        `lb.LoadBalancerArgs{Subnets: …} with private subnets`,
		URL:        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html",
	},
	{
		Name:     "no-default-vpc-or-subnet",
		Summary:  "A stack takes over the default VPC and its subnets only to delete them; nothing lives there.",
		Guide:    []guide.ID{guide.OverviewNetworkVPC},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("CM-7")),
		Types:      []string{"ec2/defaultVpc", "ec2/defaultSubnet"},
		CheckStack: onlyToDelete,
		Fix:        `ec2.NewVpc and ec2.NewSubnet; ec2.DefaultVpcArgs{ForceDestroy: pulumi.Bool(true)} where the default one is to go`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html",
	},
}

func instancePrivate(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	out := r.Get("associatePublicIpAddress").False("the instance gets a public address")
	interfaces := s.Refs(r, "networkInterfaces.networkInterfaceId", "ec2/networkInterface")
	for _, eni := range interfaces.Targets {
		out = rule.All(out, s.PrivateSubnets(eni, "subnetId"))
	}
	switch {
	case !interfaces.Complete():
		return rule.All(out, rule.Unsure("a network interface is not in this stack"))
	case !interfaces.Empty():
		return out
	case !r.Get("subnetId").Empty():
		return rule.All(out, s.PrivateSubnets(r, "subnetId"))
	case r.Get("launchTemplate").Present():
		return rule.All(out, rule.Unsure("the launch template may name the subnet"))
	default:
		return rule.All(out, rule.Fail("subnetId is not set: the instance starts in the default VPC, whose subnets are public"))
	}
}

func noResidentsInPublic(s *rule.Stack, subnet *rule.Resource, _ rule.Params) rule.Verdict {
	residents, open := s.Residents(subnet)
	reach := s.PublicSubnet(subnet)
	switch {
	case reach.Outcome == rule.Passed:
		return rule.Pass()
	case len(residents) == 0 && open:
		return rule.Unsure("a resource lives in an unknown subnet")
	case len(residents) == 0:
		return rule.Pass()
	case reach.Outcome != rule.Failed:
		return reach
	}
	out := rule.Verdict{}
	for _, r := range residents {
		out = rule.All(out, rule.Fail("%s lives in it", r.Label()))
	}
	return rule.All(rule.Fail("%s", reach.Reason()), out)
}

func internalBalancerPrivate(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	internal := r.Get("internal")
	if on, known := internal.Bool(); !internal.Unknown() && !(known && on) {
		return rule.Skip()
	}
	out := rule.All(s.PrivateSubnets(r, "subnets"), s.PrivateSubnets(r, "subnetMappings.subnetId"))
	if internal.Unknown() && out.Outcome == rule.Failed {
		return rule.Unsure("internal is unknown")
	}
	return out
}

// tenants say how other resources come to live in a default VPC or subnet.
var tenants = map[string][]struct{ typ, property string }{
	"ec2/defaultVpc": {
		{"ec2/subnet", "vpcId"}, {"ec2/securityGroup", "vpcId"}, {"ec2/vpcEndpoint", "vpcId"}, {"lb/targetGroup", "vpcId"},
	},
	"ec2/defaultSubnet": {{"ec2/natGateway", "subnetId"}, {"ec2/vpcEndpoint", "subnetIds"}, {"lb/loadBalancer", "subnets"}},
}

func onlyToDelete(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	out := r.Get("forceDestroy").True("the default network is kept, and created where it is missing")
	residents, _ := s.Residents(r)
	for _, t := range tenants[r.Type] {
		residents = append(residents, s.Pointing(r, t.property, t.typ)...)
	}
	for _, tenant := range residents {
		out = rule.All(out, rule.Fail("%s lives in it", tenant.Label()))
	}
	return out
}
