package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	docsEndpoints = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html"
	docsFlowLogs  = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html"
)

// endpointKinds are VPC endpoints and flow logs.
var endpointKinds = []kind{
	{
		token: "aws:ec2/vpcEndpoint:VpcEndpoint", noun: "EC2 VPC Endpoint", service: "EC2", action: "VpcEndpoint",
		id: "vpce-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{id}",
		defaults: props{"vpcEndpointType": "Gateway"},
		computed: props{
			"ownerId": "{account}", "state": "available", "requesterManaged": false, "ipAddressType": "ipv4",
			"policy":        resource.NewProperty(`{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`),
			"serviceRegion": "{region}", "privateDnsEnabled": false,
			"prefixListId": func(c *call) any {
				if c.text("vpcEndpointType") == "Gateway" {
					return prefixListID(c.conf.region, c.text("serviceName"))
				}
				return nil
			},
			"networkInterfaceIds": fresh(func(c *call) any {
				out := []any{}
				for _, subnet := range c.texts("subnetIds[*]") {
					out = append(out, "eni-{hex17:"+subnet+"}")
				}
				return out
			}),
			"dnsEntries": fresh(func(c *call) any {
				if c.text("vpcEndpointType") != "Interface" {
					return []any{}
				}
				service := c.text("serviceName")
				service = service[strings.LastIndex(service, ".")+1:]
				return []any{props{"dnsName": "{id}-{alnum8:dns}." + service + ".{region}.vpce.{dns}", "hostedZoneId": "Z{upper13:zone}"}}
			}),
		},
		replaces: []string{"serviceName", "vpcEndpointType", "vpcId"},
		refs: slices.Concat(refer(toVpc, "vpcId"), refer(toSubnet, "subnetIds[*]"), refer(toSecurityGroup, "securityGroupIds[*]"),
			refer(toRouteTable, "routeTableIds[*]")),
		limits: []limit{
			{path: "vpcEndpointType", oneOf: []string{"Gateway", "GatewayLoadBalancer", "Interface", "Resource", "ServiceNetwork"}, source: docsEndpoints},
			{path: "policy", json: true, source: docsEndpoints},
		},
		refuses: []refusal{
			{name: "endpoint-service", at: []operation{opCreate}, code: "InvalidServiceName", source: docsEndpoints, because: noSuchService},
			{name: "endpoint-gateway-service", at: []operation{opCreate}, code: "InvalidParameter", source: docsEndpoints, because: notAGatewayService},
			{name: "endpoint-private-dns", code: "InvalidParameter", source: docsEndpoints, because: privateDNSNeedsVpcDNS},
			{name: "endpoint-private-dns-once", at: []operation{opCreate}, code: "InvalidParameter", source: docsEndpoints, because: privateDNSTaken},
			{name: "endpoint-one-subnet-per-zone", code: "DuplicateSubnetsInSameZone", source: docsEndpoints, because: twoSubnetsInAZone},
		},
	},
	{
		token: "aws:ec2/flowLog:FlowLog", noun: "Flow Log", service: "EC2", action: "FlowLogs",
		id: "fl-{hex17}", arn: "arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{id}",
		defaults: props{"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
		computed: props{"logFormat": resource.NewProperty("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}")},
		replaces: []string{"deliverCrossAccountRole", "destinationOptions", "eniId", "iamRoleArn", "logDestination", "logDestinationType", "logFormat", "logGroupName", "maxAggregationInterval", "subnetId", "trafficType", "vpcId"},
		refs: slices.Concat(refer(toVpc, "vpcId"), refer(toSubnet, "subnetId"), refer(toRole, "iamRoleArn"),
			refer(toAnyLogTarget, "logDestination")),
		limits: []limit{
			{path: "maxAggregationInterval", numbers: []float64{60, 600}, source: docsFlowLogs},
			{path: "trafficType", oneOf: []string{"ACCEPT", "ALL", "REJECT"}, source: docsFlowLogs},
			{path: "logDestinationType", oneOf: []string{"cloud-watch-logs", "kinesis-data-firehose", "s3"}, source: docsFlowLogs},
		},
		refuses: []refusal{
			{name: "flow-log-role", code: "InvalidParameter", source: docsFlowLogs, because: func(c *call) string {
				if c.text("logDestinationType") == "cloud-watch-logs" && c.text("iamRoleArn") == "" {
					return "DeliverLogsPermissionArn is needed for CloudWatch Logs: set iamRoleArn"
				}
				return ""
			}},
		},
	},
}

// gatewayServices have gateway endpoints; their prefix lists are AWS's own.
var gatewayServices = []string{"s3", "dynamodb"}

var serviceName = regexp.MustCompile(`^(com|cn|aws)\.[a-z0-9.-]+$`)

func noSuchService(c *call) string {
	name := c.text("serviceName")
	if name == "" {
		return ""
	}
	parts := strings.Split(name, ".")
	if !serviceName.MatchString(name) {
		return fmt.Sprintf("The Vpc Endpoint Service '%s' does not exist", name)
	}
	if len(parts) > 2 && parts[1] == "amazonaws" && regionName.MatchString(parts[2]) && parts[2] != c.conf.region && !has(c.in, "serviceRegion") {
		return fmt.Sprintf("The Vpc Endpoint Service '%s' does not exist in %s", name, c.conf.region)
	}
	return ""
}

func notAGatewayService(c *call) string {
	service := c.text("serviceName")
	if c.text("vpcEndpointType") != "Gateway" || service == "" || slices.Contains(gatewayServices, service[strings.LastIndex(service, ".")+1:]) {
		return ""
	}
	return fmt.Sprintf("Endpoint type (Gateway) does not match available service types ([Interface]) for %s.", service)
}

func privateDNSNeedsVpcDNS(c *call) string {
	vpc := c.referred("vpcId")
	if vpc == nil || c.text("vpcEndpointType") != "Interface" || !c.truth("privateDnsEnabled") {
		return ""
	}
	for _, attribute := range []string{"enableDnsSupport", "enableDnsHostnames"} {
		if v, _ := text(vpc.outputs, attribute); v != "true" {
			return "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for " + vpc.id
		}
	}
	return ""
}

func privateDNSTaken(c *call) string {
	if c.text("vpcEndpointType") != "Interface" || !c.truth("privateDnsEnabled") {
		return ""
	}
	for _, other := range c.users(c.referred("vpcId"), c.kind.token) {
		o := c.acct.view(c.kind, other)
		if o.text("serviceName") == c.text("serviceName") && o.truth("privateDnsEnabled") {
			return fmt.Sprintf("private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s (%s)", c.text("serviceName"), c.text("vpcId"), other.id)
		}
	}
	return ""
}

func twoSubnetsInAZone(c *call) string {
	seen := map[string]string{}
	for _, subnet := range c.referredAll("subnetIds") {
		zone, _ := text(subnet.outputs, "availabilityZone")
		if other, twice := seen[zone]; twice && zone != "" {
			return fmt.Sprintf("Found another VPC endpoint subnet in the availability zone of %s: %s and %s are both in %s.", subnet.id, other, subnet.id, zone)
		}
		seen[zone] = subnet.id
	}
	return ""
}
