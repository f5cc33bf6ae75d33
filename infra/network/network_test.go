package network_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"redoubt/guide"
	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// layer makes the whole layer in the order in which a stack does.
func layer(ctx *pulumi.Context) error {
	vpc, err := network.NewVpc(ctx, "net", vpcArgs())
	if err != nil {
		return err
	}
	if _, err = network.NewDnsFirewall(ctx, "dns", dnsArgs(func(a *network.DnsFirewallArgs) { a.VpcID = vpc.ID })); err != nil {
		return err
	}
	office, err := network.NewPrefixList(ctx, "office", listArgs())
	if err != nil {
		return err
	}
	groups, err := network.NewSecurityGroups(ctx, "sg", &network.SecurityGroupsArgs{
		Prefix: "redoubt-dev", VpcID: vpc.ID.ToStringOutput(), S3PrefixListID: vpc.S3PrefixListID,
		AllowedPrefixLists: []network.AllowedList{office.Allowed}, Tags: ownerTags,
	})
	if err != nil {
		return err
	}
	_, err = network.NewEndpoints(ctx, "endpoints", &network.EndpointsArgs{
		Prefix: "redoubt-dev", Scope: scope, Set: network.EndpointsCore, VpcID: vpc.ID.ToStringOutput(),
		SubnetIDs: vpc.EndpointSubnetIDs, SecurityGroupID: groups.Endpoint.ToStringOutput(), Tags: ownerTags,
	})
	if err != nil {
		return err
	}
	acl, err := network.NewWebAcl(ctx, "waf", aclArgs(withShieldResponse))
	if err != nil {
		return err
	}
	subscription, err := network.NewShieldSubscription(ctx, "account", subscriptionArgs(withResponseTeam))
	if err != nil {
		return err
	}
	balancer, err := network.NewLoadBalancer(ctx, "edge", &network.LoadBalancerArgs{
		Prefix: "redoubt-dev", VpcID: vpc.ID.ToStringOutput(), SubnetIDs: vpc.PublicSubnetIDs,
		SecurityGroupID: groups.ALB.ToStringOutput(), WebAcl: acl, LogBucket: pulumi.String("redoubt-dev-access-logs"),
		Host: "app.example.org", ZoneID: "Z0123456789ABC", ShieldProtect: true, ShieldSubscription: subscription, Tags: ownerTags,
	})
	if err != nil {
		return err
	}
	_, err = network.NewShield(ctx, "shield", &network.ShieldArgs{
		Prefix: "redoubt-dev", Scope: scope, LoadBalancer: balancer, Response: network.ShieldResponseCount, Tags: ownerTags,
	})
	if err != nil {
		return err
	}
	if _, err := network.NewServiceGroups(ctx, "orders", serviceGroupArgs()); err != nil {
		return err
	}
	_, err = newDistribution(ctx)
	return err
}

func TestComponentsAreWhatTheLayerMakes(t *testing.T) {
	t.Parallel()
	g := graphtest.Run(t, layer)
	var tokens []string
	for _, c := range network.Components {
		require.Regexp(t, `^redoubt:network:[A-Z][A-Za-z]+$`, c.Token)
		require.NotEmpty(t, g.ByType(c.Token), c.Token)
		require.NotEmpty(t, c.Serves, c.Token)
		for _, id := range c.Serves {
			_, ok := guide.Lookup(id)
			require.True(t, ok, "%s serves %s, which the guide does not have", c.Token, id)
		}
		tokens = append(tokens, c.Token)
	}
	for _, r := range g.Resources {
		if strings.HasPrefix(r.Type, "redoubt:network:") {
			require.Contains(t, tokens, r.Type)
		}
	}
}

func TestEveryResourceHasAParentAndAnOwner(t *testing.T) {
	t.Parallel()
	// AWS has no tags on these, or the provider takes none.
	untagged := []string{
		aclRuleType, assocType, routeType, rolePolicyType, logPolicyType, wafLogType, wafAssocType, issuedType, recordType,
		dnsRuleType, dnsConfigType, queryLogAssocType,
		accessControlType, headersType,
		subscriptionType, drtRoleType, drtBucketType, engagementType, healthAssocType, responseType, roleAttachType,
	}
	g := graphtest.Run(t, layer)
	for _, r := range g.Resources {
		if !r.Custom {
			continue
		}
		require.NotNil(t, g.ByURN(r.Parent), "%s %s has no component above it", r.Type, r.Name)
		if !slices.Contains(untagged, r.Type) {
			require.Equal(t, "platform", r.Input("tags.owner"), "%s %s", r.Type, r.Name)
			require.NotEmpty(t, r.Input("tags.Name"), "%s %s", r.Type, r.Name)
		}
	}
}

func TestNamesFitWithTheLongestPrefix(t *testing.T) {
	t.Parallel()
	prefix := "a" + strings.Repeat("b", 25)
	g := graphtest.Run(t, func(ctx *pulumi.Context) error {
		acl, err := network.NewWebAcl(ctx, "waf", aclArgs(func(a *network.WebAclArgs) { a.Prefix = prefix }))
		if err != nil {
			return err
		}
		_, err = network.NewLoadBalancer(ctx, "edge", &network.LoadBalancerArgs{
			Prefix: prefix, VpcID: pulumi.String("vpc-1"), SubnetIDs: pulumi.StringArray{}, SecurityGroupID: pulumi.String("sg-1"),
			WebAcl: acl, LogBucket: pulumi.String("logs"), Host: "app.example.org", CertificateArn: issuedCertificate, Port: 65535,
		})
		return err
	})
	for _, typ := range []string{albType, targetGroupType} {
		name, _ := g.Only(typ).Input("name").(string)
		require.LessOrEqual(t, len(name), 32, "%s: %s", typ, name)
	}
}

// The layer's load balancer is what the internet reaches, in the public tier.
func Example() {
	g, err := graphtest.Build(layer)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range strings.Split(g.Tree(), "\n") {
		if strings.Contains(line, "redoubt:") {
			fmt.Println(line)
		}
	}
	// Output:
	// redoubt:network:Distribution site
	//   redoubt:monitoring:LogGroup site-log
	//   redoubt:network:Certificate site-certificate
	// redoubt:network:DnsFirewall dns
	//   redoubt:monitoring:LogGroup dns-queries
	// redoubt:network:Endpoints endpoints
	// redoubt:network:LoadBalancer edge
	//   redoubt:network:Certificate edge-certificate
	// redoubt:network:PrefixList office
	// redoubt:network:SecurityGroups sg
	// redoubt:network:ServiceGroups orders
	// redoubt:network:Shield shield
	// redoubt:network:ShieldSubscription account
	//   redoubt:identity:Role account-response-team
	// redoubt:network:Vpc net
	//   redoubt:network:FlowLogs net-flow-logs
	//     redoubt:identity:Role net-flow-logs-delivery
	//     redoubt:monitoring:LogGroup net-flow-logs-group
	// redoubt:network:WebAcl site-waf
	//   redoubt:monitoring:LogGroup site-waf-logs
	// redoubt:network:WebAcl waf
	//   redoubt:monitoring:LogGroup waf-logs
}
