package rehearsal

import (
	"fmt"
	"net/netip"
	"regexp"
)

const (
	docsVpcCidr   = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
	docsSubnets   = "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"
	docsEC2Errors = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
	docsVpcQuotas = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"
)

// vpcKinds are VPCs, subnets and what the VPC brings with it.
var vpcKinds = []kind{
	{
		token: "aws:ec2/vpc:Vpc", noun: "EC2 VPC", service: "EC2", action: "Vpc",
		id: "vpc-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:vpc/{id}",
		defaults: props{"enableDnsSupport": true, "instanceTenancy": "default"},
		computed: props{
			"ownerId": "{account}", "mainRouteTableId": "rtb-{hex17:main}", "defaultRouteTableId": "rtb-{hex17:main}",
			"defaultSecurityGroupId": "sg-{hex17:default}", "defaultNetworkAclId": "acl-{hex17:default}",
			"dhcpOptionsId": "dopt-{hex17:dhcp}", "enableDnsHostnames": false, "enableNetworkAddressUsageMetrics": false,
			"ipv6AssociationId": func(c *call) any {
				if c.truth("assignGeneratedIpv6CidrBlock") {
					return "vpc-cidr-assoc-{hex17:ipv6}"
				}
				return nil
			},
			"ipv6CidrBlock": func(c *call) any {
				if c.truth("assignGeneratedIpv6CidrBlock") {
					return "2001:db8:{hex4:ipv6}::/56"
				}
				return nil
			},
		},
		implies: map[string]string{
			"aws:ec2/securityGroup:SecurityGroup": "defaultSecurityGroupId",
			"aws:ec2/routeTable:RouteTable":       "mainRouteTableId",
			"aws:ec2/networkAcl:NetworkAcl":       "defaultNetworkAclId",
		},
		replaces: []string{"cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"},
		limits: []limit{
			{path: "cidrBlock", cidr: true, source: docsVpcCidr},
			{path: "instanceTenancy", oneOf: []string{"default", "dedicated"}, source: docsVpcCidr},
		},
		refuses: []refusal{
			{name: "vpc-cidr-size", at: []operation{opCreate}, code: "InvalidVpc.Range", source: docsVpcCidr, because: sizeOutside(16, 28)},
			quota("vpcs-per-region", 5, "VpcLimitExceeded", "The maximum number of VPCs has been reached.", docsVpcQuotas),
		},
		blocks: []block{{
			by: []string{
				"aws:ec2/subnet:Subnet", "aws:ec2/internetGateway:InternetGateway", "aws:ec2/securityGroup:SecurityGroup",
				"aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/networkAcl:NetworkAcl", "aws:ec2/routeTable:RouteTable",
			},
			code: "DependencyViolation", message: "The vpc '{id}' has dependencies and cannot be deleted.",
		}},
	},
	{
		token: "aws:ec2/subnet:Subnet", noun: "EC2 Subnet", service: "EC2", action: "Subnet",
		id: "subnet-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:subnet/{id}",
		defaults: props{
			"assignIpv6AddressOnCreation": false, "enableDns64": false, "enableResourceNameDnsARecordOnLaunch": false,
			"enableResourceNameDnsAaaaRecordOnLaunch": false, "ipv6Native": false, "mapPublicIpOnLaunch": false,
		},
		computed: props{
			"ownerId": "{account}", "privateDnsHostnameTypeOnLaunch": "ip-name",
			"availabilityZone":   func(c *call) any { return c.conf.region + "a" },
			"availabilityZoneId": zoneIDOfSubnet,
		},
		replaces: []string{"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6Native", "outpostArn"},
		refs:     refer(toVpc, "vpcId"),
		limits:   []limit{{path: "cidrBlock", cidr: true, source: docsSubnets}},
		refuses: []refusal{
			{name: "subnet-cidr-size", at: []operation{opCreate}, code: "InvalidSubnet.Range", source: docsSubnets, because: sizeOutside(16, 28)},
			{name: "subnet-in-vpc", at: []operation{opCreate}, code: "InvalidSubnet.Range", source: docsEC2Errors, because: outsideVpc},
			{name: "subnet-overlap", at: []operation{opCreate}, code: "InvalidSubnet.Conflict", source: docsEC2Errors, because: overlapsSibling},
			{name: "subnet-zone", at: []operation{opCreate}, code: "InvalidParameterValue", source: docsEC2Errors, because: noSuchZone},
		},
		blocks: []block{{by: networkUsers, code: "DependencyViolation", message: "The subnet '{id}' has dependencies and cannot be deleted."}},
	},
	{
		token: "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation", noun: "EC2 VPC CIDR block association",
		service: "EC2", action: "VpcCidrBlock", id: "vpc-cidr-assoc-{hex17}",
		replaces: []string{"vpcId", "cidrBlock"}, refs: refer(toVpc, "vpcId"),
		limits: []limit{{path: "cidrBlock", cidr: true, source: docsVpcCidr}},
	},
	{
		token: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", noun: "EC2 Default Security Group", service: "EC2", action: "SecurityGroup",
		id: "{vpcId->defaultSecurityGroupId}", arn: "arn:{partition}:ec2:{region}:{account}:security-group/{id}",
		computed: props{"name": "default", "description": "default VPC security group", "ownerId": "{account}"},
		replaces: []string{"vpcId"}, refs: refer(toVpc, "vpcId"),
	},
	{
		token: "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", noun: "EC2 Default Network ACL", service: "EC2", action: "NetworkAcl",
		id: "{defaultNetworkAclId}", arn: "arn:{partition}:ec2:{region}:{account}:network-acl/{id}",
		computed: props{"ownerId": "{account}", "vpcId": "{defaultNetworkAclId->id}"},
		replaces: []string{"defaultNetworkAclId"},
		refs:     append(refer(toNetworkAcl, "defaultNetworkAclId"), refer(toSubnet, "subnetIds[*]")...),
	},
	{
		token: "aws:ec2/defaultRouteTable:DefaultRouteTable", noun: "EC2 Default Route Table", service: "EC2", action: "RouteTable",
		id: "{defaultRouteTableId}", arn: "arn:{partition}:ec2:{region}:{account}:route-table/{id}",
		computed: props{"ownerId": "{account}", "vpcId": "{defaultRouteTableId->id}"},
		replaces: []string{"defaultRouteTableId"}, refs: refer(toRouteTable, "defaultRouteTableId"),
	},
}

// sizeOutside refuses networks with a mask outside /least to /most.
func sizeOutside(least, most int) func(c *call) string {
	return func(c *call) string {
		p, ok := network(c.text("cidrBlock"))
		if !ok || p.Bits() >= least && p.Bits() <= most {
			return ""
		}
		return fmt.Sprintf("The CIDR '%s' is invalid: the mask must be between /%d and /%d.", p, least, most)
	}
}

// vpcNetworks are the networks of the VPC that the resource in hand is in.
func vpcNetworks(c *call) []netip.Prefix {
	vpc := c.referred("vpcId")
	if vpc == nil {
		return nil
	}
	var out []netip.Prefix
	add := func(r *record) {
		if s, ok := text(r.outputs, "cidrBlock"); ok {
			if p, ok := network(s); ok {
				out = append(out, p)
			}
		}
	}
	add(vpc)
	for _, more := range c.users(vpc, "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation") {
		add(more)
	}
	return out
}

func outsideVpc(c *call) string {
	p, ok := network(c.text("cidrBlock"))
	outer := vpcNetworks(c)
	if !ok || len(outer) == 0 {
		return ""
	}
	for _, o := range outer {
		if contains(o, p) {
			return ""
		}
	}
	return fmt.Sprintf("The CIDR '%s' is invalid: it is not within the VPC's %v.", p, outer)
}

func overlapsSibling(c *call) string {
	p, ok := network(c.text("cidrBlock"))
	if !ok {
		return ""
	}
	for _, sibling := range c.users(c.referred("vpcId"), "aws:ec2/subnet:Subnet") {
		s, _ := text(sibling.outputs, "cidrBlock")
		if o, ok := network(s); ok && sibling.id != c.id && o.Overlaps(p) {
			return fmt.Sprintf("The CIDR '%s' conflicts with another subnet: %s has %s.", p, sibling.id, o)
		}
	}
	return ""
}

var zoneName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d[a-z]$`)

func noSuchZone(c *call) string {
	zone := c.text("availabilityZone")
	if zone == "" || !zoneName.MatchString(zone) || zone[:len(zone)-1] == c.conf.region {
		return ""
	}
	return fmt.Sprintf("Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the zones of %s.", zone, c.conf.region)
}

func zoneIDOfSubnet(c *call) any {
	zone := c.text("availabilityZone")
	if zone == "" {
		return nil
	}
	return zoneID(c.conf.region, zone[len(zone)-1])
}

// quota refuses what would be more than AWS's default number per region.
func quota(name string, most int, code, message, source string) refusal {
	return refusal{name: name, at: []operation{opCreate}, code: code, source: source, because: func(c *call) string {
		if len(c.all(c.kind.token)) < most {
			return ""
		}
		return fmt.Sprintf("%s The default quota is %d.", message, most)
	}}
}
