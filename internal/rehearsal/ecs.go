package rehearsal

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	docsTasks    = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html"
	docsFargate  = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"
	docsServices = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"
	docsClusters = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html"
	docsScaling  = "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html"
	docsRegistry = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"
)

var ecsName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

const ecsNameMeaning = "up to 255 letters, digits, _ and -"

// ecsKinds are clusters, tasks and services, with what scales them and where
// their images come from.
var ecsKinds = []kind{
	{
		token: "aws:ecs/cluster:Cluster", noun: "ECS Cluster", service: "ECS", action: "Cluster",
		id: "{arn}", arn: "arn:{partition}:ecs:{region}:{account}:cluster/{name}", handles: []string{"{name}"},
		limits:   []limit{{path: "name", pattern: ecsName, meaning: ecsNameMeaning, source: docsClusters}},
		refs:     append(refer(toKey, "configuration.executeCommandConfiguration.kmsKeyId"), refer(toLogGroup, "configuration.executeCommandConfiguration.logConfiguration.cloudWatchLogGroupName")...),
		replaces: []string{"name"},
		blocks: []block{{
			by:   []string{"aws:ecs/service:Service"},
			code: "ClusterContainsServicesException", message: "The Cluster cannot be deleted while Services are active.",
		}},
	},
	{
		token: "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", noun: "ECS Cluster Capacity Providers", service: "ECS", action: "ClusterCapacityProviders", call: "PutClusterCapacityProviders",
		id: "{clusterName}", replaces: []string{"clusterName"}, refs: refer(toEcsCluster, "clusterName"),
	},
	{
		token: "aws:ecs/taskDefinition:TaskDefinition", noun: "ECS Task Definition", service: "ECS", action: "TaskDefinition", call: "RegisterTaskDefinition",
		id: "{family}:{revision}", arn: "arn:{partition}:ecs:{region}:{account}:task-definition/{family}:{revision}",
		defaults: props{"skipDestroy": false, "trackLatest": false},
		computed: props{
			"revision":             func(c *call) any { return taskRevision(c) },
			"arnWithoutRevision":   "arn:{partition}:ecs:{region}:{account}:task-definition/{family}",
			"networkMode":          "bridge",
			"enableFaultInjection": false,
		},
		replaces: []string{
			"containerDefinitions", "cpu", "memory", "family", "executionRoleArn", "taskRoleArn", "networkMode", "requiresCompatibilities",
			"runtimePlatform", "volumes", "ephemeralStorage", "placementConstraints", "proxyConfiguration", "ipcMode", "pidMode", "enableFaultInjection",
		},
		refs: refer(toRole, "executionRoleArn", "taskRoleArn"),
		limits: []limit{
			{path: "family", pattern: ecsName, meaning: ecsNameMeaning, source: docsTasks},
			{path: "containerDefinitions", json: true, source: docsTasks},
			{path: "networkMode", oneOf: []string{"awsvpc", "bridge", "host", "none"}, source: docsTasks},
		},
		refuses: []refusal{
			{name: "task-containers", at: []operation{opCreate}, code: "ClientException", source: docsTasks, because: containersIncomplete},
			{name: "task-fargate-size", at: []operation{opCreate}, code: "ClientException", source: docsFargate, because: notAFargateSize},
		},
	},
	{
		token: "aws:ecs/service:Service", noun: "ECS Service", service: "ECS", action: "Service",
		id: "arn:{partition}:ecs:{region}:{account}:service/{cluster->name}/{name}", handles: []string{"service/{cluster->name}/{name}"},
		defaults: props{
			"deploymentMaximumPercent": 200, "deploymentMinimumHealthyPercent": 100, "enableEcsManagedTags": false, "enableExecuteCommand": false,
			"schedulingStrategy": "REPLICA", "waitForSteadyState": false,
		},
		computed: props{"iamRole": "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", "launchType": "EC2", "platformVersion": "LATEST", "cluster": "default"},
		replaces: []string{"cluster", "launchType", "name", "schedulingStrategy", "iamRole", "serviceRegistries", "loadBalancers[*].containerName"},
		refs: slices.Concat(refer(toEcsCluster, "cluster"), refer(toTaskDefinition, "taskDefinition"),
			refer(toSubnet, "networkConfiguration.subnets[*]"), refer(toSecurityGroup, "networkConfiguration.securityGroups[*]"),
			refer(toTargetGroup, "loadBalancers[*].targetGroupArn")),
		unique: []unique{{key: "{cluster}/{name}", code: "InvalidParameterException", message: "Creation of service was not idempotent: {name} exists."}},
		limits: []limit{
			{path: "name", pattern: ecsName, meaning: ecsNameMeaning, source: docsServices},
			{path: "desiredCount", least: 0, most: 5000, source: docsServices},
			{path: "launchType", oneOf: []string{"EC2", "EXTERNAL", "FARGATE"}, source: docsServices},
		},
		refuses: []refusal{
			{name: "service-needs-network", at: []operation{opCreate}, code: "InvalidParameterException", source: docsServices, because: serviceWithoutNetwork},
			{name: "service-target-group-attached", at: []operation{opCreate}, code: "InvalidParameterException", source: docsServices, because: targetGroupWithoutListener},
			{name: "service-container", code: "InvalidParameterException", source: docsServices, because: containerUnknown},
		},
	},
	{
		token: "aws:appautoscaling/target:Target", noun: "Application AutoScaling Target", service: "Application Auto Scaling", action: "ScalableTarget", call: "RegisterScalableTarget",
		id: "{serviceNamespace}/{resourceId}/{scalableDimension}", arn: "arn:{partition}:application-autoscaling:{region}:{account}:scalable-target/{hex32:target}",
		computed: props{"roleArn": "arn:{partition}:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"},
		handles:  []string{"{resourceId}"},
		replaces: []string{"resourceId", "scalableDimension", "serviceNamespace"},
		refs:     []ref{{"resourceId", scalable}},
		limits: []limit{
			{path: "serviceNamespace", source: docsScaling, oneOf: []string{"appstream", "cassandra", "comprehend", "custom-resource", "dynamodb", "ec2", "ecs", "elasticache", "elasticmapreduce", "kafka", "lambda", "neptune", "rds", "sagemaker", "workspaces"}},
		},
		refuses: []refusal{{name: "scaling-order", code: "ValidationException", source: docsScaling, because: func(c *call) string {
			low, ok1 := c.number("minCapacity")
			high, ok2 := c.number("maxCapacity")
			if ok1 && ok2 && low > high {
				return fmt.Sprintf("Maximum capacity (%s) cannot be less than minimum capacity (%s)", number(high), number(low))
			}
			return ""
		}}},
	},
	{
		token: "aws:appautoscaling/policy:Policy", noun: "Application AutoScaling Scaling Policy", service: "Application Auto Scaling", action: "ScalingPolicy", call: "PutScalingPolicy",
		id: "{serviceNamespace}/{resourceId}/{scalableDimension}/{name}", arn: "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{uuid:policy}:resource/{serviceNamespace}/{resourceId}:policyName/{name}",
		defaults: props{"policyType": "StepScaling"}, replaces: []string{"name", "resourceId", "scalableDimension", "serviceNamespace", "policyType"},
		refs: []ref{{"resourceId", &target{
			types: []string{"aws:appautoscaling/target:Target"},
			code:  "ObjectNotFoundException", message: "No scalable target registered for {value}",
		}}},
		unique: []unique{{key: "{resourceId}/{name}", code: "ValidationException", message: "the scaling policy {name} exists on {resourceId}"}},
	},
	{
		token: "aws:ecr/repository:Repository", noun: "ECR Repository", service: "ECR", action: "Repository",
		id: "{name}", arn: "arn:{partition}:ecr:{region}:{account}:repository/{name}",
		defaults: props{"imageTagMutability": "MUTABLE"},
		computed: props{"registryId": "{account}", "repositoryUrl": "{account}.dkr.ecr.{region}.{dns}/{name}"},
		replaces: []string{"encryptionConfigurations", "name"}, refs: refer(toKey, "encryptionConfigurations[*].kmsKey"),
		unique: []unique{{key: "{name}", code: "RepositoryAlreadyExistsException", message: "The repository with name '{name}' already exists in the registry with id '{account}'"}},
		limits: []limit{
			{path: "name", shortest: 2, longest: 256, pattern: regexp.MustCompile(`^[a-z0-9]+([._/-]+[a-z0-9]+)*$`), meaning: "lower-case letters and digits, with single . _ - or / between them", source: docsRegistry},
			{path: "imageTagMutability", oneOf: []string{"IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE", "MUTABLE_WITH_EXCLUSION"}, source: docsRegistry},
		},
	},
	{
		token: "aws:ecr/lifecyclePolicy:LifecyclePolicy", noun: "ECR Lifecycle Policy", service: "ECR", action: "LifecyclePolicy", call: "PutLifecyclePolicy",
		id: "{repository}", computed: props{"registryId": "{account}"}, replaces: []string{"repository"},
		refs: refer(toRepository, "repository"), limits: []limit{{path: "policy", json: true, source: docsRegistry}},
	},
}

// scalable is what Application Auto Scaling can be pointed at. Only ECS services
// are resources of the account's tables; everything else is taken on trust.
var scalable = &target{
	types: []string{"aws:ecs/service:Service"},
	code:  "ValidationException", message: "ECS service doesn't exist: {value}",
	outside: func(v string) bool { return !strings.HasPrefix(v, "service/") },
}

// taskRevision counts up with every definition of the family.
func taskRevision(c *call) int {
	last := 0
	for _, other := range c.all(c.kind.token) {
		family, _ := text(other.outputs, "family")
		revision, _ := text(other.outputs, "revision")
		if n, err := strconv.Atoi(revision); err == nil && family == c.text("family") {
			last = max(last, n)
		}
	}
	return max(last, c.birth) + 1
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

func containersOf(text string) ([]container, error) {
	var out []container
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("containerDefinitions is not a list of containers: %w", err)
	}
	return out, nil
}

func containersIncomplete(c *call) string {
	containers, err := containersOf(c.text("containerDefinitions"))
	switch {
	case err != nil:
		return err.Error()
	case len(containers) == 0:
		return "Container list cannot be empty."
	}
	for i, one := range containers {
		if one.Name == "" || one.Image == "" {
			return fmt.Sprintf("Container.name and Container.image should not be null or empty (container %d).", i)
		}
	}
	return ""
}

// fargateMemory is the least and most memory in MiB for a number of CPU units.
var fargateMemory = map[int][2]int{
	256: {512, 2048}, 512: {1024, 4096}, 1024: {2048, 8192}, 2048: {4096, 16384}, 4096: {8192, 30720}, 8192: {16384, 61440}, 16384: {32768, 122880},
}

func notAFargateSize(c *call) string {
	if !slices.Contains(c.texts("requiresCompatibilities[*]"), "FARGATE") {
		return ""
	}
	cpu, err1 := strconv.Atoi(c.text("cpu"))
	memory, err2 := strconv.Atoi(c.text("memory"))
	if err1 != nil || err2 != nil {
		return "Fargate requires that 'cpu' and 'memory' be defined at the task level, as numbers."
	}
	bounds, ok := fargateMemory[cpu]
	if !ok || memory < bounds[0] || memory > bounds[1] {
		return fmt.Sprintf("No Fargate configuration exists for given values: %d CPU, %d memory.", cpu, memory)
	}
	if c.text("networkMode") != "awsvpc" {
		return "Fargate only supports network mode 'awsvpc'."
	}
	if c.text("executionRoleArn") == "" && strings.Contains(c.text("containerDefinitions"), "awslogs") {
		return "Fargate requires task definition to have execution role ARN to support log driver awslogs."
	}
	return ""
}

func serviceWithoutNetwork(c *call) string {
	task := c.referred("taskDefinition")
	if task == nil || len(c.texts("networkConfiguration.subnets[*]")) > 0 {
		return ""
	}
	if mode, _ := text(task.outputs, "networkMode"); mode != "awsvpc" {
		return ""
	}
	return "Network Configuration must be provided when networkMode 'awsvpc' is specified."
}

func targetGroupWithoutListener(c *call) string {
	for _, group := range c.referredAll("loadBalancers[*].targetGroupArn") {
		if len(c.users(group, "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule", "aws:alb/listener:Listener", "aws:alb/listenerRule:ListenerRule")) == 0 {
			return fmt.Sprintf("The target group with targetGroupArn %s does not have an associated load balancer; make the service depend on the listener.", group.arn())
		}
	}
	return ""
}

func containerUnknown(c *call) string {
	task := c.referred("taskDefinition")
	if task == nil {
		return ""
	}
	definitions, _ := text(task.outputs, "containerDefinitions")
	containers, err := containersOf(definitions)
	if err != nil {
		return ""
	}
	for _, name := range c.texts("loadBalancers[*].containerName") {
		if !slices.ContainsFunc(containers, func(one container) bool { return one.Name == name }) {
			return fmt.Sprintf("The container %s does not exist in the task definition.", name)
		}
	}
	return ""
}
