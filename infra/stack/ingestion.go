package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/infra/config"
	"redoubt/infra/data"
	"redoubt/infra/monitoring"
	"redoubt/infra/network"
	"redoubt/infra/workload"
)

// logIndex is how the names of the indices of logs start, and their template's
// name.
const logIndex = "logs"

// logDelivery is the role with which logs are sent to the search domain.
func logDelivery(c config.Config) string { return c.Prefix() + "-log-delivery" }

// logStream is the delivery stream, the splitter's source and target.
func logStream(c config.Config) string { return c.Prefix() + "-logs" }

// newSplitter makes the function that makes a document of each log event.
func (s *Stack) newSplitter(ctx *pulumi.Context, platform *workload.FunctionPlatform) (err error) {
	c := s.config
	if !c.Search.Ingest {
		return nil
	}
	s.splitter, err = workload.NewLogSplitter(ctx, c.Prefix()+"-split-logs", &workload.LogSplitterArgs{
		Platform: platform, StreamName: logStream(c), Concurrency: s.concurrency("split-logs"),
	}, s.place.here())
	return err
}

// deployIngestion sends logs to the search domain, for analysis.
func (s *Stack) deployIngestion(ctx *pulumi.Context) error {
	c, p := s.config, s.place
	if !c.Search.Ingest {
		return nil
	}
	_, err := data.NewLogIngestion(ctx, c.Prefix()+"-ingest", &data.LogIngestionArgs{
		Scope: p.scope, StreamName: logStream(c), Domain: s.search, Mapped: []pulumi.Resource{s.searchSetup.Run}, IndexName: logIndex,
		Sources: s.logSources(), Splitter: s.splitter.Splitter(),
		SubnetIDs: s.vpc.AppSubnetIDs, SecurityGroupIDs: pulumi.StringArray{s.groups.Lambda}, KmsKeyArn: s.keys.app.Arn,
		Backup: s.buckets.audit, BackupKmsKeyArn: s.keys.audit.Arn, BackupKeyAlias: s.keys.audit.AliasName,
		RoleName: logDelivery(c), SubscriptionRoleName: c.Prefix() + "-log-subscription",
		LogKmsKeyArn: s.keys.logs.Arn, LogRetentionInDays: c.Logs.ApplicationDays, Tags: c.Tags,
	}, p.here())
	return err
}

// notByDelivery leaves out of the trail what the delivery itself does. A trail
// with data events records each call of the splitter, and that record would be
// delivered by another call, for ever. Both the caller and the called are
// named, because AWS documents that a service which uses a role is in
// invokedBy, but shows no such call of Firehose's. The rest that a delivery
// causes (a new session of a role, a start of the function) is as little for
// many events as for one. In the trail's own group and bucket everything stays.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func notByDelivery(splitter string) string {
	return `{ (($.userIdentity.invokedBy NOT EXISTS) || ($.userIdentity.invokedBy != "firehose.amazonaws.com"))` +
		` && (($.eventName != "Invoke") || ($.requestParameters.functionName NOT EXISTS) || ($.requestParameters.functionName != "*` + splitter + `*")) }`
}

// logSources are the application's log, the web ACL's, and the trail's where it
// is this stack's: to an adopted one others may have subscribed already, and a
// group takes two.
func (s *Stack) logSources() []data.LogSource {
	c := s.config
	sources := []data.LogSource{
		{LogGroup: workload.LogGroupName(string(c.Environment), serviceName), Group: s.service.LogGroup},
		{LogGroup: network.WAFLogGroup(c.Prefix()), Group: s.acl.LogGroup},
	}
	if s.trail.LogGroup != nil {
		sources = append(sources, data.LogSource{
			LogGroup: monitoring.TrailLogGroup(c.Prefix()), Group: s.trail.LogGroup, Pattern: notByDelivery(s.splitter.Function.Name),
		})
	}
	return sources
}
