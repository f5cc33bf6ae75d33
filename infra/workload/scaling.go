package workload

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// scalingTargets are the loads at which the service is kept, in percent.
var scalingTargets = []struct {
	what, metric string
	percent      float64
}{
	{"cpu", "ECSServiceAverageCPUUtilization", 60},
	{"memory", "ECSServiceAverageMemoryUtilization", 75},
}

// Seconds between two changes: quick to grow, slow to shrink.
const (
	scaleOutCooldown = 60
	scaleInCooldown  = 300
)

func (c *Service) buildScaling(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	var err error
	c.Scaling, err = appautoscaling.NewTarget(ctx, name+"-scaling", &appautoscaling.TargetArgs{
		ServiceNamespace:  pulumi.String("ecs"),
		ResourceId:        pulumi.Sprintf("service/%s/%s", c.Cluster.Name, c.Service.Name),
		ScalableDimension: pulumi.String("ecs:service:DesiredCount"),
		MinCapacity:       pulumi.Int(args.MinTasks),
		MaxCapacity:       pulumi.Int(args.MaxTasks),
		Tags:              args.tagged(args.Prefix + "-" + args.ServiceName),
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	for _, t := range scalingTargets {
		_, err := appautoscaling.NewPolicy(ctx, name+"-"+t.what, &appautoscaling.PolicyArgs{
			Name:              pulumi.String(args.Prefix + "-" + args.ServiceName + "-" + t.what),
			PolicyType:        pulumi.String("TargetTrackingScaling"),
			ServiceNamespace:  c.Scaling.ServiceNamespace,
			ResourceId:        c.Scaling.ResourceId,
			ScalableDimension: c.Scaling.ScalableDimension,
			TargetTrackingScalingPolicyConfiguration: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs{
				PredefinedMetricSpecification: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(t.metric),
				},
				TargetValue:      pulumi.Float64(t.percent),
				ScaleOutCooldown: pulumi.Int(scaleOutCooldown),
				ScaleInCooldown:  pulumi.Int(scaleInCooldown),
			},
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
	}
	return nil
}
