package rules

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/internal/filterpattern"
	"redoubt/policy/rule"
)

const (
	applicationELB    = "AWS/ApplicationELB"
	apiGatewayMetrics = "AWS/ApiGateway"
	awsLambda         = "AWS/Lambda"
)

// alarms holds the rules about what a workload's own metrics must be watched
// for. They judge the workload, so that a stack without one needs none. All are
// advisory: alarms may live in another stack.
var alarms = []rule.Rule{
	{
		Name:     "alarm-waf-blocks",
		Summary:  "An alarm watches the requests that a web ACL blocks.",
		Guide:    []guide.ID{guide.OperationsMediumWAFBlocks, guide.OperationsMetricsWAFBlocks},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SI-4(5)")),
		Types:      []string{"wafv2/webAcl"},
		CheckStack: watchedFor(watch{namespace: "AWS/WAFV2", metrics: []string{"BlockedRequests"}, of: ofWebACL}),
		Fix: `cloudwatch.MetricAlarmArgs{Namespace: pulumi.String("AWS/WAFV2"), MetricName: pulumi.String("BlockedRequests"), ` +
			`Dimensions: pulumi.StringMap{"WebACL": …, "Region": …, "Rule": pulumi.String("ALL")}, AlarmActions: pulumi.Array{topic.Arn}}`,
		URL: "https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html",
	},
	{
		Name:     "alarm-unusual-traffic",
		Summary:  "An alarm watches a load balancer for more or less traffic than usual.",
		Guide:    []guide.ID{guide.OperationsMediumUnusualTrafficPatterns},
		Severity: rule.Low, Level: rule.Advisory,
		Controls: mapped(nist("SI-4(4)")),
		Types:    loadBalancers,
		CheckStack: onlyALB(watchedFor(watch{
			namespace: applicationELB, metrics: []string{"RequestCount", "ProcessedBytes", "NewConnectionCount", "ActiveConnectionCount"},
			dimension: "LoadBalancer", band: true,
		})),
		Fix: `cloudwatch.MetricAlarmArgs{ThresholdMetricId: pulumi.String("usual"), MetricQueries: cloudwatch.MetricAlarmMetricQueryArray{` +
			`cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String("usual"), Expression: pulumi.String("ANOMALY_DETECTION_BAND(seen, 3)"), ReturnData: pulumi.Bool(true)}, …}, ` +
			`AlarmActions: pulumi.Array{topic.Arn}} where seen is RequestCount of the load balancer`,
		URL: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Anomaly_Detection_Alarm.html",
	},
	{
		Name:     "alarm-api-throttling",
		Summary:  "An alarm watches the requests that an API throttles.",
		Guide:    []guide.ID{guide.OperationsMediumAPIThrottling},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SC-5", "SI-4")),
		Types:      append([]string{"lambda/function"}, apiStages...),
		CheckStack: throttlingWatched,
		Fix: `a cloudwatch.NewMetricAlarm on 4XXError of the stage, on Throttles of the function, or on a metric filter of the stage's access log: ` +
			`{ $.status = 429 }`,
		URL: "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html",
	},
	{
		Name:     "alarm-error-rate",
		Summary:  "An alarm watches the errors of a load balancer, of an API, and of a function that answers requests.",
		Guide:    []guide.ID{guide.OperationsMetricsErrorRates},
		Severity: rule.Medium, Level: rule.Advisory,
		Controls:   mapped(nist("SI-4")),
		Types:      append(append([]string{"lambda/function"}, apiStages...), loadBalancers...),
		CheckStack: errorsWatched,
		Fix: `a cloudwatch.NewMetricAlarm on HTTPCode_ELB_5XX_Count and HTTPCode_Target_5XX_Count of the load balancer, 5XXError of the stage, ` +
			`Errors of the function, each cloudwatch.MetricAlarmArgs{AlarmActions: pulumi.Array{topic.Arn}}`,
		URL: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html",
	},
	{
		Name:     "alarm-request-latency",
		Summary:  "An alarm watches how long the slowest requests of a load balancer or an API take, not the average.",
		Guide:    []guide.ID{guide.OperationsMetricsRequestLatency},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("SI-4")),
		Types:      append(append([]string{}, apiStages...), loadBalancers...),
		CheckStack: latencyWatched,
		Fix: `cloudwatch.MetricAlarmArgs{MetricName: pulumi.String("TargetResponseTime"), ExtendedStatistic: pulumi.String("p95"), ` +
			`Dimensions: pulumi.StringMap{"LoadBalancer": alb.ArnSuffix}, AlarmActions: pulumi.Array{topic.Arn}}`,
		URL: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html",
	},
	{
		Name:     "alarm-authentication-failures",
		Summary:  "An alarm watches the failed sign-ins of an application with a user pool.",
		Guide:    []guide.ID{guide.OperationsMetricsAuthenticationFailures},
		Severity: rule.Low, Level: rule.Advisory,
		Controls:   mapped(nist("AC-7")),
		Types:      []string{"cognito/userPool"},
		CheckStack: authenticationWatched,
		Fix: `a cloudwatch.NewMetricAlarm on a metric filter that counts the application's failed sign-ins, or on SignInThrottles or Risk of ` +
			`AWS/Cognito, with cloudwatch.MetricAlarmArgs{AlarmActions: pulumi.Array{topic.Arn}}`,
		URL: "https://docs.aws.amazon.com/cognito/latest/developerguide/metrics-for-cognito-user-pools.html",
	},
}

type stackCheck = func(*rule.Stack, *rule.Resource, rule.Params) rule.Verdict

func watchedFor(w watch) stackCheck {
	return func(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict { return w.watched(s, r) }
}

// onlyALB applies a check to application load balancers.
func onlyALB(check stackCheck) stackCheck {
	return func(s *rule.Stack, r *rule.Resource, p rule.Params) rule.Verdict {
		return onlyApplication(r, func() rule.Verdict { return check(s, r, p) })
	}
}

// ofWebACL says whether a series is of the web ACL. AWS/WAFV2 has no metric
// without Rule, and none of a regional ACL without Region: an alarm that leaves
// one out waits for data for ever.
func ofWebACL(s *rule.Stack, alarm *rule.Resource, x series, acl *rule.Resource) rule.Verdict {
	byName := watch{dimension: "WebACL", value: "visibilityConfig.metricName"}
	v := byName.isOf(s, alarm, x, acl)
	where := acl.Get("scope")
	scope, _ := where.Str()
	if where.Unknown() && x.dimensions.Get("Region").Empty() {
		v = rule.All(v, rule.Unsure("scope of %s is unknown", acl.Label()))
	}
	for _, d := range []string{"Rule", "Region"} {
		if x.dimensions.Get(d).Empty() && (d == "Rule" || scope == "REGIONAL") {
			v = rule.All(v, rule.Fail("%s has no dimension %s", alarm.Label(), d))
		}
	}
	return v
}

// ofStage says whether a series of AWS/ApiGateway is of the stage: of its API,
// and of this stage or of all. REST APIs are called by name, others by id.
func ofStage(s *rule.Stack, alarm *rule.Resource, x series, stage *rule.Resource) rule.Verdict {
	byStage := watch{dimension: "Stage", value: stageName(stage)}
	v := rule.Pass()
	if x.dimensions.Get("Stage").Present() {
		v = byStage.isOf(s, alarm, x, stage)
	}
	byAPI, property, typ := watch{dimension: "ApiName", value: "name"}, "restApi", "apigateway/restApi"
	if stage.Is("apigatewayv2/stage") {
		byAPI, property, typ = watch{dimension: "ApiId"}, "apiId", "apigatewayv2/api"
	}
	apis := s.Refs(stage, property, typ).Targets
	if len(apis) == 0 {
		return rule.All(v, rule.Unsure("the API of %s is not in this stack", stage.Label()))
	}
	for _, api := range apis {
		v = rule.All(v, byAPI.isOf(s, alarm, x, api))
	}
	return v
}

func stageName(stage *rule.Resource) string {
	if stage.Is("apigatewayv2/stage") {
		return "name"
	}
	return "stageName"
}

func ofFunction(metric string) watch {
	return watch{namespace: awsLambda, metrics: []string{metric}, dimension: "FunctionName", value: "name"}
}

func ofAPI(metrics ...string) watch {
	return watch{namespace: apiGatewayMetrics, metrics: metrics, of: ofStage}
}

// answers says that the function answers requests of an API: who waits for it
// sees its errors. Others have a dead-letter queue.
func answers(s *rule.Stack, function *rule.Resource) bool {
	return len(s.Pointing(function, "uri", "apigateway/integration")) > 0 ||
		len(s.Pointing(function, "integrationUri", "apigatewayv2/integration")) > 0 ||
		len(s.Pointing(function, "functionName", "lambda/functionUrl")) > 0
}

func throttlingWatched(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Is("lambda/function") {
		if !answers(s, r) {
			return rule.Skip()
		}
		return ofFunction("Throttles").watched(s, r)
	}
	return rule.Any(throttledInLog(s, r), ofAPI("4XXError", "4xx", "Count").watched(s, r))
}

// throttledInLog is the verdict of the other way to count what a stage
// throttles, and only that: by its access log.
func throttledInLog(s *rule.Stack, stage *rule.Resource) rule.Verdict {
	var parts []rule.Verdict
	logs := s.Refs(stage, "accessLogSettings.destinationArn", "cloudwatch/logGroup")
	for _, f := range s.Of("cloudwatch/logMetricFilter") {
		read := s.Refs(f, "logGroupName", "cloudwatch/logGroup")
		of := rule.Skip()
		switch {
		case slices.ContainsFunc(logs.Targets, read.Has):
		case read.Unknown || logs.Unknown:
			of = rule.Unsure("whether %s reads the access log of %s is unknown", f.Label(), stage.Label())
		default:
			continue
		}
		pattern := f.Get("pattern")
		text, known := pattern.Str()
		p, err := filterpattern.Compile(text)
		switch {
		case pattern.Unknown():
			parts = append(parts, rule.Unsure("pattern of %s is unknown", f.Label()))
		case known && err == nil && p.Matches(decoded(map[string]any{"status": 429})):
			parts = append(parts, rule.All(of, alarmed(s, f, anyTopic)))
		}
	}
	return rule.Any(parts...)
}

func errorsWatched(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	switch {
	case r.Is(loadBalancers...):
		return onlyApplication(r, func() rule.Verdict {
			own := watch{namespace: applicationELB, metrics: []string{"HTTPCode_ELB_5XX_Count"}, dimension: "LoadBalancer"}
			targets := watch{namespace: applicationELB, metrics: []string{"HTTPCode_Target_5XX_Count"}, dimension: "LoadBalancer"}
			return rule.All(own.watched(s, r), targets.watched(s, r))
		})
	case r.Is("lambda/function"):
		if !answers(s, r) {
			return rule.Skip()
		}
		return ofFunction("Errors").watched(s, r)
	default:
		return ofAPI("5XXError", "5xx").watched(s, r)
	}
}

func latencyWatched(s *rule.Stack, r *rule.Resource, _ rule.Params) rule.Verdict {
	if r.Is(loadBalancers...) {
		return onlyApplication(r, func() rule.Verdict {
			return watch{namespace: applicationELB, metrics: []string{"TargetResponseTime"}, dimension: "LoadBalancer", percentile: true}.watched(s, r)
		})
	}
	w := ofAPI("Latency", "IntegrationLatency")
	w.percentile = true
	return w.watched(s, r)
}

// authenticationWatched accepts a metric of the user pool or one of the
// application: Cognito itself counts no failed sign-ins.
func authenticationWatched(s *rule.Stack, _ *rule.Resource, _ rule.Params) rule.Verdict {
	parts := []rule.Verdict{rule.Fail("no alarm watches failed sign-ins")}
	for _, alarm := range s.Of("cloudwatch/metricAlarm") {
		for _, x := range seriesOf(alarm) {
			metric, known := x.metric.Str()
			namespace, _ := x.namespace.Str()
			switch {
			case known && (namespace == "AWS/Cognito" || countsFailedSignIns(metric)):
				parts = append(parts, alarmActs(s, alarm, anyTopic))
			case x.metric.Unknown() || x.namespace.Unknown():
				parts = append(parts, rule.Unsure("the metric of %s is unknown", alarm.Label()))
			}
		}
	}
	return rule.Any(parts...)
}

// countsFailedSignIns says that a metric of the application's own is named for
// failed sign-ins: there is nothing else to know it by.
func countsFailedSignIns(metric string) bool {
	m := strings.ToLower(metric)
	failed := strings.Contains(m, "fail") || strings.Contains(m, "denied") || strings.Contains(m, "invalid")
	signIn := strings.Contains(m, "authentication") || strings.Contains(m, "login") || strings.Contains(m, "signin") || strings.Contains(m, "sign-in")
	return failed && signIn
}
