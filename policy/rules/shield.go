package rules

import (
	"redoubt/guide"
	"redoubt/policy/rule"
)

// subscribed says whether the organization has Shield Advanced, which nobody
// must buy for our sake: it costs USD 3,000 a month, and Shield Standard guards
// every address without being asked.
var subscribed = rule.Param{
	Name: "subscribed", Kind: rule.Boolean, Default: false,
	Description: "The organization has Shield Advanced. Without it, a stack is taken to have it that declares a subscription or a protection.",
}

// shield holds the rules about Shield Advanced.
var shield = []rule.Rule{
	{
		Name:     "alb-shield-protected",
		Summary:  "Where Shield Advanced is subscribed to, it protects every public application load balancer.",
		Guide:    []guide.ID{guide.DiagramWAFShield, guide.DiagramShieldALB, guide.OverviewNetworkShield},
		Severity: rule.High,
		// A policy of Firewall Manager may protect what the stack does not.
		Level:    rule.Advisory,
		Controls: mapped(nist("SC-5")),
		Types:    loadBalancers,
		Params:   []rule.Param{subscribed},
		CheckStack: func(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
			return onlyApplication(r, func() rule.Verdict {
				if internal, _ := r.Get("internal").Bool(); internal || !hasShield(s, p) {
					return rule.Skip()
				}
				out := shielded(s, r)
				if out.Outcome == rule.Failed && r.Get("internal").Unknown() {
					return rule.Unsure("internal is unknown")
				}
				return out
			})
		},
		Fix: `shield.NewProtection with shield.ProtectionArgs{ResourceArn: alb.Arn}`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/ddos-protections-by-resource-type.html",
	},
	{
		Name:     "shield-advanced-subscription",
		Summary:  "The account has Shield Advanced, and renews it.",
		Guide:    []guide.ID{guide.OverviewNetworkShield},
		Severity: rule.Medium,
		// It costs USD 3,000 a month for a year at least: off until the
		// organization has bought it.
		Level:      rule.Disabled,
		Controls:   mapped(nist("SC-5")),
		Types:      []string{"pulumi:pulumi:Stack"},
		CheckStack: subscriptionRenews,
		Fix:        `shield.NewSubscription with shield.SubscriptionArgs{AutoRenew: pulumi.String("ENABLED")}`,
		URL:        "https://docs.aws.amazon.com/waf/latest/developerguide/enable-ddos-prem.html",
	},
	{
		Name:     "shield-protects-every-public-edge",
		Summary:  "Where Shield Advanced is subscribed to, it protects distributions, accelerators, public zones and the addresses that answer.",
		Guide:    []guide.ID{guide.OverviewNetworkShield, guide.DiagramWAFShield},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-5")),
		Types:      []string{"cloudfront/distribution", "globalaccelerator/accelerator", "route53/zone", "ec2/eip", "elb/loadBalancer"},
		Params:     []rule.Param{subscribed},
		CheckStack: edgeShielded,
		Fix:        `shield.NewProtection with shield.ProtectionArgs{ResourceArn: distribution.Arn}`,
		URL:        "https://docs.aws.amazon.com/waf/latest/developerguide/ddos-protections-by-resource-type.html",
	},
	{
		Name:     "shield-health-check-associated",
		Summary:  "Shield reads the health of what it protects, and acts sooner when it is bad.",
		Guide:    []guide.ID{guide.OverviewNetworkShield},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SC-5")),
		Types:    []string{"shield/protection"},
		CheckStack: func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
			zones := s.Refs(r, "resourceArn", "route53/zone")
			if len(zones.Targets) > 0 {
				return rule.Skip() // Shield takes no health check for a hosted zone
			}
			if len(s.Pointing(r, "shieldProtectionId", "shield/protectionHealthCheckAssociation")) > 0 {
				return rule.Pass()
			}
			if zones.Unknown && len(s.Of("route53/zone")) > 0 && s.Refs(r, "resourceArn").Unknown {
				return rule.Unsure("resourceArn is unknown, and may be a hosted zone's")
			}
			return missing(s, "shieldProtectionId", "shield/protectionHealthCheckAssociation", "shield/protection",
				"no health check is associated with the protection: Shield has only the traffic to judge by")
		},
		Fix: `shield.NewProtectionHealthCheckAssociation with shield.ProtectionHealthCheckAssociationArgs{ShieldProtectionId: protection.ID(), HealthCheckArn: check.Arn}`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/ddos-advanced-health-checks.html",
	},
	{
		Name:     "shield-automatic-layer7-response",
		Summary:  "Shield answers a flood of requests by rules of its own in the web ACL.",
		Guide:    []guide.ID{guide.OverviewNetworkShield},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("SC-5")),
		Types:      []string{"shield/protection"},
		CheckStack: answersFloods,
		Fix:        `shield.NewApplicationLayerAutomaticResponse with shield.ApplicationLayerAutomaticResponseArgs{ResourceArn: alb.Arn, Action: pulumi.String("BLOCK")}`,
		URL:        "https://docs.aws.amazon.com/waf/latest/developerguide/ddos-automatic-app-layer-response.html",
	},
	{
		Name:     "shield-proactive-engagement-and-drt",
		Summary:  "AWS's Shield Response Team may act in an attack, and knows whom to call.",
		Guide:    []guide.ID{guide.ResponseSupportSecurityResponse, guide.OverviewNetworkShield},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("IR-7")),
		Types:      []string{"shield/subscription"},
		CheckStack: responseTeamReady,
		Fix: `shield.NewProactiveEngagement with shield.ProactiveEngagementArgs{Enabled: pulumi.Bool(true), EmergencyContacts: …}, ` +
			`and shield.NewDrtAccessRoleArnAssociation with shield.DrtAccessRoleArnAssociationArgs{RoleArn: responseTeam.Arn}`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/ddos-srt-proactive-engagement.html",
	},
}

func hasShield(s *rule.Stack, p rule.Params) bool {
	return p.Bool(subscribed.Name) || len(s.Of("shield/subscription", "shield/protection")) > 0
}

func shielded(s *rule.Stack, r *rule.Resource) rule.Verdict {
	return pointedAt(s, r, "resourceArn", "shield/protection", shieldTakers, "no protection of Shield Advanced belongs to it")
}

func subscriptionRenews(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	if !baseline(s) {
		return rule.Skip()
	}
	out := rule.Skip()
	for _, sub := range s.Of("shield/subscription") {
		if v := sub.Get("autoRenew"); v.Present() { // it does by default
			out = rule.All(out, oneOf(v, []string{"ENABLED"}, "the protection ends with the year"))
		} else {
			out = rule.All(out, rule.Pass())
		}
	}
	if out.Outcome == rule.NotApplicable {
		return rule.Fail("no shield/subscription is in the account's stack")
	}
	return out
}

func edgeShielded(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
	if !hasShield(s, p) {
		return rule.Skip()
	}
	answers := facesInternet(s, r)
	if answers.Outcome == rule.NotApplicable {
		return answers
	}
	if out := shielded(s, r); out.Outcome != rule.Failed || answers.Outcome == rule.Passed {
		return out
	}
	return answers
}

// facesInternet passes for a resource that answers the internet, and skips one
// that does not.
func facesInternet(s *rule.Stack, r *rule.Resource) rule.Verdict {
	switch r.Type {
	case "route53/zone":
		if !r.Get("vpcs").Empty() {
			return rule.Skip() // private
		}
	case "elb/loadBalancer":
		internal := r.Get("internal")
		if is, _ := internal.Bool(); is {
			return rule.Skip()
		}
		if internal.Unknown() {
			return rule.Unsure("internal is unknown")
		}
	case "ec2/eip":
		return answersAt(s, r)
	}
	return rule.Pass()
}

// answersAt is facesInternet of an address: one of a NAT gateway only asks.
func answersAt(s *rule.Stack, eip *rule.Resource) rule.Verdict {
	for _, property := range []string{"allocationId", "secondaryAllocationIds"} {
		if len(s.Pointing(eip, property, "ec2/natGateway")) > 0 {
			return rule.Skip()
		}
	}
	for _, holder := range []struct{ property, typ string }{
		{"allocationId", "ec2/eipAssociation"}, {"publicIp", "ec2/eipAssociation"}, {"subnetMappings.allocationId", "lb/loadBalancer"},
	} {
		if len(s.Pointing(eip, holder.property, holder.typ)) > 0 {
			return rule.Pass()
		}
	}
	if eip.Get("instance").Present() || eip.Get("networkInterface").Present() {
		return rule.Pass()
	}
	return rule.Unsure("nothing in this stack has the address")
}

// answersFloods judges protections of what a web ACL can stand in front of.
func answersFloods(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	refs := s.Refs(r, "resourceArn", shieldTakers...)
	if !refs.Complete() {
		return rule.Unsure("resourceArn is of something that is not in this stack")
	}
	out := rule.Skip()
	for _, t := range refs.Targets {
		if kind, _ := t.Get("loadBalancerType").Str(); t.Is("lb/loadBalancer", "cloudfront/distribution") && kind != "network" {
			out = rule.All(out, pointedAt(s, t, "resourceArn", "shield/applicationLayerAutomaticResponse", shieldTakers,
				"no automatic response belongs to "+t.Label()+": its owner must write rules during the attack"))
		}
	}
	return out
}

func responseTeamReady(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	out := rule.Skip()
	for _, e := range s.Of("shield/proactiveEngagement") {
		out = rule.All(out,
			e.Get("enabled").True("nobody calls you in an attack"),
			e.Get("emergencyContacts").Set("nobody knows whom to call"))
	}
	if out.Outcome == rule.NotApplicable {
		out = rule.Fail("no shield/proactiveEngagement says whom to call in an attack")
	}
	if len(s.Of("shield/drtAccessRoleArnAssociation")) == 0 {
		out = rule.All(out, rule.Fail("no shield/drtAccessRoleArnAssociation lets the response team in"))
	}
	return out
}
