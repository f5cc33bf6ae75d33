package monitoring_test

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/monitoring"
	"redoubt/internal/graphtest"
)

// Three topics: mail for all of them, a pager for what is urgent.
func ExampleNewTopics() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewTopics(ctx, "alerts", &monitoring.TopicsArgs{
			Prefix: "redoubt-dev", Scope: scope, KmsKeyArn: pulumi.String(messagingKey),
			Channels: []monitoring.Channel{
				{Name: "team", Levels: monitoring.Levels, Email: "security@redoubt.dev"},
				{Name: "pager", Levels: []monitoring.Level{monitoring.High}, URL: pulumi.String("https://events.pagerduty.com/integration/0123/enqueue")},
			},
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:monitoring:Topics alerts
	//   aws:sns/topic:Topic alerts-high
	//   aws:sns/topic:Topic alerts-low
	//   aws:sns/topic:Topic alerts-medium
	//   aws:sns/topicPolicy:TopicPolicy alerts-high-policy
	//   aws:sns/topicPolicy:TopicPolicy alerts-low-policy
	//   aws:sns/topicPolicy:TopicPolicy alerts-medium-policy
	//   aws:sns/topicSubscription:TopicSubscription alerts-pager-high
	//   aws:sns/topicSubscription:TopicSubscription alerts-team-high
	//   aws:sns/topicSubscription:TopicSubscription alerts-team-low
	//   aws:sns/topicSubscription:TopicSubscription alerts-team-medium
	//   aws:sqs/queue:Queue alerts-dead-letters
	//   aws:sqs/queuePolicy:QueuePolicy alerts-dead-letters-policy
	// <nil>
}

// The rules of the table, and a sentence of one of them.
func ExampleNewAlerts() {
	graph, err := graphtest.Build(withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		_, err := monitoring.NewAlerts(ctx, "events", &monitoring.AlertsArgs{
			Prefix: "redoubt-dev", Scope: scope, Topics: topics, DeployRoleARNs: []string{"arn:aws:iam::123456789012:role/deploy"},
		})
		return err
	}))
	target := graph.One("aws:cloudwatch/eventTarget:EventTarget", "events-security-group-changes")
	fmt.Println(target.Input("inputTransformer.inputTemplate"))
	fmt.Println(err)
	// Output:
	// "[HIGH redoubt-dev] A security group was changed. <actor> called <call> in <place> from <ip>. CloudTrail event <trail>. Account <account>, <region>, <time>, event <event>."
	// <nil>
}

// What AWS tells in us-east-1 only, sent to where the alerts are. The provider
// given to the component is of that region.
func ExampleNewForwarding() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewForwarding(ctx, "global", &monitoring.ForwardingArgs{
			Prefix: "redoubt-dev", Scope: scope, FromRegion: "us-east-1", Sources: []monitoring.Source{monitoring.Global},
		})
		return err
	})
	for _, rule := range graph.ByType("aws:cloudwatch/eventRule:EventRule") {
		fmt.Println(rule.Input("description"))
	}
	fmt.Println(err)
	// Output:
	// A part of the alert path was removed, sent on to eu-central-1
	// Audit or detection was changed or stopped, sent on to eu-central-1
	// Costs are unusual, sent on to eu-central-1
	// Events of another region could not be forwarded, sent on to eu-central-1
	// AWS says that the account is at risk or abused, sent on to eu-central-1
	// Credentials or an identity provider were created or weakened, sent on to eu-central-1
	// An IAM policy was changed, sent on to eu-central-1
	// The root user called an API, sent on to eu-central-1
	// The root user signed in, sent on to eu-central-1
	// <nil>
}

// A trail of everything, with the objects of one bucket.
func ExampleNewTrail() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		ready, err := newReady(ctx) // in a stack: the audit bucket's Policy
		if err != nil {
			return err
		}
		_, err = monitoring.NewTrail(ctx, "trail", &monitoring.TrailArgs{
			Prefix: "redoubt-dev", Scope: scope, Singleton: manage,
			Bucket: pulumi.String("redoubt-dev-audit"), BucketReady: ready, KmsKeyArn: pulumi.String(messagingKey),
			LogKmsKeyArn: pulumi.String(logsKey), RetentionInDays: 120, DataBuckets: []string{"redoubt-dev-data"},
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:monitoring:Trail trail
	//   aws:cloudtrail/trail:Trail trail-trail
	//   redoubt:identity:Role trail-delivery
	//     aws:iam/role:Role trail-delivery-role
	//     aws:iam/rolePolicy:RolePolicy trail-delivery-deliver
	//   redoubt:monitoring:LogGroup trail-group
	//     aws:cloudwatch/logGroup:LogGroup trail-group
	// test:test:Ready ready
	// <nil>
}

// GuardDuty with two of its features; the others are switched off in so many words.
func ExampleNewDetector() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewDetector(ctx, "threats", &monitoring.DetectorArgs{
			Prefix: "redoubt-dev", Scope: scope, Singleton: manage,
			Features: []monitoring.Feature{monitoring.S3DataEvents, monitoring.LambdaNetworkLogs},
		})
		return err
	})
	for _, feature := range graph.ByType("aws:guardduty/detectorFeature:DetectorFeature") {
		fmt.Println(feature.Input("name"), feature.Input("status"))
	}
	fmt.Println(err)
	// Output:
	// EBS_MALWARE_PROTECTION DISABLED
	// EKS_AUDIT_LOGS DISABLED
	// LAMBDA_NETWORK_LOGS ENABLED
	// RDS_LOGIN_EVENTS DISABLED
	// RUNTIME_MONITORING DISABLED
	// S3_DATA_EVENTS ENABLED
	// <nil>
}

// Rules over a recorder that somebody else, often the organization, manages.
func ExampleNewRecorder() {
	graph, err := graphtest.Build(buildRecorder(func(a *monitoring.RecorderArgs) {
		a.Singleton.Mode, a.Rules = "adopt", monitoring.CoreRules
	}))
	for _, rule := range graph.ByType(configRule)[:3] {
		fmt.Println(rule.Input("name"), "–", rule.Input("description"))
	}
	fmt.Println(err)
	// Output:
	// redoubt-dev-alb-waf-enabled – Load balancers are behind a web ACL
	// redoubt-dev-cloud-trail-encryption-enabled – Trails are encrypted with a key of ours
	// redoubt-dev-cloud-trail-log-file-validation-enabled – Trails validate their logs
	// <nil>
}

// The hub with AWS's own standard.
func ExampleNewSecurityHub() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewSecurityHub(ctx, "hub", &monitoring.SecurityHubArgs{Scope: scope, Singleton: manage, Standards: []string{"fsbp"}})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:monitoring:SecurityHub hub
	//   aws:securityhub/account:Account hub-hub
	//   aws:securityhub/standardsSubscription:StandardsSubscription hub-fsbp
	// <nil>
}

// Inspector for images; Macie is left as it is.
func ExampleNewScanners() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewScanners(ctx, "scan", &monitoring.ScannersArgs{Scope: scope, Inspector: manage, Macie: off, Inspected: []string{"ECR"}})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:monitoring:Scanners scan
	//   aws:inspector2/enabler:Enabler scan-inspector
	// <nil>
}

// New objects under one prefix are scanned and tagged.
func ExampleNewMalwareScan() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewMalwareScan(ctx, "uploads", &monitoring.MalwareScanArgs{
			Prefix: "redoubt-dev", Scope: scope, Bucket: "redoubt-dev-data", KeyAlias: "alias/redoubt-dev-app", Prefixes: []string{"app/"},
		})
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// redoubt:monitoring:MalwareScan uploads
	//   aws:guardduty/malwareProtectionPlan:MalwareProtectionPlan uploads-plan
	//   redoubt:identity:Role uploads-scanner
	//     aws:iam/role:Role uploads-scanner-role
	//     aws:iam/rolePolicy:RolePolicy uploads-scanner-scan
	// <nil>
}

// What is counted in an application's log.
func ExampleNewMetricFilters() {
	graph, err := graphtest.Build(withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		_, err := monitoring.NewMetricFilters(ctx, "filters", &monitoring.MetricFiltersArgs{
			Prefix: "redoubt-dev", Scope: scope, Topics: topics,
			Groups: map[monitoring.LogSource]pulumi.StringInput{monitoring.ApplicationLog: pulumi.String("/app/dev/app")},
		})
		return err
	}))
	for _, filter := range graph.ByType(metricFilter) {
		fmt.Println(filter.Input("name"), filter.Input("pattern"))
	}
	fmt.Println(err)
	// Output:
	// redoubt-dev-application-authentication-failures { $.event = "auth.failure" }
	// redoubt-dev-application-authorization-failures { $.event = "authz.denied" }
	// redoubt-dev-application-errors { $.status >= 500 }
	// <nil>
}

// Alarms on a database alone, one of them with a threshold of its own.
func ExampleNewWorkloadAlarms() {
	graph, err := graphtest.Build(withTopics(func(ctx *pulumi.Context, topics *monitoring.Topics) error {
		_, err := monitoring.NewWorkloadAlarms(ctx, "app", &monitoring.WorkloadAlarmsArgs{
			Prefix: "redoubt-dev", Scope: scope, Topics: topics,
			Workload:   monitoring.Workload{Database: pulumi.String("redoubt-dev-db")},
			Thresholds: map[string]float64{"database-latency": 20},
		})
		return err
	}))
	for _, alarm := range graph.ByType(metricAlarm) {
		fmt.Println(alarm.Input("name"), alarm.Input("metricName"), alarm.Input("comparisonOperator"), alarm.Input("threshold"))
	}
	fmt.Println(err)
	// Output:
	// redoubt-dev-database-capacity ACUUtilization GreaterThanOrEqualToThreshold 90
	// redoubt-dev-database-latency CommitLatency GreaterThanOrEqualToThreshold 20
	// <nil>
}

// The account's own monitor, and a budget.
func ExampleNewCosts() {
	graph, err := graphtest.Build(buildCosts(func(a *monitoring.CostsArgs) {
		a.Monitor.Mode, a.Monitor.ID = "adopt", monitorARN
	}))
	fmt.Println(graph.Only("aws:costexplorer/anomalySubscription:AnomalySubscription").Input("frequency"))
	fmt.Println(graph.Only("aws:budgets/budget:Budget").Input("limitAmount"))
	fmt.Println(err)
	// Output:
	// IMMEDIATE
	// 150.5
	// <nil>
}

// A dashboard of a load balancer with the state of one alarm.
func ExampleNewDashboard() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		d, err := monitoring.NewDashboard(ctx, "dash", &monitoring.DashboardArgs{
			Prefix: "redoubt-dev", Scope: scope, AlarmNames: []string{"redoubt-dev-latency"},
			Workload: monitoring.Workload{LoadBalancer: pulumi.String("app/redoubt-dev/0123456789abcdef")},
		})
		fmt.Println(d.URL)
		return err
	})
	fmt.Print(graph.Tree())
	fmt.Println(err)
	// Output:
	// https://console.aws.amazon.com/cloudwatch/home?region=eu-central-1#dashboards/dashboard/redoubt-dev
	// redoubt:monitoring:Dashboard dash
	//   aws:cloudwatch/dashboard:Dashboard dash-dashboard
	// <nil>
}

// What to ask a web ACL's log.
func ExampleNewQueries() {
	graph, err := graphtest.Build(func(ctx *pulumi.Context) error {
		_, err := monitoring.NewQueries(ctx, "ask", &monitoring.QueriesArgs{
			Prefix: "redoubt-dev", Scope: scope,
			Groups: map[monitoring.LogSource]pulumi.StringInput{monitoring.WAFLog: pulumi.String("aws-waf-logs-redoubt-dev")},
		})
		return err
	})
	for _, q := range graph.ByType("aws:cloudwatch/queryDefinition:QueryDefinition") {
		fmt.Println(q.Input("queryString"))
	}
	fmt.Println(err)
	// Output:
	// filter action = "BLOCK"
	// | stats count(*) as blocked by terminatingRuleId, httpRequest.clientIp, httpRequest.country, httpRequest.uri
	// | sort blocked desc
	// | limit 50
	// <nil>
}

// The group of an application's log, and what a group may not be.
func ExampleNewLogGroup() {
	args := &monitoring.LogGroupArgs{Name: "/redoubt-dev/app", KmsKeyArn: pulumi.String(logsKey), RetentionInDays: 30}
	program := func(ctx *pulumi.Context) error {
		_, err := monitoring.NewLogGroup(ctx, "app", args)
		return err
	}
	graph, err := graphtest.Build(program)
	fmt.Print(graph.Tree())
	fmt.Println(err)
	args.KmsKeyArn = nil
	_, err = graphtest.Build(func(ctx *pulumi.Context) error {
		fmt.Println(program(ctx))
		return nil
	})
	fmt.Println(err)
	// Output:
	// redoubt:monitoring:LogGroup app
	//   aws:cloudwatch/logGroup:LogGroup app
	// <nil>
	// log group app: kmsKeyArn: missing, the group would not be encrypted with a key of ours (pass the logs key's ARN)
	// <nil>
}
