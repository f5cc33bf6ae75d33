package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
	"redoubt/infra/response"
	"redoubt/infra/workload"
)

// Stack is a deployed stack.
type Stack struct {
	config config.Config
	place  *place
	keys   keys
	deployed
}

// deployed are the layers, in the guide's order.
type deployed struct {
	buckets   buckets
	vpc       *network.Vpc
	groups    *network.SecurityGroups
	endpoints *network.Endpoints
	balancer  *network.LoadBalancer
	acl       *network.WebAcl
	database  *data.Aurora
	search    *data.OpenSearch
	service   *workload.Service
	detection
	access
	functions
	topics    *monitoring.Topics
	alarms    *monitoring.WorkloadAlarms
	dashboard *monitoring.Dashboard
	evidence  *data.Bucket
	responder *response.Responder
	backup    *data.Backup
}

// Deploy registers everything that the configuration asks for.
func Deploy(ctx *pulumi.Context, c config.Config) (*Stack, error) {
	s := &Stack{config: c}
	for _, layer := range []func(*pulumi.Context) error{
		s.deployPlace, s.checkContainment, s.claimSingletons, s.deployData, s.deployDetection, s.deployAlerting, s.deployAccess, s.deployPeople,
		s.deployNetwork, s.deployResolver, s.deployEdge, s.deployShield, s.deployUsers, s.deployStores, s.deployFunctions, s.deployWorkload, s.deployIngestion, s.deployAPI, s.deployBackup, s.deployWatch, s.deployResponse,
	} {
		if err := layer(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Stack) deployPlace(ctx *pulumi.Context) (err error) {
	s.place, err = newPlace(ctx, s.config)
	return err
}

// checkContainment refuses to deploy over an incident that is contained: the
// update would undo what the response did.
func (s *Stack) checkContainment(ctx *pulumi.Context) error {
	return response.CheckContainment(ctx, string(s.config.Environment), pulumi.Provider(s.place.primary))
}

// deployData makes what the other layers encrypt with and log into.
func (s *Stack) deployData(ctx *pulumi.Context) (err error) {
	if s.keys, err = newKeys(ctx, s.config, s.place); err != nil {
		return err
	}
	if s.buckets, err = newBuckets(ctx, s.config, s.place, s.keys, s.backupTier()); err != nil {
		return err
	}
	return s.newEvidence(ctx)
}

func (s *Stack) deployNetwork(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	flowLogs := network.FlowLogsArgs{KmsKeyArn: s.keys.logs.Arn, RetentionInDays: c.Logs.FlowDays}
	if c.Logs.FlowArchive {
		flowLogs.ArchiveBucketArn = s.buckets.audit.Arn
	}
	s.vpc, err = network.NewVpc(ctx, c.Prefix(), &network.VpcArgs{
		Prefix: c.Prefix(), Scope: p.scope, CIDR: c.Network.CIDR, AvailabilityZones: zones(c), NAT: network.NATStrategy(c.Network.NAT),
		FlowLogs: flowLogs, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	s.groups, err = network.NewSecurityGroups(ctx, c.Prefix(), &network.SecurityGroupsArgs{
		Prefix: c.Prefix(), VpcID: s.vpc.ID, AllowedCIDRs: c.Edge.AllowedCIDRs, EgressInternet: c.Network.EgressInternet,
		LambdaToAurora: true, LambdaToOpenSearch: true,
		S3PrefixListID: s.vpc.S3PrefixListID, DynamoDBPrefixListID: s.vpc.DynamoDBPrefixListID, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	s.endpoints, err = network.NewEndpoints(ctx, c.Prefix(), &network.EndpointsArgs{
		Prefix: c.Prefix(), Scope: p.scope, Set: network.EndpointSet(c.Network.Endpoints), VpcID: s.vpc.ID,
		SubnetIDs: s.vpc.EndpointSubnetIDs, SecurityGroupID: s.groups.Endpoint, Tags: c.Tags,
	}, p.here())
	return err
}
