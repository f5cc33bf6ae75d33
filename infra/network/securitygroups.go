package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// SecurityGroupsComponent ties SecurityGroups to the guide.
var SecurityGroupsComponent = guide.Component{
	Token: "redoubt:network:SecurityGroups",
	Serves: []guide.ID{
		guide.OverviewNetworkSecurityGroups,
		guide.DiagramALBECS,
		guide.DiagramECSAurora,
		guide.DiagramECSS3,
		guide.DiagramECSOpenSearch,
		guide.ArchitectureSecurityGroupsALB,
		guide.ArchitectureSecurityGroupsECS,
		guide.ArchitectureSecurityGroupsAurora,
		guide.ArchitectureSecurityGroupsOpenSearch,
		guide.PracticesSecurityGroupsSpecificCIDRBlocks,
		guide.PracticesSecurityGroupsServiceLinkedRules,
		guide.PracticesSecurityGroupsProperDescriptions,
		guide.PracticesSecurityGroupsDefaultDeny,
		guide.ConfigurationsSecurityGroupALBIngress,
		guide.ConfigurationsSecurityGroupECSIngress,
		guide.ResponseContainmentIsolateResources,
	},
}

// SecurityGroupsArgs describes the stack's security groups. Prefix, VpcID and
// S3PrefixListID are required.
type SecurityGroupsArgs struct {
	Prefix string
	VpcID  pulumi.StringInput
	// AllowedCIDRs may reach the load balancer; none, without lists either,
	// means 0.0.0.0/0. IPv6 ranges are written into IPv6 rules.
	AllowedCIDRs []string
	// AllowedPrefixLists may reach it too: CloudFront's (LookupAWSList), or
	// ranges of our own (PrefixList).
	AllowedPrefixLists []AllowedList
	// Ports are as in VpcArgs.
	Ports Ports
	// HTTPRedirect opens port 80 too, for a redirect to HTTPS.
	HTTPRedirect bool
	// EgressInternet lets tasks call any address on 443. It needs NAT.
	EgressInternet bool
	// LambdaToAurora lets functions of the Lambda group reach the database: a
	// rotation function of our own needs it, RDS's managed rotation does not.
	LambdaToAurora bool
	// LambdaToOpenSearch lets them reach the domain, to set up roles and indexes.
	LambdaToOpenSearch bool
	// DatabaseProxy makes the group of an RDS proxy between tasks and database.
	DatabaseProxy bool
	// S3PrefixListID and DynamoDBPrefixListID are those of Vpc; without the
	// latter tasks have no way to DynamoDB.
	S3PrefixListID, DynamoDBPrefixListID pulumi.StringInput
	Tags                                 map[string]string
}

// SecurityGroups are the groups of a stack and every rule between them.
// Nothing else is allowed: a group without a rule lets nothing in or out.
type SecurityGroups struct {
	pulumi.ResourceState

	// The ids of the groups, for example of the ALB's.
	ALB, ECS, Aurora, OpenSearch, Endpoint pulumi.IDOutput
	// Lambda functions in the VPC, such as a secret's rotation, use this one.
	Lambda pulumi.IDOutput
	// DatabaseProxy is an RDS proxy's; the zero value without one.
	DatabaseProxy pulumi.IDOutput
	// Isolation has no rules: incident response moves what it contains there.
	Isolation pulumi.IDOutput
}

// NewSecurityGroups registers the groups and their rules. It returns every
// finding about args at once.
func NewSecurityGroups(ctx *pulumi.Context, name string, args *SecurityGroupsArgs, opts ...pulumi.ResourceOption) (*SecurityGroups, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("security groups %s: %w", name, err)
	}
	c := &SecurityGroups{}
	if err := ctx.RegisterComponentResource(SecurityGroupsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("security groups %s: register component: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("security groups %s: %w", name, err)
	}
	ids := pulumi.Map{
		"alb": c.ALB, "ecs": c.ECS, "aurora": c.Aurora, "opensearch": c.OpenSearch,
		"lambda": c.Lambda, "endpoint": c.Endpoint, "isolation": c.Isolation,
	}
	if args.DatabaseProxy {
		ids["databaseProxy"] = c.DatabaseProxy
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"securityGroupIds": ids})
}

func (args *SecurityGroupsArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a SecurityGroupsArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	f.required("vpcId", args.VpcID != nil, "pass the VPC's id")
	f.required("s3PrefixListId", args.S3PrefixListID != nil, "pass Vpc.S3PrefixListID")
	args.Ports.orDefault().check(&f)
	args.checkAllowed(&f)
	for _, g := range args.groups() {
		checkDescription(&f, "description of "+string(g.key), g.description)
	}
	for _, r := range args.rules() {
		checkDescription(&f, "description of rule "+r.name(), r.description)
	}
	return f.err()
}

func (c *SecurityGroups) build(ctx *pulumi.Context, name string, args *SecurityGroupsArgs) error {
	ids := map[groupKey]pulumi.IDOutput{}
	for _, g := range args.groups() {
		physical := args.Prefix + "-" + string(g.key)
		group, err := ec2.NewSecurityGroup(ctx, name+"-"+string(g.key), &ec2.SecurityGroupArgs{
			Name:        pulumi.String(physical),
			Description: pulumi.String(g.description),
			VpcId:       args.VpcID.ToStringOutput(),
			Tags:        tagged(args.Tags, physical),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		ids[g.key] = group.ID()
	}
	c.ALB, c.ECS, c.Aurora, c.OpenSearch = ids[albGroup], ids[ecsGroup], ids[auroraGroup], ids[searchGroup]
	c.Lambda, c.Endpoint, c.Isolation = ids[lambdaGroup], ids[endpointGroup], ids[isolationGroup]
	c.DatabaseProxy = ids[proxyGroup]
	for _, r := range args.rules() {
		if err := c.addRule(ctx, name, r, ids, args); err != nil {
			return fmt.Errorf("rule %s: %w", r.name(), err)
		}
	}
	return nil
}

// addRule makes the rule a resource of its own. Rules inside a SecurityGroup
// would make a cycle of groups that refer to each other, and the two styles
// together lose rules (pulumi/pulumi-eks#1031).
func (c *SecurityGroups) addRule(ctx *pulumi.Context, name string, r groupRule, ids map[groupKey]pulumi.IDOutput, args *SecurityGroupsArgs) error {
	logical := name + "-" + r.name()
	group, peer := ids[r.group].ToStringOutput(), r.peer.target(ids, args)
	port, tags := pulumi.Int(r.port), tagged(args.Tags, args.Prefix+"-"+r.name())
	if r.dir == inbound {
		_, err := vpc.NewSecurityGroupIngressRule(ctx, logical, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group, Description: pulumi.String(r.description),
			IpProtocol: pulumi.String("tcp"), FromPort: port, ToPort: port, Tags: tags,
			CidrIpv4: peer.ipv4, CidrIpv6: peer.ipv6,
			ReferencedSecurityGroupId: peer.group, PrefixListId: peer.list,
		}, pulumi.Parent(c))
		return err
	}
	_, err := vpc.NewSecurityGroupEgressRule(ctx, logical, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group, Description: pulumi.String(r.description),
		IpProtocol: pulumi.String("tcp"), FromPort: port, ToPort: port, Tags: tags,
		CidrIpv4: peer.ipv4, CidrIpv6: peer.ipv6,
		ReferencedSecurityGroupId: peer.group, PrefixListId: peer.list,
	}, pulumi.Parent(c))
	return err
}
