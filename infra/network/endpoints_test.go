package network_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/identity"
	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

func endpointArgs(set network.EndpointSet) *network.EndpointsArgs {
	return &network.EndpointsArgs{
		Prefix: "redoubt-dev", Scope: scope, Set: set, VpcID: pulumi.String("vpc-1"),
		SubnetIDs:       pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
		SecurityGroupID: pulumi.String("sg-endpoint"), Tags: ownerTags,
	}
}

func endpointGraph(t *testing.T, set network.EndpointSet) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := network.NewEndpoints(ctx, "ep", endpointArgs(set))
		return err
	})
}

func TestEndpointSets(t *testing.T) {
	t.Parallel()
	core := []string{"ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"}
	require.Empty(t, network.InterfaceEndpoints(network.EndpointsNone))
	require.Equal(t, core, network.InterfaceEndpoints(network.EndpointsCore))
	require.Subset(t, network.InterfaceEndpoints(network.EndpointsAll), core)
	require.Subset(t, network.InterfaceEndpoints(network.EndpointsAll), []string{
		"monitoring", "ssm", "ssmmessages", "xray", "sns", "sqs", "events", "states", "lambda", "kinesis-firehose", "guardduty-data",
	})
	for _, set := range []network.EndpointSet{network.EndpointsNone, network.EndpointsCore, network.EndpointsAll} {
		require.Len(t, endpointGraph(t, set).ByType(endpointType), len(network.InterfaceEndpoints(set)))
	}
}

func TestInterfaceEndpointsKeepTrafficInside(t *testing.T) {
	t.Parallel()
	g := endpointGraph(t, network.EndpointsAll)
	for _, e := range g.ByType(endpointType) {
		require.Equal(t, "Interface", e.Input("vpcEndpointType"))
		require.Equal(t, true, e.Input("privateDnsEnabled"))
		require.Equal(t, []any{"sg-endpoint"}, e.Input("securityGroupIds"))
		require.Equal(t, []any{"subnet-1", "subnet-2"}, e.Input("subnetIds"))
		require.Contains(t, e.Input("policy"), `"aws:PrincipalAccount":"123456789012"`)
	}
	require.Equal(t, "com.amazonaws.eu-central-1.ecr.api", g.One(endpointType, "ep-ecr.api").Input("serviceName"))
	require.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Sid":"OwnPrincipalsAndResources","Effect":"Allow","Principal":"*",
		"Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{
			"aws:PrincipalAccount":"123456789012","aws:ResourceAccount":"123456789012"}}}]}`,
		g.One(endpointType, "ep-secretsmanager").Input("policy").(string))
	require.NotContains(t, g.One(endpointType, "ep-ecr.dkr").Input("policy"), "aws:ResourceAccount", "AWS's own images are pulled too")
}

func TestEndpointsReportEveryFinding(t *testing.T) {
	t.Parallel()
	china := endpointArgs(network.EndpointsCore)
	china.Scope = identity.Scope{Partition: "aws-cn", Region: "cn-north-1", AccountID: graphtest.AccountID}
	for _, tc := range []struct {
		name string
		args *network.EndpointsArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &network.EndpointsArgs{}, []string{"prefix:", "scope.accountId:", "set:", "vpcId:", "subnetIds:", "securityGroupId:"}},
		{"a set that is none", endpointArgs("some"), []string{`set: "some" is no set`}},
		{"China", china, []string{"set: interface endpoints in China"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := network.NewEndpoints(ctx, "ep", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
