package network_test

import (
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const prefixListType = "aws:ec2/managedPrefixList:ManagedPrefixList"

func listArgs(change ...func(*network.PrefixListArgs)) *network.PrefixListArgs {
	args := &network.PrefixListArgs{
		Prefix: "redoubt-dev", Name: "office", Tags: ownerTags,
		Entries: []network.PrefixListEntry{{CIDR: "203.0.113.0/24", Description: "Berlin office"}, {CIDR: "198.51.100.0/28", Description: "VPN gateway"}},
	}
	for _, f := range change {
		f(args)
	}
	return args
}

func TestPrefixListNamesRanges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*network.PrefixListArgs)
		family string
		size   int
	}{
		{"as many as there are", func(*network.PrefixListArgs) {}, "IPv4", 2},
		{"room for more", func(a *network.PrefixListArgs) { a.MaxEntries = 10 }, "IPv4", 10},
		{"IPv6", func(a *network.PrefixListArgs) {
			a.Entries = []network.PrefixListEntry{{CIDR: "2001:db8::/32", Description: "Berlin office"}}
		}, "IPv6", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var allowed network.AllowedList
			g := graphtest.Run(t, func(ctx *pulumi.Context) error {
				l, err := network.NewPrefixList(ctx, "office", listArgs(tc.change))
				if err == nil {
					allowed = l.Allowed
				}
				return err
			})
			list := g.Only(prefixListType)
			require.Equal(t, "redoubt-dev-office", list.Input("name"))
			require.Equal(t, tc.family, list.Input("addressFamily"))
			require.EqualValues(t, tc.size, list.Input("maxEntries"))
			require.Equal(t, tc.size, allowed.Weight)
			require.Equal(t, "Berlin office", list.Input("entries[0].description"))
		})
	}
}

func TestAllowedListsReplaceTheWorld(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		office, err := network.NewPrefixList(ctx, "office", listArgs())
		if err != nil {
			return err
		}
		cloudFront, err := network.LookupAWSList(ctx, "cloudfront", network.CloudFrontOrigins)
		if err != nil {
			return err
		}
		_, err = network.NewSecurityGroups(ctx, "sg", groupArgs(func(a *network.SecurityGroupsArgs) {
			a.AllowedPrefixLists = []network.AllowedList{office.Allowed, cloudFront}
		}))
		return err
	})
	rule := g.One(ingressType, "sg-alb-in-list-443-office")
	require.Same(t, g.Only(prefixListType), g.Refers(rule.Input("prefixListId")))
	require.Equal(t, "HTTPS inbound", rule.Input("description"))
	require.Regexp(t, "^pl-", g.One(ingressType, "sg-alb-in-list-443-cloudfront").Input("prefixListId"))
	for _, r := range g.ByType(ingressType) {
		require.False(t, r.Has("cidrIpv4"), r.Name)
	}
}

func TestListsAndRangesTogether(t *testing.T) {
	t.Parallel()
	g := groupGraph(t, groupArgs(func(a *network.SecurityGroupsArgs) {
		a.AllowedCIDRs = []string{"203.0.113.0/24"}
		a.AllowedPrefixLists = []network.AllowedList{{Name: "partner", ID: pulumi.String("pl-1"), Weight: 5}}
	}))
	require.Subset(t, reach(g, ingressType), []string{"203.0.113.0/24 -> alb 443", "pl-1 -> alb 443"})
}

func TestOnlyKnownAWSListsHaveAWeight(t *testing.T) {
	t.Parallel()
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.LookupAWSList(ctx, "s3", "com.amazonaws.eu-central-1.s3")
		return err
	})
	require.ErrorContains(t, err, "its weight is not known")
}

func TestAllowedListsReportEveryFinding(t *testing.T) {
	t.Parallel()
	list := func(name string, weight int) network.AllowedList {
		return network.AllowedList{Name: name, ID: pulumi.String("pl-1"), Weight: weight}
	}
	for _, tc := range []struct {
		name   string
		change func(*network.SecurityGroupsArgs)
		want   []string
	}{
		{
			"nothing", func(a *network.SecurityGroupsArgs) { a.AllowedPrefixLists = make([]network.AllowedList, 1) },
			[]string{"allowedPrefixLists[0].name:", "allowedPrefixLists[0].id: missing", "allowedPrefixLists[0].weight: 0"},
		},
		{"twice", func(a *network.SecurityGroupsArgs) {
			a.AllowedPrefixLists = []network.AllowedList{list("office", 1), list("office", 1)}
		}, []string{"allowedPrefixLists[1].name: office is named twice"}},
		{"the world too", func(a *network.SecurityGroupsArgs) {
			a.AllowedCIDRs, a.AllowedPrefixLists = []string{"0.0.0.0/0"}, []network.AllowedList{list("office", 1)}
		}, []string{"already holds every IPv4 range"}},
		{"over the quota by the second port", func(a *network.SecurityGroupsArgs) {
			a.AllowedPrefixLists, a.HTTPRedirect = []network.AllowedList{list("cloudfront", 55)}, true
		}, []string{"would count 110 inbound rules of 60"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := network.NewSecurityGroups(ctx, "sg", groupArgs(tc.change))
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestPrefixListReportsEveryFinding(t *testing.T) {
	t.Parallel()
	entry := func(cidrs ...string) func(*network.PrefixListArgs) {
		return func(a *network.PrefixListArgs) {
			a.Entries = nil
			for i, cidr := range cidrs {
				a.Entries = append(a.Entries, network.PrefixListEntry{CIDR: cidr, Description: fmt.Sprint("Office number ", i)})
			}
		}
	}
	for _, tc := range []struct {
		name string
		args *network.PrefixListArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &network.PrefixListArgs{}, []string{"prefix:", "name:", "entries: missing"}},
		{"no range", listArgs(entry("office")), []string{`entries[0].cidr: "office" is no range`}},
		{"host bits", listArgs(entry("203.0.113.9/24")), []string{"use 203.0.113.0/24"}},
		{"twice", listArgs(entry("203.0.113.0/24", "203.0.113.0/24")), []string{"entries[1].cidr: 203.0.113.0/24 is named twice"}},
		{"the world", listArgs(entry("0.0.0.0/0")), []string{"is the whole internet"}},
		{"two families", listArgs(entry("203.0.113.0/24", "2001:db8::/32")), []string{"is IPv6 in a list of IPv4"}},
		{"no description", listArgs(func(a *network.PrefixListArgs) { a.Entries[0].Description = "" }), []string{"entries[0].description:"}},
		{"too small", listArgs(func(a *network.PrefixListArgs) { a.MaxEntries = 1 }), []string{"maxEntries: 1 does not hold 2 entries"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(func(ctx *pulumi.Context) error {
				_, err := network.NewPrefixList(ctx, "office", tc.args)
				return err
			})
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
