package workload_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/singleton"
	"redoubt/infra/workload"
	"redoubt/internal/graphtest"
)

func TestApiAccountIsASingleton(t *testing.T) {
	t.Parallel()
	account := func(args *workload.ApiAccountArgs) (*graphtest.Graph, error) {
		return graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := workload.NewApiAccount(ctx, "account", args)
			return err
		})
	}
	g, err := account(&workload.ApiAccountArgs{Scope: scope, Account: singleton.Singleton{Mode: singleton.Manage}, RoleName: "redoubt-api-logs", Protect: true})
	require.NoError(t, err)
	setting := g.Only("aws:apigateway/account:Account")
	require.True(t, setting.Protect)
	require.Same(t, g.Only("aws:iam/role:Role"), g.Refers(setting.Input("cloudwatchRoleArn")))
	require.Len(t, g.ByType("aws:iam/rolePolicyAttachment:RolePolicyAttachment"), 1)

	g, err = account(&workload.ApiAccountArgs{Scope: scope, Account: singleton.Singleton{Mode: singleton.Adopt}})
	require.NoError(t, err)
	require.Empty(t, g.ByType("aws:apigateway/account:Account"))

	_, err = account(&workload.ApiAccountArgs{Scope: scope, Account: singleton.Singleton{Mode: singleton.Off}})
	require.ErrorContains(t, err, "APIs could not log")
	_, err = account(&workload.ApiAccountArgs{Account: singleton.Singleton{Mode: singleton.Manage}})
	require.ErrorContains(t, err, "scope: ")
	require.ErrorContains(t, err, "roleName: empty")
	_, err = account(&workload.ApiAccountArgs{Scope: scope})
	require.ErrorContains(t, err, `mode "" is not a choice`)
}
