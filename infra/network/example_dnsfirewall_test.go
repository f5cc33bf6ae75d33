package network_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// A VPC that knows AWS, its own domain and one partner, and nothing else.
func ExampleNewDnsFirewall() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewDnsFirewall(ctx, "prod", &network.DnsFirewallArgs{
			Prefix: "redoubt-prod", Scope: scope, VpcID: pulumi.String("vpc-0123456789abcdef0"),
			Mode: network.DNSBlock, OnlyAllowed: true, AllowedDomains: []string{"example.org", "api.partner.example"},
			MutationProtection: true, LogKeyArn: logsKey, LogRetentionInDays: 365,
		})
		return err
	})
	for _, rule := range graph.ByType("aws:route53/resolverFirewallRule:ResolverFirewallRule") {
		fmt.Println(rule.Input("priority"), rule.Input("action"), rule.Input("name"))
	}
	fmt.Println(err)
	// Output:
	// 300 ALLOW allowed
	// 100 BLOCK incident
	// 900 BLOCK others
	// <nil>
}
