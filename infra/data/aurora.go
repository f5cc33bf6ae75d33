package data

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// AuroraComponent is the PostgreSQL cluster.
var AuroraComponent = guide.Component{
	Token: "redoubt:data:Aurora",
	Serves: []guide.ID{
		guide.OverviewDataKMS,
		guide.OverviewDataTLS,
		guide.OverviewDataSecrets,
		guide.DiagramECSAurora,
		guide.ArchitectureAtRestRDS,
		guide.ArchitectureInTransitDatabase,
		guide.ArchitectureLifecycleBackupRetention,
		guide.PracticesKMSSecretsRotation,
		guide.OperationsLogsAuditLogs,
	},
}

const (
	auroraEngine = "aurora-postgresql"
	// auroraCA signs the instances' certificates until 2061; clients need the
	// RDS bundle and sslmode=verify-full.
	auroraCA = "rds-ca-rsa2048-g1"
	// monitoringSeconds is the grain of enhanced monitoring.
	monitoringSeconds = 60
)

// Aurora is a cluster that only TLS and a rotated secret or an IAM token open.
type Aurora struct {
	pulumi.ResourceState

	Cluster   *rds.Cluster
	Instances []*rds.ClusterInstance
	Rotation  *secretsmanager.SecretRotation
	LogGroup  *monitoring.LogGroup
	// Identifier is the cluster's physical name, known at preview.
	Identifier string
	// Endpoint is the writer's host name, ReaderEndpoint the readers'.
	Endpoint, ReaderEndpoint pulumi.StringOutput
	// SecretArn is the master user's secret; empty while AWS has not made it.
	SecretArn pulumi.StringOutput
	// ActivityStream is the Kinesis stream's name, if there is an activity
	// stream. Its records are encrypted once more, with the stream's key.
	ActivityStream pulumi.StringOutput
	// ResourceID is "cluster-…", which IAM database authentication names.
	ResourceID pulumi.StringOutput
}

// NewAurora makes the cluster. The error joins every finding in args.
func NewAurora(ctx *pulumi.Context, name string, args *AuroraArgs, opts ...pulumi.ResourceOption) (*Aurora, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("aurora %q: %w", name, err)
	}
	c := &Aurora{Identifier: args.Identifier}
	if err := ctx.RegisterComponentResource(AuroraComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("aurora %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *AuroraArgs) error{
		c.buildCluster, c.buildInstances, c.buildRotation, c.buildEvents, c.buildActivityStream,
	} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("aurora %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"endpoint":       c.Endpoint,
		"readerEndpoint": c.ReaderEndpoint,
		"secretArn":      c.SecretArn,
	})
}

func (c *Aurora) buildCluster(ctx *pulumi.Context, name string, args *AuroraArgs) error {
	subnets, err := rds.NewSubnetGroup(ctx, name+"-subnets", &rds.SubnetGroupArgs{
		Name:        pulumi.String(args.Identifier),
		Description: pulumi.String("Data subnets of " + args.Identifier),
		SubnetIds:   args.SubnetIDs,
		Tags:        tagged(args.Tags, args.Identifier),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	parameters, err := newAuroraParameters(ctx, name, args, pulumi.Parent(c))
	if err != nil {
		return err
	}
	// RDS would make the group itself: unencrypted, and kept for ever.
	c.LogGroup, err = monitoring.NewLogGroup(ctx, name+"-postgresql", &monitoring.LogGroupArgs{
		Name:            "/aws/rds/cluster/" + args.Identifier + "/postgresql",
		KmsKeyArn:       args.LogKmsKeyArn,
		RetentionInDays: args.LogRetentionInDays,
		Tags:            args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	in := args.cluster(subnets.Name, parameters.Name)
	c.Cluster, err = rds.NewCluster(ctx, name+"-cluster", in,
		append(kept(args.Protect), pulumi.Parent(c), pulumi.DependsOn([]pulumi.Resource{c.LogGroup.Group}),
			pulumi.IgnoreChanges(args.managedElsewhere()))...)
	if err != nil {
		return err
	}
	c.Endpoint, c.ReaderEndpoint = c.Cluster.Endpoint, c.Cluster.ReaderEndpoint
	c.ResourceID = c.Cluster.ClusterResourceId
	return nil
}

// cluster leaves the zones to the subnet group: AvailabilityZones would show a
// replacement whenever RDS adds a third.
func (args *AuroraArgs) cluster(subnets, parameters pulumi.StringOutput) *rds.ClusterArgs {
	in := &rds.ClusterArgs{
		ClusterIdentifier:                pulumi.String(args.Identifier),
		Engine:                           pulumi.String(auroraEngine),
		EngineMode:                       pulumi.String("provisioned"),
		EngineVersion:                    pulumi.String(args.EngineVersion),
		DbSubnetGroupName:                subnets,
		DbClusterParameterGroupName:      parameters,
		VpcSecurityGroupIds:              args.SecurityGroupIDs,
		StorageEncrypted:                 pulumi.Bool(true),
		KmsKeyId:                         args.KmsKeyArn.ToStringOutput(),
		MasterUsername:                   pulumi.String("redoubt_admin"),
		ManageMasterUserPassword:         pulumi.Bool(true),
		MasterUserSecretKmsKeyId:         args.KmsKeyArn.ToStringOutput(),
		IamDatabaseAuthenticationEnabled: pulumi.Bool(true),
		EnabledCloudwatchLogsExports:     pulumi.ToStringArray([]string{"postgresql"}),
		BackupRetentionPeriod:            pulumi.Int(args.BackupRetentionDays),
		PreferredBackupWindow:            pulumi.String("02:00-03:00"),
		PreferredMaintenanceWindow:       pulumi.String("sun:03:30-sun:04:30"),
		CopyTagsToSnapshot:               pulumi.Bool(true),
		DeletionProtection:               pulumi.Bool(args.DeletionProtection),
		SkipFinalSnapshot:                pulumi.Bool(args.SkipFinalSnapshot),
		Serverlessv2ScalingConfiguration: &rds.ClusterServerlessv2ScalingConfigurationArgs{
			MinCapacity: pulumi.Float64(args.MinACU),
			MaxCapacity: pulumi.Float64(args.MaxACU),
		},
		Tags: tiered(args.Tags, args.Identifier, args.BackupTier),
	}
	if args.DatabaseName != "" {
		in.DatabaseName = pulumi.String(args.DatabaseName)
	}
	// Without a name a destroy that should take a snapshot fails (pulumi-aws#2020).
	if !args.SkipFinalSnapshot {
		in.FinalSnapshotIdentifier = pulumi.String(args.finalSnapshot())
	}
	return in
}

func (c *Aurora) buildInstances(ctx *pulumi.Context, name string, args *AuroraArgs) error {
	role, err := identity.NewRole(ctx, name+"-monitoring", &identity.RoleArgs{
		RoleName:    args.MonitoringRoleName,
		Description: "RDS enhanced monitoring of " + args.Identifier,
		Trust: identity.ServiceTrust("monitoring.rds.amazonaws.com", args.Scope,
			args.Scope.ARN("rds", "db:"+args.Identifier+"-*")),
		ManagedPolicyARNs: []string{
			"arn:" + args.Scope.Partition + ":iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
		},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	for i := range args.Instances {
		id := fmt.Sprintf("%s-%d", args.Identifier, i+1)
		instance, err := rds.NewClusterInstance(ctx, fmt.Sprintf("%s-instance-%d", name, i+1), &rds.ClusterInstanceArgs{
			Identifier:                  pulumi.String(id),
			ClusterIdentifier:           c.Cluster.ID(),
			Engine:                      pulumi.String(auroraEngine),
			EngineVersion:               c.Cluster.EngineVersion,
			InstanceClass:               pulumi.String(args.instanceClass()),
			PromotionTier:               pulumi.Int(min(i, 1)),
			PubliclyAccessible:          pulumi.Bool(false),
			CaCertIdentifier:            pulumi.String(auroraCA),
			AutoMinorVersionUpgrade:     pulumi.Bool(true),
			CopyTagsToSnapshot:          pulumi.Bool(true),
			MonitoringInterval:          pulumi.Int(monitoringSeconds),
			MonitoringRoleArn:           role.Arn,
			PerformanceInsightsEnabled:  pulumi.Bool(true),
			PerformanceInsightsKmsKeyId: args.KmsKeyArn.ToStringOutput(),
			Tags:                        tagged(args.Tags, id),
		}, append(kept(args.Protect), pulumi.Parent(c), pulumi.DependsOn(role.Rights))...)
		if err != nil {
			return err
		}
		c.Instances = append(c.Instances, instance)
	}
	return nil
}

// buildRotation sets the days of the secret that RDS keeps and rotates itself,
// so there is no Lambda function. At preview, and on a cluster that was just
// imported, the list of secrets is still empty: the generated Index(0) would
// panic on it.
func (c *Aurora) buildRotation(ctx *pulumi.Context, name string, args *AuroraArgs) error {
	c.SecretArn = c.Cluster.MasterUserSecrets.ApplyT(func(secrets []rds.ClusterMasterUserSecret) string {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return ""
		}
		return *secrets[0].SecretArn
	}).(pulumi.StringOutput)
	var err error
	c.Rotation, err = secretsmanager.NewSecretRotation(ctx, name+"-rotation", &secretsmanager.SecretRotationArgs{
		SecretId: c.SecretArn,
		RotationRules: &secretsmanager.SecretRotationRotationRulesArgs{
			AutomaticallyAfterDays: pulumi.Int(args.SecretRotationDays),
		},
	}, pulumi.Parent(c))
	return err
}
