package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

var targetGroups = []string{"lb/targetGroup", "alb/targetGroup"}

// balancing holds the rules about what a load balancer does with requests and
// how it survives.
var balancing = []rule.Rule{
	{
		Name:     "alb-desync-mitigation-defensive",
		Summary:  "A load balancer does not pass on requests that two parsers could read differently.",
		Guide:    []guide.ID{guide.PracticesInputSanitization},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(fsbp("ELB.12"), nist("SI-10")),
		Types:    loadBalancers,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyApplication(r, func() rule.Verdict {
				v := r.Get("desyncMitigationMode")
				if v.Absent() {
					return rule.Pass() // "defensive" is the default
				}
				return oneOf(v, []string{"defensive", "strictest"}, "smuggled requests reach the service")
			})
		},
		Fix:       `lb.LoadBalancerArgs{DesyncMitigationMode: pulumi.String("defensive")}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
		Remediate: rule.SetTo("desyncMitigationMode", "defensive"),
	},
	{
		Name:     "alb-connection-logs-enabled",
		Summary:  "An application load balancer writes connection logs, the only ones in which failed TLS handshakes are seen.",
		Guide:    []guide.ID{guide.OperationsLogsAccessLogs, guide.OperationsMetricsAuthenticationFailures},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("AU-12")),
		Types:    loadBalancers,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyApplication(r, func() rule.Verdict {
				if r.Get("connectionLogs").Unknown() {
					return rule.Unsure("connectionLogs is unknown")
				}
				return rule.All(
					r.Get("connectionLogs.enabled").True("failed handshakes leave no record"),
					r.Get("connectionLogs.bucket").Set("failed handshakes leave no record"),
				)
			})
		},
		Fix: `lb.LoadBalancerArgs{ConnectionLogs: &lb.LoadBalancerConnectionLogsArgs{Bucket: logs.ID(), Enabled: pulumi.Bool(true)}}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html",
	},
	{
		Name:     "alb-deletion-protection",
		Summary:  "A load balancer cannot be deleted by one call.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices},
		Severity: rule.Low,
		// Stacks that come and go cannot have it.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("ELB.6"), nist("CP-10")),
		Types:    loadBalancers,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return r.Get("enableDeletionProtection").True("one call takes the service off the internet, and its address with it")
		},
		Fix:       `lb.LoadBalancerArgs{EnableDeletionProtection: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
		Remediate: rule.SetTo("enableDeletionProtection", true),
	},
	{
		Name:     "alb-multi-az",
		Summary:  "A load balancer stands in at least two availability zones.",
		Guide:    []guide.ID{guide.ResponseRecoveryRestoreServices, guide.ArchitectureVPCPublicSubnets},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("ELB.13"), nist("CP-10")),
		Types:    loadBalancers,
		Params: []rule.Param{{
			Name: "zones", Kind: rule.Integer, Default: 2, Min: 2, Max: 6,
			Description: "Availability zones that a load balancer needs at least.",
		}},
		Check: standsInZones,
		Fix:   `lb.LoadBalancerArgs{Subnets: pulumi.StringArray{publicA.ID(), publicB.ID()}}`,
		URL:   "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-subnets.html",
	},
	{
		Name:     "alb-waf-fail-open-disabled",
		Summary:  "A load balancer that cannot reach the web application firewall refuses requests.",
		Guide:    []guide.ID{guide.OverviewNetworkWAF, guide.DiagramInternetWAF},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-7")),
		Types:    loadBalancers,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyApplication(r, func() rule.Verdict {
				return r.Get("enableWafFailOpen").False("requests that nobody has judged reach the service")
			})
		},
		Fix:       `lb.LoadBalancerArgs{EnableWafFailOpen: pulumi.Bool(false)}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
		Remediate: rule.SetTo("enableWafFailOpen", false),
	},
	{
		Name:     "alb-target-group-encrypted",
		Summary:  "A load balancer speaks TLS with its targets, and checks their health by it.",
		Guide:    []guide.ID{guide.ArchitectureInTransitALB, guide.OverviewDataTLS},
		Severity: rule.Low,
		// The guide's own tier listens on HTTP, behind security groups: off until
		// somebody wants more.
		Level:    rule.Disabled,
		Controls: mapped(nist("SC-8")),
		Types:    targetGroups,
		Check:    targetsEncrypted,
		Fix: `lb.TargetGroupArgs{Protocol: pulumi.String("HTTPS"), HealthCheck: ` +
			`&lb.TargetGroupHealthCheckArgs{Protocol: pulumi.String("HTTPS")}}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
	},
}

// standsInZones counts subnets: AWS takes one for each zone.
func standsInZones(r *rule.Resource, p rule.Params) rule.Verdict {
	subnets, mappings := r.Get("subnets"), r.Get("subnetMappings")
	if subnets.Unknown() || mappings.Unknown() {
		return rule.Unsure("the subnets are unknown")
	}
	n := max(len(subnets.Items()), len(mappings.Items()))
	if n < p.Int("zones") {
		return rule.Fail("subnets names %d of at least %d zones: when its zone fails, so does the service", n, p.Int("zones"))
	}
	return rule.Pass()
}

func targetsEncrypted(r *rule.Resource, _ rule.Params) rule.Verdict {
	switch kind, _ := r.Get("targetType").Str(); kind {
	case "lambda", "alb": // a call of AWS's API; a load balancer with listeners of its own
		return rule.Skip()
	}
	protocol, health := r.Get("protocol"), r.Get("healthCheck.protocol")
	out := oneOf(protocol, []string{"HTTPS", "TLS", "QUIC", "TCP_QUIC"}, "requests and answers cross the VPC in the clear")
	if p, _ := protocol.Str(); p == "HTTPS" || health.Present() { // HTTP is the default beside HTTPS
		out = rule.All(out, oneOf(health, []string{"HTTPS", "TCP"}, "the health check crosses the VPC in the clear"))
	}
	return unless(out, r.Get("targetType"))
}
