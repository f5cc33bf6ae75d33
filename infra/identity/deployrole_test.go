package identity_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/internal/graphtest"
)

func deployArgs() *identity.DeployRoleArgs {
	return &identity.DeployRoleArgs{
		Scope: scope, Prefix: "redoubt-prod", Forge: identity.GitHub, Provider: manage,
		Subjects: []string{"repo:redoubt/shop:environment:prod", "repo:redoubt/shop:ref:refs/heads/main"},
		Policies: map[string]identity.Document{"state": {{
			Sid: "ReadState", Effect: identity.Allow, Actions: []string{"s3:GetObject"},
			Resources: []string{scope.GlobalARN("s3", "redoubt-state/*")},
		}}},
		PermissionsBoundary: identity.BoundaryARN(scope, "redoubt-prod"), Protect: true,
	}
}

func deploy(args *identity.DeployRoleArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := identity.NewDeployRole(ctx, "deploy", args)
		return err
	}
}

func TestDeployRoleIsPinnedToSubjects(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, deploy(deployArgs()), graphtest.Preview())
	provider := g.Only("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
	require.Equal(t, "https://token.actions.githubusercontent.com", provider.Input("url"))
	require.Equal(t, []any{"sts.amazonaws.com"}, provider.Input("clientIdLists"))
	require.True(t, provider.Protect)
	role := g.Only("aws:iam/role:Role")
	require.Equal(t, "redoubt-prod-deploy-github", role.Input("name"))
	require.Equal(t, "Pipelines deploy from redoubt/shop", role.Input("description"))
	require.Equal(t, identity.BoundaryARN(scope, "redoubt-prod"), role.Input("permissionsBoundary"))
	trust := document(t, role, "assumeRolePolicy")
	require.Equal(t, []string{"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}, trust[0].Principals.Federated)
	require.Equal(t, []string{"sts:AssumeRoleWithWebIdentity"}, trust[0].Actions)
	require.Equal(t, []identity.Condition{
		{Test: "StringEquals", Key: "token.actions.githubusercontent.com:aud", Values: []string{"sts.amazonaws.com"}},
		{Test: "StringEquals", Key: "token.actions.githubusercontent.com:sub", Values: deployArgs().Subjects},
	}, trust[0].Conditions)
}

func TestDeployRoleAdoptsTheAccountsProvider(t *testing.T) {
	t.Parallel()
	args := deployArgs()
	args.Forge, args.Provider = identity.GitLab, adopt
	args.Subjects = []string{"project_path:redoubt/shop:ref_type:branch:ref:main"}
	g := graphtest.Run(t, deploy(args))
	require.Empty(t, g.ByType("aws:iam/openIdConnectProvider:OpenIdConnectProvider"))
	trust := document(t, g.Only("aws:iam/role:Role"), "assumeRolePolicy")
	require.Equal(t, "gitlab.com:sub", trust[0].Conditions[1].Key)
}

func TestDeployRoleFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*identity.DeployRoleArgs)
		want   string
	}{
		"every repository": {func(a *identity.DeployRoleArgs) { a.Subjects = []string{"repo:redoubt/*"} }, `subjects[0]: "repo:redoubt/*"`},
		"every branch":     {func(a *identity.DeployRoleArgs) { a.Subjects = []string{"repo:redoubt/shop:ref:refs/heads/*"} }, "subjects[0]:"},
		"pull requests":    {func(a *identity.DeployRoleArgs) { a.Subjects = []string{"repo:redoubt/shop:pull_request"} }, "subjects[0]:"},
		"nobody":           {func(a *identity.DeployRoleArgs) { a.Subjects = nil }, "subjects: empty"},
		"other forge":      {func(a *identity.DeployRoleArgs) { a.Forge = "sourceforge" }, "forge:"},
		"no provider":      {func(a *identity.DeployRoleArgs) { a.Provider = off }, "provider: off"},
		"no rights":        {func(a *identity.DeployRoleArgs) { a.Policies = nil }, "policies: empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := deployArgs()
			c.change(args)
			g, err := graphtest.Build(deploy(args))
			require.Empty(t, g.Resources)
			require.ErrorContains(t, err, c.want)
		})
	}
}
