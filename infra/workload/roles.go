package workload

import (
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
)

// buildRoles makes two roles: what ECS needs to start a task, and what the
// application may do. The application never holds the first.
func (c *Service) buildRoles(ctx *pulumi.Context, name string, args *ServiceArgs) error {
	trust := identity.ServiceTrust("ecs-tasks.amazonaws.com", args.Scope, args.Scope.ARN("ecs", "*"))
	var err error
	c.ExecutionRole, err = identity.NewRole(ctx, name+"-execution", &identity.RoleArgs{
		RoleName:            ExecutionRoleName(args.Prefix, args.ServiceName),
		Description:         "ECS starts tasks of " + args.Prefix + "-" + args.ServiceName,
		Trust:               trust,
		Policies:            map[string]identity.Document{"start-tasks": args.executionPolicy()},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	policies := maps.Clone(args.TaskPolicies)
	if args.ExecuteCommand {
		if policies == nil {
			policies = map[string]identity.Document{}
		}
		policies["execute-command"] = args.execPolicy()
	}
	c.TaskRole, err = identity.NewRole(ctx, name+"-task", &identity.RoleArgs{
		RoleName:            TaskRoleName(args.Prefix, args.ServiceName),
		Description:         "The application in tasks of " + args.Prefix + "-" + args.ServiceName,
		Trust:               trust,
		Policies:            policies,
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, pulumi.Parent(c))
	return err
}

// executionPolicy is to pull this image, write this log and read these values.
func (args *ServiceArgs) executionPolicy() identity.Document {
	doc := identity.Document{
		{
			Sid: "LogInToRegistry", Effect: identity.Allow,
			Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []string{"*"},
		},
		{
			Sid: "PullImage", Effect: identity.Allow,
			Actions:   []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
			Resources: args.repositoryARNs(),
		},
		{
			Sid: "WriteLog", Effect: identity.Allow,
			Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resources: []string{args.Scope.ARN("logs", "log-group:"+LogGroupName(args.Environment, args.ServiceName)+":*")},
		},
	}
	if len(args.Parameters) > 0 {
		var arns []string
		for _, v := range slices.Sorted(maps.Keys(args.Parameters)) {
			arns = append(arns, args.parameterARN(v))
		}
		doc = append(doc, identity.Statement{
			Sid: "ReadParameters", Effect: identity.Allow,
			Actions: []string{"ssm:GetParameters"}, Resources: arns,
		})
	}
	if len(args.Secrets) > 0 {
		doc = append(doc, identity.Statement{
			Sid: "ReadSecrets", Effect: identity.Allow,
			Actions: []string{"secretsmanager:GetSecretValue"}, Resources: args.secretARNs(),
		})
	}
	if len(args.Parameters)+len(args.Secrets) > 0 {
		doc = append(doc, args.useKey("DecryptValues", "secretsmanager", "ssm"))
	}
	if len(args.Secrets) > 0 && len(args.SecretKeyAliases) > 0 {
		other := args.useKey("DecryptSecrets", "secretsmanager")
		other.Conditions[0].Values = args.SecretKeyAliases
		doc = append(doc, other)
	}
	return doc
}

// useKey allows decryption with the application's key. The key is named by its
// alias, because its id is not known at preview: the resource is every key, the
// condition makes it one.
func (args *ServiceArgs) useKey(sid string, services ...string) identity.Statement {
	s := identity.Statement{
		Sid: sid, Effect: identity.Allow, Actions: []string{"kms:Decrypt"},
		Resources: []string{args.Scope.ARN("kms", "key/*")},
		Conditions: []identity.Condition{
			{Test: "ForAnyValue:StringEquals", Key: "kms:ResourceAliases", Values: []string{args.KeyAlias}},
		},
	}
	var via []string
	for _, service := range services {
		via = append(via, args.Scope.RegionalService(service))
	}
	if len(via) > 0 {
		s.Conditions = append(s.Conditions, identity.Condition{Test: "StringEquals", Key: "kms:ViaService", Values: via})
	}
	return s
}

// execPolicy is what the agent of ECS Exec needs, in the task's own role: the
// channel, the session's key (used by the agent itself, through no service)
// and the session's log.
func (args *ServiceArgs) execPolicy() identity.Document {
	group := args.Scope.ARN("logs", "log-group:"+args.execLogGroup())
	return identity.Document{
		{
			Sid: "OpenChannel", Effect: identity.Allow,
			Actions: []string{
				"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
				"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
			},
			Resources: []string{"*"},
		},
		args.useKey("EncryptSession"),
		{
			Sid: "FindLog", Effect: identity.Allow,
			Actions: []string{"logs:DescribeLogGroups"}, Resources: []string{"*"},
		},
		{
			Sid: "LogSession", Effect: identity.Allow,
			Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resources: []string{group, group + ":*"},
		},
	}
}

// repositoryARNs are the service's repository and, if the image comes from
// another one of the account, that one.
func (args *ServiceArgs) repositoryARNs() []string {
	arns := []string{args.Scope.ARN("ecr", "repository/"+args.repositoryName())}
	host, path, _ := strings.Cut(args.Image, "/")
	account, rest, _ := strings.Cut(host, ".dkr.ecr.")
	region, _, _ := strings.Cut(rest, ".")
	if path == "" || region == "" {
		return arns
	}
	path, _, _ = strings.Cut(path, "@")
	path, _, _ = strings.Cut(path, ":")
	other := identity.Scope{Partition: args.Scope.Partition, Region: region, AccountID: account}.ARN("ecr", "repository/"+path)
	if other != arns[0] {
		arns = append(arns, other)
	}
	return arns
}

// secretARNs are the secrets with and without the six random characters that
// Secrets Manager puts behind a name; no rule tells which of the two an ARN is.
// A value may also name a key in the secret, ":<json key>::", which IAM does
// not know.
func (args *ServiceArgs) secretARNs() []string {
	var arns []string
	for _, name := range slices.Sorted(maps.Keys(args.Secrets)) {
		parts := strings.SplitN(args.Secrets[name], ":", 8)
		arn := strings.Join(parts[:min(len(parts), 7)], ":")
		arns = append(arns, arn, arn+"-??????")
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
