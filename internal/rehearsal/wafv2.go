package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsWebACL  = "https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateWebACL.html"
	docsIPSet   = "https://docs.aws.amazon.com/waf/latest/APIReference/API_CreateIPSet.html"
	docsWAFLogs = "https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html"
)

var wafName = regexp.MustCompile(`^[\w-]+$`)

// wafKinds are web ACLs and what they are made of. A web ACL for CloudFront lives
// in us-east-1.
var wafKinds = []kind{
	{
		token: "aws:wafv2/webAcl:WebAcl", noun: "WAFv2 WebACL", service: "WAFV2", action: "WebACL",
		id: "{uuid:acl}", arn: "arn:{partition}:wafv2:{region}:{account}:" + wafScope + "/webacl/{name}/{id}",
		computed: props{"capacity": fresh(wafCapacity), "lockToken": "{uuid:lock}", "applicationIntegrationUrl": "", "name": "{namePrefix|}{digits26:prefix}"},
		words:    wafWords,
		replaces: []string{"name", "namePrefix", "scope"},
		refs:     refer(toIPSet, "rules[*].statement.ipSetReferenceStatement.arn", "rules[*].statement.notStatement.statements[*].ipSetReferenceStatement.arn"),
		unique:   []unique{{key: "{scope}/{name}", code: "WAFDuplicateItemException", message: "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one: {name}"}},
		limits: []limit{
			{path: "name", longest: 128, pattern: wafName, meaning: "only letters, digits, _ and -", source: docsWebACL},
			{path: "scope", oneOf: []string{"CLOUDFRONT", "REGIONAL"}, source: docsWebACL},
			{path: "description", longest: 256, pattern: regexp.MustCompile(`^[\w+=:#@/\-,.][\w+=:#@/\-,. ]+[\w+=:#@/\-,.]$`), meaning: "letters, digits, spaces and +=:#@/-,. only", source: docsWebACL},
		},
		refuses: []refusal{
			{name: "web-acl-visibility", at: []operation{opCreate, opUpdate}, code: "WAFInvalidParameterException", source: docsWebACL, because: noVisibility},
			{name: "web-acl-priorities", code: "WAFInvalidParameterException", source: docsWebACL, because: sameRuleTwice("rules[*].priority")},
			{name: "web-acl-rule-names", code: "WAFInvalidParameterException", source: docsWebACL, because: sameRuleTwice("rules[*].name")},
			{name: "web-acl-cloudfront-region", code: "WAFInvalidParameterException", source: docsWebACL, because: cloudfrontElsewhere},
			{name: "web-acl-capacity", code: "WAFLimitsExceededException", source: docsWebACL, because: tooMuchCapacity},
		},
		blocks: []block{{
			by:   []string{"aws:wafv2/webAclAssociation:WebAclAssociation"},
			code: "WAFAssociatedItemException", message: "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource.",
		}},
	},
	{
		token: "aws:wafv2/ipSet:IpSet", noun: "WAFv2 IPSet", service: "WAFV2", action: "IPSet",
		id: "{uuid:ipset}", arn: "arn:{partition}:wafv2:{region}:{account}:" + wafScope + "/ipset/{name}/{id}",
		computed: props{"lockToken": "{uuid:lock}", "name": "{namePrefix|}{digits26:prefix}"},
		words:    wafWords,
		replaces: []string{"ipAddressVersion", "name", "namePrefix", "scope"},
		unique:   []unique{{key: "{scope}/{name}", code: "WAFDuplicateItemException", message: "AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one: {name}"}},
		limits: []limit{
			{path: "name", longest: 128, pattern: wafName, meaning: "only letters, digits, _ and -", source: docsIPSet},
			{path: "scope", oneOf: []string{"CLOUDFRONT", "REGIONAL"}, source: docsIPSet},
			{path: "ipAddressVersion", oneOf: []string{"IPV4", "IPV6"}, source: docsIPSet},
			{path: "addresses[*]", cidr: true, source: docsIPSet},
		},
		refuses: []refusal{{name: "ip-set-cloudfront-region", code: "WAFInvalidParameterException", source: docsIPSet, because: cloudfrontElsewhere}},
		blocks: []block{{
			by:   []string{"aws:wafv2/webAcl:WebAcl", "aws:wafv2/ruleGroup:RuleGroup"},
			code: "WAFAssociatedItemException", message: "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource.",
		}},
	},
	{
		token: "aws:wafv2/webAclAssociation:WebAclAssociation", noun: "WAFv2 WebACL Association", service: "WAFV2", action: "WebACLAssociation", call: "AssociateWebACL",
		id: "{webAclArn},{resourceArn}", replaces: []string{"resourceArn", "webAclArn"},
		refs: slices.Concat(refer(toWebAcl, "webAclArn"), []ref{{"resourceArn", wafTarget}}),
		unique: []unique{{
			key: "{resourceArn}", code: "WAFAssociatedItemException",
			message: "{resourceArn} has a web ACL already; AWS would move it, and two associations would take turns",
		}},
	},
	{
		token: "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", noun: "WAFv2 WebACL Logging Configuration", service: "WAFV2", action: "LoggingConfiguration", call: "PutLoggingConfiguration",
		id: "{resourceArn}", replaces: []string{"resourceArn"},
		refs: slices.Concat(refer(toWebAcl, "resourceArn"), refer(toAnyLogTarget, "logDestinationConfigs[*]")),
		refuses: []refusal{{
			name: "waf-log-prefix", code: "WAFInvalidParameterException", source: docsWAFLogs + " and https://github.com/pulumi/pulumi-aws/issues/1214", because: logNameWithoutPrefix,
		}},
	},
}

// wafScope is the word in a web ACL's ARN that says whom it is for.
const wafScope = "{scopeName}"

var wafWords = map[string]func(*call) string{"scopeName": func(c *call) string {
	if c.text("scope") == "CLOUDFRONT" {
		return "global"
	}
	return "regional"
}}

// wafTarget is what a web ACL can protect.
var wafTarget = &target{
	types: []string{"aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer", "aws:cognito/userPool:UserPool", "aws:apigateway/stage:Stage"},
	code:  "WAFUnavailableEntityException", message: "AWS WAF couldn't retrieve the resource that you requested: {value}",
	outside: func(v string) bool { return !strings.Contains(v, ":elasticloadbalancing:") },
}

func noVisibility(c *call) string {
	if c.text("visibilityConfig.metricName") == "" && !c.unknown("visibilityConfig") {
		return "The parameter visibilityConfig is required, with a metricName"
	}
	return ""
}

func cloudfrontElsewhere(c *call) string {
	if c.text("scope") == "CLOUDFRONT" && c.conf.region != "us-east-1" {
		return "The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT: it needs a provider for us-east-1, not " + c.conf.region
	}
	return ""
}

// managedCapacity is what AWS's rule groups cost in web ACL capacity units.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
var managedCapacity = map[string]int{
	"AWSManagedRulesCommonRuleSet": 700, "AWSManagedRulesAdminProtectionRuleSet": 100, "AWSManagedRulesKnownBadInputsRuleSet": 200,
	"AWSManagedRulesSQLiRuleSet": 200, "AWSManagedRulesLinuxRuleSet": 200, "AWSManagedRulesUnixRuleSet": 100, "AWSManagedRulesWindowsRuleSet": 200,
	"AWSManagedRulesPHPRuleSet": 100, "AWSManagedRulesWordPressRuleSet": 100, "AWSManagedRulesAmazonIpReputationList": 25,
	"AWSManagedRulesAnonymousIpList": 50, "AWSManagedRulesATPRuleSet": 50, "AWSManagedRulesACFPRuleSet": 50, "AWSManagedRulesBotControlRuleSet": 50,
}

// wafCapacity estimates a web ACL's capacity: managed groups by AWS's list, every
// other rule as 2.
func wafCapacity(c *call) any {
	rules := valuesAt(c.state(), "rules[*]")
	total := 0
	managed := 0
	for _, name := range c.texts("rules[*].statement.managedRuleGroupStatement.name") {
		total += managedCapacity[name]
		managed++
	}
	return total + 2*(len(rules)-managed)
}

func tooMuchCapacity(c *call) string {
	const most = 5000
	if n, _ := c.number("capacity"); n > most {
		return fmt.Sprintf("AWS WAF couldn't perform the operation because you exceeded your resource limit: %s of %d web ACL capacity units", number(n), most)
	}
	return ""
}

func logNameWithoutPrefix(c *call) string {
	for _, arn := range c.texts("logDestinationConfigs[*]") {
		name := arn[strings.LastIndex(strings.TrimSuffix(arn, ":*"), ":")+1:]
		name = name[strings.LastIndex(name, "/")+1:]
		if !strings.HasPrefix(name, "aws-waf-logs-") {
			return fmt.Sprintf("Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes., field: LOG_DESTINATION, parameter: %s (its name must begin with aws-waf-logs-)", arn)
		}
	}
	return ""
}
