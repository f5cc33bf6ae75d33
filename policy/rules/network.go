package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// network holds the rules of "VPC Configuration".
var network = []rule.Rule{
	{
		Name:     "vpc-flow-logs-enabled",
		Summary:  "A VPC has a flow log.",
		Guide:    []guide.ID{guide.ArchitectureVPCFlowLogs, guide.OperationsLogsVPCFlowLogs},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("EC2.6"), cis("3.7"), nist("AU-12", "SI-4"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"ec2/vpc"},
		CheckStack: func(s *rule.Stack, vpc *rule.Resource, _ rule.Params) rule.Verdict {
			if len(s.Pointing(vpc, "vpcId", "ec2/flowLog")) > 0 {
				return rule.Pass()
			}
			return missing(s, "vpcId", "ec2/flowLog", "ec2/vpc", "no flow log records the traffic of the VPC")
		},
		Fix: `ec2.NewFlowLog with ec2.FlowLogArgs{VpcId: vpc.ID(), TrafficType: pulumi.String("ALL")}`,
		URL: "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
	},
	{
		Name:     "vpc-flow-log-captures-all-traffic",
		Summary:  "A flow log records accepted and rejected traffic: what left in an exfiltration was accepted.",
		Guide:    []guide.ID{guide.ArchitectureVPCFlowLogs, guide.OperationsGuardDutyDataExfiltration},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("EC2.6"), cis("3.7"), nist("AU-12"), pci("5.3.4", "10.2.1", "10.2.1.1")),
		Types:    []string{"ec2/flowLog"},
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			if ofTransitGateway(r) {
				return rule.Skip() // such flow logs have no traffic type
			}
			return oneOf(r.Get("trafficType"), []string{"ALL"}, "part of the traffic leaves no record")
		},
		Fix: `ec2.FlowLogArgs{TrafficType: pulumi.String("ALL")}`,
		URL: "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
	},
	{
		Name:     "subnet-no-auto-assign-public-ip",
		Summary:  "A subnet gives no public address to what starts in it; load balancers and NAT gateways do not need that.",
		Guide:    []guide.ID{guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("EC2.15"), nist("AC-4", "SC-7")),
		Types:    []string{"ec2/subnet"},
		Check: func(r *rule.Resource, p rule.Params) rule.Verdict {
			return rule.All(noPublicIPv4(r, p), noPublicIPv6(r, p))
		},
		Remediate: rule.InTurn(
			rule.Where(noPublicIPv4, rule.SetTo("mapPublicIpOnLaunch", false)),
			rule.Where(noPublicIPv6, rule.SetTo("assignIpv6AddressOnCreation", false)),
		),
		Fix: `ec2.SubnetArgs{MapPublicIpOnLaunch: pulumi.Bool(false)}`,
		URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-15",
	},
	{
		Name:     "rds-subnet-group-private-only",
		Summary:  "A database's subnet group holds only subnets that no internet gateway reaches.",
		Guide:    []guide.ID{guide.ArchitectureVPCPrivateSubnets, guide.ArchitectureVPCPublicSubnets},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(nist("SC-7", "AC-4")),
		Types:      []string{"rds/subnetGroup"},
		CheckStack: privateOnly("subnetIds"),
		Fix:        `rds.SubnetGroupArgs{SubnetIds: …} with subnets whose route table has no route to an ec2.InternetGateway`,
		URL:        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
	},
	{
		Name:     "opensearch-private-subnets-only",
		Summary:  "An OpenSearch domain lies in subnets that no internet gateway reaches.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsOpenSearch, guide.ArchitectureVPCPrivateSubnets},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(fsbp("Opensearch.2"), nist("SC-7")),
		Types:      []string{"opensearch/domain"},
		CheckStack: privateOnly("vpcOptions.subnetIds"),
		Fix:        `opensearch.DomainVpcOptionsArgs{SubnetIds: …} with private subnets`,
		URL:        "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html",
	},
	{
		Name:     "ecs-service-private-subnets-only",
		Summary:  "An ECS service runs in subnets that no internet gateway reaches.",
		Guide:    []guide.ID{guide.ArchitectureVPCPrivateSubnets, guide.ArchitectureVPCPublicSubnets},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(nist("SC-7", "AC-4")),
		Types:      []string{"ecs/service"},
		CheckStack: privateOnly("networkConfiguration.subnets"),
		Fix:        `ecs.ServiceNetworkConfigurationArgs{Subnets: …} with private subnets`,
		URL:        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-network.html",
	},
	{
		Name:     "nat-gateway-in-public-subnet",
		Summary:  "A public NAT gateway lies in a subnet that leads to an internet gateway; elsewhere it drops all traffic.",
		Guide:    []guide.ID{guide.ArchitectureVPCNAT},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls:   mapped(nist("SC-7")),
		Types:      []string{"ec2/natGateway"},
		CheckStack: natInPublicSubnet,
		Fix:        `ec2.NatGatewayArgs{SubnetId: public.ID()} with a subnet that has a route to an ec2.InternetGateway`,
		URL:        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html",
	},
	{
		Name:     "default-security-group-closed",
		Summary:  "A VPC's default security group is taken over and has no rules.",
		Guide:    []guide.ID{guide.PracticesSecurityGroupsDefaultDeny},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("EC2.2"), cis("5.5"), nist("SC-7", "AC-4(21)")),
		Types:      []string{"ec2/vpc"},
		CheckStack: defaultGroupClosed,
		Fix:        `ec2.NewDefaultSecurityGroup with ec2.DefaultSecurityGroupArgs{VpcId: vpc.ID()} and neither Ingress nor Egress`,
		URL:        "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2",
	},
}

func noPublicIPv4(r *rule.Resource, _ rule.Params) rule.Verdict {
	return r.Get("mapPublicIpOnLaunch").False("whatever starts in the subnet gets a public address")
}

func noPublicIPv6(r *rule.Resource, _ rule.Params) rule.Verdict {
	return r.Get("assignIpv6AddressOnCreation").False("whatever starts in the subnet gets a public IPv6 address")
}

func privateOnly(path string) func(*rule.Stack, *rule.Resource, rule.Params) rule.Verdict {
	return func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict { return s.PrivateSubnets(r, path) }
}

func natInPublicSubnet(s *rule.Stack, nat *rule.Resource, _ rule.Params) rule.Verdict {
	if kind, ok := nat.Get("connectivityType").Str(); ok && kind == "private" {
		return rule.Skip()
	}
	refs := s.Refs(nat, "subnetId", "ec2/subnet")
	if len(refs.Targets) == 0 {
		return rule.Unsure("the subnet is not in this stack")
	}
	out := rule.Skip()
	for _, subnet := range refs.Targets {
		switch v := s.PublicSubnet(subnet); v.Outcome {
		case rule.Failed: // the internet gateway reaches it, as it must
			out = rule.All(out, rule.Pass())
		case rule.Passed:
			out = rule.All(out, rule.Fail("subnet %s has no route to an internet gateway", subnet.Name))
		default:
			out = rule.All(out, v)
		}
	}
	return out
}

func defaultGroupClosed(s *rule.Stack, vpc *rule.Resource, _ rule.Params) rule.Verdict {
	groups := s.Pointing(vpc, "vpcId", "ec2/defaultSecurityGroup")
	if len(groups) == 0 {
		return missing(s, "vpcId", "ec2/defaultSecurityGroup", "ec2/vpc",
			"nothing closes the VPC's default security group, which lets its members reach each other and the internet")
	}
	out := rule.Pass()
	for _, g := range groups {
		for _, block := range []string{"ingress", "egress"} {
			if v := g.Get(block); !v.Empty() {
				out = rule.All(out, rule.Fail("%s has %s rules", g.Label(), block))
			}
		}
		for _, t := range []string{"ec2/securityGroupRule", "vpc/securityGroupIngressRule", "vpc/securityGroupEgressRule"} {
			for _, r := range s.Pointing(g, "securityGroupId", t) {
				out = rule.All(out, rule.Fail("%s adds a rule to %s", r.Label(), g.Label()))
			}
		}
	}
	return out
}
