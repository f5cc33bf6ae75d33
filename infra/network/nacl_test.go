package network_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// tierACL is what AWS would answer for one packet: the lowest matching rule, else deny.
type tierACL []*graphtest.Resource

func aclOf(g *graphtest.Graph, tier network.Tier, egress bool) tierACL {
	var rules tierACL
	for _, r := range g.ByType(aclRuleType) {
		if g.Refers(r.Input("networkAclId")).Name == "net-"+string(tier) && r.Input("egress") == egress {
			rules = append(rules, r)
		}
	}
	return rules
}

func (acl tierACL) allows(addr string, port float64) bool {
	for _, r := range acl {
		from, _ := r.Input("fromPort").(float64)
		to, _ := r.Input("toPort").(float64)
		block, _ := r.Input("cidrBlock").(string)
		if r.Input("protocol") == "tcp" && r.Input("ruleAction") == "allow" && from <= port && port <= to &&
			netip.MustParsePrefix(block).Contains(netip.MustParseAddr(addr)) {
			return true
		}
	}
	return false
}

// Addresses in the first zone of each tier of 10.20.0.0/16, and one outside.
var hosts = map[network.Tier]string{
	network.Public: "10.20.192.10", network.App: "10.20.0.10", network.Data: "10.20.208.10", network.Endpoint: "10.20.224.10",
	"internet": "198.51.100.9",
}

// connects says whether a TCP connection from one tier to another's port works:
// the request and the answer each pass the ACLs of both ends.
func connects(g *graphtest.Graph, from, to network.Tier, port float64) bool {
	const client = 40000
	way := func(a, b network.Tier, port float64) bool {
		return (a == "internet" || aclOf(g, a, true).allows(hosts[b], port)) &&
			(b == "internet" || aclOf(g, b, false).allows(hosts[a], port))
	}
	return way(from, to, port) && way(to, from, client)
}

func TestNetworkACLsLetNeighboursTalk(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs())
	for _, tc := range []struct {
		from, to network.Tier
		port     float64
		want     bool
	}{
		{"internet", network.Public, 443, true},
		{"internet", network.Public, 80, false},
		{network.Public, network.App, 3000, true},
		{network.Public, "internet", 443, true}, // NAT
		{network.App, "internet", 443, true},    // by NAT, and S3
		{network.App, network.Data, 5432, true},
		{network.App, network.Data, 443, true}, // OpenSearch
		{network.App, network.Endpoint, 443, true},
		{network.Data, network.Data, 5432, true}, // proxy to cluster

		{"internet", network.Data, 5432, false},
		{"internet", network.Data, 443, false},
		{"internet", network.App, 443, false},
		{"internet", network.Endpoint, 443, false},
		{network.Public, network.Data, 5432, false},
		{network.Public, network.Endpoint, 443, false},
		{network.Endpoint, network.Data, 5432, false},
		{network.Data, "internet", 443, false},
		{network.Data, network.Endpoint, 443, false},
		{network.App, network.Data, 22, false},
		{network.App, network.Endpoint, 80, false},
	} {
		require.Equal(t, tc.want, connects(g, tc.from, tc.to, tc.port), "%s to %s:%v", tc.from, tc.to, tc.port)
	}
}

// The answers' ports hold RDP's: nobody may knock there.
func TestNetworkACLsKeepAdministrationPortsShut(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs())
	for _, tier := range network.Tiers {
		for _, port := range []float64{22, 3389} {
			require.False(t, aclOf(g, tier, false).allows(hosts["internet"], port), "internet to %s:%v", tier, port)
		}
	}
}

// Each end must refuse by itself: a connection that the far end's ACL stops
// says nothing about this one.
func TestInnerTiersNameOnlyTheirNeighbours(t *testing.T) {
	t.Parallel()
	args := vpcArgs()
	g := vpcGraph(t, args)
	plan, err := network.NewPlan(args.CIDR, args.AvailabilityZones)
	require.NoError(t, err)
	for tier, neighbours := range map[network.Tier][]network.Tier{
		network.Data:     {network.App, network.Data},
		network.Endpoint: {network.App},
	} {
		var allowed []string
		for _, neighbour := range neighbours {
			for _, s := range plan.In(neighbour) {
				allowed = append(allowed, s.CIDR.String())
			}
		}
		for _, egress := range []bool{false, true} {
			rules := aclOf(g, tier, egress)
			require.NotEmpty(t, rules)
			for _, r := range rules {
				require.Contains(t, allowed, r.Input("cidrBlock"), r.Name)
			}
		}
	}
}

func TestNetworkACLsOpenWhatTheArgumentsAsk(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs(func(a *network.VpcArgs) {
		a.HTTPRedirect, a.Ports = true, network.Ports{App: 8080, Database: 3306}
	}))
	require.True(t, connects(g, "internet", network.Public, 80))
	require.True(t, connects(g, network.Public, network.App, 8080))
	require.True(t, connects(g, network.App, network.Data, 3306))
	require.False(t, connects(g, network.App, network.Data, 5432))
}

func TestNetworkACLsLeaveRoomForIncidentResponse(t *testing.T) {
	t.Parallel()
	g := vpcGraph(t, vpcArgs(func(a *network.VpcArgs) {
		a.AvailabilityZones = []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f"}
		a.HTTPRedirect = true
	}))
	numbers := map[string][]float64{}
	for _, r := range g.ByType(aclRuleType) {
		number, _ := r.Input("ruleNumber").(float64)
		require.Greater(t, number, float64(50), "%s: 1 to 50 are incident response's", r.Name)
		list := g.Refers(r.Input("networkAclId")).Name + map[bool]string{true: " out", false: " in"}[r.Input("egress") == true]
		require.False(t, slices.Contains(numbers[list], number), "%s: number taken", r.Name)
		numbers[list] = append(numbers[list], number)
	}
	for list, n := range numbers {
		require.LessOrEqual(t, len(n), 20, "%s: AWS's default quota of rules", list)
	}
	for _, acl := range g.ByType(aclType) {
		require.False(t, acl.Has("ingress") || acl.Has("egress"), "inline rules would undo incident response's")
		ids, _ := acl.Input("subnetIds").([]any)
		require.Len(t, ids, 6)
		for _, id := range ids {
			require.True(t, strings.HasPrefix(g.Refers(id).Name, acl.Name+"-"))
		}
	}
}
