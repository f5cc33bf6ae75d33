package network_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

func serviceGroupArgs(changes ...func(*network.ServiceGroupsArgs)) *network.ServiceGroupsArgs {
	args := &network.ServiceGroupsArgs{
		Prefix: "shop-orders", VpcID: pulumi.String("vpc-1"), Port: 8080, S3PrefixListID: pulumi.String("pl-s3"),
		EndpointGroupID: pulumi.String("sg-endpoint"), Tags: ownerTags,
	}
	for _, change := range changes {
		change(args)
	}
	return args
}

// serviceReach is who reaches whom, by the names of the rules.
func serviceReach(t *testing.T, args *network.ServiceGroupsArgs) (rules []string, g *graphtest.Graph) {
	t.Helper()
	g = graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := network.NewServiceGroups(ctx, "orders", args)
		return err
	})
	for _, typ := range []string{ingressType, egressType} {
		for _, r := range g.ByType(typ) {
			rules = append(rules, r.Name)
		}
	}
	return rules, g
}

func TestServiceGroupsOpenOnlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	rules, g := serviceReach(t, serviceGroupArgs())
	require.Equal(t, []string{
		"orders-alb-in-0.0.0.0-0", "orders-endpoints-in-tasks", "orders-tasks-in-alb",
		"orders-alb-out-tasks", "orders-tasks-out-endpoints", "orders-tasks-out-s3",
	}, rules)
	in := g.One(ingressType, "orders-tasks-in-alb")
	require.Equal(t, float64(8080), in.Input("fromPort"))
	require.Equal(t, "orders-alb", g.Refers(in.Input("referencedSecurityGroupId")).Name)
	let := g.One(ingressType, "orders-endpoints-in-tasks")
	require.Equal(t, "sg-endpoint", let.Input("securityGroupId"), "a rule of another stack's group")
	require.Equal(t, "orders-tasks", g.Refers(let.Input("referencedSecurityGroupId")).Name)

	rules, g = serviceReach(t, serviceGroupArgs(func(a *network.ServiceGroupsArgs) {
		a.AllowedCIDRs, a.EgressInternet, a.EndpointGroupID = []string{"203.0.113.0/24", "2001:db8::/32"}, true, nil
		a.DatabaseGroupID = pulumi.String("sg-aurora")
	}))
	require.Equal(t, []string{
		"orders-alb-in-2001.db8..-32", "orders-alb-in-203.0.113.0-24", "orders-database-in-tasks", "orders-tasks-in-alb",
		"orders-alb-out-tasks", "orders-tasks-out-database", "orders-tasks-out-internet", "orders-tasks-out-s3",
	}, rules)
	require.Equal(t, float64(5432), g.One(ingressType, "orders-database-in-tasks").Input("fromPort"))
	require.Equal(t, "2001:db8::/32", g.One(ingressType, "orders-alb-in-2001.db8..-32").Input("cidrIpv6"))
}

func TestServiceGroupsReportEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args   *network.ServiceGroupsArgs
		fields []string
	}{
		{nil, []string{"args"}},
		{&network.ServiceGroupsArgs{Prefix: "A", AllowedCIDRs: []string{"x"}, DatabasePort: -1}, []string{"prefix", "vpcId", "s3PrefixListId", "port", "databasePort", "endpointGroupId", "allowedCidrs[0]"}},
	} {
		_, err := graphtest.Build(func(ctx *pulumi.Context) error {
			_, err := network.NewServiceGroups(ctx, "orders", tc.args)
			return err
		})
		for _, field := range tc.fields {
			require.ErrorContains(t, err, field+": ")
		}
	}
}
