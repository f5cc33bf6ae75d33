package monitoring

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
)

// QueriesComponent ties Queries to the guide.
var QueriesComponent = guide.Component{
	Token: "redoubt:monitoring:Queries",
	Serves: []guide.ID{
		guide.ResponseDetectionReviewLogs,
		guide.ResponseAnalysisIdentifyScope,
		guide.ResponseAnalysisReviewAuditLogs,
	},
}

// flowFields names the first fields of a flow log record, version 2's, and the
// rest: Logs Insights knows the default format only, and ours has more fields.
const flowFields = `parse @message "* * * * * * * * * * * * * * *" as version, account, interface, source, destination, sourcePort, destinationPort, protocol, packets, bytes, start, end, action, status, more
`

// query is a saved query of CloudWatch Logs Insights. WHO, KEY, ADDRESS and
// the like stand for what the person who responds fills in.
type query struct {
	name   string
	source LogSource
	text   string
}

// queries are what somebody who responds to an incident asks first.
var queries = []query{
	{"calls of a principal", TrailLog, `fields @timestamp, eventSource, eventName, awsRegion, sourceIPAddress, errorCode
| filter userIdentity.arn like /WHO/
| sort @timestamp desc
| limit 500`},
	{"calls with an access key", TrailLog, `fields @timestamp, eventSource, eventName, awsRegion, sourceIPAddress, userAgent, errorCode
| filter userIdentity.accessKeyId = "KEY"
| sort @timestamp desc
| limit 500`},
	{"calls from an address", TrailLog, `fields @timestamp, userIdentity.arn, eventSource, eventName, awsRegion, errorCode
| filter sourceIPAddress = "ADDRESS"
| sort @timestamp desc
| limit 500`},
	{"denied calls", TrailLog, `filter errorCode like /AccessDenied|UnauthorizedOperation/
| stats count(*) as denied, count_distinct(eventName) as calls by userIdentity.arn, sourceIPAddress
| sort denied desc
| limit 50`},
	{"sign-ins", TrailLog, `fields @timestamp, userIdentity.type, userIdentity.arn, sourceIPAddress, responseElements.ConsoleLogin, additionalEventData.MFAUsed
| filter eventName = "ConsoleLogin"
| sort @timestamp desc
| limit 200`},
	{"role assumptions", TrailLog, `fields @timestamp, userIdentity.arn, requestParameters.roleArn, requestParameters.roleSessionName, sourceIPAddress, errorCode
| filter eventSource = "sts.amazonaws.com" and eventName like /AssumeRole/
| sort @timestamp desc
| limit 500`},
	{"credentials and trusts created", TrailLog, `fields @timestamp, userIdentity.arn, eventName, requestParameters.userName, requestParameters.roleName, sourceIPAddress
| filter eventName in ["CreateUser", "CreateAccessKey", "CreateLoginProfile", "CreateRole", "UpdateAssumeRolePolicy", "AttachUserPolicy", "AttachRolePolicy", "PutUserPolicy", "PutRolePolicy", "CreateOpenIDConnectProvider", "CreateSAMLProvider"]
| sort @timestamp desc
| limit 200`},
	{"root user activity", TrailLog, `fields @timestamp, eventSource, eventName, sourceIPAddress, errorCode
| filter userIdentity.type = "Root" and eventType != "AwsServiceEvent"
| sort @timestamp desc
| limit 200`},
	{"controls switched off", TrailLog, `fields @timestamp, userIdentity.arn, eventSource, eventName, awsRegion, errorCode
| filter eventName like /^(Stop|Delete|Disable)/ and eventSource in ["cloudtrail.amazonaws.com", "config.amazonaws.com", "guardduty.amazonaws.com", "securityhub.amazonaws.com", "logs.amazonaws.com", "events.amazonaws.com", "monitoring.amazonaws.com"]
| sort @timestamp desc
| limit 200`},
	{"objects read by principal", TrailLog, `filter eventSource = "s3.amazonaws.com" and eventName = "GetObject"
| stats count(*) as objects, sum(additionalEventData.bytesTransferredOut) as bytes by userIdentity.arn, requestParameters.bucketName, sourceIPAddress
| sort bytes desc
| limit 50`},
	{"key usage by principal", TrailLog, `filter eventSource = "kms.amazonaws.com" and eventName in ["Decrypt", "GenerateDataKey"]
| stats count(*) as uses by userIdentity.arn, resources.0.ARN, sourceIPAddress
| sort uses desc
| limit 50`},
	{"connections of an address", FlowLog, flowFields + `| filter source = "ADDRESS" or destination = "ADDRESS"
| sort @timestamp desc
| limit 500`},
	{"bytes out by destination", FlowLog, flowFields + `| filter action = "ACCEPT" and not isIpv4InSubnet(destination, "10.0.0.0/8")
| stats sum(bytes) as total by source, destination, destinationPort
| sort total desc
| limit 50`},
	{"rejected connections", FlowLog, flowFields + `| filter action = "REJECT"
| stats count(*) as flows, count_distinct(destinationPort) as ports by source, destination
| sort flows desc
| limit 50`},
	{"blocked requests", WAFLog, `filter action = "BLOCK"
| stats count(*) as blocked by terminatingRuleId, httpRequest.clientIp, httpRequest.country, httpRequest.uri
| sort blocked desc
| limit 50`},
	{"failed sign-ins of the application", ApplicationLog, `fields @timestamp, @message
| filter event = "auth.failure"
| sort @timestamp desc
| limit 200`},
	{"refused requests of the application", ApplicationLog, `fields @timestamp, @message
| filter event = "authz.denied"
| sort @timestamp desc
| limit 200`},
	{"errors of the application", ApplicationLog, `fields @timestamp, @message
| filter status >= 500
| sort @timestamp desc
| limit 200`},
	{"refused API requests", APIAccessLog, `filter status in [401, 403, 429]
| stats count(*) as refused by status, ip, resourcePath
| sort refused desc
| limit 50`},
}

// QueriesArgs describes the saved queries. Prefix, Scope and Groups are required.
type QueriesArgs struct {
	Prefix string
	Scope  identity.Scope
	// Groups are the log groups' names by what they hold; see MetricFiltersArgs.
	Groups map[LogSource]pulumi.StringInput
}

// Queries are saved queries of CloudWatch Logs Insights for those who respond
// to an incident, in a folder named for the stack.
type Queries struct{ pulumi.ResourceState }

// NewQueries registers the queries. It returns every finding about args at once.
func NewQueries(ctx *pulumi.Context, name string, args *QueriesArgs, opts ...pulumi.ResourceOption) (*Queries, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("queries %s: %w", name, err)
	}
	c := &Queries{}
	if err := ctx.RegisterComponentResource(QueriesComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("queries %s: register component: %w", name, err)
	}
	for _, q := range queries {
		group, ok := args.Groups[q.source]
		if !ok {
			continue
		}
		_, err := cloudwatch.NewQueryDefinition(ctx, name+"-"+strings.ReplaceAll(q.name, " ", "-"), &cloudwatch.QueryDefinitionArgs{
			Name: pulumi.String(args.Prefix + "/" + q.name), QueryString: pulumi.String(q.text), LogGroupNames: pulumi.StringArray{group},
		}, pulumi.Parent(c))
		if err != nil {
			return nil, fmt.Errorf("queries %s: %s: %w", name, q.name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

func (args *QueriesArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a QueriesArgs)")
	}
	var f findings
	f.place(args.Prefix, args.Scope)
	checkGroups(&f, args.Groups)
	return f.err()
}

// checkGroups checks log groups by source.
func checkGroups(f *findings, groups map[LogSource]pulumi.StringInput) {
	f.refuse(len(groups) == 0, "groups", "empty, there is nothing to read", "pass the names of the log groups")
	for _, source := range slices.Sorted(maps.Keys(groups)) {
		at := fmt.Sprintf("groups[%s]", source)
		f.refuse(!slices.Contains(logSources, source), at, "not a source that the table knows", fmt.Sprintf("one of %v", logSources))
		f.required(at, groups[source] != nil, "pass the log group's name, or leave the source out")
	}
}
