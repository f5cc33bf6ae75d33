package rehearsal

import (
	"fmt"
	"slices"
)

const (
	docsRoutes = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html"
	docsNat    = "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html"
	docsDetach = "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html"
)

// routeKinds are gateways, addresses and the routes to them.
var routeKinds = []kind{
	{
		token: "aws:ec2/internetGateway:InternetGateway", noun: "EC2 Internet Gateway", service: "EC2", action: "InternetGateway",
		id: "igw-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:internet-gateway/{id}",
		computed: props{"ownerId": "{account}"}, updates: []string{"vpcId"},
		refs: refer(toVpc, "vpcId"),
		refuses: []refusal{
			{name: "igw-one-per-vpc", code: "Resource.AlreadyAssociated", source: docsEC2Errors, because: secondGateway},
			{name: "igw-mapped-addresses", at: []operation{opDelete}, code: "DependencyViolation", source: docsDetach, because: mappedAddresses},
		},
	},
	{
		token: "aws:ec2/eip:Eip", noun: "EC2 EIP", service: "EC2", action: "Address",
		id: "eipalloc-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:elastic-ip/{id}",
		computed: props{
			"allocationId": "{id}", "publicIp": "{ipv4}", "domain": "vpc", "publicIpv4Pool": "amazon", "networkBorderGroup": "{region}",
			"publicDns": "ec2-{digits9:dns}.{region}.compute.{dns}", "vpc": true,
		},
		handles: []string{"{publicIp}"},
		refuses: []refusal{
			quota("addresses-per-region", 5, "AddressLimitExceeded", "The maximum number of addresses has been reached.", docsVpcQuotas),
		},
		blocks: []block{{by: []string{"aws:ec2/natGateway:NatGateway"}, code: "InvalidIPAddress.InUse", message: "Address {publicIp} is in use."}},
	},
	{
		token: "aws:ec2/natGateway:NatGateway", noun: "EC2 NAT Gateway", service: "EC2", action: "NatGateway",
		id:       "nat-{hex17}",
		defaults: props{"connectivityType": "public"},
		computed: props{
			"publicIp": "{allocationId->publicIp}", "privateIp": "10.0.0.10", "networkInterfaceId": "eni-{hex17:eni}",
			"associationId": "eipassoc-{hex17:assoc}",
		},
		replaces: []string{"allocationId", "connectivityType", "privateIp", "subnetId"},
		refs:     append(refer(toSubnet, "subnetId"), refer(toEip, "allocationId", "secondaryAllocationIds[*]")...),
		limits:   []limit{{path: "connectivityType", oneOf: []string{"public", "private"}, source: docsNat}},
		refuses: []refusal{
			{name: "nat-needs-gateway", at: []operation{opCreate}, code: "Gateway.NotAttached", source: docsNat, because: noGatewayForNat},
			{name: "nat-needs-address", at: []operation{opCreate}, code: "MissingParameter", source: docsNat, because: noAddressForNat},
			{name: "nat-address-taken", at: []operation{opCreate}, code: "Resource.AlreadyAssociated", source: docsNat, because: addressTaken},
		},
	},
	{
		token: "aws:ec2/routeTable:RouteTable", noun: "EC2 Route Table", service: "EC2", action: "RouteTable",
		id: "rtb-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:route-table/{id}",
		computed: props{"ownerId": "{account}"}, replaces: []string{"vpcId"},
		refs: slices.Concat(refer(toVpc, "vpcId"), refer(toInternetGateway, "routes[*].gatewayId"), refer(toNatGateway, "routes[*].natGatewayId"), refer(toVpcEndpoint, "routes[*].vpcEndpointId")),
		blocks: []block{{
			by:   []string{"aws:ec2/routeTableAssociation:RouteTableAssociation"},
			code: "DependencyViolation", message: "The routeTable '{id}' has dependencies and cannot be deleted.",
		}},
	},
	{
		token: "aws:ec2/route:Route", noun: "EC2 Route", service: "EC2", action: "Route",
		id:       "r-{routeTableId}{digits10:id}",
		computed: props{"origin": "CreateRoute", "state": "active"},
		replaces: []string{"routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"},
		refs: slices.Concat(refer(toRouteTable, "routeTableId"), refer(toInternetGateway, "gatewayId"), refer(toNatGateway, "natGatewayId"),
			refer(toVpcEndpoint, "vpcEndpointId"), refer(toPrefixList, "destinationPrefixListId")),
		unique: []unique{{
			key:  "{routeTableId}/{destinationCidrBlock}{destinationIpv6CidrBlock}{destinationPrefixListId}",
			code: "RouteAlreadyExists", message: "The route identified by {destinationCidrBlock|destinationIpv6CidrBlock|destinationPrefixListId} already exists.",
		}},
		limits: []limit{{path: "destinationCidrBlock", cidr: true, source: docsRoutes}},
		refuses: []refusal{
			{name: "route-one-target", code: "InvalidParameterCombination", source: docsRoutes, because: notOneTarget},
			{name: "route-gateway-attached", code: "InvalidParameterValue", source: docsRoutes, because: gatewayElsewhere},
		},
	},
	{
		token: "aws:ec2/routeTableAssociation:RouteTableAssociation", noun: "EC2 Route Table Association", service: "EC2", action: "RouteTableAssociation",
		id: "rtbassoc-{hex17}", replaces: []string{"subnetId", "gatewayId"}, updates: []string{"routeTableId"},
		refs: slices.Concat(refer(toRouteTable, "routeTableId"), refer(toSubnet, "subnetId"), refer(toInternetGateway, "gatewayId")),
		unique: []unique{{
			key: "{subnetId}{gatewayId}", code: "Resource.AlreadyAssociated",
			message: "the specified association for route table {routeTableId} conflicts with an existing association of {subnetId|gatewayId}",
		}},
		refuses: []refusal{{name: "route-table-same-vpc", code: "InvalidParameterValue", source: docsRoutes, because: func(c *call) string {
			return differentVpc(c, "routeTableId", "subnetId")
		}}},
	},
}

func secondGateway(c *call) string {
	for _, other := range c.users(c.referred("vpcId"), c.kind.token) {
		if other.id != c.id {
			return fmt.Sprintf("resource %s is already associated with an internet gateway (%s).", c.text("vpcId"), other.id)
		}
	}
	return ""
}

// mappedAddresses: a gateway cannot be detached while its VPC has public
// addresses.
func mappedAddresses(c *call) string {
	for _, subnet := range c.users(c.referred("vpcId"), "aws:ec2/subnet:Subnet") {
		for _, nat := range c.users(subnet, "aws:ec2/natGateway:NatGateway") {
			return fmt.Sprintf("Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway (%s holds one).", c.text("vpcId"), nat.id)
		}
	}
	return ""
}

func noGatewayForNat(c *call) string {
	subnet := c.referred("subnetId")
	if subnet == nil || c.text("connectivityType") == "private" {
		return ""
	}
	vpc, _ := text(subnet.outputs, "vpcId")
	for _, gateway := range c.all("aws:ec2/internetGateway:InternetGateway") {
		if at, _ := text(gateway.outputs, "vpcId"); at == vpc {
			return ""
		}
	}
	return fmt.Sprintf("Network %s has no Internet gateway attached; make the NAT gateway depend on it.", vpc)
}

func noAddressForNat(c *call) string {
	if c.text("connectivityType") == "private" || c.text("allocationId") != "" {
		return ""
	}
	return "The request must contain the parameter allocationId for a public NAT gateway."
}

func addressTaken(c *call) string {
	for _, other := range c.users(c.referred("allocationId"), c.kind.token) {
		return fmt.Sprintf("Elastic IP address [%s] is already associated (%s).", c.text("allocationId"), other.id)
	}
	return ""
}

// routeTargets are the properties of a route of which exactly one is set.
var routeTargets = []string{
	"carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
	"networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
}

func notOneTarget(c *call) string {
	var given []string
	for _, t := range routeTargets {
		if has(c.in, t) {
			given = append(given, t)
		}
	}
	if len(given) == 1 {
		return ""
	}
	return fmt.Sprintf("a route needs exactly one target of %v, not %v", routeTargets, given)
}

func gatewayElsewhere(c *call) string {
	gateway := c.referred("gatewayId")
	if gateway == nil || gateway.typ != "aws:ec2/internetGateway:InternetGateway" {
		return ""
	}
	if at, ok := text(gateway.outputs, "vpcId"); ok {
		if table := c.referred("routeTableId"); table != nil && vpcOf(table) != at {
			return fmt.Sprintf("route table %s and network gateway %s belong to different networks", table.id, gateway.id)
		}
	}
	return ""
}

// differentVpc refuses two references into different VPCs.
func differentVpc(c *call, one, other string) string {
	a, b := c.referred(one), c.referred(other)
	if a == nil || b == nil || vpcOf(a) == vpcOf(b) {
		return ""
	}
	return fmt.Sprintf("%s and %s belong to different networks", a.id, b.id)
}

// vpcOf is the VPC that a resource is in; a VPC is in itself.
func vpcOf(r *record) string {
	if r.typ == "aws:ec2/vpc:Vpc" {
		return r.id
	}
	vpc, _ := text(r.outputs, "vpcId")
	return vpc
}
