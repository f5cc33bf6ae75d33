// Package workload runs the application: an ECS service on Fargate that the
// load balancer alone reaches.
package workload

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// ServiceComponent is the application's service with its cluster, roles,
// image repository and scaling.
var ServiceComponent = guide.Component{
	Token: "redoubt:workload:Service",
	Serves: []guide.ID{
		guide.OverviewIdentityLeastPrivilege,
		guide.DiagramALBECS,
		guide.ArchitectureVPCPrivateSubnets,
		guide.PracticesIAMLeastPrivilege,
		guide.PracticesIAMResourceLevelPermissions,
		guide.PracticesIAMConditionConstraints,
		guide.OperationsLogsApplicationLogs,
	},
}

// Components are the package's components.
var Components = []guide.Component{
	ServiceComponent, CodeSigningComponent, FunctionComponent, DatabaseUserSecretComponent, SearchBootstrapComponent,
	LogSplitterComponent, ApiComponent, ApiAccountComponent,
}

// Port is where the application listens; the guide's rules admit the load
// balancer to it.
const Port = 3000

// ServiceArgs describes a service.
type ServiceArgs struct {
	Scope identity.Scope
	// Prefix starts every physical name, for example "redoubt-dev".
	Prefix string
	// Environment names the log group /app/<environment>/<service>.
	Environment string
	// ServiceName is short: lower-case letters, digits and hyphens.
	ServiceName string
	// Image is what runs, "<repository>@sha256:…" or "<repository>:<tag>".
	Image string
	// RequireDigest refuses a tag, which may point at another image tomorrow.
	RequireDigest bool
	// CPU is in units of 1/1024 vCPU, MemoryMiB in MiB: a pair that Fargate has.
	CPU, MemoryMiB int
	// Architecture is "ARM64" or "X86_64"; empty means ARM64.
	Architecture string
	// MinTasks and MaxTasks bound the scaling.
	MinTasks, MaxTasks int
	// Port is where the application listens; Port, the constant, if zero.
	Port int
	// SubnetIDs are private; SecurityGroupIDs admit the load balancer on Port.
	SubnetIDs, SecurityGroupIDs pulumi.StringArrayInput
	// TargetGroupArn is the load balancer's; nil for a service without one.
	TargetGroupArn pulumi.StringInput
	// After must exist before tasks start: the listener, without which ECS
	// refuses the target group, and the endpoints through which images come.
	After []pulumi.Resource
	// Variables are the container's environment, known at preview, not secret.
	Variables map[string]string
	// Parameters are variables that deployment makes known, such as a
	// database's host name. They go through encrypted SSM parameters, so that
	// the container definition itself stays known at preview.
	Parameters map[string]pulumi.StringInput
	// Secrets are variables from Secrets Manager: names to secrets' ARNs, with
	// or without the random end.
	Secrets map[string]string
	// SecretKeyAliases are the aliases, "alias/…", of other keys of the account
	// that Secrets are encrypted with, besides KmsKeyArn.
	SecretKeyAliases []string
	// TaskPolicies are what the application itself may do.
	TaskPolicies map[string]identity.Document
	// PermissionsBoundary caps both roles; empty for none.
	PermissionsBoundary string
	// KmsKeyArn encrypts images, parameters and shell sessions.
	KmsKeyArn pulumi.StringInput
	// StorageKmsKeyArn encrypts the tasks' storage: a key with the statements
	// of data.KeyForFargate, which must not be a multi-region key. Nil leaves
	// it to a key that AWS owns.
	StorageKmsKeyArn pulumi.StringInput
	// KeyAlias is KmsKeyArn's alias, "alias/…", by which policies name it.
	KeyAlias string
	// LogKmsKeyArn encrypts the log groups; LogRetentionInDays is one of
	// monitoring.RetentionDays.
	LogKmsKeyArn       pulumi.StringInput
	LogRetentionInDays int
	// MaskLog hides credentials and personal data in the application's log.
	MaskLog bool
	// ExecuteCommand lets people open a shell in a task; every session is logged.
	ExecuteCommand bool
	// ForceDelete lets the stack's destroy delete images.
	ForceDelete bool
	Tags        map[string]string
}

// Service is an ECS service on Fargate.
type Service struct {
	pulumi.ResourceState

	Cluster        *ecs.Cluster
	Repository     *ecr.Repository
	TaskDefinition *ecs.TaskDefinition
	Service        *ecs.Service
	Scaling        *appautoscaling.Target
	ExecutionRole  *identity.Role
	TaskRole       *identity.Role
	LogGroup       *monitoring.LogGroup
	// ClusterName and ServiceName are the metric dimensions, known at preview.
	ClusterName, ServiceName string
	// RepositoryURL is where images are pushed.
	RepositoryURL pulumi.StringOutput

	clusterLogs []pulumi.Resource
	parameters  []pulumi.Resource
}

// ExecutionRoleName is the physical name of the role with which ECS starts
// tasks; key policies and others name it before it exists.
func ExecutionRoleName(prefix, service string) string { return prefix + "-" + service + "-execution" }

// TaskRoleName is the physical name of the role that the application has.
func TaskRoleName(prefix, service string) string { return prefix + "-" + service + "-task" }

// LogGroupName is the physical name of the application's log group.
func LogGroupName(environment, service string) string { return "/app/" + environment + "/" + service }

// TaskFamily is the family of a service's task definitions.
func TaskFamily(prefix, service string) string { return prefix + "-" + service }

// NewService makes the service. The error joins every finding in args.
func NewService(ctx *pulumi.Context, name string, args *ServiceArgs, opts ...pulumi.ResourceOption) (*Service, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("service %q: %w", name, err)
	}
	c := &Service{ClusterName: args.Prefix, ServiceName: args.ServiceName}
	if err := ctx.RegisterComponentResource(ServiceComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("service %q: register: %w", name, err)
	}
	for _, build := range []func(*pulumi.Context, string, *ServiceArgs) error{
		c.buildRepository, c.buildLogs, c.buildCluster, c.buildParameters,
		c.buildRoles, c.buildTask, c.buildService, c.buildScaling,
	} {
		if err := build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("service %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"clusterName":   c.Cluster.Name,
		"serviceName":   c.Service.Name,
		"repositoryUrl": c.RepositoryURL,
	})
}

func (c *Service) buildTask(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	definition, err := args.containerDefinitions()
	if err != nil {
		return err
	}
	var volumes ecs.TaskDefinitionVolumeArray
	for _, v := range args.volumes() {
		volumes = append(volumes, &ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(v.name)})
	}
	c.TaskDefinition, err = ecs.NewTaskDefinition(ctx, name+"-task", &ecs.TaskDefinitionArgs{
		Family:                  pulumi.String(TaskFamily(args.Prefix, args.ServiceName)),
		NetworkMode:             pulumi.String("awsvpc"),
		RequiresCompatibilities: pulumi.ToStringArray([]string{"FARGATE"}),
		Cpu:                     pulumi.String(fmt.Sprint(args.CPU)),
		Memory:                  pulumi.String(fmt.Sprint(args.MemoryMiB)),
		RuntimePlatform: &ecs.TaskDefinitionRuntimePlatformArgs{
			CpuArchitecture:       pulumi.String(args.architecture()),
			OperatingSystemFamily: pulumi.String("LINUX"),
		},
		ExecutionRoleArn:     c.ExecutionRole.Arn,
		TaskRoleArn:          c.TaskRole.Arn,
		Volumes:              volumes,
		ContainerDefinitions: pulumi.String(definition),
		Tags:                 args.tagged(args.Prefix + "-" + args.ServiceName),
	}, pulumi.Parent(c))
	return err
}

func (c *Service) buildService(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	in := &ecs.ServiceArgs{
		Name:                            pulumi.String(args.ServiceName),
		Cluster:                         c.Cluster.Arn,
		TaskDefinition:                  c.TaskDefinition.Arn,
		LaunchType:                      pulumi.String("FARGATE"),
		PlatformVersion:                 pulumi.String("1.4.0"),
		DesiredCount:                    pulumi.Int(args.MinTasks),
		DeploymentMinimumHealthyPercent: pulumi.Int(100),
		DeploymentMaximumPercent:        pulumi.Int(200),
		DeploymentCircuitBreaker: &ecs.ServiceDeploymentCircuitBreakerArgs{
			Enable: pulumi.Bool(true), Rollback: pulumi.Bool(true),
		},
		AvailabilityZoneRebalancing: pulumi.String("ENABLED"),
		EnableExecuteCommand:        pulumi.Bool(args.ExecuteCommand),
		EnableEcsManagedTags:        pulumi.Bool(true),
		PropagateTags:               pulumi.String("SERVICE"),
		NetworkConfiguration: &ecs.ServiceNetworkConfigurationArgs{
			AssignPublicIp: pulumi.Bool(false),
			Subnets:        args.SubnetIDs,
			SecurityGroups: args.SecurityGroupIDs,
		},
		Tags: args.tagged(args.Prefix + "-" + args.ServiceName),
	}
	if args.TargetGroupArn != nil {
		in.HealthCheckGracePeriodSeconds = pulumi.Int(60)
		in.LoadBalancers = ecs.ServiceLoadBalancerArray{&ecs.ServiceLoadBalancerArgs{
			ContainerName:  pulumi.String(args.ServiceName),
			ContainerPort:  pulumi.Int(args.port()),
			TargetGroupArn: args.TargetGroupArn.ToStringOutput(),
		}}
	}
	needs := slices.Concat(args.After, c.parameters, c.ExecutionRole.Rights, c.TaskRole.Rights,
		[]pulumi.Resource{c.LogGroup.Group})
	var err error
	// The number of tasks is the scaling's from the first deployment on: an
	// update must not put it back.
	c.Service, err = ecs.NewService(ctx, name+"-service", in, pulumi.Parent(c), pulumi.DependsOn(needs),
		pulumi.IgnoreChanges([]string{"desiredCount"}))
	return err
}
