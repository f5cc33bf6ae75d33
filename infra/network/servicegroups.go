package network

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// ServiceGroupsComponent ties ServiceGroups to the guide.
var ServiceGroupsComponent = guide.Component{
	Token: "redoubt:network:ServiceGroups",
	Serves: []guide.ID{
		guide.OverviewNetworkSecurityGroups,
		guide.DiagramALBECS,
		guide.ArchitectureSecurityGroupsALB,
		guide.ArchitectureSecurityGroupsECS,
		guide.PracticesSecurityGroupsServiceLinkedRules,
		guide.PracticesSecurityGroupsProperDescriptions,
		guide.PracticesSecurityGroupsDefaultDeny,
	},
}

// ServiceGroupsArgs describes the groups of a service in a VPC that another
// stack has made. Prefix, VpcID, Port and S3PrefixListID are required.
type ServiceGroupsArgs struct {
	Prefix string
	VpcID  pulumi.StringInput
	// AllowedCIDRs may reach the load balancer; none means 0.0.0.0/0.
	AllowedCIDRs []string
	// Port is where the tasks listen.
	Port int
	// EndpointGroupID is the group of the VPC's interface endpoints: the tasks
	// are let into it. Nil where the VPC has none.
	EndpointGroupID pulumi.StringInput
	// DatabaseGroupID is the group of a database that the tasks reach on
	// DatabasePort, 5432 if zero: they are let into it. Nil for none.
	DatabaseGroupID pulumi.StringInput
	DatabasePort    int
	// S3PrefixListID is that of the VPC's gateway endpoint, by region.
	S3PrefixListID pulumi.StringInput
	// EgressInternet lets tasks call any address on 443. It needs NAT.
	EgressInternet bool
	Tags           map[string]string
}

// ServiceGroups are a service's own groups: what else lives in the VPC shares
// none of its rights.
type ServiceGroups struct {
	pulumi.ResourceState

	// ALB is the load balancer's group, Tasks the tasks'.
	ALB, Tasks pulumi.IDOutput
}

// NewServiceGroups registers the groups and their rules. It returns every
// finding about args at once.
func NewServiceGroups(ctx *pulumi.Context, name string, args *ServiceGroupsArgs, opts ...pulumi.ResourceOption) (*ServiceGroups, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("service groups %s: %w", name, err)
	}
	c := &ServiceGroups{}
	if err := ctx.RegisterComponentResource(ServiceGroupsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("service groups %s: register component: %w", name, err)
	}
	groups := map[string]*pulumi.IDOutput{"alb": &c.ALB, "tasks": &c.Tasks}
	for _, g := range serviceGroups {
		physical := args.Prefix + "-" + g.name
		group, err := ec2.NewSecurityGroup(ctx, name+"-"+g.name, &ec2.SecurityGroupArgs{
			Name: pulumi.String(physical), Description: pulumi.String(g.description), VpcId: args.VpcID.ToStringOutput(),
			Tags: tagged(args.Tags, physical),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("service groups %s: %w", name, err)
		}
		*groups[g.name] = group.ID()
	}
	for _, r := range c.rules(args) {
		if err := r.add(ctx, name, args, pulumi.Parent(c)); err != nil {
			return nil, fmt.Errorf("service groups %s: rule %s: %w", name, r.name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"securityGroupIds": pulumi.Map{"alb": c.ALB, "tasks": c.Tasks}})
}

var serviceGroups = []struct{ name, description string }{
	{"alb", "Load balancer: HTTPS from allowed ranges"},
	{"tasks", "Tasks: traffic from the load balancer only"},
}

func (args *ServiceGroupsArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a ServiceGroupsArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	f.required("vpcId", args.VpcID != nil, "pass the VPC's id")
	f.required("s3PrefixListId", args.S3PrefixListID != nil, "pass the region's prefix list of S3")
	checkRanges(&f, args.AllowedCIDRs, false)
	if args.Port < 1 || args.Port > 65535 {
		f.add("port", fmt.Sprintf("%d is no TCP port", args.Port), "1 to 65535")
	}
	if p := args.databasePort(); p < 1 || p > 65535 {
		f.add("databasePort", fmt.Sprintf("%d is no TCP port", p), "1 to 65535, or 0 for 5432")
	}
	if args.EndpointGroupID == nil && !args.EgressInternet {
		f.add("endpointGroupId", "missing without egressInternet", "tasks cannot pull their image without endpoints or a way to the internet: pass one")
	}
	return f.err()
}

func (args *ServiceGroupsArgs) databasePort() int {
	if args.DatabasePort == 0 {
		return 5432
	}
	return args.DatabasePort
}

// serviceRule is one rule of a group: ours, or of another stack's that lets
// the tasks in.
type serviceRule struct {
	name, description string
	dir               direction
	of                pulumi.StringInput
	port              int
	to                target
}

// rules are all rules: nothing else is let in or out.
func (c *ServiceGroups) rules(args *ServiceGroupsArgs) []serviceRule {
	alb, tasks := c.ALB.ToStringOutput(), c.Tasks.ToStringOutput()
	var out []serviceRule
	blocks := args.AllowedCIDRs
	if len(blocks) == 0 {
		blocks = []string{anywhere}
	}
	for _, block := range blocks {
		out = append(out, serviceRule{"alb-in-" + rangeName.Replace(block), "HTTPS inbound", inbound, alb, 443, cidr(block).target(nil, nil)})
	}
	out = append(out,
		serviceRule{"alb-out-tasks", "Traffic to the tasks", outbound, alb, args.Port, target{group: tasks}},
		serviceRule{"tasks-in-alb", "Traffic from the load balancer", inbound, tasks, args.Port, target{group: alb}},
		serviceRule{"tasks-out-s3", "HTTPS to S3 by gateway endpoint", outbound, tasks, 443, target{list: args.S3PrefixListID.ToStringOutput()}},
	)
	if args.EndpointGroupID != nil {
		endpoints := args.EndpointGroupID.ToStringOutput()
		out = append(out,
			serviceRule{"tasks-out-endpoints", "HTTPS to AWS services by endpoint", outbound, tasks, 443, target{group: endpoints}},
			serviceRule{"endpoints-in-tasks", "HTTPS from tasks of " + args.Prefix, inbound, endpoints, 443, target{group: tasks}})
	}
	if args.DatabaseGroupID != nil {
		database := args.DatabaseGroupID.ToStringOutput()
		out = append(out,
			serviceRule{"tasks-out-database", "Database connections", outbound, tasks, args.databasePort(), target{group: database}},
			serviceRule{"database-in-tasks", "Database connections from tasks of " + args.Prefix, inbound, database, args.databasePort(), target{group: tasks}})
	}
	if args.EgressInternet {
		out = append(out, serviceRule{"tasks-out-internet", "HTTPS to the internet by NAT", outbound, tasks, 443, cidr(anywhere).target(nil, nil)})
	}
	return out
}

// add makes the rule a resource of its own, as SecurityGroups does.
func (r serviceRule) add(ctx *pulumi.Context, name string, args *ServiceGroupsArgs, opts ...pulumi.ResourceOption) (err error) {
	logical, port, tags := name+"-"+r.name, pulumi.Int(r.port), tagged(args.Tags, args.Prefix+"-"+r.name)
	if r.dir == inbound {
		_, err = vpc.NewSecurityGroupIngressRule(ctx, logical, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: r.of, Description: pulumi.String(r.description), IpProtocol: pulumi.String("tcp"), FromPort: port, ToPort: port, Tags: tags,
			CidrIpv4: r.to.ipv4, CidrIpv6: r.to.ipv6, ReferencedSecurityGroupId: r.to.group, PrefixListId: r.to.list,
		}, slices.Clone(opts)...)
		return err
	}
	_, err = vpc.NewSecurityGroupEgressRule(ctx, logical, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: r.of, Description: pulumi.String(r.description), IpProtocol: pulumi.String("tcp"), FromPort: port, ToPort: port, Tags: tags,
		CidrIpv4: r.to.ipv4, CidrIpv6: r.to.ipv6, ReferencedSecurityGroupId: r.to.group, PrefixListId: r.to.list,
	}, slices.Clone(opts)...)
	return err
}
