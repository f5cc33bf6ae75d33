package stack

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/network"
)

// deployResolver makes the firewall and the query log of the VPC's resolver.
func (s *Stack) deployResolver(ctx *pulumi.Context) (err error) {
	c, dns := s.config, s.config.Network.DNS
	if !dns.Firewall {
		return nil
	}
	allowed := slices.Clone(dns.AllowedDomains)
	if dns.OnlyAllowed && !slices.Contains(allowed, c.Domain.Name) {
		allowed = append(allowed, c.Domain.Name)
	}
	_, err = network.NewDnsFirewall(ctx, c.Prefix()+"-dns", &network.DnsFirewallArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, VpcID: s.vpc.ID, Mode: network.DNSMode(dns.Mode),
		BlockedDomains: dns.BlockedDomains, AllowedDomains: allowed, OnlyAllowed: dns.OnlyAllowed,
		FailOpen: dns.FailOpen, MutationProtection: dns.MutationProtection,
		LogKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.FlowDays, Tags: c.Tags,
	}, s.place.here())
	return err
}
