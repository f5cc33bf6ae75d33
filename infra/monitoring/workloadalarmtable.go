package monitoring

import "redoubt/guide"

// Subjects of the table: what the stack has, by the name in braces.
const (
	loadBalancer = "{loadBalancer}"
	targetGroup  = "{targetGroup}"
	webACL       = "{webACL}"
	webACLRegion = "{region}"
	database     = "{database}"
	search       = "{search}"
	account      = "{account}"
	cluster      = "{cluster}"
	service      = "{service}"
	function     = "{function}"
	natGateway   = "{natGateway}"
	api          = "{api}"
	apiStage     = "{apiStage}"
	source       = "{source}"
	copyOf       = "{copy}"
	copyRule     = "{copyRule}"
	protected    = "{protected}"
	metrics      = "{metrics}"
)

var (
	ofBalancer = map[string]string{"LoadBalancer": loadBalancer}
	ofTargets  = map[string]string{"LoadBalancer": loadBalancer, "TargetGroup": targetGroup}
	ofDatabase = map[string]string{"DBClusterIdentifier": database}
	ofSearch   = map[string]string{"DomainName": search, "ClientId": account}
	ofService  = map[string]string{"ClusterName": cluster, "ServiceName": service}
	ofFunction = map[string]string{"FunctionName": function}
	ofStage    = map[string]string{"ApiName": api, "Stage": apiStage}
	ofCopies   = map[string]string{"SourceBucket": source, "DestinationBucket": copyOf, "RuleId": copyRule}
)

// workloadAlarms are what is watched of the application. Latency is in
// seconds or milliseconds as the service has it; a period is five minutes
// where nothing else is said by its number of seconds.
var workloadAlarms = []alarm{
	// How many requests fail. Rates, not counts: a night's ten requests and a
	// day's ten thousand have one threshold. Few requests make no rate.
	{
		name: "target-errors", level: Medium, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:      "More than the threshold's percentage of requests ended in a 5xx of the application. See its log.",
		expression: "IF(requests > 20, 100 * FILL(errors, 0) / requests, 0)",
		parts: map[string]series{
			"errors":   {"AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", ofBalancer},
			"requests": {"AWS/ApplicationELB", "RequestCount", "Sum", ofBalancer},
		},
		period: 300, periods: 3, breaches: 2, threshold: 5,
	},
	{
		name: "balancer-errors", level: Medium, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:      "More than the threshold's percentage of requests ended in a 5xx of the load balancer: no healthy task, or no answer in time.",
		expression: "IF(requests + FILL(errors, 0) > 20, 100 * FILL(errors, 0) / (requests + FILL(errors, 0)), 0)",
		parts: map[string]series{
			"errors":   {"AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Sum", ofBalancer},
			"requests": {"AWS/ApplicationELB", "RequestCount", "Sum", ofBalancer},
		},
		period: 300, periods: 3, breaches: 2, threshold: 5,
	},
	{
		name: "unhealthy-targets", level: Medium, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:  "Tasks fail the load balancer's health check.",
		metric: series{"AWS/ApplicationELB", "UnHealthyHostCount", "Maximum", ofTargets},
		period: 60, periods: 5, breaches: 5, threshold: 1,
	},
	{
		name: "no-healthy-target", level: Medium, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:  "No task is healthy: nobody is served.",
		metric: series{"AWS/ApplicationELB", "HealthyHostCount", "Minimum", ofTargets},
		period: 60, periods: 3, breaches: 3, threshold: 1, under: true, silent: true,
	},
	{
		name: "function-errors", level: Medium, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:      "More than the threshold's percentage of invocations failed. See the function's log.",
		expression: "IF(calls > 0, 100 * FILL(errors, 0) / calls, 0)",
		parts: map[string]series{
			"errors": {"AWS/Lambda", "Errors", "Sum", ofFunction},
			"calls":  {"AWS/Lambda", "Invocations", "Sum", ofFunction},
		},
		period: 300, periods: 3, breaches: 2, threshold: 5,
	},
	{
		name: "api-errors", level: Medium, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:  "More than the threshold's share of API requests ended in a 5xx. See the stage's access log.",
		metric: series{"AWS/ApiGateway", "5XXError", "Average", ofStage},
		period: 300, periods: 3, breaches: 2, threshold: 0.05,
	},
	{
		name: "search-red", level: High, serves: guide.OperationsMetricsErrorRates, recovers: true,
		about:  "The OpenSearch domain has lost a primary shard: some logs cannot be found.",
		metric: series{"AWS/ES", "ClusterStatus.red", "Maximum", ofSearch},
		period: 60, periods: 5, breaches: 5, threshold: 1,
	},

	// How long they take.
	{
		name: "latency", level: Medium, serves: guide.OperationsMetricsRequestLatency, recovers: true,
		about:  "One request in twenty takes longer than the threshold's seconds.",
		metric: series{"AWS/ApplicationELB", "TargetResponseTime", "p95", ofBalancer},
		period: 300, periods: 3, breaches: 3, threshold: 1,
	},
	{
		name: "api-latency", level: Medium, serves: guide.OperationsMetricsRequestLatency, recovers: true,
		about:  "One API request in twenty takes longer than the threshold's milliseconds.",
		metric: series{"AWS/ApiGateway", "Latency", "p95", ofStage},
		period: 300, periods: 3, breaches: 3, threshold: 2000,
	},
	{
		name: "database-latency", level: Medium, serves: guide.OperationsMetricsRequestLatency, recovers: true,
		about:  "Commits take longer than the threshold's milliseconds. See Performance Insights.",
		metric: series{"AWS/RDS", "CommitLatency", "Average", ofDatabase},
		period: 300, periods: 3, breaches: 3, threshold: 100,
	},
	{
		name: "search-latency", level: Medium, serves: guide.OperationsMetricsRequestLatency, recovers: true,
		about:  "Searches take longer than the threshold's milliseconds. See the slow log.",
		metric: series{"AWS/ES", "SearchLatency", "Average", ofSearch},
		period: 300, periods: 3, breaches: 3, threshold: 2000,
	},

	// What is full before it fails.
	{
		name: "service-cpu", level: Medium, recovers: true,
		about:  "The service uses more than the threshold's percentage of its CPU for a quarter of an hour: scaling has reached its maximum.",
		metric: series{"AWS/ECS", "CPUUtilization", "Average", ofService},
		period: 300, periods: 3, threshold: 90,
	},
	{
		name: "service-memory", level: Medium, recovers: true,
		about:  "The service uses more than the threshold's percentage of its memory; tasks will be stopped.",
		metric: series{"AWS/ECS", "MemoryUtilization", "Average", ofService},
		period: 300, periods: 3, threshold: 90,
	},
	{
		name: "database-capacity", level: Medium, recovers: true,
		about:  "The cluster uses more than the threshold's percentage of the capacity that it may scale to.",
		metric: series{"AWS/RDS", "ACUUtilization", "Average", ofDatabase},
		period: 300, periods: 3, threshold: 90,
	},
	{
		name: "search-storage", level: Medium, recovers: true,
		about:  "Less than the threshold's MiB are free on a node of the OpenSearch domain; it will refuse to write.",
		metric: series{"AWS/ES", "FreeStorageSpace", "Minimum", ofSearch},
		period: 300, threshold: 2048, under: true,
	},

	// What the web ACL turns away.
	{
		name: "waf-blocks", level: Medium, serves: guide.OperationsMediumWAFBlocks,
		about:  "The web ACL blocks many requests: an attack, or a rule that the application breaks. See the WAF log.",
		metric: series{"AWS/WAFV2", "BlockedRequests", "Sum", map[string]string{"WebACL": webACL, "Region": webACLRegion, "Rule": "ALL"}},
		period: 300, threshold: 500,
	},
	{
		name: "waf-blocks-unusual", level: Medium, serves: guide.OperationsMediumWAFBlocks,
		about:  "The web ACL blocks more than it usually does at this hour.",
		metric: series{"AWS/WAFV2", "BlockedRequests", "Sum", map[string]string{"WebACL": webACL, "Region": webACLRegion, "Rule": "ALL"}},
		period: 300, periods: 3, breaches: 2, band: 3,
	},

	// Traffic that is not as it usually is.
	{
		name: "requests-unusual", level: Medium, serves: guide.OperationsMediumUnusualTrafficPatterns,
		about:  "More requests than usual at this hour.",
		metric: series{"AWS/ApplicationELB", "RequestCount", "Sum", ofBalancer},
		period: 300, periods: 3, breaches: 3, band: 3,
	},
	{
		name: "outbound-unusual", level: Medium, serves: guide.OperationsMediumUnusualTrafficPatterns,
		about:  "More bytes than usual leave through a NAT gateway: an update, or somebody who carries data out. See the flow logs.",
		metric: series{"AWS/NATGateway", "BytesOutToDestination", "Sum", map[string]string{"NatGatewayId": natGateway}},
		period: 300, periods: 3, breaches: 3, band: 3,
	},
	{
		name: "rejected-traffic-unusual", level: Medium, serves: guide.OperationsMediumUnusualTrafficPatterns,
		about:  "Security groups and network ACLs refuse more packets than usual: a scan, or a broken connection. See the flow logs.",
		metric: series{metrics, "RejectedTraffic", "Sum", nil},
		period: 300, periods: 3, breaches: 2, band: 4,
	},
	{
		name: "ddos", level: High, serves: guide.OperationsMediumUnusualTrafficPatterns, recovers: true,
		about:  "Shield Advanced sees a denial of service attack on the load balancer.",
		metric: series{"AWS/DDoSProtection", "DDoSDetected", "Maximum", map[string]string{"ResourceArn": protected}},
		period: 60, threshold: 1,
	},

	// Who is turned away because they, or we, are too many.
	{
		name: "function-throttles", level: Medium, serves: guide.OperationsMediumAPIThrottling,
		about:  "Lambda turns invocations away: raise the function's reserved concurrency, or find who calls it.",
		metric: series{"AWS/Lambda", "Throttles", "Sum", ofFunction},
		period: 300, threshold: 5,
	},

	// Copies that are not made.
	{
		name: "replication-failed", level: High, recovers: true,
		about:  "Objects were not copied to the replica bucket. See the role's and the keys' policies.",
		metric: series{"AWS/S3", "OperationsFailedReplication", "Sum", ofCopies},
		period: 300, threshold: 1,
	},
}
