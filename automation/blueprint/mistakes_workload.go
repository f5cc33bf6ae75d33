package blueprint

var workloadMistakes = []Mistake{
	{
		Name: "function-unsigned", Family: "Lambda", Deed: "a function runs code that nobody signed",
		Rule:   "lambda-code-signing-attached",
		Change: Change{On: Target{"lambda/function", "split-logs-function"}, Set: map[string]any{"codeSigningConfigArn": Gone}},
	},
	{
		Name: "function-outside", Family: "Lambda", Deed: "a function runs outside the VPC",
		Rule:   "lambda-in-vpc",
		Change: Change{On: Target{"lambda/function", "search-setup-function"}, Set: map[string]any{"vpcConfig": Gone}},
	},
	{
		Name: "function-untraced", Family: "Lambda", Deed: "a function is not traced",
		Rule:   "lambda-xray-active",
		Change: Change{On: Target{"lambda/function", "db-user-rotate-function"}, Set: map[string]any{"tracingConfig.mode": "PassThrough"}},
	},
	{
		Name: "function-for-everybody", Family: "Lambda", Deed: "everybody may call a function",
		Rule: "lambda-permission-not-public",
		Change: Change{
			On:  Target{"lambda/permission", "everybody"},
			Add: map[string]any{"action": "lambda:InvokeFunction", "function": "anything", "principal": "*"},
		},
	},
	{
		Name: "function-address", Family: "Lambda", Deed: "a function has an address that anybody may call",
		Rule:   "lambda-url-iam-auth",
		Change: Change{On: Target{"lambda/functionUrl", "open"}, Add: map[string]any{"functionName": "anything", "authorizationType": "NONE"}},
	},
	{
		Name: "service-public", Family: "ECS", Deed: "the tasks have public addresses",
		Rule:   "ecs-no-public-ip",
		Change: Change{On: Target{"ecs/service", "app-service"}, Set: map[string]any{"networkConfiguration.assignPublicIp": true}},
	},
	{
		Name: "service-of-an-old-platform", Family: "ECS", Deed: "the tasks run on an old platform",
		Rule:   "ecs-fargate-latest-platform",
		Change: Change{On: Target{"ecs/service", "app-service"}, Set: map[string]any{"platformVersion": "1.3.0"}},
	},
	{
		Name: "cluster-unseen", Family: "ECS", Deed: "the cluster has no insights",
		Rule:   "ecs-container-insights",
		Change: Change{On: Target{"ecs/cluster", "app-cluster"}, Set: map[string]any{"settings[name=containerInsights].value": "disabled"}},
	},
	{
		Name: "privileged-container", Family: "ECS", Deed: "a container has the rights of its host",
		Rule: "ecs-no-privileged-containers",
		Change: Change{
			On: Target{"ecs/taskDefinition", "privileged"},
			Add: map[string]any{
				"family": "privileged", "networkMode": "awsvpc", "requiresCompatibilities": []any{"FARGATE"}, "cpu": "256", "memory": "512",
				"executionRoleArn": "arn:aws:iam::123456789012:role/execution", "taskRoleArn": "arn:aws:iam::123456789012:role/task",
				"containerDefinitions": `[{"name":"app","image":"123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",` +
					`"user":"1000","privileged":true,"readonlyRootFilesystem":true,"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/app","awslogs-region":"eu-central-1","awslogs-stream-prefix":"app"}}}]`,
			},
		},
	},
	{
		Name: "images-unscanned", Family: "ECR", Deed: "images are not scanned when they are pushed",
		Rule:   "ecr-scan-immutable-cmk",
		Change: Change{On: Target{"ecr/repository", "app-images"}, Set: map[string]any{"imageScanningConfiguration.scanOnPush": false}},
	},
}
