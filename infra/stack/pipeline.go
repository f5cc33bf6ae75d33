package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/identity"
	"redoubt/infra/workload"
)

// deployTokens makes the keys with which the application signs tokens of its
// own.
func (s *Stack) deployTokens(ctx *pulumi.Context) (err error) {
	c, t := s.config, s.config.Identity.TokenSigner
	if t == nil {
		return nil
	}
	s.tokens, err = identity.NewTokenSigner(ctx, c.Prefix()+"-tokens", &identity.TokenSignerArgs{
		Scope: s.place.scope, Prefix: c.Prefix(), Epochs: t.Epochs, Signing: t.Signing,
		DeletionWindowInDays: c.Keys.DeletionWindowDays, Tags: c.Tags,
	}, s.place.here())
	return err
}

// deployPipeline makes the role with which the application's pipeline brings
// out a new image.
func (s *Stack) deployPipeline(ctx *pulumi.Context) (err error) {
	c, d := s.config, s.config.Identity.DeployRole
	if d == nil {
		return nil
	}
	s.pipeline, err = identity.NewDeployRole(ctx, c.Prefix()+"-deploy", &identity.DeployRoleArgs{
		Scope: s.place.scope, Prefix: c.Prefix(), Forge: identity.Forge(d.Forge), Provider: d.Provider, Subjects: d.Subjects,
		Policies: map[string]identity.Document{"deploy": s.pipelinePolicy()}, Protect: c.Keys.Protect, Tags: c.Tags,
	}, s.place.here())
	return err
}

// pipelinePolicy is what the pipeline may do: push images, register a task
// definition with them and roll the service out with it.
func (s *Stack) pipelinePolicy() identity.Document {
	c, scope := s.config, s.place.scope
	return identity.Document{
		{Sid: "LogInToRegistry", Effect: identity.Allow, Actions: []string{"ecr:GetAuthorizationToken"}, Resources: []string{"*"}},
		{
			Sid: "PushImages", Effect: identity.Allow,
			Actions: []string{
				"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
				"ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
			},
			Resources: []string{scope.ARN("ecr", "repository/"+workload.RepositoryName(c.Prefix(), serviceName))},
		},
		{Sid: "ReadTaskDefinition", Effect: identity.Allow, Actions: []string{"ecs:DescribeTaskDefinition"}, Resources: []string{"*"}},
		{
			Sid: "RegisterTaskDefinition", Effect: identity.Allow, Actions: []string{"ecs:RegisterTaskDefinition"},
			Resources: []string{scope.ARN("ecs", "task-definition/"+workload.TaskFamily(c.Prefix(), serviceName)+":*")},
		},
		{
			Sid: "RollOut", Effect: identity.Allow, Actions: []string{"ecs:DescribeServices", "ecs:UpdateService"},
			Resources: []string{scope.ARN("ecs", "service/"+s.service.ClusterName+"/"+s.service.ServiceName)},
		},
		{
			Sid: "PassTaskRoles", Effect: identity.Allow, Actions: []string{"iam:PassRole"},
			Resources: []string{
				scope.RoleARN(workload.ExecutionRoleName(c.Prefix(), serviceName)), scope.RoleARN(workload.TaskRoleName(c.Prefix(), serviceName)),
			},
			Conditions: []identity.Condition{{Test: "StringEquals", Key: "iam:PassedToService", Values: []string{"ecs-tasks.amazonaws.com"}}},
		},
	}
}
