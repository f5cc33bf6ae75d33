package rehearsal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	docsSearchDomain  = "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateDomain.html"
	docsSearchStandby = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-multiaz.html"
	docsSearchFGAC    = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html"
	docsSearchLogs    = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/createdomain-configure-slow-logs.html"
	issueSearchRole   = "https://github.com/terraform-aws-modules/terraform-aws-opensearch/issues/27"
)

const serviceLinkedRoleToken = "aws:iam/serviceLinkedRole:ServiceLinkedRole"

// searchKinds are OpenSearch domains.
var searchKinds = []kind{
	{
		token: "aws:opensearch/domain:Domain", noun: "OpenSearch Domain", service: "OpenSearch", action: "Domain",
		id: "{arn}", arn: "arn:{partition}:es:{region}:{account}:domain/{domainName}", handles: []string{"{domainName}"},
		computed: props{
			"domainId": "{account}/{domainName}", "engineVersion": "OpenSearch_2.19", "ipAddressType": "ipv4", "accessPolicies": "",
			"endpoint": searchEndpoint, "dashboardEndpoint": func(c *call) any { return searchEndpoint(c).(string) + "/_dashboards" },
			"kibanaEndpoint":               func(c *call) any { return searchEndpoint(c).(string) + "/_plugin/kibana/" },
			"domainEndpointV2HostedZoneId": "Z{upper13:zone}", "endpointV2": "", "dashboardEndpointV2": "",
		},
		replaces: []string{"domainName"}, updates: []string{"vpcOptions"},
		refs: slices.Concat(refer(toSubnet, "vpcOptions.subnetIds[*]"), refer(toSecurityGroup, "vpcOptions.securityGroupIds[*]"), refer(toKey, "encryptAtRest.kmsKeyId"),
			refer(toLogGroup, "logPublishingOptions[*].cloudwatchLogGroupArn"), refer(toRole, "cognitoOptions.roleArn")),
		unique: []unique{{key: "{domainName}", code: "ResourceAlreadyExistsException", message: "Domain {domainName} already exists"}},
		limits: []limit{
			{path: "domainName", shortest: 3, longest: 28, pattern: regexp.MustCompile(`^[a-z][0-9a-z-]+$`), meaning: "lower-case letters, digits and hyphens, beginning with a letter", source: docsSearchDomain},
			{path: "engineVersion", pattern: regexp.MustCompile(`^(OpenSearch|Elasticsearch)_\d{1,2}\.\d{1,2}$`), meaning: "like OpenSearch_2.19", source: docsSearchDomain},
			{path: "domainEndpointOptions.tlsSecurityPolicy", oneOf: []string{"Policy-Min-TLS-1-0-2019-07", "Policy-Min-TLS-1-2-2019-07", "Policy-Min-TLS-1-2-PFS-2023-10"}, source: docsSearchDomain},
			{path: "logPublishingOptions[*].logType", oneOf: []string{"AUDIT_LOGS", "ES_APPLICATION_LOGS", "INDEX_SLOW_LOGS", "SEARCH_SLOW_LOGS"}, source: docsSearchDomain},
			{path: "accessPolicies", json: true, source: docsSearchDomain},
			{path: "clusterConfig.zoneAwarenessConfig.availabilityZoneCount", numbers: []float64{2, 3}, source: docsSearchStandby},
		},
		refuses: []refusal{
			{name: "search-subnets-per-zone", code: "ValidationException", source: docsSearchStandby, because: subnetsUnlikeZones},
			{name: "search-standby", code: "ValidationException", source: docsSearchStandby, because: standbyIncomplete},
			{name: "search-fgac-prerequisites", code: "ValidationException", source: docsSearchFGAC, because: fgacIncomplete},
			{name: "search-fgac-stays", at: []operation{opUpdate}, code: "ValidationException", source: docsSearchFGAC, because: fgacSwitchedOff},
			{name: "search-audit-needs-fgac", code: "ValidationException", source: docsSearchFGAC, because: auditWithoutFGAC},
			{name: "search-log-policy", code: "ValidationException", source: docsSearchLogs, because: logPolicyMissing},
			{name: "search-service-role", at: []operation{opCreate}, code: "ValidationException", source: issueSearchRole, because: noSearchRole},
			{name: "search-policy-grammar", code: "ValidationException", source: docsSearchDomain, because: policyMalformed("accessPolicies")},
		},
	},
	{
		token: "aws:opensearch/domainPolicy:DomainPolicy", noun: "OpenSearch Domain Policy", service: "OpenSearch", action: "DomainConfig", call: "UpdateDomainConfig",
		id: "esd-policy-{domainName}", replaces: []string{"domainName"}, refs: refer(toSearchDomain, "domainName"),
		limits:  []limit{{path: "accessPolicies", json: true, source: docsSearchDomain}},
		refuses: []refusal{{name: "search-policy-grammar", code: "ValidationException", source: docsSearchDomain, because: policyMalformed("accessPolicies")}},
	},
}

func searchEndpoint(c *call) any {
	place := "search-"
	if len(valuesAt(c.state(), "vpcOptions.subnetIds[*]")) > 0 {
		place = "vpc-"
	}
	s, _ := c.expand(place + "{domainName}-{alnum26:endpoint}.{region}.es.{dns}")
	return s
}

func subnetsUnlikeZones(c *call) string {
	subnets := c.texts("vpcOptions.subnetIds[*]")
	if len(subnets) == 0 {
		return ""
	}
	zones := 1
	if c.truth("clusterConfig.zoneAwarenessEnabled") {
		zones = 2
		if n, ok := c.number("clusterConfig.zoneAwarenessConfig.availabilityZoneCount"); ok {
			zones = int(n)
		}
	}
	if len(subnets) != zones {
		return fmt.Sprintf("You must specify exactly %d subnet(s), one for each Availability Zone, not %d.", zones, len(subnets))
	}
	return ""
}

func standbyIncomplete(c *call) string {
	if !c.truth("clusterConfig.multiAzWithStandbyEnabled") {
		return ""
	}
	data, _ := c.number("clusterConfig.instanceCount")
	zones, _ := c.number("clusterConfig.zoneAwarenessConfig.availabilityZoneCount")
	switch {
	case zones != 3:
		return "Multi-AZ with standby needs three Availability Zones"
	case data < 3 || int(data)%3 != 0:
		return fmt.Sprintf("Multi-AZ with standby needs a multiple of three data nodes, not %s", number(data))
	case !c.truth("clusterConfig.dedicatedMasterEnabled"):
		return "Multi-AZ with standby needs dedicated master nodes"
	case strings.HasPrefix(c.text("clusterConfig.instanceType"), "t"):
		return "Multi-AZ with standby does not run on burstable instances such as " + c.text("clusterConfig.instanceType")
	}
	return ""
}

func fgacIncomplete(c *call) string {
	if !c.truth("advancedSecurityOptions.enabled") {
		return ""
	}
	for _, need := range []string{"encryptAtRest.enabled", "nodeToNodeEncryption.enabled", "domainEndpointOptions.enforceHttps"} {
		if !c.truth(need) {
			return "You must enable " + need + " to use advanced security options"
		}
	}
	return ""
}

func fgacSwitchedOff(c *call) string {
	if c.acct.view(c.kind, c.old).truth("advancedSecurityOptions.enabled") && !c.truth("advancedSecurityOptions.enabled") {
		return "Disable Advanced Security is not supported for existing domains."
	}
	return ""
}

func auditWithoutFGAC(c *call) string {
	if slices.Contains(c.texts("logPublishingOptions[*].logType"), "AUDIT_LOGS") && !c.truth("advancedSecurityOptions.enabled") {
		return "audit log publishing cannot be enabled as you do not have advanced security options configured."
	}
	return ""
}

// logPolicyMissing: the service writes its logs only where a resource policy of
// CloudWatch Logs lets it.
func logPolicyMissing(c *call) string {
	for _, group := range c.referredAll("logPublishingOptions[*].cloudwatchLogGroupArn") {
		if !logsAllowed(c, group.arn(), "es.amazonaws.com") {
			return fmt.Sprintf("The Resource Access Policy specified for the CloudWatch Logs log group %s does not grant sufficient permissions for Amazon OpenSearch Service to create a log stream. Please check the Resource Access Policy, and make the domain depend on it.", group.id)
		}
	}
	return ""
}

// logsAllowed is true if a resource policy of CloudWatch Logs lets a service
// write to a log group.
func logsAllowed(c *call, arn, service string) bool {
	for _, p := range c.all("aws:cloudwatch/logResourcePolicy:LogResourcePolicy") {
		document, _ := text(p.outputs, "policyDocument")
		d, err := parsePolicy(document)
		if err != nil {
			continue
		}
		for _, s := range d.Statement {
			fits := s.about(func(kind, who string) bool { return kind == "Service" && who == service })
			covers := slices.ContainsFunc(s.Resource, func(pattern string) bool {
				return matches(pattern, arn) || matches(pattern, arn+":log-stream:x") || matches(pattern, arn+":*")
			})
			if s.Effect == "Allow" && fits && covers && s.covers("logs:CreateLogStream") {
				return true
			}
		}
	}
	return false
}

// noSearchRole: a domain in a VPC needs the service's role, once per account. An
// account that never made a service-linked role is taken to have it: it is usual
// to leave it to the console or to another stack.
func noSearchRole(c *call) string {
	if len(c.texts("vpcOptions.subnetIds[*]")) == 0 {
		return ""
	}
	roles := c.all(serviceLinkedRoleToken)
	for _, r := range roles {
		service, _ := text(r.outputs, "awsServiceName")
		if strings.HasPrefix(service, "opensearchservice.") || strings.HasPrefix(service, "es.") {
			return ""
		}
	}
	if len(roles) == 0 {
		return ""
	}
	return "Before you can proceed, you must enable a service-linked role to give Amazon OpenSearch Service permissions to access your VPC."
}
