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
	acl := &network.WebAclArgs{
		Prefix: c.Prefix(), Scope: p.scope, Mode: network.WAFMode(c.Edge.WAFMode), RateLimit: c.Edge.RateLimit,
		LoginPath: c.Edge.LoginPath, LoginRateLimit: c.Edge.LoginRateLimit,
		BlockedCountries: c.Edge.BlockedCountries, CountedRules: c.Edge.CountedRules, AllowExtraCapacity: c.Edge.AllowExtraCapacity,
		ShieldResponse: c.Edge.Shield.Response != "", LogKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays, Tags: c.Tags,
	}
	if b := c.Edge.BotControl; b != nil {
		acl.BotControl = &network.BotControl{Targeted: b.Targeted, Path: b.Path}
	}
	if t := c.Edge.AccountTakeover; t != nil {
		acl.AccountTakeover = &network.AccountTakeover{JSON: t.JSON, UsernameField: t.UsernameField, PasswordField: t.PasswordField}
	}
	s.acl, err = network.NewWebAcl(ctx, c.Prefix()+"-waf", acl, p.here())
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

// allowedLists are the prefix lists whose addresses reach the load balancer.
func (s *Stack) allowedLists(ctx *pulumi.Context) ([]network.AllowedList, error) {
	c := s.config
	var out []network.AllowedList
	if c.Edge.CloudFront {
		found, err := network.LookupAWSList(ctx, "cloudfront", network.CloudFrontOrigins, pulumi.Provider(s.place.primary))
		if err != nil {
			return nil, err
		}
		out = append(out, found)
	}
	for _, l := range c.Edge.AllowedLists {
		args := &network.PrefixListArgs{Prefix: c.Prefix(), Name: l.Name, MaxEntries: l.MaxEntries, Tags: c.Tags}
		for _, e := range l.Entries {
			args.Entries = append(args.Entries, network.PrefixListEntry(e))
		}
		made, err := network.NewPrefixList(ctx, c.Prefix()+"-"+l.Name, args, s.place.here())
		if err != nil {
			return nil, err
		}
		out = append(out, made.Allowed)
	}
	return out, nil
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
