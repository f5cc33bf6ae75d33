// Package network is the stack's outer defence: a VPC whose tiers trust only
// their neighbours, security groups, endpoints that keep traffic to AWS inside,
// flow logs, and the edge in front of it: web ACL, Shield and load balancer.
//
//	internet → WebAcl → LoadBalancer (public) → tasks (app) → Aurora, OpenSearch (data)
//	                                                      └─→ AWS services (endpoint)
//
// A stack makes them in this order, because each takes ids from those before:
// Vpc, DnsFirewall, PrefixList, SecurityGroups, Endpoints, WebAcl,
// ShieldSubscription, LoadBalancer, Shield.
package network

import "redoubt/guide"

// Components are the package's components.
var Components = []guide.Component{
	VpcComponent,
	FlowLogsComponent,
	SecurityGroupsComponent,
	EndpointsComponent,
	WebAclComponent,
	CertificateComponent,
	LoadBalancerComponent,
	DnsFirewallComponent,
	PrefixListComponent,
	ShieldSubscriptionComponent,
	ShieldComponent,
	ServiceGroupsComponent,
	DistributionComponent,
}
