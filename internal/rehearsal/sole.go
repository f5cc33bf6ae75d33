package rehearsal

import (
	"strings"
)

const (
	docsMacie        = "https://docs.aws.amazon.com/macie/latest/APIReference/macie.html"
	issueMonitor     = "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2515"
	docsSubscription = "https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_CreateSubscription.html"
	docsConfigRule   = "https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigRule.html"
)

const configRecorderToken = "aws:cfg/recorder:Recorder"

// soleKinds are, besides the detectors of auditKinds, what an account or its
// region has at most one of, and AWS says so.
var soleKinds = []kind{
	singleton("aws:macie2/account:Account", "Macie Account", "Macie2", "Macie", "{account}", "",
		"ConflictException", "The request failed because it conflicts with the current state of the specified resource: Macie is enabled already.", docsMacie,
		props{"findingPublishingFrequency": "FIFTEEN_MINUTES", "status": "ENABLED", "serviceRole": "arn:{partition}:iam::{account}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"}),
	{
		token: "aws:costexplorer/anomalyMonitor:AnomalyMonitor", noun: "CE Anomaly Monitor", service: "Cost Explorer", action: "AnomalyMonitor", global: true,
		id: "{arn}", arn: "arn:{partition}:ce::{account}:anomalymonitor/{uuid:monitor}", replaces: []string{"monitorDimension", "monitorSpecification", "monitorType"},
		updates: []string{"name"},
		refuses: []refusal{{name: "one-monitor-per-dimension", at: []operation{opCreate}, code: "ValidationException", source: issueMonitor, because: func(c *call) string {
			dimension := c.text("monitorDimension")
			for _, other := range c.all(c.kind.token) {
				if theirs, _ := text(other.outputs, "monitorDimension"); dimension != "" && theirs == dimension {
					return "Limit exceeded on dimensional spend monitor creation"
				}
			}
			return ""
		}}},
	},
	{
		token: "aws:shield/subscription:Subscription", noun: "Shield Subscription", service: "Shield", action: "Subscription", global: true, once: true,
		id: "{account}", defaults: props{"skipDestroy": false}, computed: props{"autoRenew": "ENABLED"},
		refuses: []refusal{{name: "one-subscription", at: []operation{opCreate}, code: "ResourceAlreadyExistsException", source: docsSubscription, because: func(c *call) string {
			if _, held := c.acct.live[c.key()]; held {
				return "The account is subscribed to Shield Advanced already."
			}
			return ""
		}}},
	},
	{
		token: "aws:iam/openIdConnectProvider:OpenIdConnectProvider", noun: "IAM OIDC Provider", service: "IAM", action: "OpenIDConnectProvider", global: true,
		id: "{arn}", arn: "arn:{partition}:iam::{account}:oidc-provider/{host}", replaces: []string{"url"},
		words:  map[string]func(*call) string{"host": func(c *call) string { return strings.TrimPrefix(c.text("url"), "https://") }},
		unique: []unique{{key: "{host}", code: "EntityAlreadyExists", message: "Provider with url {url} already exists."}},
	},
	{
		token: "aws:cfg/rule:Rule", noun: "Config Rule", service: "Config Service", action: "ConfigRule", call: "PutConfigRule",
		overwrites: docsConfigRule, id: "{name}", arn: "arn:{partition}:config:{region}:{account}:config-rule/{ruleId}",
		computed: props{"ruleId": "config-rule-{alnum6:rule}"}, replaces: []string{"name"},
		refuses: []refusal{{name: "rule-needs-recorder", at: []operation{opCreate}, code: "NoAvailableConfigurationRecorderException", source: docsConfigRule, because: func(c *call) string {
			if len(c.all(configRecorderToken)) > 0 {
				return ""
			}
			return "Configuration recorder is not available to put config rule. (Manage or adopt one, and make the rule depend on it.)"
		}}},
	},
}
