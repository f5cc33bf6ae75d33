package rule

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource"

// residences say which property of which type puts workloads and data into
// subnets. Load balancers, NAT gateways and VPC endpoints are not among them:
// they are the doors.
var residences = []struct{ typ, property string }{
	{"autoscaling/group", "vpcZoneIdentifiers"},
	{"batch/computeEnvironment", "computeResources.subnets"},
	{"dax/subnetGroup", "subnetIds"},
	{"dms/replicationSubnetGroup", "subnetIds"},
	{"docdb/subnetGroup", "subnetIds"},
	{"ec2/instance", "subnetId"},
	{"ec2/networkInterface", "subnetId"},
	{"ecs/service", "networkConfiguration.subnets"},
	{"efs/mountTarget", "subnetId"},
	{"eks/nodeGroup", "subnetIds"},
	{"elasticache/subnetGroup", "subnetIds"},
	{"lambda/function", "vpcConfig.subnetIds"},
	{"memorydb/subnetGroup", "subnetIds"},
	{"mq/broker", "subnetIds"},
	{"msk/cluster", "brokerNodeGroupInfo.clientSubnets"},
	{"neptune/subnetGroup", "subnetIds"},
	{"opensearch/domain", "vpcOptions.subnetIds"},
	{"rds/proxy", "vpcSubnetIds"},
	{"rds/subnetGroup", "subnetIds"},
	{"redshift/subnetGroup", "subnetIds"},
}

// Residents returns the workloads and data that live in the subnet. open says
// that one of them lives in a subnet that could not be traced.
func (s *Stack) Residents(subnet *Resource) (list []*Resource, open bool) {
	found := map[resource.URN]*Resource{}
	for _, h := range residences {
		for _, r := range s.Pointing(subnet, h.property, h.typ) {
			found[r.URN] = r
		}
		open = open || s.Loose(h.property, h.typ, subnet.Type)
	}
	return sortedResources(found), open
}
