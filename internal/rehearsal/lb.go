package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsCreateLB    = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"
	docsListener    = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html"
	docsTargetGroup = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"
	docsAccessLogs  = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"
	docsProtection  = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#deletion-protection"
)

var lbName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$`)

const lbNameMeaning = "only letters, digits and hyphens, and no hyphen at either end"

// lbKinds are load balancers, under both of the names that pulumi-aws has.
var lbKinds = slices.Concat(lbTable("lb"), lbTable("alb"))

func lbTable(module string) []kind {
	in := func(path string) string { return "aws:" + module + "/" + path }
	return []kind{loadBalancerKind(in), targetGroupKind(in), listenerKind(in), listenerRuleKind(in)}
}

func loadBalancerKind(in func(path string) string) kind {
	return kind{
		token: in("loadBalancer:LoadBalancer"), noun: "ELBv2 application Load Balancer", service: "Elastic Load Balancing v2", action: "LoadBalancer",
		id: "{arn}", arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{arnSuffix}",
		defaults: props{
			"clientKeepAlive": 3600, "desyncMitigationMode": "defensive", "dropInvalidHeaderFields": false, "enableCrossZoneLoadBalancing": false,
			"enableDeletionProtection": false, "enableHttp2": true, "enableTlsVersionAndCipherSuiteHeaders": false, "enableWafFailOpen": false,
			"enableXffClientPort": false, "enableZonalShift": false, "idleTimeout": 60, "loadBalancerType": "application",
			"preserveHostHeader": false, "xffHeaderProcessingMode": "append",
		},
		computed: props{
			"arnSuffix": func(c *call) any {
				short := map[string]string{"application": "app", "network": "net", "gateway": "gwy"}
				return short[c.text("loadBalancerType")] + "/{name}/{hex16:lb}"
			},
			"dnsName": func(c *call) any {
				if c.truth("internal") {
					return "internal-{name}-{digits10:dns}.{region}.elb.{dns}"
				}
				return "{name}-{digits10:dns}.{region}.elb.{dns}"
			},
			"zoneId": "Z{upper13:zone}", "vpcId": "{subnets->vpcId}", "internal": false, "ipAddressType": "ipv4",
			"name": "{namePrefix|}{digits26:prefix}",
		},
		replaces: []string{"internal", "loadBalancerType", "name", "namePrefix", "customerOwnedIpv4Pool"},
		refs: slices.Concat(refer(toSubnet, "subnets[*]", "subnetMappings[*].subnetId"), refer(toSecurityGroup, "securityGroups[*]"),
			refer(toBucket, "accessLogs.bucket", "connectionLogs.bucket")),
		unique: []unique{{key: "{name}", code: "DuplicateLoadBalancerName", message: "A load balancer with the same name '{name}' exists, but with different settings"}},
		limits: []limit{
			{path: "name", longest: 32, pattern: lbName, meaning: lbNameMeaning, source: docsCreateLB},
			{path: "loadBalancerType", oneOf: []string{"application", "gateway", "network"}, source: docsCreateLB},
			{path: "idleTimeout", least: 1, most: 4000, source: docsCreateLB},
			{path: "desyncMitigationMode", oneOf: []string{"defensive", "monitor", "strictest"}, source: docsCreateLB},
		},
		refuses: []refusal{
			{name: "lb-name-internal", at: []operation{opCreate}, code: "ValidationError", source: docsCreateLB, because: internalName},
			{name: "lb-two-zones", code: "InvalidConfigurationRequest", source: docsCreateLB, because: fewerThanTwoZones},
			{name: "lb-access-log-bucket", code: "InvalidConfigurationRequest", source: docsAccessLogs, because: logBucketClosed},
			{name: "lb-protected", at: []operation{opDelete}, code: "OperationNotPermitted", source: docsProtection, because: protected("enableDeletionProtection", "Load balancer '{arn}' cannot be deleted because deletion protection is enabled")},
		},
		blocks: []block{{
			by:   []string{"aws:ec2/vpcEndpointService:VpcEndpointService"},
			code: "ResourceInUse", message: "Load balancer '{arn}' cannot be deleted because it is currently associated with another service",
		}},
	}
}

func targetGroupKind(in func(path string) string) kind {
	return kind{
		token: in("targetGroup:TargetGroup"), noun: "ELBv2 Target Group", service: "Elastic Load Balancing v2", action: "TargetGroup",
		id: "{arn}", arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:{arnSuffix}",
		defaults: props{"deregistrationDelay": 300, "lambdaMultiValueHeadersEnabled": false, "proxyProtocolV2": false, "slowStart": 0, "targetType": "instance"},
		computed: props{
			"arnSuffix": "targetgroup/{name}/{hex16:tg}", "loadBalancingAlgorithmType": "round_robin", "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration",
			"loadBalancingAnomalyMitigation": "off", "ipAddressType": "ipv4", "protocolVersion": "HTTP1", "name": "{namePrefix|}{digits26:prefix}",
		},
		replaces: []string{"name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId", "ipAddressType"},
		refs:     refer(toVpc, "vpcId"),
		unique:   []unique{{key: "{name}", code: "DuplicateTargetGroupName", message: "A target group with the same name '{name}' exists, but with different settings"}},
		limits: []limit{
			{path: "name", longest: 32, pattern: lbName, meaning: lbNameMeaning, source: docsTargetGroup},
			{path: "port", least: 1, most: 65535, source: docsTargetGroup},
			{path: "deregistrationDelay", least: 0, most: 3600, source: docsTargetGroup},
			{path: "protocol", oneOf: []string{"GENEVE", "HTTP", "HTTPS", "TCP", "TCP_UDP", "TLS", "UDP"}, source: docsTargetGroup},
			{path: "targetType", oneOf: []string{"alb", "instance", "ip", "lambda"}, source: docsTargetGroup},
		},
		refuses: []refusal{{name: "target-group-complete", at: []operation{opCreate}, code: "ValidationError", source: docsTargetGroup, because: targetGroupIncomplete}},
		blocks: []block{{
			by:   []string{in("listener:Listener"), in("listenerRule:ListenerRule")},
			code: "ResourceInUse", message: "Target group '{arn}' is currently in use by a listener or a rule",
		}},
	}
}

func listenerKind(in func(path string) string) kind {
	return kind{
		token: in("listener:Listener"), noun: "ELBv2 Listener", service: "Elastic Load Balancing v2", action: "Listener",
		id: "{arn}", arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{loadBalancerArn->arnSuffix}/{hex16:listener}",
		computed: props{
			"protocol": "HTTP",
			"sslPolicy": func(c *call) any {
				if p := c.text("protocol"); p == "HTTPS" || p == "TLS" {
					return "ELBSecurityPolicy-2016-08"
				}
				return nil
			},
		},
		replaces: []string{"loadBalancerArn"},
		refs:     slices.Concat(refer(toLoadBalancer, "loadBalancerArn"), refer(toCertificate, "certificateArn"), refer(toTargetGroup, "defaultActions[*].targetGroupArn", "defaultActions[*].forward.targetGroups[*].arn")),
		unique:   []unique{{key: "{loadBalancerArn}/{port}", code: "DuplicateListener", message: "A listener already exists on port {port} for this load balancer '{loadBalancerArn}'"}},
		limits: []limit{
			{path: "port", least: 1, most: 65535, source: docsListener},
			{path: "protocol", oneOf: []string{"GENEVE", "HTTP", "HTTPS", "TCP", "TCP_UDP", "TLS", "UDP"}, source: docsListener},
			{path: "defaultActions[*].type", oneOf: lbActions, source: docsListener},
		},
		refuses: []refusal{
			{name: "listener-certificate", code: "ValidationError", source: docsListener, because: listenerWithoutCertificate},
			{name: "listener-certificate-issued", code: "UnsupportedCertificate", source: docsListener, because: certificatePending},
		},
	}
}

func listenerRuleKind(in func(path string) string) kind {
	return kind{
		token: in("listenerRule:ListenerRule"), noun: "ELBv2 Listener Rule", service: "Elastic Load Balancing v2", action: "Rule",
		id: "{arn}", arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:listener-rule/{hex16:rule}",
		computed: props{"priority": func(c *call) any { return 1 + len(c.users(c.referred("listenerArn"), c.kind.token)) }},
		replaces: []string{"listenerArn"},
		refs:     append(refer(toListener, "listenerArn"), refer(toTargetGroup, "actions[*].targetGroupArn", "actions[*].forward.targetGroups[*].arn")...),
		unique:   []unique{{key: "{listenerArn}/{priority}", code: "PriorityInUse", message: "Priority '{priority}' is currently in use"}},
		limits: []limit{
			{path: "priority", least: 1, most: 50000, source: docsListener},
			{path: "actions[*].type", oneOf: lbActions, source: docsListener},
		},
	}
}

var lbActions = []string{"authenticate-cognito", "authenticate-oidc", "fixed-response", "forward", "redirect"}

// protected refuses a delete while a property is true.
func protected(property, message string) func(c *call) string {
	return func(c *call) string {
		if !c.truth(property) {
			return ""
		}
		text, _ := c.expand(message)
		return text + "; update the stack with " + property + " false first"
	}
}

func internalName(c *call) string {
	if strings.HasPrefix(c.text("name"), "internal-") {
		return "Load balancer name cannot begin with 'internal-'"
	}
	return ""
}

func fewerThanTwoZones(c *call) string {
	if c.text("loadBalancerType") != "application" {
		return ""
	}
	subnets := append(c.referredAll("subnets"), c.referredAll("subnetMappings[*].subnetId")...)
	given := append(c.texts("subnets[*]"), c.texts("subnetMappings[*].subnetId")...)
	if len(given) != len(subnets) {
		return "" // a subnet is missing, which is refused on its own
	}
	zones := map[string]bool{}
	for _, s := range subnets {
		zone, _ := text(s.outputs, "availabilityZone")
		if zones[zone] {
			return fmt.Sprintf("A load balancer cannot be attached to multiple subnets in the same Availability Zone (%s)", zone)
		}
		zones[zone] = true
	}
	if len(zones) < 2 {
		return "At least two subnets in two different Availability Zones must be specified"
	}
	return ""
}

// logDelivery are the principals of which one must be allowed to write to the
// bucket of a load balancer's logs.
func logDelivery(c *call, kind, who string) bool {
	switch kind {
	case "Service":
		return who == "logdelivery.elasticloadbalancing.amazonaws.com" || who == "delivery.logs.amazonaws.com"
	case "AWS":
		account := elbAccounts[c.conf.region]
		return who == "*" || account != "" && strings.Contains(who, account)
	}
	return false
}

func logBucketClosed(c *call) string {
	for _, logs := range []string{"accessLogs", "connectionLogs"} {
		if !c.truth(logs + ".enabled") {
			continue
		}
		for _, bucket := range c.referredAll(logs + ".bucket") {
			if bucket.region != c.conf.region {
				return fmt.Sprintf("Access Denied for bucket: %s. The bucket must be in the load balancer's region %s, not %s.", bucket.id, c.conf.region, bucket.region)
			}
			policy := c.side(bucket, "aws:s3/bucketPolicy:BucketPolicy")
			if policy == nil {
				return fmt.Sprintf("Access Denied for bucket: %s. Please check S3bucket permission: it has no bucket policy yet; make the load balancer depend on it.", bucket.id)
			}
			d, err := parsePolicy(policy.text("policy"))
			if err == nil && !d.allows(func(kind, who string) bool { return logDelivery(c, kind, who) }, "s3:PutObject") {
				return fmt.Sprintf("Access Denied for bucket: %s. Please check S3bucket permission: its policy does not allow s3:PutObject to logdelivery.elasticloadbalancing.amazonaws.com.", bucket.id)
			}
		}
	}
	return ""
}

func targetGroupIncomplete(c *call) string {
	if c.text("targetType") == "lambda" {
		return ""
	}
	for _, p := range []string{"port", "protocol", "vpcId"} {
		if !has(c.in, p) {
			return fmt.Sprintf("%s should be set when the target type is %s", p, c.text("targetType"))
		}
	}
	return ""
}

func listenerWithoutCertificate(c *call) string {
	p := c.text("protocol")
	switch {
	case (p == "HTTPS" || p == "TLS") && c.text("certificateArn") == "":
		return fmt.Sprintf("A certificate must be specified for %s listeners", p)
	case p == "HTTP" && c.text("certificateArn") != "":
		return "A certificate cannot be specified for HTTP listeners"
	}
	return ""
}

func certificatePending(c *call) string {
	cert := c.referred("certificateArn")
	if cert == nil {
		return ""
	}
	status, _ := text(cert.outputs, "status")
	if status != "PENDING_VALIDATION" || len(c.users(cert, "aws:acm/certificateValidation:CertificateValidation")) > 0 {
		return ""
	}
	return fmt.Sprintf("The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size: it is still pending validation; use the certificateArn of a CertificateValidation.", cert.arn())
}

// elbAccounts are the accounts that deliver a load balancer's access logs in
// regions that are older than August 2022. Source: docsAccessLogs.
var elbAccounts = map[string]string{
	"us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980", "us-west-2": "797873946194",
	"af-south-1": "098369216593", "ap-east-1": "754344448648", "ap-southeast-3": "589379963580", "ap-south-1": "718504428378",
	"ap-northeast-3": "383597477331", "ap-northeast-2": "600734575887", "ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266",
	"ap-northeast-1": "582318560864", "ca-central-1": "985666609251", "eu-central-1": "054676820928", "eu-west-1": "156460612806",
	"eu-west-2": "652711504416", "eu-south-1": "635631232127", "eu-west-3": "009996457667", "eu-north-1": "897822967062",
	"me-south-1": "076674570225", "sa-east-1": "507241528517", "us-gov-west-1": "048591011584", "us-gov-east-1": "190560391635",
}
