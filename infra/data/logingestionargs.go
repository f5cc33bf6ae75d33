package data

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/monitoring"
)

// maxSubscriptions is CloudWatch Logs' quota of subscription filters a group.
const maxSubscriptions = 2

// firehoseGroups is where every delivery stream of the account writes its errors.
const firehoseGroups = "/aws/kinesisfirehose/"

var (
	streamName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)
	// indexName leaves room for the date that the rotation adds.
	indexName      = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,79}$`)
	indexRotations = []string{"", "NoRotation", "OneHour", "OneDay", "OneWeek", "OneMonth"}
)

func (args *LogIngestionArgs) streamARN() string {
	return args.Scope.ARN("firehose", "deliverystream/"+args.StreamName)
}

func (args *LogIngestionArgs) errorGroup() string { return firehoseGroups + args.StreamName }

func (args *LogIngestionArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &data.LogIngestionArgs{…})")
	}
	findings := checkScope(args.Scope)
	refuse := func(wrong bool, format string, a ...any) {
		if wrong {
			findings = append(findings, fmt.Errorf(format, a...))
		}
	}
	refuse(!streamName.MatchString(args.StreamName), "streamName: %q (1 to 64 letters, digits and _.-)", args.StreamName)
	refuse(!indexName.MatchString(args.IndexName), "indexName: %q (1 to 80 lower-case letters, digits, _ and -, a letter or digit first)", args.IndexName)
	refuse(!slices.Contains(indexRotations, args.IndexRotation), "indexRotation: %q (one of %v)", args.IndexRotation, indexRotations[1:])
	refuse(args.SubnetIDs == nil, "subnetIds: nil (the subnets of the stream's network interfaces)")
	refuse(args.SecurityGroupIDs == nil, "securityGroupIds: nil (a group that the domain's group admits on 443)")
	refuse(args.KmsKeyArn == nil, "kmsKeyArn: nil (the key that encrypts what waits in the stream)")
	refuse(args.BackupKmsKeyArn == nil, "backupKmsKeyArn: nil (the backup bucket's key)")
	refuse(!aliasNameForm.MatchString(args.BackupKeyAlias), "backupKeyAlias: %q (alias/<name>, see Key.AliasName)", args.BackupKeyAlias)
	refuse(args.LogKmsKeyArn == nil, "logKmsKeyArn: nil (the key with the CloudWatch Logs statement)")
	refuse(!slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays),
		"logRetentionInDays: %d (one of %v)", args.LogRetentionInDays, monitoring.RetentionDays)
	refuse(args.RoleName == "", "roleName: empty (for example redoubt-prod-log-delivery)")
	refuse(args.SubscriptionRoleName == "", "subscriptionRoleName: empty (for example redoubt-prod-log-subscription)")
	refuse(args.Splitter != nil && (args.Splitter.FunctionArn == nil || args.Splitter.FunctionName == ""),
		"splitter: without function (name it and pass the ARN of a version, or leave the splitter out)")
	switch {
	case args.Domain == nil:
		refuse(true, "domain: nil (the domain that receives the documents)")
	case !slices.Contains(args.Domain.AccessRoles, args.RoleName):
		refuse(true, "domain: %s does not admit %q (add the role's name to the domain's accessRoleNames)", args.Domain.DomainName, args.RoleName)
	}
	switch {
	case args.Backup == nil:
		refuse(true, "backup: nil (the bucket for documents that the domain does not take)")
	case args.Backup.Kind != Audit:
		refuse(true, "backup: a bucket of kind %s (logs are kept in one of kind %s)", args.Backup.Kind, Audit)
	}
	return errors.Join(append(findings, args.checkSources()...)...)
}

func (args *LogIngestionArgs) checkSources() []error {
	if len(args.Sources) == 0 {
		return []error{errors.New("sources: empty (the log groups to deliver)")}
	}
	var findings []error
	patterns := map[string][]string{}
	for i, source := range args.Sources {
		if source.LogGroup == "" {
			findings = append(findings, fmt.Errorf("sources[%d].logGroup: empty (the group's physical name)", i))
			continue
		}
		if why := args.loop(source.LogGroup); why != "" {
			findings = append(findings, fmt.Errorf("sources[%d].logGroup: %s: %s, so that each delivery would cause another (leave it out)", i, source.LogGroup, why))
		}
		if slices.Contains(patterns[source.LogGroup], source.Pattern) {
			findings = append(findings, fmt.Errorf("sources[%d]: %s twice with the same pattern (each event would be delivered twice)", i, source.LogGroup))
		}
		patterns[source.LogGroup] = append(patterns[source.LogGroup], source.Pattern)
		if len(patterns[source.LogGroup]) == maxSubscriptions+1 {
			findings = append(findings, fmt.Errorf("sources[%d]: %s has more than %d subscriptions (join their patterns)", i, source.LogGroup, maxSubscriptions))
		}
	}
	return findings
}

// loop says why a delivery would write to the group, if it would.
func (args *LogIngestionArgs) loop(group string) string {
	switch {
	case strings.HasPrefix(group, firehoseGroups):
		return "delivery streams log their errors there"
	case args.Domain != nil && strings.HasPrefix(group, "/aws/opensearch/"+args.Domain.DomainName+"/"):
		return "the domain logs its slow and failed requests there"
	case args.Splitter != nil && group == "/aws/lambda/"+args.Splitter.FunctionName:
		return "the splitter logs there"
	case slices.Contains(args.NeverSubscribe, group):
		return "neverSubscribe names it"
	}
	return ""
}
