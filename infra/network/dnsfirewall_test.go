package network_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

const (
	dnsRuleType       = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
	dnsListType       = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
	dnsAssocType      = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
	dnsConfigType     = "aws:route53/resolverFirewallConfig:ResolverFirewallConfig"
	queryLogType      = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
	queryLogAssocType = "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"
	listLookup        = "aws:route53/getResolverFirewallDomainList:getResolverFirewallDomainList"
)

func dnsArgs(change ...func(*network.DnsFirewallArgs)) *network.DnsFirewallArgs {
	args := &network.DnsFirewallArgs{
		Prefix: "redoubt-dev", Scope: scope, VpcID: pulumi.String("vpc-1"), Mode: network.DNSBlock,
		LogKeyArn: logsKey, LogRetentionInDays: 30, Tags: ownerTags,
	}
	for _, f := range change {
		f(args)
	}
	return args
}

func dnsProgram(args *network.DnsFirewallArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := network.NewDnsFirewall(ctx, "dns", args)
		return err
	}
}

// dnsTable lists the rules as "priority action list", by priority.
func dnsTable(g *graphtest.Graph) map[float64]string {
	out := map[float64]string{}
	for _, r := range g.ByType(dnsRuleType) {
		priority, _ := r.Input("priority").(float64)
		out[priority] = fmt.Sprint(r.Input("action"), " ", r.Input("name"))
	}
	return out
}

func TestDnsFirewallRules(t *testing.T) {
	t.Parallel()
	walled := func(a *network.DnsFirewallArgs) {
		a.BlockedDomains, a.AllowedDomains, a.OnlyAllowed = []string{"evil.example"}, []string{"example.org"}, true
	}
	for _, tc := range []struct {
		name   string
		change func(*network.DnsFirewallArgs)
		want   map[float64]string
	}{
		{"nothing yet", func(*network.DnsFirewallArgs) {}, map[float64]string{100: "BLOCK incident"}},
		{
			"a list", func(a *network.DnsFirewallArgs) { a.BlockedDomains = []string{"evil.example"} },
			map[float64]string{100: "BLOCK incident", 200: "BLOCK blocked"},
		},
		{
			"only what is allowed", walled,
			map[float64]string{100: "BLOCK incident", 200: "BLOCK blocked", 300: "ALLOW allowed", 900: "BLOCK others"},
		},
		{
			"while it is learnt", func(a *network.DnsFirewallArgs) { walled(a); a.Mode = network.DNSAlert },
			map[float64]string{100: "BLOCK incident", 200: "BLOCK blocked", 300: "ALLOW allowed", 900: "ALERT others"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, dnsTable(graphtest.Run(t, dnsProgram(dnsArgs(tc.change)))))
		})
	}
}

func TestDnsFirewallListsHoldSubdomains(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, dnsProgram(dnsArgs(func(a *network.DnsFirewallArgs) {
		a.BlockedDomains, a.AllowedDomains, a.OnlyAllowed = []string{"evil.example"}, []string{"example.org"}, true
	})))
	require.Equal(t, []any{"*.evil.example.", "evil.example."}, g.One(dnsListType, "dns-blocked").Input("domains"))
	require.Equal(t, []any{"*."}, g.One(dnsListType, "dns-others").Input("domains"))
	allowed := g.One(dnsListType, "dns-allowed")
	for _, name := range []string{"example.org.", "*.example.org.", "*.amazonaws.com.", "*.compute.internal."} {
		require.Contains(t, allowed.Input("domains"), name, "AWS's names are always allowed")
	}
	rule := g.One(dnsRuleType, "dns-allowed")
	require.Same(t, allowed, g.Refers(rule.Input("firewallDomainListId")))
	require.Equal(t, "TRUST_REDIRECTION_DOMAIN", rule.Input("firewallDomainRedirectionAction"))
	require.Equal(t, "NXDOMAIN", g.One(dnsRuleType, "dns-others").Input("blockResponse"))
}

func TestIncidentResponseOwnsTheBlockedDomains(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, dnsProgram(dnsArgs()))
	list := g.One(dnsListType, "dns-incident")
	require.Equal(t, []string{"domains"}, list.IgnoreChanges)
	require.Same(t, list, g.Refers(g.Only(dnsRuleType).Input("firewallDomainListId")))
}

func TestDnsFirewallHoldsTheVpc(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, dnsProgram(dnsArgs(func(a *network.DnsFirewallArgs) { a.OnlyAllowed = true })))
	association := g.Only(dnsAssocType)
	require.Equal(t, "vpc-1", association.Input("vpcId"))
	require.Equal(t, "DISABLED", association.Input("mutationProtection"))
	require.Equal(t, "DISABLED", g.Only(dnsConfigType).Input("firewallFailOpen"))
	for _, rule := range g.ByType(dnsRuleType) {
		require.True(t, g.Depends(association, rule), "%s must be there first", rule.Name)
	}
	g = graphtest.Run(t, dnsProgram(dnsArgs(func(a *network.DnsFirewallArgs) { a.FailOpen, a.MutationProtection = true, true })))
	require.Equal(t, "ENABLED", g.Only(dnsAssocType).Input("mutationProtection"))
	require.Equal(t, "ENABLED", g.Only(dnsConfigType).Input("firewallFailOpen"))
}

func TestEveryQueryIsLogged(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, dnsProgram(dnsArgs()))
	group, config := g.Only(logGroupType), g.Only(queryLogType)
	require.Equal(t, "/aws/vendedlogs/redoubt-dev/dns-queries", group.Input("name"))
	require.Equal(t, string(logsKey), group.Input("kmsKeyId"))
	require.Same(t, group, g.Refers(config.Input("destinationArn")))
	require.Same(t, config, g.Refers(g.Only(queryLogAssocType).Input("resolverQueryLogConfigId")))
	require.Empty(t, g.ByType(logPolicyType), "a region holds ten")

	g = graphtest.Run(t, dnsProgram(dnsArgs(func(a *network.DnsFirewallArgs) { a.CreateLogResourcePolicy = true })), graphtest.Preview())
	policy := g.Only(logPolicyType)
	require.Contains(t, policy.Input("policyDocument"), "log-group:/aws/vendedlogs/redoubt-dev/dns-queries:*")
	require.True(t, g.Depends(g.Only(queryLogType), policy))
}

// lists is an account whose domain lists have these owners, by id.
type lists struct {
	owners map[string]string

	mu    sync.Mutex
	rules map[string]string
}

func (l *lists) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.TypeToken == dnsRuleType {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.rules[args.Inputs["firewallDomainListId"].StringValue()] = args.Inputs["action"].StringValue()
	}
	return args.Name, args.Inputs, nil
}

func (l *lists) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	id := args.Args["firewallDomainListId"].StringValue()
	owner, ok := l.owners[id]
	if args.Token != listLookup || !ok {
		return nil, fmt.Errorf("ResourceNotFoundException: %s %s", args.Token, id)
	}
	return resource.NewPropertyMapFromMap(map[string]any{"name": "list", "managedOwnerName": owner}), nil
}

func TestManagedListsAreLookedUp(t *testing.T) {
	t.Parallel()
	const threats, ours, elsewhere = "rslvr-fdl-0123456789abcdef", "rslvr-fdl-1111111111111111", "rslvr-fdl-2222222222222222"
	for _, tc := range []struct{ name, id, want string }{
		{"AWS's", threats, ""},
		{"our own", ours, "is not one of AWS's"},
		{"another region's", elsewhere, "is not in eu-central-1 (ids differ by region)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			account := &lists{owners: map[string]string{threats: "Route 53 Resolver DNS Firewall", ours: ""}, rules: map[string]string{}}
			program := dnsProgram(dnsArgs(func(a *network.DnsFirewallArgs) { a.ManagedLists = []string{tc.id} }))
			err := pulumi.RunErr(program, pulumi.WithMocks("redoubt", "test", account))
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "BLOCK", account.rules[tc.id])
		})
	}
}

func TestDnsFirewallReportsEveryFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args *network.DnsFirewallArgs
		want []string
	}{
		{"nothing", nil, []string{"args: missing"}},
		{"all at once", &network.DnsFirewallArgs{}, []string{"prefix:", "scope.region:", "vpcId:", `mode: ""`, "logKeyArn:", "logRetentionInDays:"}},
		{"a wildcard", dnsArgs(func(a *network.DnsFirewallArgs) { a.BlockedDomains = []string{"*.example.org"} }), []string{`blockedDomains[0]: "*.example.org"`}},
		{"a dot at the end", dnsArgs(func(a *network.DnsFirewallArgs) { a.AllowedDomains = []string{"example.org."} }), []string{"allowedDomains[0]:"}},
		{"both ways", dnsArgs(func(a *network.DnsFirewallArgs) {
			a.BlockedDomains, a.AllowedDomains = []string{"example.org"}, []string{"example.org"}
		}), []string{"allowedDomains[0]: example.org is also blockedDomains[0]"}},
		{"a list by name", dnsArgs(func(a *network.DnsFirewallArgs) { a.ManagedLists = []string{"AWSManagedDomainsMalwareDomainList"} }), []string{"managedLists[0]:", "rslvr-fdl-"}},
		{"a list twice", dnsArgs(func(a *network.DnsFirewallArgs) { a.ManagedLists = []string{"rslvr-fdl-1", "rslvr-fdl-1"} }), []string{"managedLists[1]: rslvr-fdl-1 is named twice"}},
		{"too many lists", dnsArgs(func(a *network.DnsFirewallArgs) {
			for i := range 21 {
				a.ManagedLists = append(a.ManagedLists, fmt.Sprintf("rslvr-fdl-%d", i))
			}
		}), []string{"managedLists: 21 lists"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := graphtest.Build(dnsProgram(tc.args))
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
