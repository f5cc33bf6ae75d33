package rules

import (
	"regexp"

	"redoubt/guide"
	"redoubt/policy/rule"
)

var (
	loadBalancers = []string{"lb/loadBalancer", "alb/loadBalancer"}
	listeners     = []string{"lb/listener", "alb/listener"}
)

// edge holds the rules about load balancers and their listeners.
var edge = []rule.Rule{
	{
		Name:     "alb-listener-tls13-policy",
		Summary:  "An HTTPS listener's security policy offers TLS 1.3, and nothing older than TLS 1.2.",
		Guide:    []guide.ID{guide.ArchitectureInTransitALB},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(fsbp("ELB.17"), nist("SC-8", "SC-13")),
		Types:    listeners,
		Params: []rule.Param{{
			Name: "allowTls12", Kind: rule.Boolean, Default: true,
			Description: "Accept policies that offer TLS 1.2 beside TLS 1.3, for clients that have no TLS 1.3.",
		}},
		Check:     offersTLS13,
		Fix:       `lb.ListenerArgs{SslPolicy: pulumi.String("ELBSecurityPolicy-TLS13-1-2-Res-2021-06")}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
		Remediate: rule.SetWith("sslPolicy", tls13PolicyFor),
	},
	{
		Name:     "alb-no-plaintext-listener",
		Summary:  "A listener speaks HTTPS; an HTTP listener only redirects to it.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsALB, guide.OverviewDataTLS},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls: mapped(fsbp("ELB.1", "ELB.18"), nist("SC-8")),
		Types:    listeners,
		Check:    encryptsOrRedirects,
		Fix:      `lb.ListenerArgs{Port: pulumi.Int(443), Protocol: pulumi.String("HTTPS")}, or a redirect action with lb.ListenerDefaultActionRedirectArgs{Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301")}`,
		URL:      "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/create-https-listener.html",
	},
	{
		Name:     "alb-https-listener-has-certificate",
		Summary:  "An HTTPS listener has a certificate.",
		Guide:    []guide.ID{guide.ArchitectureInTransitALB},
		Severity: rule.High, Level: rule.Mandatory,
		Controls: mapped(nist("SC-8(1)", "SC-23")),
		Types:    listeners,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyTLS(r, func() rule.Verdict {
				return r.Get("certificateArn").Set("the listener has nothing to prove who it is, and AWS refuses it")
			})
		},
		Fix: `lb.ListenerArgs{CertificateArn: certificate.Arn}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
	},
	{
		Name:     "alb-drop-invalid-header-fields",
		Summary:  "A load balancer drops malformed HTTP headers before they reach the service.",
		Guide:    []guide.ID{guide.PracticesInputSanitization},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(fsbp("ELB.4"), nist("SC-8")),
		Types:    loadBalancers,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyApplication(r, func() rule.Verdict {
				return r.Get("dropInvalidHeaderFields").True("malformed headers reach the service, the door to request smuggling")
			})
		},
		Fix:       `lb.LoadBalancerArgs{DropInvalidHeaderFields: pulumi.Bool(true)}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
		Remediate: rule.SetTo("dropInvalidHeaderFields", true),
	},
	{
		Name:     "alb-access-logs-enabled",
		Summary:  "A load balancer writes access logs.",
		Guide:    []guide.ID{guide.OperationsLogsAccessLogs},
		Severity: rule.Medium, Level: rule.Mandatory,
		Controls: mapped(fsbp("ELB.5"), nist("AU-2", "AU-12")),
		Types:    loadBalancers,
		Check:    writesAccessLogs,
		Fix:      `lb.LoadBalancerArgs{AccessLogs: &lb.LoadBalancerAccessLogsArgs{Bucket: logs.ID(), Enabled: pulumi.Bool(true)}}`,
		URL:      "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
	},
	{
		Name:     "alb-waf-associated",
		Summary:  "A public application load balancer stands behind a web ACL.",
		Guide:    []guide.ID{guide.DiagramInternetWAF, guide.OverviewNetworkWAF, guide.PracticesInputWAF},
		Severity: rule.High, Level: rule.Mandatory,
		Controls:   mapped(fsbp("ELB.16"), nist("SC-7", "AC-4(21)"), pci("6.4.1", "6.4.2")),
		Types:      loadBalancers,
		CheckStack: behindWAF,
		Fix:        `wafv2.NewWebAclAssociation with wafv2.WebAclAssociationArgs{ResourceArn: alb.Arn, WebAclArn: acl.Arn}`,
		URL:        "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-associating-aws-resource.html",
	},
}

// onlyTLS applies a check to listeners that end TLS; an unknown protocol leaves
// the answer open.
func onlyTLS(r *rule.Resource, check func() rule.Verdict) rule.Verdict {
	protocol := r.Get("protocol")
	switch p, _ := protocol.Str(); {
	case protocol.Unknown():
		return rule.Unsure("protocol is unknown")
	case p == "HTTPS" || p == "TLS":
		return check()
	default:
		return rule.Skip()
	}
}

// Policies with TLS13 in the name offer TLS 1.3; the number after it is the
// oldest version that they still accept, so that TLS13-1-0 and TLS13-1-1 are
// weaker than their name. The post-quantum and FIPS policies follow the scheme.
var (
	tls13Policy     = regexp.MustCompile(`^ELBSecurityPolicy-TLS13-1-[23](-|$)`)
	tls13OnlyPolicy = regexp.MustCompile(`^ELBSecurityPolicy-TLS13-1-3(-|$)`)
)

func offersTLS13(r *rule.Resource, p rule.Params) rule.Verdict {
	return onlyTLS(r, func() rule.Verdict {
		policy := r.Get("sslPolicy")
		name, known := policy.Str()
		switch {
		case policy.Unknown():
			return rule.Unsure("sslPolicy is unknown")
		case known && tls13Policy.MatchString(name) && (p.Bool("allowTls12") || tls13OnlyPolicy.MatchString(name)):
			return rule.Pass()
		case known && tls13Policy.MatchString(name):
			return rule.Fail("sslPolicy is %s, which still accepts TLS 1.2", policy.Show())
		case policy.Empty():
			return rule.Fail("sslPolicy is not set: the default of the API, ELBSecurityPolicy-2016-08, accepts TLS 1.0 and has no TLS 1.3")
		default:
			return rule.Fail("sslPolicy is %s, which does not offer TLS 1.3 or accepts versions older than TLS 1.2", policy.Show())
		}
	})
}

// tls13PolicyFor is the policy that AWS recommends under the rule's parameters.
func tls13PolicyFor(p rule.Params) any {
	if p.Bool("allowTls12") {
		return "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
	}
	return "ELBSecurityPolicy-TLS13-1-3-2021-06"
}

func encryptsOrRedirects(r *rule.Resource, _ rule.Params) rule.Verdict {
	protocol := r.Get("protocol")
	if protocol.Unknown() {
		return rule.Unsure("protocol is unknown")
	}
	if p, _ := protocol.Str(); p != "HTTP" {
		return rule.Pass()
	}
	out := rule.Skip()
	for _, action := range r.Get("defaultActions").Items() {
		out = rule.All(out, redirectsToHTTPS(action))
	}
	if out.Outcome == rule.NotApplicable {
		return rule.Fail("protocol is HTTP and no default action redirects to HTTPS")
	}
	return out
}

func redirectsToHTTPS(action rule.Value) rule.Verdict {
	kind, target := action.Get("type"), action.Get("redirect.protocol")
	if kind.Unknown() || target.Unknown() {
		return rule.Unsure("%s is unknown", action.Path())
	}
	k, _ := kind.Str()
	t, _ := target.Str()
	if k == "redirect" && t == "HTTPS" {
		return rule.Pass()
	}
	return rule.Fail("protocol is HTTP and %s does not redirect to HTTPS: requests and answers cross the internet in the clear", action.Path())
}

// onlyApplication applies a check to application load balancers, which is also
// what a load balancer without a type is.
func onlyApplication(r *rule.Resource, check func() rule.Verdict) rule.Verdict {
	kind := r.Get("loadBalancerType")
	if kind.Unknown() {
		return rule.Unsure("loadBalancerType is unknown")
	}
	if k, set := kind.Str(); set && k != "application" {
		return rule.Skip()
	}
	return check()
}

func writesAccessLogs(r *rule.Resource, _ rule.Params) rule.Verdict {
	if kind, _ := r.Get("loadBalancerType").Str(); kind == "gateway" {
		return rule.Skip() // it has no access logs
	}
	logs := r.Get("accessLogs")
	if logs.Unknown() {
		return rule.Unsure("accessLogs is unknown")
	}
	return unless(rule.All(
		r.Get("accessLogs.enabled").True("requests leave no record"),
		r.Get("accessLogs.bucket").Set("requests leave no record"),
	), r.Get("loadBalancerType"))
}

func behindWAF(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	return onlyApplication(r, func() rule.Verdict {
		internal := r.Get("internal")
		if isInternal, _ := internal.Bool(); isInternal {
			return rule.Skip()
		}
		out := pointedAt(s, r, "resourceArn", "wafv2/webAclAssociation", webACLTakers,
			"the load balancer is public and no web ACL is associated with it")
		if out.Outcome == rule.Failed && internal.Unknown() {
			return rule.Unsure("internal is unknown")
		}
		return out
	})
}
