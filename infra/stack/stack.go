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
	// source has the secrets that the configuration does not hold.
	source config.Source
	served *served
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
	proxy     *data.Proxy
	search    *data.OpenSearch
	service   *workload.Service
	detection
	access
	functions
	topics    *monitoring.Topics
	alarms    *monitoring.WorkloadAlarms
	dashboard *monitoring.Dashboard
	responder *response.Responder
	backup    *data.Backup
}

// every is for steps that stacks of every layer take.
func every(config.Layer) bool { return true }

// accountOnly is for what workload components make themselves where they are in
// the same stack.
func accountOnly(l config.Layer) bool { return !l.Workload() }

// steps make a stack, in the guide's order.
var steps = []struct {
	in func(config.Layer) bool
	do func(*Stack, *pulumi.Context) error
}{
	{every, (*Stack).deployPlace},
	{config.Layer.Workload, (*Stack).checkContainment},
	{every, (*Stack).claimSingletons},
	{every, (*Stack).deployData},
	{every, (*Stack).deployDetection},
	{every, (*Stack).deployAlerting},
	{config.Layer.Workload, (*Stack).deployBoundary},
	{every, (*Stack).deployGuards},
	{accountOnly, (*Stack).deployRegion},
	{every, (*Stack).deployPeople},
	{config.Layer.Workload, (*Stack).deployNetwork},
	{config.Layer.Workload, (*Stack).deployResolver},
	{config.Layer.Workload, (*Stack).deployEdge},
	{config.Layer.Workload, (*Stack).deployShield},
	{config.Layer.Workload, (*Stack).deployUsers},
	{config.Layer.Workload, (*Stack).deployStores},
	{config.Layer.Workload, (*Stack).deployFunctions},
	{config.Layer.Workload, (*Stack).deployTokens},
	{config.Layer.Workload, (*Stack).deployWorkload},
	{config.Layer.Workload, (*Stack).deployPipeline},
	{config.Layer.Workload, (*Stack).deployIngestion},
	{config.Layer.Workload, (*Stack).deployAPI},
	{config.Layer.Workload, (*Stack).deployBackup},
	{every, (*Stack).watchLogs},
	{config.Layer.Workload, (*Stack).watchWorkload},
	{accountOnly, (*Stack).watchCopies},
	{config.Layer.Workload, (*Stack).newResponder},
	{every, (*Stack).newRunbooks},
	{every, (*Stack).newContacts},
}

// Deploy registers everything that the configuration asks for. Its secrets are
// in the stack's own configuration.
func Deploy(ctx *pulumi.Context, c config.Config) (*Stack, error) { return deploy(ctx, c, ctx) }

func deploy(ctx *pulumi.Context, c config.Config, src config.Source) (*Stack, error) {
	watched, err := watch(ctx)
	if err != nil {
		return nil, err
	}
	s := &Stack{config: c, source: src, served: watched}
	for _, step := range steps {
		if !step.in(c.Layer) {
			continue
		}
		if err := step.do(s, ctx); err != nil {
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
	s.buckets, err = newBuckets(ctx, s.config, s.place, s.keys, s.backupTier())
	return err
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
	lists, err := s.allowedLists(ctx)
	if err != nil {
		return err
	}
	s.groups, err = network.NewSecurityGroups(ctx, c.Prefix(), &network.SecurityGroupsArgs{
		Prefix: c.Prefix(), VpcID: s.vpc.ID, AllowedCIDRs: c.Edge.AllowedCIDRs, AllowedPrefixLists: lists, EgressInternet: c.Network.EgressInternet,
		LambdaToAurora: true, LambdaToOpenSearch: true, DatabaseProxy: c.Database.Proxy,
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
