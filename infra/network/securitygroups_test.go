package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	groupType   = "aws:ec2/securityGroup:SecurityGroup"
	ingressType = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egressType  = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
)

func groupArgs(change ...func(*network.SecurityGroupsArgs)) *network.SecurityGroupsArgs {
	args := &network.SecurityGroupsArgs{
		Prefix: "redoubt-dev", VpcID: pulumi.String("vpc-1"), S3PrefixListID: pulumi.String("pl-s3"),
		Tags: ownerTags,
	}
	for _, f := range change {
		f(args)
	}
	return args
}

func groupGraph(t *testing.T, args *network.SecurityGroupsArgs) *graphtest.Graph {
	t.Helper()
	return graphtest.Run(t, func(ctx *pulumi.Context) error {
		_, err := network.NewSecurityGroups(ctx, "sg", args)
		return err
	})
}

// reach lists who may talk to whom as "from -> to port", from the rules of one type.
func reach(g *graphtest.Graph, typ string) []string {
	var out []string
	for _, r := range g.ByType(typ) {
		self := strings.TrimPrefix(g.Refers(r.Input("securityGroupId")).Name, "sg-")
		far := peerOf(g, r)
		if typ == ingressType {
			self, far = far, self
		}
		out = append(out, fmt.Sprintf("%s -> %s %v", self, far, r.Input("fromPort")))
	}
	slices.Sort(out)
	return out
}

func peerOf(g *graphtest.Graph, r *graphtest.Resource) string {
	if group := g.Refers(r.Input("referencedSecurityGroupId")); group != nil {
		return strings.TrimPrefix(group.Name, "sg-")
	}
	for _, field := range []string{"cidrIpv4", "cidrIpv6", "prefixListId"} {
		if s, ok := r.Input(field).(string); ok {
			return s
		}
	}
	return "nobody"
}

func TestSecurityGroupsAreTheGuidesDiagram(t *testing.T) {
	t.Parallel()
	g := groupGraph(t, groupArgs())
	require.Equal(t, []string{
		"0.0.0.0/0 -> alb 443",
		"alb -> ecs 3000",
		"ecs -> aurora 5432",
		"ecs -> endpoint 443",
		"ecs -> opensearch 443",
		"lambda -> endpoint 443",
	}, reach(g, ingressType))
	require.Equal(t, []string{
		"alb -> ecs 3000",
		"ecs -> aurora 5432",
		"ecs -> endpoint 443",
		"ecs -> opensearch 443",
		"ecs -> pl-s3 443",
		"lambda -> endpoint 443",
		"lambda -> pl-s3 443",
	}, reach(g, egressType))
}

func TestSecurityGroupsOpenOnlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		change  func(*network.SecurityGroupsArgs)
		ingress []string
		egress  []string
	}{
		{
			"the internet by NAT", func(a *network.SecurityGroupsArgs) { a.EgressInternet = true },
			nil,
			[]string{"ecs -> 0.0.0.0/0 443", "lambda -> 0.0.0.0/0 443"},
		},
		{
			"a rotation function", func(a *network.SecurityGroupsArgs) { a.LambdaToAurora = true },
			[]string{"lambda -> aurora 5432"},
			[]string{"lambda -> aurora 5432"},
		},
		{
			"a database proxy", func(a *network.SecurityGroupsArgs) { a.DatabaseProxy = true },
			[]string{"db-proxy -> aurora 5432", "ecs -> db-proxy 5432"},
			[]string{"db-proxy -> aurora 5432", "ecs -> db-proxy 5432"},
		},
		{
			"a set-up function", func(a *network.SecurityGroupsArgs) { a.LambdaToOpenSearch = true },
			[]string{"lambda -> opensearch 443"},
			[]string{"lambda -> opensearch 443"},
		},
		{
			"DynamoDB", func(a *network.SecurityGroupsArgs) { a.DynamoDBPrefixListID = pulumi.String("pl-ddb") },
			nil,
			[]string{"ecs -> pl-ddb 443"},
		},
		{
			"the redirect", func(a *network.SecurityGroupsArgs) { a.HTTPRedirect = true },
			[]string{"0.0.0.0/0 -> alb 80"},
			nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			plain, g := groupGraph(t, groupArgs()), groupGraph(t, groupArgs(tc.change))
			require.ElementsMatch(t, append(reach(plain, ingressType), tc.ingress...), reach(g, ingressType))
			require.ElementsMatch(t, append(reach(plain, egressType), tc.egress...), reach(g, egressType))
		})
	}
}

func TestAllowedRangesReplaceTheWorld(t *testing.T) {
	t.Parallel()
	g := groupGraph(t, groupArgs(func(a *network.SecurityGroupsArgs) {
		a.AllowedCIDRs = []string{"203.0.113.0/24", "2001:db8::/32"}
	}))
	require.Equal(t, "203.0.113.0/24", g.One(ingressType, "sg-alb-in-cidr-443-203.0.113.0-24").Input("cidrIpv4"))
	v6 := g.One(ingressType, "sg-alb-in-cidr-443-2001.db8..-32")
	require.Equal(t, "2001:db8::/32", v6.Input("cidrIpv6"))
	require.False(t, v6.Has("cidrIpv4"))
	require.NotContains(t, reach(g, ingressType), "0.0.0.0/0 -> alb 443")
}

func TestSecurityGroupsKeepTheGuidesLiterals(t *testing.T) {
	t.Parallel()
	g := groupGraph(t, groupArgs())
	https := g.One(ingressType, "sg-alb-in-cidr-443-0.0.0.0-0")
	require.Equal(t, "HTTPS inbound", https.Input("description"))
	require.Equal(t, "tcp", https.Input("ipProtocol"))
	require.EqualValues(t, 443, https.Input("fromPort"))
	require.EqualValues(t, 443, https.Input("toPort"))
	app := g.One(ingressType, "sg-ecs-in-alb-3000")
	require.Equal(t, "Traffic from ALB", app.Input("description"))
	require.EqualValues(t, 3000, app.Input("fromPort"))
	require.EqualValues(t, 3000, app.Input("toPort"))
}

func TestSecurityGroupsAreDescribedAndBare(t *testing.T) {
	t.Parallel()
	g := groupGraph(t, groupArgs(func(a *network.SecurityGroupsArgs) {
		a.EgressInternet, a.LambdaToAurora, a.LambdaToOpenSearch, a.HTTPRedirect, a.DatabaseProxy = true, true, true, true, true
	}))
	require.Len(t, g.ByType(groupType), 8)
	for _, group := range g.ByType(groupType) {
		require.False(t, group.Has("ingress") || group.Has("egress"), "%s has inline rules", group.Name)
		require.Equal(t, "redoubt-dev-"+strings.TrimPrefix(group.Name, "sg-"), group.Input("name"))
	}
	for _, typ := range []string{groupType, ingressType, egressType} {
		for _, r := range g.ByType(typ) {
			require.Regexp(t, `^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{8,255}$`, r.Input("description"), r.Name)
		}
	}
	for _, rule := range slices.Concat(g.ByType(ingressType), g.ByType(egressType)) {
		require.NotEqual(t, "sg-isolation", g.Refers(rule.Input("securityGroupId")).Name)
		require.NotEqual(t, "isolation", peerOf(g, rule))
	}
}

func TestSecurityGroupsReportEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args *network.SecurityGroupsArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &network.SecurityGroupsArgs{}, []string{"prefix:", "vpcId:", "s3PrefixListId:"}},
		{"no range", groupArgs(func(a *network.SecurityGroupsArgs) { a.AllowedCIDRs = []string{"example.org"} }), []string{`allowedCidrs[0]: "example.org" is no range`}},
		{"host bits", groupArgs(func(a *network.SecurityGroupsArgs) { a.AllowedCIDRs = []string{"203.0.113.9/24"} }), []string{"use 203.0.113.0/24"}},
		{"twice", groupArgs(func(a *network.SecurityGroupsArgs) { a.AllowedCIDRs = []string{"203.0.113.0/24", "203.0.113.0/24"} }), []string{"allowedCidrs[1]"}},
		{"the world and more", groupArgs(func(a *network.SecurityGroupsArgs) { a.AllowedCIDRs = []string{"0.0.0.0/0", "203.0.113.0/24"} }), []string{"already holds every IPv4 range"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := network.NewSecurityGroups(ctx, "sg", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
