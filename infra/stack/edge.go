package stack

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
)

// deployEdge makes what the internet sees: the web ACL, and behind it the load
// balancer.
func (s *Stack) deployEdge(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	s.acl, err = network.NewWebAcl(ctx, c.Prefix()+"-waf", &network.WebAclArgs{
		Prefix: c.Prefix(), Scope: p.scope, Mode: network.WAFMode(c.Edge.WAFMode), RateLimit: c.Edge.RateLimit,
		BlockedCountries: c.Edge.BlockedCountries, ShieldResponse: c.Edge.Shield.Response != "", LogKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	subscription, err := s.newShieldSubscription(ctx)
	if err != nil {
		return err
	}
	args := &network.LoadBalancerArgs{
		Prefix: c.Prefix(), VpcID: s.vpc.ID, SubnetIDs: s.vpc.PublicSubnetIDs, SecurityGroupID: s.groups.ALB, WebAcl: s.acl,
		LogBucket: s.buckets.accessLogs.Name, LogsReady: []pulumi.Resource{s.buckets.accessLogs.Policy},
		Host: c.Domain.Name, ZoneID: c.Domain.ZoneID, TLSPolicy: network.TLSPolicy(c.Edge.TLSPolicy), HealthCheckPath: c.Compute.HealthCheckPath,
		DeletionProtection: c.Edge.DeletionProtection, ShieldProtect: c.Edge.ShieldProtect, ShieldSubscription: subscription, Tags: c.Tags,
	}
	if c.Domain.CertificateARN != "" {
		args.CertificateArn = pulumi.String(c.Domain.CertificateARN)
	}
	s.balancer, err = network.NewLoadBalancer(ctx, c.Prefix()+"-alb", args, p.here())
	return err
}

// deployStores makes where data rests: the database and the search domain.
func (s *Stack) deployStores(ctx *pulumi.Context) (err error) {
	if err := s.newDatabase(ctx); err != nil {
		return err
	}
	s.search, err = newSearch(ctx, s.config, s.place, s.keys, s.vpc, s.groups)
	return err
}

func (s *Stack) deployWorkload(ctx *pulumi.Context) (err error) {
	s.service, err = newService(ctx, s.config, s.place, s.keys, s.deployed)
	return err
}

// beforeTasks is what must be there when the first task starts: a listener
// that forwards, the endpoints through which images and secrets come, and the
// way out.
func (d deployed) beforeTasks() []pulumi.Resource {
	return slices.Concat(d.balancer.Forwarding, d.endpoints.All, d.vpc.Egress, []pulumi.Resource{d.boundary.Policy})
}
