package network_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
	"redoubt/infra/singleton"
	"redoubt/internal/graphtest"
)

// An account whose organization has subscribed, and whom the Shield Response
// Team may call.
func ExampleNewShieldSubscription() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewShieldSubscription(ctx, "account", &network.ShieldSubscriptionArgs{
			Prefix: "redoubt-prod", Scope: scope, Subscription: singleton.Singleton{Mode: singleton.Adopt},
			SupportPlan: network.SupportEnterprise, ResponseTeamAccess: true,
			EmergencyContacts: []network.EmergencyContact{{Email: "security@example.org", Phone: "+4930123456"}},
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:network:ShieldSubscription account
	//   aws:shield/drtAccessRoleArnAssociation:DrtAccessRoleArnAssociation account-response-team
	//   aws:shield/proactiveEngagement:ProactiveEngagement account-engagement
	//   redoubt:identity:Role account-response-team
	//     aws:iam/role:Role account-response-team-role
	//     aws:iam/rolePolicyAttachment:RolePolicyAttachment account-response-team-AWSShieldDRTAccessPolicy
	// <nil>
}

// A subscription is bought by somebody who has read what it costs.
func ExampleNewShieldSubscription_commitment() {
	_, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := network.NewShieldSubscription(ctx, "account", &network.ShieldSubscriptionArgs{
			Prefix: "redoubt-prod", Scope: scope, Subscription: singleton.Singleton{Mode: singleton.Manage},
			AcknowledgeAnnualCommitment: "yes",
		})
		fmt.Println(err)
		return nil
	})
	fmt.Println(err)
	// Output:
	// shield subscription account: acknowledgeAnnualCommitment: "yes" does not acknowledge what a subscription costs; it cannot be given back (write USD-3000-per-month-12-months, or use subscription mode adopt)
	// <nil>
}

// A protected load balancer whose attacks Shield judges by its health and
// counts before anybody lets it block.
func ExampleNewShield() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		balancer, err := newBalancer(ctx, func(a *network.LoadBalancerArgs) { a.ShieldProtect = true })
		if err != nil {
			return err
		}
		_, err = network.NewShield(ctx, "prod", &network.ShieldArgs{
			Prefix: "redoubt-prod", Scope: scope, LoadBalancer: balancer, Response: network.ShieldResponseCount,
		})
		return err
	})
	for _, alarm := range graph.ByType("aws:cloudwatch/metricAlarm:MetricAlarm") {
		fmt.Println(alarm.Input("metricName"), alarm.Input("statistic"), ">=", alarm.Input("threshold"))
	}
	fmt.Println(graph.Only("aws:shield/applicationLayerAutomaticResponse:ApplicationLayerAutomaticResponse").Input("action"), err)
	// Output:
	// TargetConnectionErrorCount Sum >= 50
	// HTTPCode_ELB_5XX_Count Sum >= 50
	// UnHealthyHostCount Minimum >= 1
	// TargetResponseTime Average >= 5
	// COUNT <nil>
}
