package workload_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/workload"
	"redoubt/internal/graphtest"
)

const (
	keyARN = "arn:aws:kms:eu-central-1:123456789012:key/app"
	image  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/redoubt-dev/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

var scope = identity.Scope{Partition: graphtest.Partition, Region: graphtest.Region, AccountID: graphtest.AccountID}

func serviceArgs() *workload.ServiceArgs {
	return &workload.ServiceArgs{
		Scope: scope, Prefix: "redoubt-dev", Environment: "dev", ServiceName: "api",
		Image: image, RequireDigest: true, CPU: 512, MemoryMiB: 1024, MinTasks: 2, MaxTasks: 4,
		SubnetIDs:        pulumi.ToStringArray([]string{"subnet-a", "subnet-b"}),
		SecurityGroupIDs: pulumi.ToStringArray([]string{"sg-ecs"}),
		Variables:        map[string]string{"LOG_LEVEL": "info", "AWS_REGION": "eu-central-1"},
		Secrets:          map[string]string{"SESSION_KEYS": scope.ARN("secretsmanager", "secret:redoubt-dev/session") + ":current::"},
		TaskPolicies: map[string]identity.Document{"data": {{
			Effect: identity.Allow, Actions: []string{"s3:GetObject"}, Resources: []string{scope.GlobalARN("s3", "redoubt-dev-data/*")},
		}}},
		KmsKeyArn: pulumi.String(keyARN), KeyAlias: "alias/redoubt-dev-app",
		LogKmsKeyArn: pulumi.String(keyARN), LogRetentionInDays: 14,
		Tags: map[string]string{"environment": "dev"},
	}
}

// service runs a program with a database's address that only deployment knows.
func service(change func(*workload.ServiceArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		balancer, err := lb.NewLoadBalancer(ctx, "alb", &lb.LoadBalancerArgs{})
		if err != nil {
			return err
		}
		listener, err := lb.NewListener(ctx, "https", &lb.ListenerArgs{LoadBalancerArn: balancer.Arn, DefaultActions: lb.ListenerDefaultActionArray{}})
		if err != nil {
			return err
		}
		args := serviceArgs()
		args.After = []pulumi.Resource{listener}
		args.TargetGroupArn = pulumi.String("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/api/1")
		args.Parameters = map[string]pulumi.StringInput{"DB_HOST": balancer.DnsName}
		change(args)
		_, err = workload.NewService(ctx, "app", args)
		return err
	}
}

func asIs(*workload.ServiceArgs) {}

// known is for previews: the SDK's mock monitor refuses a secret that is
// unknown, which is what a parameter with a database's address then is.
func known(a *workload.ServiceArgs) {
	a.Parameters = map[string]pulumi.StringInput{"DB_HOST": pulumi.String("db.internal")}
}

func TestServiceRunsInPrivateBehindTheBalancer(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(asIs))
	svc := g.Only("aws:ecs/service:Service")
	for field, want := range map[string]any{
		"name":                                   "api",
		"launchType":                             "FARGATE",
		"networkConfiguration.assignPublicIp":    false,
		"networkConfiguration.subnets[1]":        "subnet-b",
		"networkConfiguration.securityGroups[0]": "sg-ecs",
		"deploymentCircuitBreaker.enable":        true,
		"deploymentCircuitBreaker.rollback":      true,
		"enableExecuteCommand":                   false,
		"propagateTags":                          "SERVICE",
		"loadBalancers[0].containerPort":         3000.0,
		"desiredCount":                           2.0,
	} {
		require.Equal(t, want, svc.Input(field), field)
	}
	require.Contains(t, svc.IgnoreChanges, "desiredCount", "the scaling owns the count")
	require.True(t, g.Depends(svc, g.One("aws:lb/listener:Listener", "https")))
	for _, policy := range g.ByType("aws:iam/rolePolicy:RolePolicy") {
		require.True(t, g.Depends(svc, policy), policy.Name)
	}
	parameter := g.Only("aws:ssm/parameter:Parameter")
	require.True(t, g.Depends(svc, parameter), "tasks read it when they start")
	require.Equal(t, "/redoubt-dev/api/DB_HOST", parameter.Input("name"))
	require.Equal(t, "SecureString", parameter.Input("type"))
	require.Equal(t, keyARN, parameter.Input("keyId"))
	require.Equal(t, g.Only("aws:lb/loadBalancer:LoadBalancer").Output("dnsName"), parameter.Input("value"))
}

func TestContainerIsLockedDownAndKnownAtPreview(t *testing.T) {
	t.Parallel()
	task := graphtest.Run(t, service(known), graphtest.Preview()).Only("aws:ecs/taskDefinition:TaskDefinition")
	require.Equal(t, "awsvpc", task.Input("networkMode"))
	require.Equal(t, "FARGATE", task.Input("requiresCompatibilities[0]"))
	require.Equal(t, "512", task.Input("cpu"))
	require.Equal(t, "1024", task.Input("memory"))
	require.Equal(t, "ARM64", task.Input("runtimePlatform.cpuArchitecture"))
	require.Equal(t, "tmp", task.Input("volumes[0].name"))

	text := task.Input("containerDefinitions")
	require.NotEqual(t, graphtest.Unknown, text)
	require.JSONEq(t, `[{
		"name": "api", "image": "`+image+`", "essential": true,
		"user": "1000", "privileged": false, "readonlyRootFilesystem": true,
		"linuxParameters": {"initProcessEnabled": true, "capabilities": {"drop": ["ALL"]}},
		"portMappings": [{"name": "http", "containerPort": 3000, "hostPort": 3000, "protocol": "tcp", "appProtocol": "http"}],
		"environment": [{"name": "AWS_REGION", "value": "eu-central-1"}, {"name": "LOG_LEVEL", "value": "info"}],
		"secrets": [
			{"name": "DB_HOST", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/redoubt-dev/api/DB_HOST"},
			{"name": "SESSION_KEYS", "valueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-dev/session:current::"}
		],
		"mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp", "readOnly": false}],
		"volumesFrom": [], "systemControls": [],
		"logConfiguration": {"logDriver": "awslogs", "options": {
			"awslogs-group": "/app/dev/api", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "api",
			"mode": "non-blocking", "max-buffer-size": "25m"
		}},
		"stopTimeout": 30
	}]`, text.(string))
}

func TestClusterEncryptsAndLogs(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(asIs))
	cluster := g.Only("aws:ecs/cluster:Cluster")
	const exec = "configuration.executeCommandConfiguration."
	for field, want := range map[string]any{
		"name":              "redoubt-dev",
		"settings[0].name":  "containerInsights",
		"settings[0].value": "enhanced",
		exec + "kmsKeyId":   keyARN,
		exec + "logging":    "OVERRIDE",
		exec + "logConfiguration.cloudWatchEncryptionEnabled": true,
		exec + "logConfiguration.cloudWatchLogGroupName":      "/aws/ecs/exec/redoubt-dev",
	} {
		require.Equal(t, want, cluster.Input(field), field)
	}
	require.False(t, cluster.Has("configuration.managedStorageConfiguration"))
	const storageKey = "arn:aws:kms:eu-central-1:123456789012:key/storage"
	own := graphtest.Run(t, service(func(a *workload.ServiceArgs) { a.StorageKmsKeyArn = pulumi.String(storageKey) }))
	require.Equal(t, storageKey, own.Only("aws:ecs/cluster:Cluster").Input("configuration.managedStorageConfiguration.fargateEphemeralStorageKmsKeyId"))

	var groups []any
	for _, group := range g.ByType("aws:cloudwatch/logGroup:LogGroup") {
		groups = append(groups, group.Input("name"))
		require.Equal(t, keyARN, group.Input("kmsKeyId"))
	}
	require.ElementsMatch(t, []any{"/app/dev/api", "/aws/ecs/exec/redoubt-dev", "/aws/ecs/containerinsights/redoubt-dev/performance"}, groups)
}

func TestRepositoryIsImmutableEncryptedAndScanned(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(asIs))
	repository := g.Only("aws:ecr/repository:Repository")
	for field, want := range map[string]any{
		"name":                                  "redoubt-dev/api",
		"imageTagMutability":                    "IMMUTABLE",
		"imageScanningConfiguration.scanOnPush": true,
		"encryptionConfigurations[0].encryptionType": "KMS",
		"encryptionConfigurations[0].kmsKey":         keyARN,
		"forceDelete":                                false,
	} {
		require.Equal(t, want, repository.Input(field), field)
	}
	var expiry struct {
		Rules []struct {
			RulePriority int
			Selection    struct {
				TagStatus   string
				CountNumber int
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(g.Only("aws:ecr/lifecyclePolicy:LifecyclePolicy").Input("policy").(string)), &expiry))
	require.Equal(t, "untagged", expiry.Rules[0].Selection.TagStatus)
	require.Equal(t, "any", expiry.Rules[1].Selection.TagStatus, "any comes last")
}

func TestScaling(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(asIs))
	target := g.Only("aws:appautoscaling/target:Target")
	require.Equal(t, "service/redoubt-dev/api", target.Input("resourceId"))
	require.EqualValues(t, 2, target.Input("minCapacity"))
	require.EqualValues(t, 4, target.Input("maxCapacity"))
	cpu := g.One("aws:appautoscaling/policy:Policy", "app-cpu")
	require.Equal(t, "ECSServiceAverageCPUUtilization", cpu.Input("targetTrackingScalingPolicyConfiguration.predefinedMetricSpecification.predefinedMetricType"))
	require.EqualValues(t, 60, cpu.Input("targetTrackingScalingPolicyConfiguration.targetValue"))
}

// policy is a role's inline policy, known at preview.
func policy(t *testing.T, g *graphtest.Graph, name string) map[string]identity.Statement {
	t.Helper()
	var doc identity.Document
	text := g.One("aws:iam/rolePolicy:RolePolicy", name).Input("policy").(string)
	require.NoError(t, json.Unmarshal([]byte(text), &doc))
	out := map[string]identity.Statement{}
	for _, s := range doc {
		out[s.Sid] = s
	}
	return out
}

func TestExecutionRoleStartsThisServiceOnly(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(known), graphtest.Preview())
	start := policy(t, g, "app-execution-start-tasks")
	require.Equal(t, []string{"*"}, start["LogInToRegistry"].Resources)
	require.Equal(t, []string{"arn:aws:ecr:eu-central-1:123456789012:repository/redoubt-dev/api"}, start["PullImage"].Resources)
	require.Equal(t, []string{"arn:aws:logs:eu-central-1:123456789012:log-group:/app/dev/api:*"}, start["WriteLog"].Resources)
	require.Equal(t, []string{"arn:aws:ssm:eu-central-1:123456789012:parameter/redoubt-dev/api/DB_HOST"}, start["ReadParameters"].Resources)
	session := "arn:aws:secretsmanager:eu-central-1:123456789012:secret:redoubt-dev/session"
	require.Equal(t, []string{session, session + "-??????"}, start["ReadSecrets"].Resources, "with the random end, without the key in the secret")
	require.Contains(t, start["DecryptValues"].Conditions, identity.Condition{
		Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{"alias/redoubt-dev-app"},
	})
	require.True(t, slices.ContainsFunc(start["DecryptValues"].Conditions, func(c identity.Condition) bool { return c.Key == "kms:ViaService" }))
}

func TestTaskRoleIsAnotherOne(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(asIs))
	task := g.Only("aws:ecs/taskDefinition:TaskDefinition")
	require.NotEqual(t, task.Input("executionRoleArn"), task.Input("taskRoleArn"))
	require.Equal(t, workload.ExecutionRoleName("redoubt-dev", "api"), g.Refers(task.Input("executionRoleArn")).Input("name"))
	require.Equal(t, workload.TaskRoleName("redoubt-dev", "api"), g.Refers(task.Input("taskRoleArn")).Input("name"))
	for _, role := range g.ByType("aws:iam/role:Role") {
		require.Contains(t, role.Input("assumeRolePolicy"), `"aws:SourceAccount":"123456789012"`)
	}
	require.Len(t, g.ByType("aws:iam/rolePolicy:RolePolicy"), 2, "no shell rights without ExecuteCommand")
}

func TestExecuteCommand(t *testing.T) {
	t.Parallel()
	args := serviceArgs()
	g := graphtest.Run(t, service(func(a *workload.ServiceArgs) {
		a.ExecuteCommand, a.TaskPolicies = true, args.TaskPolicies
	}))
	require.Equal(t, true, g.Only("aws:ecs/service:Service").Input("enableExecuteCommand"))
	exec := policy(t, g, "app-task-execute-command")
	require.Contains(t, exec["OpenChannel"].Actions, "ssmmessages:OpenDataChannel")
	require.Contains(t, exec["LogSession"].Resources, "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/ecs/exec/redoubt-dev:*")
	for _, path := range []string{"/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"} {
		require.Contains(t, g.Only("aws:ecs/taskDefinition:TaskDefinition").Input("containerDefinitions"), `"containerPath":"`+path+`"`,
			"the agent writes beside the read-only root")
	}
	require.Len(t, args.TaskPolicies, 1, "the caller's map stays as it was")
}

func TestImageOfAnotherRepositoryMayBePulled(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, service(func(a *workload.ServiceArgs) {
		a.RequireDigest, a.Image = false, "210987654321.dkr.ecr.eu-west-1.amazonaws.com/shared/base/api:1.4.2"
	}))
	require.Equal(t, []string{
		"arn:aws:ecr:eu-central-1:123456789012:repository/redoubt-dev/api",
		"arn:aws:ecr:eu-west-1:210987654321:repository/shared/base/api",
	}, policy(t, g, "app-execution-start-tasks")["PullImage"].Resources)
}

func TestServiceArgsFindings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*workload.ServiceArgs){
		"scope: ":                     func(a *workload.ServiceArgs) { a.Scope.AccountID = "1" },
		"prefix: ":                    func(a *workload.ServiceArgs) { a.Prefix = "Redoubt" },
		"serviceName: ":               func(a *workload.ServiceArgs) { a.ServiceName = "the_api" },
		"environment: ":               func(a *workload.ServiceArgs) { a.Environment = "" },
		"a tag may point":             func(a *workload.ServiceArgs) { a.Image = "api:1.0" },
		"<repository>:<tag> or":       func(a *workload.ServiceArgs) { a.RequireDigest, a.Image = false, "api" },
		"whatever was pushed last":    func(a *workload.ServiceArgs) { a.RequireDigest, a.Image = false, "api:latest" },
		"cpu: 300":                    func(a *workload.ServiceArgs) { a.CPU = 300 },
		"memoryMiB: 512 with cpu 512": func(a *workload.ServiceArgs) { a.MemoryMiB = 512 },
		"architecture: ":              func(a *workload.ServiceArgs) { a.Architecture = "RISCV" },
		"minTasks, maxTasks: 5, 4":    func(a *workload.ServiceArgs) { a.MinTasks = 5 },
		"subnetIds: nil":              func(a *workload.ServiceArgs) { a.SubnetIDs = nil },
		"securityGroupIds: nil":       func(a *workload.ServiceArgs) { a.SecurityGroupIDs = nil },
		"after: empty":                func(a *workload.ServiceArgs) { a.After = nil },
		"kmsKeyArn: nil":              func(a *workload.ServiceArgs) { a.KmsKeyArn = nil },
		"logKmsKeyArn: nil":           func(a *workload.ServiceArgs) { a.LogKmsKeyArn = nil },
		"logRetentionInDays: 13":      func(a *workload.ServiceArgs) { a.LogRetentionInDays = 13 },
		"keyAlias: ":                  func(a *workload.ServiceArgs) { a.KeyAlias = "app" },
		`variables["log-level"]: not`: func(a *workload.ServiceArgs) { a.Variables = map[string]string{"log-level": "info"} },
		`variables["DB_PASSWORD"]`:    func(a *workload.ServiceArgs) { a.Variables = map[string]string{"DB_PASSWORD": "hunter2"} },
		`parameters["DB_HOST"]: nil`:  func(a *workload.ServiceArgs) { a.Parameters["DB_HOST"] = nil },
		`secrets["LOG_LEVEL"]: also`: func(a *workload.ServiceArgs) {
			a.Secrets = map[string]string{"LOG_LEVEL": scope.ARN("secretsmanager", "secret:x")}
		},
		`secrets["TOKEN"]: not a`: func(a *workload.ServiceArgs) { a.Secrets = map[string]string{"TOKEN": "hunter2"} },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g, err := graphtest.Build(service(change))
			require.ErrorContains(t, err, want)
			require.NotContains(t, err.Error(), "hunter2", "values stay out of errors")
			require.Empty(t, g.ByType("aws:ecs/cluster:Cluster"))
		})
	}
}

func TestNamesOfSecretsAreNoSecrets(t *testing.T) {
	t.Parallel()
	graphtest.Run(t, service(func(a *workload.ServiceArgs) {
		a.Variables = map[string]string{"DB_SECRET_ARN": "arn", "TOKEN_TTL": "15m"}
	}))
}

func TestComponentsServeTheGuide(t *testing.T) {
	t.Parallel()
	for _, c := range workload.Components {
		require.True(t, strings.HasPrefix(c.Token, "redoubt:workload:"))
		require.NotEmpty(t, c.Serves)
		for _, id := range c.Serves {
			_, ok := guide.Lookup(id)
			require.True(t, ok, "%s serves %s, which the guide does not have", c.Token, id)
		}
	}
}
