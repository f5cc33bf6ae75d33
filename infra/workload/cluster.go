package workload

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
)

// buildLogs makes every log group that the service writes. Container Insights
// would make its own: unencrypted, and kept for ever.
func (c *Service) buildLogs(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	for _, log := range []struct{ what, group string }{
		{"app", LogGroupName(args.Environment, args.ServiceName)},
		{"exec", args.execLogGroup()},
		{"insights", "/aws/ecs/containerinsights/" + args.Prefix + "/performance"},
	} {
		in := &monitoring.LogGroupArgs{
			Name:            log.group,
			KmsKeyArn:       args.LogKmsKeyArn,
			RetentionInDays: args.LogRetentionInDays,
			Tags:            args.Tags,
		}
		if args.MaskLog && log.what == "app" {
			in.MaskIn = args.Scope.Partition
		}
		group, err := monitoring.NewLogGroup(ctx, name+"-"+log.what, in, pulumi.Parent(c))
		if err != nil {
			return err
		}
		if log.what == "app" {
			c.LogGroup = group
			continue
		}
		c.clusterLogs = append(c.clusterLogs, group.Group)
	}
	return nil
}

func (args *ServiceArgs) execLogGroup() string { return "/aws/ecs/exec/" + args.Prefix }

// buildCluster makes the cluster. Shell sessions are encrypted and logged
// whether or not the service allows them: another service of the cluster may.
func (c *Service) buildCluster(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	configuration := &ecs.ClusterConfigurationArgs{
		ExecuteCommandConfiguration: &ecs.ClusterConfigurationExecuteCommandConfigurationArgs{
			KmsKeyId: args.KmsKeyArn.ToStringOutput(),
			Logging:  pulumi.String("OVERRIDE"),
			LogConfiguration: &ecs.ClusterConfigurationExecuteCommandConfigurationLogConfigurationArgs{
				CloudWatchEncryptionEnabled: pulumi.Bool(true),
				CloudWatchLogGroupName:      pulumi.String(args.execLogGroup()),
			},
		},
	}
	if args.StorageKmsKeyArn != nil {
		configuration.ManagedStorageConfiguration = &ecs.ClusterConfigurationManagedStorageConfigurationArgs{
			FargateEphemeralStorageKmsKeyId: args.StorageKmsKeyArn.ToStringOutput(),
		}
	}
	var err error
	c.Cluster, err = ecs.NewCluster(ctx, name+"-cluster", &ecs.ClusterArgs{
		Name: pulumi.String(args.Prefix),
		Settings: ecs.ClusterSettingArray{&ecs.ClusterSettingArgs{
			Name: pulumi.String("containerInsights"), Value: pulumi.String("enhanced"),
		}},
		Configuration: configuration,
		Tags:          args.tagged(args.Prefix),
	}, pulumi.Parent(c), pulumi.DependsOn(c.clusterLogs))
	return err
}

// buildParameters puts what deployment makes known where tasks read it when
// they start.
func (c *Service) buildParameters(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	for _, variable := range slices.Sorted(maps.Keys(args.Parameters)) {
		logical := name + "-" + strings.ReplaceAll(strings.ToLower(variable), "_", "-")
		p, err := ssm.NewParameter(ctx, logical, &ssm.ParameterArgs{
			Name:        pulumi.String(args.parameterName(variable)),
			Description: pulumi.String(variable + " of " + args.ServiceName),
			Type:        pulumi.String("SecureString"),
			KeyId:       args.KmsKeyArn.ToStringOutput(),
			Value:       args.Parameters[variable].ToStringOutput(),
			Tags:        args.tagged(args.parameterName(variable)),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.parameters = append(c.parameters, p)
	}
	return nil
}

func (args *ServiceArgs) parameterName(variable string) string {
	return "/" + args.Prefix + "/" + args.ServiceName + "/" + variable
}

// parameterARN has one slash between type and name, because the name starts
// with it.
func (args *ServiceArgs) parameterARN(variable string) string {
	return args.Scope.ARN("ssm", "parameter"+args.parameterName(variable))
}

func (args *ServiceArgs) tagged(name string) pulumi.StringMap {
	out := pulumi.ToStringMap(args.Tags)
	out["Name"] = pulumi.String(name)
	return out
}
