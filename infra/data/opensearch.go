package data

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/opensearch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// OpenSearchComponent is the search domain in the VPC.
var OpenSearchComponent = guide.Component{
	Token: "redoubt:data:OpenSearch",
	Serves: []guide.ID{
		guide.OverviewDataKMS,
		guide.OverviewDataTLS,
		guide.OverviewMonitoringOpenSearch,
		guide.DiagramECSOpenSearch,
		guide.ArchitectureAtRestOpenSearch,
		guide.PracticesAuthorizationResourcePolicies,
		guide.OperationsLogsAuditLogs,
	},
}

// opensearchTLS is the strictest policy of OpenSearch Service: TLS 1.2 and 1.3
// with forward secrecy.
const opensearchTLS = "Policy-Min-TLS-1-2-PFS-2023-10"

// OpenSearchArgs describes a domain.
type OpenSearchArgs struct {
	Scope identity.Scope
	// DomainName is the physical name, 3 to 28 characters.
	DomainName string
	// EngineVersion is "OpenSearch_<major>.<minor>".
	EngineVersion string
	// InstanceType and InstanceCount are of the data nodes.
	InstanceType  string
	InstanceCount int
	// MasterType and MasterCount are of the dedicated masters; count 0 for none.
	MasterType  string
	MasterCount int
	// Standby keeps a whole zone in reserve: three zones, three masters.
	Standby bool
	// VolumeGiB is each data node's disk.
	VolumeGiB int
	// SubnetIDs are as many as the domain has zones: 1, 2 or 3.
	SubnetIDs        []pulumi.StringInput
	SecurityGroupIDs pulumi.StringArrayInput
	// KmsKeyArn encrypts the domain's indexes and snapshots.
	KmsKeyArn pulumi.StringInput
	// LogKmsKeyArn encrypts the log groups; LogRetentionInDays is one of
	// monitoring.RetentionDays.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	// MasterRoleName is the role that administers the domain's own access control.
	MasterRoleName string
	// AccessRoleNames are the roles that may send requests, the master's included
	// by itself; the domain's access control decides what they may do.
	AccessRoleNames []string
	// CreateServiceLinkedRole makes the account's role for VPC domains. There
	// is one per account: only the first stack of an account makes it.
	CreateServiceLinkedRole bool
	// CreateLogResourcePolicy lets the domain write to its log groups. A region
	// holds ten such policies; two stacks must not share one, because the first
	// that goes would end the other's logs.
	CreateLogResourcePolicy bool
	Protect                 bool
	Tags                    map[string]string
}

// OpenSearch is a domain inside the VPC with access control down to fields.
type OpenSearch struct {
	pulumi.ResourceState

	Domain *opensearch.Domain
	Arn    pulumi.StringOutput
	// Endpoint is the API's host, without a scheme.
	Endpoint pulumi.StringOutput
	// DomainArn, DomainName and AccessRoles, the names of the roles that the
	// access policy admits, are known at preview, for policies.
	DomainArn   string
	DomainName  string
	AccessRoles []string
	LogGroups   []*monitoring.LogGroup
}

// opensearchLogs are the domain's logs and the ends of their groups' names.
// AUDIT_LOGS needs fine-grained access control, which is always on here.
var opensearchLogs = []struct{ typ, group string }{
	{"AUDIT_LOGS", "audit"},
	{"ES_APPLICATION_LOGS", "application"},
	{"INDEX_SLOW_LOGS", "index-slow"},
	{"SEARCH_SLOW_LOGS", "search-slow"},
}

// NewOpenSearch makes the domain. The error joins every finding in args.
func NewOpenSearch(ctx *pulumi.Context, name string, args *OpenSearchArgs, opts ...pulumi.ResourceOption) (*OpenSearch, error) {
	access, logs, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("opensearch %q: %w", name, err)
	}
	c := &OpenSearch{DomainArn: args.arn(), DomainName: args.DomainName, AccessRoles: args.roles()}
	if err := ctx.RegisterComponentResource(OpenSearchComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("opensearch %q: register: %w", name, err)
	}
	needs, err := c.prerequisites(ctx, name, args, logs)
	if err != nil {
		return nil, fmt.Errorf("opensearch %q: %w", name, err)
	}
	c.Domain, err = opensearch.NewDomain(ctx, name+"-domain", c.domain(args, access),
		append(kept(args.Protect), pulumi.Parent(c), pulumi.DependsOn(needs))...)
	if err != nil {
		return nil, fmt.Errorf("opensearch %q: %w", name, err)
	}
	c.Arn, c.Endpoint = c.Domain.Arn, c.Domain.Endpoint
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "endpoint": c.Endpoint})
}

// prerequisites are what CreateDomain checks: the log groups, the right to
// write to them, and the account's role for network interfaces.
func (c *OpenSearch) prerequisites(ctx *pulumi.Context, name string, args *OpenSearchArgs, logPolicy string) ([]pulumi.Resource, error) {
	var needs []pulumi.Resource
	for _, log := range opensearchLogs {
		group, err := monitoring.NewLogGroup(ctx, name+"-"+log.group, &monitoring.LogGroupArgs{
			Name:            "/aws/opensearch/" + args.DomainName + "/" + log.group,
			KmsKeyArn:       args.LogKmsKeyArn,
			RetentionInDays: args.LogRetentionInDays,
			Tags:            args.Tags,
		}, pulumi.Parent(c))
		if err != nil {
			return nil, err
		}
		c.LogGroups = append(c.LogGroups, group)
	}
	if args.CreateLogResourcePolicy {
		policy, err := cloudwatch.NewLogResourcePolicy(ctx, name+"-logs", &cloudwatch.LogResourcePolicyArgs{
			PolicyName:     pulumi.String(args.DomainName + "-logs"),
			PolicyDocument: pulumi.String(logPolicy),
		}, pulumi.Parent(c))
		if err != nil {
			return nil, err
		}
		needs = append(needs, policy)
	}
	if args.CreateServiceLinkedRole {
		role, err := NewSearchServiceRole(ctx, name+"-service-linked-role", pulumi.Parent(c))
		if err != nil {
			return nil, err
		}
		needs = append(needs, role)
	}
	return needs, nil
}

func (c *OpenSearch) domain(args *OpenSearchArgs, access string) *opensearch.DomainArgs {
	var publishing opensearch.DomainLogPublishingOptionArray
	for i, log := range opensearchLogs {
		publishing = append(publishing, &opensearch.DomainLogPublishingOptionArgs{
			LogType: pulumi.String(log.typ), Enabled: pulumi.Bool(true),
			CloudwatchLogGroupArn: c.LogGroups[i].Arn,
		})
	}
	return &opensearch.DomainArgs{
		DomainName:     pulumi.String(args.DomainName),
		EngineVersion:  pulumi.String(args.EngineVersion),
		AccessPolicies: pulumi.String(access),
		AdvancedSecurityOptions: &opensearch.DomainAdvancedSecurityOptionsArgs{
			Enabled:                     pulumi.Bool(true),
			AnonymousAuthEnabled:        pulumi.Bool(false),
			InternalUserDatabaseEnabled: pulumi.Bool(false),
			MasterUserOptions: &opensearch.DomainAdvancedSecurityOptionsMasterUserOptionsArgs{
				MasterUserArn: pulumi.String(args.Scope.RoleARN(args.MasterRoleName)),
			},
		},
		ClusterConfig: args.clusterConfig(),
		DomainEndpointOptions: &opensearch.DomainDomainEndpointOptionsArgs{
			EnforceHttps:      pulumi.Bool(true),
			TlsSecurityPolicy: pulumi.String(opensearchTLS),
		},
		EbsOptions: &opensearch.DomainEbsOptionsArgs{
			EbsEnabled: pulumi.Bool(true), VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(args.VolumeGiB),
		},
		EncryptAtRest: &opensearch.DomainEncryptAtRestArgs{
			Enabled: pulumi.Bool(true), KmsKeyId: args.KmsKeyArn.ToStringOutput(),
		},
		NodeToNodeEncryption: &opensearch.DomainNodeToNodeEncryptionArgs{Enabled: pulumi.Bool(true)},
		LogPublishingOptions: publishing,
		AutoTuneOptions:      args.autoTune(),
		OffPeakWindowOptions: &opensearch.DomainOffPeakWindowOptionsArgs{
			Enabled: pulumi.Bool(true),
			OffPeakWindow: &opensearch.DomainOffPeakWindowOptionsOffPeakWindowArgs{
				WindowStartTime: &opensearch.DomainOffPeakWindowOptionsOffPeakWindowWindowStartTimeArgs{
					Hours: pulumi.Int(1), Minutes: pulumi.Int(0),
				},
			},
		},
		SoftwareUpdateOptions: &opensearch.DomainSoftwareUpdateOptionsArgs{AutoSoftwareUpdateEnabled: pulumi.Bool(true)},
		VpcOptions: &opensearch.DomainVpcOptionsArgs{
			SubnetIds: pulumi.StringArray(args.SubnetIDs), SecurityGroupIds: args.SecurityGroupIDs,
		},
		Tags: tagged(args.Tags, args.DomainName),
	}
}

// NewSearchServiceRole makes the role with which OpenSearch keeps the network
// interfaces of an account's domains. It stays when the stack is destroyed,
// because other stacks' domains need it.
func NewSearchServiceRole(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*iam.ServiceLinkedRole, error) {
	return iam.NewServiceLinkedRole(ctx, name, &iam.ServiceLinkedRoleArgs{
		AwsServiceName: pulumi.String("opensearchservice.amazonaws.com"),
		Description:    pulumi.String("Network interfaces of OpenSearch domains"),
	}, append(opts, pulumi.RetainOnDelete(true))...)
}
