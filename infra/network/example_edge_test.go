package network_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/internal/graphtest"
)

// A web ACL for an application that takes uploads on one path and whose sign-in
// is limited more strictly than the rest.
func ExampleNewWebAcl() {
	args := &network.WebAclArgs{
		Prefix: "redoubt-prod", Scope: scope, Mode: network.WAFBlock, RateLimit: 2000,
		LoginPath: "/login", LoginRateLimit: 100,
		MaxBodyBytes: 8192, UploadPaths: []string{"/files"},
		LogKeyArn: logsKey, LogRetentionInDays: 365,
	}
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewWebAcl(ctx, "prod", args)
		return err
	})
	rules, _ := graph.Only("aws:wafv2/webAcl:WebAcl").Input("rules").([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		fmt.Println(rule["priority"], rule["name"])
	}
	fmt.Println(args.Capacity(), "capacity units", err)
	// Output:
	// 0 BlockedAddresses
	// 1 AWSManagedRulesCommonRuleSet
	// 2 AWSManagedRulesKnownBadInputsRuleSet
	// 3 AWSManagedRulesSQLiRuleSet
	// 4 AWSManagedRulesAmazonIpReputationList
	// 5 AWSManagedRulesAnonymousIpList
	// 6 RateLimit
	// 8 LoginRateLimit
	// 9 BodySize
	// 1245 capacity units <nil>
}

// A certificate that waits until ACM has issued it.
func ExampleNewCertificate() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewCertificate(ctx, "app", &network.CertificateArgs{Domain: "app.example.org", ZoneID: "Z0123456789ABC"})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:network:Certificate app
	//   aws:acm/certificate:Certificate app-cert
	//   aws:acm/certificateValidation:CertificateValidation app-issued
	//   aws:route53/record:Record app-validation
	// <nil>
}

// The way in: HTTPS with TLS 1.3 for one host, behind a web ACL.
func ExampleNewLoadBalancer() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		acl, err := network.NewWebAcl(ctx, "prod", &network.WebAclArgs{
			Prefix: "redoubt-prod", Scope: scope, Mode: network.WAFBlock, RateLimit: 2000,
			LogKeyArn: logsKey, LogRetentionInDays: 365,
		})
		if err != nil {
			return err
		}
		balancer, err := network.NewLoadBalancer(ctx, "prod", &network.LoadBalancerArgs{
			Prefix: "redoubt-prod", VpcID: pulumi.String("vpc-0123456789abcdef0"), WebAcl: acl,
			SubnetIDs:       pulumi.ToStringArray([]string{"subnet-1", "subnet-2"}),
			SecurityGroupID: pulumi.String("sg-alb"), LogBucket: pulumi.String("redoubt-prod-access-logs"),
			Host: "app.example.org", ZoneID: "Z0123456789ABC", DeletionProtection: true,
		})
		if err != nil {
			return err
		}
		fmt.Println(balancer.URL)
		return nil
	})
	for _, listener := range graph.ByType("aws:lb/listener:Listener") {
		fmt.Println(listener.Input("port"), listener.Input("sslPolicy"))
	}
	fmt.Println(err)
	// Output:
	// https://app.example.org
	// 443 ELBSecurityPolicy-TLS13-1-3-2021-06
	// <nil>
}
