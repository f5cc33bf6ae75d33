package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// groupTopology holds the rules of "Security Groups" about who may reach whom:
// internet → ALB → ECS → Aurora and OpenSearch.
var groupTopology = []rule.Rule{
	{
		Name:     "sg-public-alb-ingress-https-only",
		Summary:  "A public load balancer's security group lets in nothing but HTTPS.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsALB, guide.ConfigurationsSecurityGroupALBIngress},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("EC2.18"), nist("SC-7", "SC-8")),
		Types:    ingressTypes,
		Params: []rule.Param{{
			Name: "allowHttp", Kind: rule.Boolean, Default: false,
			Description: "Also accept port 80, for a listener that redirects to HTTPS.",
		}},
		CheckStack: albHTTPSOnly,
		Fix:        `ec2.SecurityGroupRuleArgs{FromPort: pulumi.Int(443), ToPort: pulumi.Int(443), Protocol: pulumi.String("tcp")}`,
		URL:        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html",
	},
	{
		Name:     "sg-ecs-ingress-only-from-alb-sg",
		Summary:  "An ECS service takes traffic from the load balancer's security group and from nowhere else.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsECS, guide.ConfigurationsSecurityGroupECSIngress, guide.DiagramALBECS},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(nist("AC-4", "SC-7")),
		Types:    ingressTypes,
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyFrom(s, r, rule.ECS, rule.PublicALB, rule.InternalALB)
		},
		Fix: `ec2.SecurityGroupRuleArgs{SourceSecurityGroupId: alb.ID()} in place of CidrBlocks, Self or another group`,
		URL: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-network.html",
	},
	{
		Name:     "sg-ecs-port-matches-container-port",
		Summary:  "An ECS service's security group opens the ports that its containers listen on, and no other.",
		Guide:    []guide.ID{guide.ConfigurationsSecurityGroupECSIngress, guide.ArchitectureSecurityGroupsECS},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("CM-7")),
		Types:      ingressTypes,
		CheckStack: containerPortsOnly,
		Fix:        `ec2.SecurityGroupRuleArgs{FromPort: pulumi.Int(3000), ToPort: pulumi.Int(3000)} as in ecs.ServiceLoadBalancerArgs{ContainerPort: …}`,
		URL:        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html",
	},
	{
		Name:     "sg-aurora-ingress-only-from-ecs-sg",
		Summary:  "A database takes traffic from the security groups of its clients and from nowhere else.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsAurora, guide.DiagramECSAurora},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(nist("AC-4", "SC-7")),
		Types:    ingressTypes,
		Params: []rule.Param{{
			Name: "clients", Kind: rule.Strings, Default: []string{"ecs", "proxy", "rotation"}, Enum: []string{"ecs", "lambda", "proxy", "rotation"},
			Description: "The kinds of clients whose security groups may reach a database. A proxy is a door to it and is held to the same clients; a rotation is a function that rotates a secret, without a way to the database it could not.",
		}},
		CheckStack: databaseClients,
		Fix:        `ec2.SecurityGroupRuleArgs{SourceSecurityGroupId: ecs.ID()} in place of CidrBlocks, Self or another group`,
		URL:        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.RDSSecurityGroups.html",
	},
	{
		Name:     "sg-aurora-ingress-db-port-only",
		Summary:  "A database's security group opens the database's port and no other.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsAurora},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(nist("CM-7")),
		Types:      ingressTypes,
		CheckStack: databasePortOnly,
		Fix:        `ec2.SecurityGroupRuleArgs{FromPort: pulumi.Int(5432), ToPort: pulumi.Int(5432), Protocol: pulumi.String("tcp")}`,
		URL:        "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.RDSSecurityGroups.html",
	},
	{
		Name:     "sg-opensearch-internal-only",
		Summary:  "An OpenSearch domain takes HTTPS from security groups and ranges of its VPC only.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsOpenSearch, guide.DiagramECSOpenSearch},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(fsbp("Opensearch.2"), nist("AC-4", "SC-7")),
		Types:      ingressTypes,
		CheckStack: searchInternal,
		Fix: `ec2.SecurityGroupRuleArgs{SourceSecurityGroupId: ecs.ID(), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443), ` +
			`Protocol: pulumi.String("tcp")}`,
		URL: "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html",
	},
	{
		Name:     "vpc-interface-endpoint-sg-443-only",
		Summary:  "A VPC endpoint's security group opens HTTPS, and not to the internet.",
		Guide:    []guide.ID{guide.ArchitectureInTransitEndpoints},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-7")),
		Types:      ingressTypes,
		CheckStack: endpointHTTPSOnly,
		Fix: `ec2.SecurityGroupRuleArgs{FromPort: pulumi.Int(443), ToPort: pulumi.Int(443), Protocol: pulumi.String("tcp"), ` +
			`CidrBlocks: pulumi.StringArray{vpc.CidrBlock}}`,
		URL: "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html",
	},
}

func albHTTPSOnly(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	if len(s.HeldBy(r, rule.PublicALB)) == 0 {
		return rule.Skip()
	}
	ports := []int{443}
	if p.Bool("allowHttp") {
		ports = append(ports, 80)
	}
	list, out := ingressRules(s, r)
	for _, g := range list {
		v := g.Only(ports...)
		if v.Outcome == rule.Failed {
			v = rule.Fail("%s, where a public load balancer needs tcp/443 only", v.Reason())
		}
		out = rule.All(out, v)
	}
	return out
}

// onlyFrom is the verdict of the rules of a group that holders in one role
// have: each source must be a group that holders in the allowed roles have.
func onlyFrom(s *rule.Stack, r *rule.Resource, holder rule.Role, allowed ...rule.Role) rule.Verdict {
	held := s.HeldBy(r, holder)
	if len(held) == 0 {
		return rule.Skip()
	}
	list, out := ingressRules(s, r)
	for _, g := range list {
		out = rule.All(out, rule.Pass())
		for _, c := range append(slices.Clone(g.CIDRs), g.PrefixLists...) {
			out = rule.All(out, rule.Fail("%s lets the addresses %s reach %s %s, whoever has them", g.At(), c.Show(), holder, held[0].Name))
		}
		if g.IsSelf() {
			out = rule.All(out, rule.Fail("%s lets every member of the group reach %s %s", g.At(), holder, held[0].Name))
		}
		if g.Self.Unknown() {
			out = rule.All(out, rule.Unsure("whether %s is for the group itself is not known", g.At()))
		}
		for _, source := range g.Groups.Targets {
			out = rule.All(out, sourceHasRole(s, g, source, allowed))
		}
		if !g.Groups.Complete() {
			out = rule.All(out, rule.Unsure("%s names a security group that is not in this stack", g.At()))
		}
	}
	return out
}

func sourceHasRole(s *rule.Stack, g rule.GroupRule, source *rule.Resource, allowed []rule.Role) rule.Verdict {
	open, present, names := false, false, make([]string, len(allowed))
	for i, role := range allowed {
		use := s.GroupsOf(role)
		if len(use.Holders(source)) > 0 {
			return rule.Pass()
		}
		open, present = open || use.Open, present || use.Present
		names[i] = string(role)
	}
	if open || !present { // the holder may be in another stack
		return rule.Unsure("who holds security group %s is not known", source.Name)
	}
	return rule.Fail("%s lets in security group %s, which belongs to no %s", g.At(), source.Name, strings.Join(names, " and no "))
}

// containerPortsOnly leaves services alone that no load balancer serves: which
// ports theirs are, only their clients know.
func containerPortsOnly(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	var ports []int
	var names []string
	for _, service := range s.HeldBy(r, rule.ECS) {
		values := service.Each("loadBalancers.containerPort")
		if len(values) == 0 {
			return rule.Skip()
		}
		for _, v := range values {
			n, known := v.Int()
			if !known {
				return rule.Unsure("%s of ECS service %s is not known", v.Path(), service.Name)
			}
			ports = append(ports, n)
		}
		names = append(names, service.Name)
	}
	if len(ports) == 0 {
		return rule.Skip()
	}
	list, out := ingressRules(s, r)
	for _, g := range list {
		v := g.Only(ports...)
		if v.Outcome == rule.Failed {
			v = rule.Fail("%s, where the containers of %s listen on %s", v.Reason(), strings.Join(names, ", "), portList(ports))
		}
		out = rule.All(out, v)
	}
	return out
}

func databaseClients(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	roles := map[string]rule.Role{"ecs": rule.ECS, "lambda": rule.Lambda, "proxy": rule.Proxy, "rotation": rule.Rotation}
	var allowed []rule.Role
	for _, c := range p.Strs("clients") {
		allowed = append(allowed, roles[c])
	}
	direct := slices.DeleteFunc(slices.Clone(allowed), func(role rule.Role) bool { return role == rule.Proxy })
	return rule.All(onlyFrom(s, r, rule.Database, allowed...), onlyFrom(s, r, rule.Proxy, direct...))
}

// enginePorts are the default ports of the database engines.
var enginePorts = map[string]int{
	"aurora": 3306, "aurora-mysql": 3306, "mysql": 3306, "mariadb": 3306,
	"aurora-postgresql": 5432, "postgres": 5432,
	"oracle-ee": 1521, "oracle-ee-cdb": 1521, "oracle-se2": 1521, "oracle-se2-cdb": 1521,
	"sqlserver-ee": 1433, "sqlserver-ex": 1433, "sqlserver-se": 1433, "sqlserver-web": 1433,
	"db2-ae": 50000, "db2-se": 50000,
}

func databasePortOnly(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	list, out := ingressRules(s, r)
	for _, db := range s.HeldBy(r, rule.Database) {
		engine, _ := db.Get("engine").Str()
		port, known := db.Get("port").Int()
		if db.Get("port").Absent() {
			port, known = enginePorts[engine], enginePorts[engine] != 0
		}
		for _, g := range list {
			if !known {
				out = rule.All(out, rule.Unsure("the port of %s is not known", db.Label()))
				continue
			}
			v := g.Only(port)
			if v.Outcome == rule.Failed {
				v = rule.Fail("%s, where %s needs tcp/%d only", v.Reason(), db.Name, port)
			}
			out = rule.All(out, v)
		}
	}
	if len(s.HeldBy(r, rule.Database)) == 0 {
		return rule.Skip()
	}
	return out
}

func searchInternal(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	held := s.HeldBy(r, rule.Search)
	if len(held) == 0 {
		return rule.Skip()
	}
	network, known := vpcRanges(s, r)
	list, out := ingressRules(s, r)
	for _, g := range list {
		v := g.Only(443)
		if v.Outcome == rule.Failed {
			v = rule.Fail("%s, where an OpenSearch domain needs tcp/443 only", v.Reason())
		}
		out = rule.All(out, v)
		for _, c := range g.CIDRs {
			out = rule.All(out, internalRange(g, c, network, known))
		}
	}
	return out
}

// internalRange says whether a range lies in the VPC; where the VPC's range is
// not known, a range that the internet routes is still wrong.
func internalRange(g rule.GroupRule, c rule.Value, network []string, known bool) rule.Verdict {
	cidr, ok := c.Str()
	switch {
	case !ok:
		return rule.Unsure("%s is unknown", c.Path())
	case rule.SubsetOf(cidr, network):
		return rule.Pass()
	case known || !rule.PrivateCIDR(cidr):
		return rule.Fail("%s lets in %s, which is not of the VPC", g.At(), c.Show())
	default:
		return rule.Unsure("the range of the VPC is not known")
	}
}

// vpcRanges returns the known ranges of the VPCs that the group lies in.
func vpcRanges(s *rule.Stack, r *rule.Resource) (cidrs []string, known bool) {
	for _, group := range s.GroupsDeclaredBy(r).Targets {
		vpcs := s.Refs(group, "vpcId", "ec2/vpc")
		known = vpcs.Complete() && len(vpcs.Targets) > 0
		for _, vpc := range vpcs.Targets {
			if cidr, ok := vpc.Get("cidrBlock").Str(); ok {
				cidrs = append(cidrs, cidr)
			} else {
				known = false
			}
		}
	}
	return cidrs, known
}

func endpointHTTPSOnly(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	if len(s.HeldBy(r, rule.Endpoint)) == 0 {
		return rule.Skip()
	}
	list, out := ingressRules(s, r)
	for _, g := range list {
		v := g.Only(443)
		if v.Outcome == rule.Failed {
			v = rule.Fail("%s, where a VPC endpoint needs tcp/443 only", v.Reason())
		}
		internet := g.FromInternet()
		if internet.Outcome == rule.Failed {
			internet = rule.Fail("%s lets in %s", g.At(), internet.Reason())
		}
		out = rule.All(out, v, internet)
	}
	return out
}
