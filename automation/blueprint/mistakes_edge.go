package blueprint

var edgeMistakes = []Mistake{
	{
		Name: "no-connection-logs", Family: "load balancer", Deed: "the load balancer does not write down who connects",
		Rule:   "alb-connection-logs-enabled",
		Change: Change{On: Target{"lb/loadBalancer", "alb-alb"}, Set: map[string]any{"connectionLogs.enabled": false}},
	},
	{
		Name: "shield-blind", Family: "Shield", Deed: "Shield protects the load balancer and does not know whether it is well",
		Rule: "shield-health-check-associated",
		Change: Change{
			On:  Target{"shield/protection", "balancer"},
			Add: map[string]any{"name": "balancer", "resourceArn": Of{Target{"lb/loadBalancer", "alb-alb"}, "arn"}},
		},
		Beside: []Change{{
			On:  Target{"shield/applicationLayerAutomaticResponse", "balancer"},
			Add: map[string]any{"action": "BLOCK", "resourceArn": Of{Target{"lb/loadBalancer", "alb-alb"}, "arn"}},
		}},
	},
	{
		Name: "tls12-listener", Family: "load balancer", Deed: "the listener accepts TLS 1.2 only",
		Rule:   "alb-listener-tls13-policy",
		Change: Change{On: Target{"lb/listener", "alb-https"}, Set: map[string]any{"sslPolicy": "ELBSecurityPolicy-TLS-1-2-2017-01"}},
	},
	{
		Name: "plain-listener", Family: "load balancer", Deed: "a listener forwards plain HTTP",
		Rule: "alb-no-plaintext-listener",
		Change: Change{
			On: Target{"lb/listener", "plain"},
			Add: map[string]any{
				"loadBalancerArn": Of{Target{"lb/loadBalancer", "alb-alb"}, "arn"},
				"port":            8080, "protocol": "HTTP",
				"defaultActions": []any{map[string]any{"type": "forward", "targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/other/0123456789abcdef"}},
			},
		},
	},
	{
		Name: "no-hsts", Family: "load balancer", Deed: "browsers are not told to stay with HTTPS",
		Rule:   "alb-hsts-header",
		Change: Change{On: Target{"lb/listener", "alb-https"}, Set: map[string]any{"routingHttpResponseStrictTransportSecurityHeaderValue": Gone}},
	},
	{
		Name: "balancer-deletable", Family: "load balancer", Deed: "the load balancer can be deleted by accident",
		Rule:   "alb-deletion-protection",
		Change: Change{On: Target{"lb/loadBalancer", "alb-alb"}, Set: map[string]any{"enableDeletionProtection": false}},
	},
	{
		Name: "invalid-headers-pass", Family: "load balancer", Deed: "invalid headers reach the application",
		Rule:   "alb-drop-invalid-header-fields",
		Change: Change{On: Target{"lb/loadBalancer", "alb-alb"}, Set: map[string]any{"dropInvalidHeaderFields": false}},
	},
	{
		Name: "weak-certificate", Family: "load balancer", Deed: "the certificate has a key of 1024 bits",
		Rule:   "acm-certificate-strong-key",
		Change: Change{On: Target{"acm/certificate", "alb-certificate-cert"}, Set: map[string]any{"keyAlgorithm": "RSA_1024"}},
	},
	{
		Name: "waf-without-common-rules", Family: "WAF", Deed: "the web ACL loses AWSManagedRulesCommonRuleSet",
		Rule:   "waf-common-rule-set-required",
		Change: Change{On: Target{"wafv2/webAcl", "waf-acl"}, Set: map[string]any{"rules[name=AWSManagedRulesCommonRuleSet]": Gone}},
	},
	{
		Name: "waf-without-bad-inputs", Family: "WAF", Deed: "the web ACL loses AWSManagedRulesKnownBadInputsRuleSet",
		Rule:   "waf-known-bad-inputs-required",
		Change: Change{On: Target{"wafv2/webAcl", "waf-acl"}, Set: map[string]any{"rules[name=AWSManagedRulesKnownBadInputsRuleSet]": Gone}},
	},
	{
		Name: "waf-only-counts", Family: "WAF", Deed: "attacks with SQL are counted and let through",
		Rule: "waf-managed-rules-not-in-count-mode",
		Change: Change{
			On:  Target{"wafv2/webAcl", "waf-acl"},
			Set: map[string]any{"rules[name=AWSManagedRulesSQLiRuleSet].overrideAction": map[string]any{"count": map[string]any{}}},
		},
	},
	{
		Name: "waf-unseen", Family: "WAF", Deed: "the web ACL publishes no metrics",
		Rule:   "waf-visibility-metrics-enabled",
		Change: Change{On: Target{"wafv2/webAcl", "waf-acl"}, Set: map[string]any{"visibilityConfig.sampledRequestsEnabled": false}},
	},
	{
		Name: "waf-logs-credentials", Family: "WAF", Deed: "the log of the web ACL holds cookies and tokens",
		Rule:   "waf-logs-redact-credentials",
		Change: Change{On: Target{"wafv2/webAclLoggingConfiguration", "waf-logging"}, Set: map[string]any{"redactedFields": Gone}},
	},
}
