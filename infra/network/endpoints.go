package network

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// EndpointsComponent ties Endpoints to the guide.
var EndpointsComponent = guide.Component{
	Token:  "redoubt:network:Endpoints",
	Serves: []guide.ID{guide.ArchitectureInTransitEndpoints, guide.PracticesAuthorizationResourcePolicies},
}

// EndpointSet names how many AWS services get an interface endpoint.
type EndpointSet string

// The endpoint sets.
const (
	// EndpointsNone leaves AWS APIs to NAT; S3 and DynamoDB have gateway
	// endpoints all the same.
	EndpointsNone EndpointSet = "none"
	// EndpointsCore is what a Fargate task needs to start: without one of them
	// and without NAT it ends in ResourceInitializationError
	// (aws/amazon-ecs-agent#2235).
	EndpointsCore EndpointSet = "core"
	// EndpointsAll is every service that the stack calls.
	EndpointsAll EndpointSet = "all"
)

// interfaceEndpoint is a service with its own endpoint in the VPC.
type interfaceEndpoint struct {
	// service is the last part of com.amazonaws.<region>.<service>.
	service string
	// actions are what the endpoint lets through, all of one service.
	actions string
	set     EndpointSet
	// shared says that our principals also use other accounts' resources there:
	// images of AWS-owned repositories, AWS's public parameters and documents,
	// roles elsewhere, and GuardDuty's collector.
	shared bool
}

var interfaceEndpoints = []interfaceEndpoint{
	{"ecr.api", "ecr:*", EndpointsCore, true},
	{"ecr.dkr", "ecr:*", EndpointsCore, true},
	{"kms", "kms:*", EndpointsCore, false},
	{"logs", "logs:*", EndpointsCore, false},
	{"secretsmanager", "secretsmanager:*", EndpointsCore, false},
	{"sts", "sts:*", EndpointsCore, true},
	{"events", "events:*", EndpointsAll, false},
	{"guardduty-data", "guardduty:*", EndpointsAll, true},
	{"kinesis-firehose", "firehose:*", EndpointsAll, false},
	{"lambda", "lambda:*", EndpointsAll, false},
	{"monitoring", "cloudwatch:*", EndpointsAll, false},
	{"sns", "sns:*", EndpointsAll, false},
	{"sqs", "sqs:*", EndpointsAll, false},
	{"ssm", "ssm:*", EndpointsAll, true},
	{"ssmmessages", "ssmmessages:*", EndpointsAll, false},
	{"states", "states:*", EndpointsAll, false},
	{"xray", "xray:*", EndpointsAll, false},
}

// gatewayServices cost nothing and are always there.
var gatewayServices = []string{"s3", "dynamodb"}

// InterfaceEndpoints returns the services of a set, by name. The names are the
// last part of com.amazonaws.<region>.<service>.
func InterfaceEndpoints(set EndpointSet) []string {
	var services []string
	for _, e := range interfaceEndpoints {
		if set == EndpointsAll || set == EndpointsCore && e.set == EndpointsCore {
			services = append(services, e.service)
		}
	}
	slices.Sort(services)
	return services
}

// EndpointsArgs describes a VPC's interface endpoints. All but Tags are required.
type EndpointsArgs struct {
	Prefix string
	Scope  identity.Scope
	Set    EndpointSet
	VpcID  pulumi.StringInput
	// SubnetIDs are the endpoint tier's subnets.
	SubnetIDs pulumi.StringArrayInput
	// SecurityGroupID is SecurityGroups.Endpoint.
	SecurityGroupID pulumi.StringInput
	Tags            map[string]string
}

// Endpoints are interface endpoints with private DNS names, so that calls to
// AWS never leave the VPC, and with policies that let only this account's
// principals through: stolen keys of another account cannot carry data out.
type Endpoints struct {
	pulumi.ResourceState

	// IDs are the endpoints' ids by service.
	IDs map[string]pulumi.IDOutput
	// All are the endpoints: tasks that start without NAT depend on them.
	All []pulumi.Resource
}

// NewEndpoints registers the set's interface endpoints. It returns every
// finding about args at once.
func NewEndpoints(ctx *pulumi.Context, name string, args *EndpointsArgs, opts ...pulumi.ResourceOption) (*Endpoints, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("endpoints %s: %w", name, err)
	}
	c := &Endpoints{IDs: map[string]pulumi.IDOutput{}}
	if err := ctx.RegisterComponentResource(EndpointsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("endpoints %s: register component: %w", name, err)
	}
	ids := pulumi.Map{}
	services := InterfaceEndpoints(args.Set)
	for _, e := range interfaceEndpoints {
		if !slices.Contains(services, e.service) {
			continue
		}
		if err := c.add(ctx, name, e, args); err != nil {
			return nil, fmt.Errorf("endpoints %s: %s: %w", name, e.service, err)
		}
		ids[e.service] = c.IDs[e.service]
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"endpointIds": ids})
}

func (args *EndpointsArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass an EndpointsArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	if !slices.Contains([]EndpointSet{EndpointsNone, EndpointsCore, EndpointsAll}, args.Set) {
		f.add("set", fmt.Sprintf("%q is no set of endpoints", args.Set), "use none, core or all")
	}
	if args.Scope.Partition == "aws-cn" && args.Set != EndpointsNone {
		// Some services there are cn.com.amazonaws.<region>.<service>, some are not.
		f.add("set", "interface endpoints in China have names of two forms, which this table does not hold", "use none")
	}
	f.required("vpcId", args.VpcID != nil, "pass the VPC's id")
	f.required("subnetIds", args.SubnetIDs != nil, "pass the endpoint tier's subnets")
	f.required("securityGroupId", args.SecurityGroupID != nil, "pass the endpoint security group's id")
	return f.err()
}

func (c *Endpoints) add(ctx *pulumi.Context, name string, e interfaceEndpoint, args *EndpointsArgs) error {
	policy, err := endpointPolicy(args.Scope, e.actions, e.shared).ResourcePolicy()
	if err != nil {
		return err
	}
	endpoint, err := ec2.NewVpcEndpoint(ctx, name+"-"+e.service, &ec2.VpcEndpointArgs{
		VpcId:             args.VpcID,
		ServiceName:       pulumi.String(serviceName(args.Scope, e.service)),
		VpcEndpointType:   pulumi.String("Interface"),
		PrivateDnsEnabled: pulumi.Bool(true),
		SubnetIds:         args.SubnetIDs,
		SecurityGroupIds:  pulumi.StringArray{args.SecurityGroupID},
		Policy:            pulumi.String(policy),
		Tags:              tagged(args.Tags, args.Prefix+"-"+e.service),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.IDs[e.service] = endpoint.ID()
	c.All = append(c.All, endpoint)
	return nil
}

// gatewayEndpoints gives the app tier's route tables their way to S3 and
// DynamoDB. The data tier gets none: nothing there calls out.
func (b *vpcBuilder) gatewayEndpoints() error {
	lists := map[string]pulumi.StringOutput{}
	for _, service := range gatewayServices {
		doc := endpointPolicy(b.args.Scope, service+":*", false)
		if service == "s3" {
			doc = append(doc, imageLayers(b.args.Scope))
		}
		policy, err := doc.ResourcePolicy()
		if err != nil {
			return fmt.Errorf("%s endpoint policy: %w", service, err)
		}
		endpoint, err := ec2.NewVpcEndpoint(b.ctx, b.name+"-"+service, &ec2.VpcEndpointArgs{
			VpcId:           b.c.ID.ToStringOutput(),
			ServiceName:     pulumi.String(serviceName(b.args.Scope, service)),
			VpcEndpointType: pulumi.String("Gateway"),
			RouteTableIds:   b.c.appTables,
			Policy:          pulumi.String(policy),
			Tags:            b.tags(service),
		}, b.child())
		if err != nil {
			return err
		}
		lists[service] = endpoint.PrefixListId
	}
	b.c.S3PrefixListID, b.c.DynamoDBPrefixListID = lists["s3"], lists["dynamodb"]
	return nil
}

// serviceName is the endpoint service's name.
func serviceName(scope identity.Scope, service string) string {
	return "com.amazonaws." + scope.Region + "." + service
}

// endpointPolicy lets only principals of the account through and, unless
// shared, only to resources of the account.
func endpointPolicy(scope identity.Scope, actions string, shared bool) identity.Document {
	s := identity.Statement{
		Sid: "OwnPrincipals", Effect: identity.Allow,
		Principals: identity.Principals{Any: true},
		Actions:    []string{actions},
		Resources:  []string{"*"},
		Conditions: []identity.Condition{{Test: "StringEquals", Key: "aws:PrincipalAccount", Values: []string{scope.AccountID}}},
	}
	if !shared {
		s.Sid = "OwnPrincipalsAndResources"
		s.Conditions = append(s.Conditions, identity.Condition{Test: "StringEquals", Key: "aws:ResourceAccount", Values: []string{scope.AccountID}})
	}
	return identity.Document{s}
}

// imageLayers lets image layers through: ECR hands out links to a bucket that
// AWS owns, signed by AWS, so neither account condition can hold for it.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
func imageLayers(scope identity.Scope) identity.Statement {
	return identity.Statement{
		Sid: "ImageLayers", Effect: identity.Allow,
		Principals: identity.Principals{Any: true},
		Actions:    []string{"s3:GetObject"},
		Resources:  []string{scope.GlobalARN("s3", "prod-"+scope.Region+"-starport-layer-bucket/*")},
		Conditions: []identity.Condition{{Test: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}}},
	}
}
