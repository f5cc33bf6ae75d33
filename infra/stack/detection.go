package stack

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/monitoring"
	"redoubt/infra/response"
)

// detection is what looks for threats: things of which an account's region has
// one.
type detection struct {
	trail    *monitoring.Trail
	detector *monitoring.Detector
	hub      *monitoring.SecurityHub
}

// deployDetection makes, adopts or leaves out the trail and the detectors.
func (s *Stack) deployDetection(ctx *pulumi.Context) error {
	for _, step := range []func(*pulumi.Context) error{s.newTrail, s.newDetector, s.newMalwareScan, s.newRecorder, s.newHub} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) newTrail(ctx *pulumi.Context) (err error) {
	c := s.config
	args := &monitoring.TrailArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, Singleton: c.Audit.Trail, LogGroup: c.Audit.TrailLogGroup,
		Bucket: s.buckets.audit.Name, BucketReady: []pulumi.Resource{s.buckets.audit.Policy}, KmsKeyArn: s.keys.audit.Arn,
		LogKmsKeyArn: s.keys.logs.Arn, RetentionInDays: c.Logs.AuditDays,
		Functions: c.Audit.Functions, Insights: c.Audit.Insights, Protect: c.Keys.Protect, Tags: c.Tags,
	}
	args.DataBuckets = slices.Clone(c.Audit.DataBuckets)
	if c.Audit.DataEvents {
		args.DataBuckets = append(args.DataBuckets, s.buckets.data.PhysicalName)
	}
	s.trail, err = monitoring.NewTrail(ctx, c.Prefix()+"-trail", args, s.place.here())
	return err
}

func (s *Stack) newDetector(ctx *pulumi.Context) (err error) {
	c := s.config
	args := &monitoring.DetectorArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, Singleton: c.Detection.GuardDuty, Protect: c.Keys.Protect, Tags: c.Tags,
	}
	if c.Detection.GuardDuty.Managed() {
		for _, f := range c.Detection.Features {
			args.Features = append(args.Features, monitoring.Feature(f))
		}
		args.Export = &monitoring.FindingsExport{
			BucketArn: s.buckets.audit.Arn, KmsKeyArn: s.keys.audit.Arn, Ready: []pulumi.Resource{s.buckets.audit.Policy},
		}
	}
	s.detector, err = monitoring.NewDetector(ctx, c.Prefix()+"-guardduty", args, s.place.here())
	return err
}

func (s *Stack) newMalwareScan(ctx *pulumi.Context) error {
	c := s.config
	if !c.Detection.MalwareScan {
		return nil
	}
	_, err := monitoring.NewMalwareScan(ctx, c.Prefix()+"-malware", &monitoring.MalwareScanArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, Bucket: s.buckets.data.PhysicalName, KeyAlias: s.keys.app.AliasName, Tags: c.Tags,
	}, s.place.here())
	return err
}

func (s *Stack) newRecorder(ctx *pulumi.Context) error {
	c := s.config
	pack, err := conformancePack(ctx, c.Detection.ConformancePack)
	if err != nil {
		return err
	}
	args := &monitoring.RecorderArgs{
		Prefix: c.Prefix(), Scope: s.place.scope, Singleton: c.Detection.Config, KmsKeyArn: s.keys.audit.Arn, KeyAlias: s.keys.audit.AliasName,
		Continuous: c.Detection.Continuous, GlobalTypes: true, Rules: monitoring.RuleSet(c.Detection.Rules), ConformancePack: pack,
		Values:  map[string]map[string]string{monitoring.SecretAgeRule: {"maxDaysSinceRotation": strconv.Itoa(c.Secrets.MaxAgeDays)}},
		Protect: c.Keys.Protect, Tags: c.Tags,
	}
	if history := s.buckets.history; history != nil {
		args.Bucket, args.BucketReady = history.PhysicalName, []pulumi.Resource{history.Policy}
	}
	_, err = monitoring.NewRecorder(ctx, c.Prefix()+"-config", args, s.place.here())
	return err
}

// conformancePack reads the template that the configuration names.
func conformancePack(ctx *pulumi.Context, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(ctx.RootDirectory(), path)
	}
	template, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("redoubt:detection.conformancePack: %w (the path of a template, from the project's root)", err)
	}
	return string(template), nil
}

func (s *Stack) newHub(ctx *pulumi.Context) (err error) {
	c := s.config
	standards := c.Detection.Standards
	if !c.Detection.SecurityHub.Managed() {
		standards = nil
	}
	s.hub, err = monitoring.NewSecurityHub(ctx, c.Prefix()+"-hub", &monitoring.SecurityHubArgs{
		Scope: s.place.scope, Singleton: c.Detection.SecurityHub, Standards: standards, Protect: c.Keys.Protect,
	}, s.place.here())
	if err != nil {
		return err
	}
	args := &monitoring.ScannersArgs{
		Scope: s.place.scope, Inspector: c.Detection.Inspector, Macie: c.Detection.Macie, Protect: c.Keys.Protect,
	}
	if c.Detection.Inspector.Managed() {
		args.Inspected = c.Detection.Inspected
	}
	_, err = monitoring.NewScanners(ctx, c.Prefix()+"-scanners", args, s.place.here())
	return err
}

// deployAlerting makes the topics, who hears them, and the rules on the
// account's events.
func (s *Stack) deployAlerting(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	args := &monitoring.TopicsArgs{
		Prefix: c.Prefix(), Scope: p.scope, KmsKeyArn: s.keys.messaging.Arn, ArchiveDays: c.Alerting.ArchiveDays, Tags: c.Tags,
	}
	if s.responds() {
		args.Archived = []string{response.NoticesTopic(c.Prefix())}
	}
	for _, ch := range c.Alerting.Channels {
		args.Channels = append(args.Channels, monitoring.Channel{Name: ch.Name, Levels: asLevels(ch.Levels), Email: ch.Email})
	}
	if slack := c.Alerting.Slack; slack != nil {
		args.Slack = &monitoring.Slack{TeamID: slack.TeamID, ChannelID: slack.ChannelID, Levels: asLevels(slack.Levels)}
	}
	if url, ok := s.secret("pagerUrl"); ok {
		args.Channels = append(args.Channels, monitoring.Channel{Name: "pager", Levels: []monitoring.Level{monitoring.High}, URL: url})
	}
	if s.topics, err = monitoring.NewTopics(ctx, c.Prefix()+"-alerts", args, p.here()); err != nil {
		return err
	}
	_, err = monitoring.NewCosts(ctx, c.Prefix()+"-costs", &monitoring.CostsArgs{
		Prefix: c.Prefix(), Scope: p.scope, Topics: s.topics, Monitor: c.Costs.Monitor,
		AnomalyUSD: c.Costs.AnomalyUSD, MonthlyUSD: c.Costs.MonthlyUSD, Protect: c.Keys.Protect, Tags: c.Tags,
	}, p.here())
	if err != nil || !c.Alerting.AccountEvents {
		return err
	}
	_, err = monitoring.NewAlerts(ctx, c.Prefix()+"-events", &monitoring.AlertsArgs{
		Prefix: c.Prefix(), Scope: p.scope, Topics: s.topics, DeployRoleARNs: c.Alerting.DeployRoleARNs, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	return s.forwardEvents(ctx)
}

// forwardEvents brings home the events that appear in other regions: those of
// IAM, sign-in and cost in us-east-1, and the replica's own.
func (s *Stack) forwardEvents(ctx *pulumi.Context) error {
	c, p := s.config, s.place
	from := map[string][]monitoring.Source{}
	if c.Region != globalRegion {
		from[globalRegion] = append(from[globalRegion], monitoring.Global)
	}
	if c.ReplicaRegion != "" {
		from[c.ReplicaRegion] = append(from[c.ReplicaRegion], monitoring.Replica)
	}
	for _, region := range sortedRegions(from) {
		_, err := monitoring.NewForwarding(ctx, c.Prefix()+"-from-"+region, &monitoring.ForwardingArgs{
			Prefix: c.Prefix(), Scope: p.scope, FromRegion: region, Sources: from[region],
			DeployRoleARNs: c.Alerting.DeployRoleARNs, Tags: c.Tags,
		}, pulumi.Provider(p.in(region)))
		if err != nil {
			return err
		}
	}
	return nil
}

func asLevels(names []string) []monitoring.Level {
	out := make([]monitoring.Level, 0, len(names))
	for _, n := range names {
		out = append(out, monitoring.Level(strings.ToLower(n)))
	}
	return out
}

// watchLogs counts what the logs say, and saves the questions that people ask
// them.
func (s *Stack) watchLogs(ctx *pulumi.Context) error {
	c, p := s.config, s.place
	groups := map[monitoring.LogSource]pulumi.StringInput{}
	if c.Layer.Workload() {
		groups[monitoring.ApplicationLog] = s.service.LogGroup.Name
		groups[monitoring.FlowLog] = s.vpc.FlowLogs.LogGroup.Name
		groups[monitoring.WAFLog] = s.acl.LogGroup.Name
	}
	if s.api != nil {
		groups[monitoring.APIAccessLog] = s.api.LogGroup.Name
	}
	if s.trail.LogGroupName != nil {
		groups[monitoring.TrailLog] = s.trail.LogGroupName
	}
	counted := maps.Clone(groups)
	if !c.Alerting.AccountEvents {
		// The stack that tells the account's events counts them in the trail's log.
		delete(counted, monitoring.TrailLog)
	}
	if len(counted) > 0 {
		_, err := monitoring.NewMetricFilters(ctx, c.Prefix()+"-logs", &monitoring.MetricFiltersArgs{
			Prefix: c.Prefix(), Scope: p.scope, Topics: s.topics, Groups: counted, Tags: c.Tags,
		}, p.here())
		if err != nil {
			return err
		}
	}
	if len(groups) == 0 {
		return nil
	}
	_, err := monitoring.NewQueries(ctx, c.Prefix()+"-queries", &monitoring.QueriesArgs{Prefix: c.Prefix(), Scope: p.scope, Groups: groups}, p.here())
	return err
}

// watchCopies watches the buckets that are copied where the stack runs nothing.
func (s *Stack) watchCopies(ctx *pulumi.Context) error {
	_, copies := s.buckets.watched()
	if len(copies) == 0 {
		return nil
	}
	c, p := s.config, s.place
	_, err := monitoring.NewWorkloadAlarms(ctx, c.Prefix()+"-alarms", &monitoring.WorkloadAlarmsArgs{
		Prefix: c.Prefix(), Scope: p.scope, Topics: s.topics, Workload: monitoring.Workload{Copies: copies}, Thresholds: c.Alerting.Thresholds, Tags: c.Tags,
	}, p.here())
	return err
}

// watchWorkload watches what the stack runs.
func (s *Stack) watchWorkload(ctx *pulumi.Context) (err error) {
	c, p := s.config, s.place
	watched := s.watched()
	s.alarms, err = monitoring.NewWorkloadAlarms(ctx, c.Prefix()+"-alarms", &monitoring.WorkloadAlarmsArgs{
		Prefix: c.Prefix(), Scope: p.scope, Topics: s.topics, Workload: watched, FlowLogsCounted: true,
		Thresholds: c.Alerting.Thresholds, Tags: c.Tags,
	}, p.here())
	if err != nil {
		return err
	}
	s.dashboard, err = monitoring.NewDashboard(ctx, c.Prefix()+"-dashboard", &monitoring.DashboardArgs{
		Prefix: c.Prefix(), Scope: p.scope, Workload: watched, AlarmNames: s.alarms.Names,
	}, p.here())
	return err
}

func (s *Stack) watched() monitoring.Workload {
	c := s.config
	w := monitoring.Workload{
		LoadBalancer: s.balancer.ArnSuffix, TargetGroup: s.balancer.TargetGroupArnSuffix, WebACLMetric: pulumi.String(c.Prefix() + "-waf"),
		Database: pulumi.String(s.database.Identifier), Search: pulumi.String(c.Prefix() + "-search"),
		Cluster: pulumi.String(s.service.ClusterName), Service: pulumi.String(s.service.ServiceName), NATGateways: s.vpc.NATGatewayIDs,
	}
	if s.api != nil {
		w.API, w.APIStage = pulumi.String(s.api.Name), pulumi.String(s.api.StageName)
	}
	w.Replication, w.Copies = s.buckets.watched()
	if c.Edge.ShieldProtect {
		w.Protected = s.balancer.Arn
	}
	return w
}

// secret reads an optional secret of the stack's configuration.
func (s *Stack) secret(name string) (pulumi.StringOutput, bool) {
	text, ok := s.source.GetConfig(config.Project + ":" + name)
	if !ok {
		return pulumi.StringOutput{}, false
	}
	return pulumi.ToSecret(pulumi.String(text)).(pulumi.StringOutput), true
}
