package rules

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/guide"
	"redoubt/policy/rule"
)

var listenerRules = []string{"lb/listenerRule", "alb/listenerRule"}

// listening holds the rules about what listeners answer.
var listening = []rule.Rule{
	{
		Name:     "alb-http-listener-redirects-to-https",
		Summary:  "The redirect of an HTTP listener leads to the port of HTTPS, for good.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsALB, guide.ArchitectureInTransitALB},
		Severity: rule.Medium,
		// An HTTP listener without a redirect is what alb-no-plaintext-listener
		// refuses; here the redirect itself is poor.
		Level:    rule.Advisory,
		Controls: mapped(fsbp("ELB.1"), nist("SC-8", "AC-17(2)")),
		Types:    listeners,
		Check:    redirectsForGood,
		Fix: `lb.ListenerDefaultActionRedirectArgs{Protocol: pulumi.String("HTTPS"), Port: pulumi.String("443"), ` +
			`StatusCode: pulumi.String("HTTP_301")}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html",
	},
	{
		Name:     "alb-listener-rule-no-http-redirect",
		Summary:  "No rule of a listener sends clients to HTTP.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsALB, guide.ArchitectureInTransitALB},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    listenerRules,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			out := rule.Pass()
			for _, action := range r.Get("actions").Items() {
				v := action.Get("redirect.protocol")
				if p, _ := v.Str(); p == "HTTP" {
					out = rule.All(out, rule.Fail("%s is %s: the client's next request crosses the internet in the clear", v.Path(), v.Show()))
				} else if v.Unknown() {
					out = rule.All(out, rule.Unsure("%s is unknown", v.Path()))
				}
			}
			return out
		},
		Fix: `lb.ListenerRuleActionRedirectArgs{Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301")}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html",
	},
	{
		Name:     "alb-http-listener-rules-redirect",
		Summary:  "Each rule of an HTTP listener redirects to HTTPS, as its default action does.",
		Guide:    []guide.ID{guide.ArchitectureSecurityGroupsALB, guide.OverviewDataTLS},
		Severity: rule.Critical, Level: rule.Mandatory,
		Controls:   mapped(fsbp("ELB.1", "ELB.18"), nist("SC-8")),
		Types:      listenerRules,
		CheckStack: ruleOfPlaintextRedirects,
		Fix: `lb.ListenerRuleActionArgs{Type: pulumi.String("redirect"), Redirect: ` +
			`&lb.ListenerRuleActionRedirectArgs{Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301")}}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html",
	},
	{
		Name:     "alb-hsts-header",
		Summary:  "An HTTPS listener tells browsers to come by HTTPS only, for a year.",
		Guide:    []guide.ID{guide.ArchitectureInTransitAPI, guide.ArchitectureInTransitALB},
		Severity: rule.Low,
		// The service may send the header itself.
		Level:    rule.Advisory,
		Controls: mapped(nist("SC-8")),
		Types:    listeners,
		Params: []rule.Param{{
			Name: "minSeconds", Kind: rule.Integer, Default: 31536000, Min: 1, Max: 1 << 31,
			Description: "Seconds for which browsers must remember it at least.",
		}},
		Check:     sendsHSTS,
		Fix:       `lb.ListenerArgs{RoutingHttpResponseStrictTransportSecurityHeaderValue: pulumi.String("max-age=31536000; includeSubDomains")}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html",
		Remediate: sendHSTS,
	},
	{
		Name:     "alb-server-header-disabled",
		Summary:  "An HTTPS listener does not say what software answers.",
		Guide:    []guide.ID{guide.PracticesInputSanitization},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SI-11")),
		Types:    listeners,
		Check: func(r *rule.Resource, _ rule.Params) rule.Verdict {
			return onlyHTTPS(r, func() rule.Verdict {
				v := r.Get("routingHttpResponseServerEnabled")
				if v.Absent() {
					return rule.Fail("routingHttpResponseServerEnabled is not set: answers say that a load balancer of AWS made them")
				}
				return v.False("answers say that a load balancer of AWS made them")
			})
		},
		Fix:       `lb.ListenerArgs{RoutingHttpResponseServerEnabled: pulumi.Bool(false)}`,
		URL:       "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html",
		Remediate: rule.SetTo("routingHttpResponseServerEnabled", false),
	},
}

// onlyHTTPS applies a check to listeners that speak HTTPS: those of network
// load balancers know no headers.
func onlyHTTPS(r *rule.Resource, check func() rule.Verdict) rule.Verdict {
	if p, _ := r.Get("protocol").Str(); p == "TLS" {
		return rule.Skip()
	}
	return onlyTLS(r, check)
}

func redirectsForGood(r *rule.Resource, _ rule.Params) rule.Verdict {
	protocol := r.Get("protocol")
	if protocol.Unknown() {
		return rule.Unsure("protocol is unknown")
	}
	if p, _ := protocol.Str(); p != "HTTP" {
		return rule.Skip()
	}
	out := rule.Skip()
	for _, action := range r.Get("defaultActions").Items() {
		redirect := action.Get("redirect")
		if redirect.Absent() {
			continue
		}
		out = rule.All(out, leavesPlaintextPort(r.Get("port"), redirect),
			oneOf(redirect.Get("statusCode"), []string{"HTTP_301"}, "the browser asks again in the clear each time"))
	}
	return out
}

// leavesPlaintextPort is the verdict of a redirect's port: without one, it is
// the port that the request came to, where nobody speaks HTTPS.
func leavesPlaintextPort(own, redirect rule.Value) rule.Verdict {
	v := redirect.Get("port")
	port, known := v.Str()
	plaintext, hasPort := own.Int()
	switch {
	case v.Unknown():
		return rule.Unsure("%s is unknown", v.Path())
	case v.Absent() || port == "#{port}" || known && hasPort && port == strconv.Itoa(plaintext):
		return rule.Fail("%s.port is %s: the redirect leads back to the port of HTTP", redirect.Path(), v.Show())
	case own.Unknown():
		return rule.Unsure("%s is unknown", own.Path())
	default:
		return rule.Pass()
	}
}

func ruleOfPlaintextRedirects(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	actions := rule.Pass()
	for _, action := range r.Get("actions").Items() {
		actions = rule.All(actions, redirectsToHTTPS(action))
	}
	if actions.Outcome == rule.Passed {
		return actions // whatever its listener speaks
	}
	refs := s.Refs(r, "listenerArn", "lb/listener")
	if !refs.Complete() || len(refs.Targets) == 0 {
		return rule.Unsure("the listener is not in this stack")
	}
	out := rule.Skip()
	for _, l := range refs.Targets {
		protocol := l.Get("protocol")
		if p, _ := protocol.Str(); p == "HTTP" {
			out = rule.All(out, actions)
		} else if protocol.Unknown() {
			out = rule.All(out, rule.Unsure("protocol of %s is unknown", l.Label()))
		}
	}
	return out
}

var maxAge = regexp.MustCompile(`(?i)^\s*(?:.*;\s*)?max-age\s*=\s*"?(\d+)"?\s*(?:;.*)?$`)

func sendsHSTS(r *rule.Resource, p rule.Params) rule.Verdict {
	return onlyHTTPS(r, func() rule.Verdict {
		v := r.Get("routingHttpResponseStrictTransportSecurityHeaderValue")
		header, _ := v.Str()
		if v.Unknown() {
			return rule.Unsure("%s is unknown", v.Path())
		}
		seconds := maxAge.FindStringSubmatch(header)
		if seconds == nil {
			return rule.Fail("%s is %s: a browser's first request may go in the clear, to whoever listens", v.Path(), v.Show())
		}
		if n, err := strconv.Atoi(seconds[1]); err == nil && n < p.Int("minSeconds") {
			return rule.Fail("%s is %s: browsers forget it in less than %d seconds", v.Path(), v.Show(), p.Int("minSeconds"))
		}
		return rule.Pass()
	})
}

// sendHSTS says nothing about subdomains: others may have services there.
func sendHSTS(r *rule.Resource, p rule.Params) (resource.PropertyMap, bool) {
	return rule.SetTo("routingHttpResponseStrictTransportSecurityHeaderValue", fmt.Sprintf("max-age=%d", p.Int("minSeconds")))(r, p)
}
