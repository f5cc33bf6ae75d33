package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
	"redoubt/infra/network"
)

// newShieldSubscription makes or adopts the account's subscription to Shield
// Advanced; nil without one.
func (s *Stack) newShieldSubscription(ctx *pulumi.Context) (*network.ShieldSubscription, error) {
	c, sh := s.config, s.config.Edge.Shield
	if !sh.Subscription.Used() {
		return nil, nil
	}
	return network.NewShieldSubscription(ctx, c.Prefix()+"-shield-account", &network.ShieldSubscriptionArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, Subscription: sh.Subscription, AcknowledgeAnnualCommitment: sh.AcknowledgeAnnualCommitment,
		SupportPlan: network.SupportPlan(sh.SupportPlan), ResponseTeamAccess: sh.ResponseTeamAccess, Tags: c.Tags,
	}, s.place.here())
}

// deployShield groups what Shield protects, says when it is unhealthy, and
// lets it answer.
func (s *Stack) deployShield(ctx *pulumi.Context) error {
	c := s.config
	if !c.Edge.ShieldProtect {
		return nil
	}
	_, err := network.NewShield(ctx, c.Prefix()+"-shield", &network.ShieldArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, LoadBalancer: s.balancer, Response: network.ShieldResponse(c.Edge.Shield.Response),
		AlarmTopicArn: s.topics.Arn(monitoring.Medium), Tags: c.Tags,
	}, s.place.here())
	return err
}
