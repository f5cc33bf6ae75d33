package network

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// WebAclComponent ties WebAcl to the guide.
var WebAclComponent = guide.Component{
	Token: "redoubt:network:WebAcl",
	Serves: []guide.ID{
		guide.OverviewNetworkWAF,
		guide.DiagramInternetWAF,
		guide.PracticesInputWAF,
		guide.PracticesInputSanitization,
		guide.PracticesAuthorizationContextBasedRules,
		guide.ConfigurationsWAFACL,
		guide.ConfigurationsWAFCommonRuleSet,
		guide.ConfigurationsWAFMetric,
		guide.OperationsMetricsWAFBlocks,
		guide.OperationsLogsWAFLogs,
		guide.ResponseContainmentBlockAccess,
	},
}

// WAFMode is what the web ACL does with a request that its rules match.
type WAFMode string

// The modes.
const (
	// WAFBlock refuses it.
	WAFBlock WAFMode = "block"
	// WAFCount lets it pass and counts it: for an application's first days,
	// because AWS's rules refuse things that applications do, such as bodies
	// over 8 KB. What incident response blocks stays blocked.
	WAFCount WAFMode = "count"
)

// WebAclArgs describes a web ACL. Prefix, Scope, Mode, RateLimit, LogKeyArn
// and LogRetentionInDays are required.
type WebAclArgs struct {
	Prefix string
	Scope  identity.Scope
	Mode   WAFMode
	// RateLimit is requests in five minutes from one address, 10 to 2,000,000,000.
	RateLimit int
	// LoginPath, if set, is the start of the paths where people sign in;
	// LoginRateLimit holds for those alone.
	LoginPath      string
	LoginRateLimit int
	// MaxBodyBytes, if not zero, refuses larger request bodies, 1 to 8,192: a
	// load balancer shows WAF no more than 8 KB of a body.
	MaxBodyBytes int
	// UploadPaths are the starts of paths that take larger bodies; the size
	// rule of AWS's common rule set, which cannot tell paths apart, then only
	// counts. They need MaxBodyBytes.
	UploadPaths []string
	// BotControl and AccountTakeover are AWS's rule groups that cost extra, a
	// month and a request (https://aws.amazon.com/waf/pricing/); nil leaves
	// them out.
	BotControl      *BotControl
	AccountTakeover *AccountTakeover
	// ShieldResponse reserves the capacity of the rule group that Shield's
	// automatic response adds; see ShieldArgs.Response.
	ShieldResponse bool
	// AllowExtraCapacity takes a web ACL over 1,500 capacity units, for which
	// AWS charges extra with each request.
	AllowExtraCapacity bool
	// BlockedCountries are ISO 3166-1 alpha-2 codes.
	BlockedCountries []string
	// CountedRules are rules of managed groups that only count even in block
	// mode, by group: {"AWSManagedRulesCommonRuleSet": {"SizeRestrictions_BODY"}}
	// for an application that takes uploads.
	CountedRules map[string][]string
	// LogKeyArn encrypts the log group; see monitoring.LogGroupArgs.
	LogKeyArn          pulumi.StringInput
	LogRetentionInDays int
	// CloudFront makes one for distributions, which name it themselves; Scope and
	// the provider are then of EdgeRegion.
	CloudFront bool
	Tags       map[string]string
}

// reach is what the web ACL stands in front of, as WAF calls it.
func (args *WebAclArgs) reach() pulumi.String {
	if args.CloudFront {
		return "CLOUDFRONT"
	}
	return "REGIONAL"
}

// WebAcl is the web ACL in front of load balancers and API stages, or of
// distributions, with its log.
type WebAcl struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
	// Name is the physical name, the dimension of its metrics.
	Name pulumi.StringOutput
	// BlockSetArn is the IP set that incident response writes to; the stack
	// never changes its addresses.
	BlockSetArn pulumi.StringOutput
	LogGroup    *monitoring.LogGroup

	// shieldResponse says that there is capacity for Shield's rules.
	shieldResponse bool
}

// NewWebAcl registers the web ACL. It returns every finding about args at once.
func NewWebAcl(ctx *pulumi.Context, name string, args *WebAclArgs, opts ...pulumi.ResourceOption) (*WebAcl, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("web acl %s: %w", name, err)
	}
	c := &WebAcl{shieldResponse: args.ShieldResponse}
	if err := ctx.RegisterComponentResource(WebAclComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("web acl %s: register component: %w", name, err)
	}
	if used := args.Capacity(); used > basicCapacity {
		message := fmt.Sprintf("web acl %s: %d capacity units of %d at the basic price: AWS charges extra with each request", name, used, basicCapacity)
		if err := ctx.Log.Warn(message, &pulumi.LogArgs{Resource: c}); err != nil {
			return nil, fmt.Errorf("web acl %s: log a warning: %w", name, err)
		}
	}
	acl, err := c.acl(ctx, name, args)
	if err != nil {
		return nil, fmt.Errorf("web acl %s: %w", name, err)
	}
	if err := c.log(ctx, name, args, acl); err != nil {
		return nil, fmt.Errorf("web acl %s: log: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"webAclArn": c.Arn, "blockIpSetArn": c.BlockSetArn, "wafLogGroup": c.LogGroup.Name,
	})
}

// Associate puts a load balancer or an API stage behind the web ACL. What
// serves requests there depends on the result, so that none comes in unseen.
func (c *WebAcl) Associate(ctx *pulumi.Context, name string, resourceArn pulumi.StringInput, opts ...pulumi.ResourceOption) (*wafv2.WebAclAssociation, error) {
	a, err := wafv2.NewWebAclAssociation(ctx, name, &wafv2.WebAclAssociationArgs{
		ResourceArn: resourceArn,
		WebAclArn:   c.Arn,
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("web acl association %s: %w", name, err)
	}
	return a, nil
}

func (args *WebAclArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a WebAclArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	if args.Mode != WAFBlock && args.Mode != WAFCount {
		f.add("mode", fmt.Sprintf("%q is no mode", args.Mode), "use block, or count while an application is new")
	}
	if args.CloudFront && args.Scope.Region != EdgeRegion {
		f.add("scope.region", fmt.Sprintf("%q with cloudFront", args.Scope.Region), "web ACLs for distributions are in "+EdgeRegion)
	}
	args.checkRules(&f)
	args.checkBody(&f)
	args.checkPaid(&f)
	args.checkCapacity(&f)
	f.required("logKeyArn", args.LogKeyArn != nil, "pass the logs key's ARN")
	if !slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays) {
		f.add("logRetentionInDays", fmt.Sprintf("%d is not a period that CloudWatch Logs knows", args.LogRetentionInDays), "use one of monitoring.RetentionDays")
	}
	return f.err()
}

func (c *WebAcl) acl(ctx *pulumi.Context, name string, args *WebAclArgs) (*wafv2.WebAcl, error) {
	blockSet, err := wafv2.NewIpSet(ctx, name+"-blocked", &wafv2.IpSetArgs{
		Name:             pulumi.String(args.Prefix + "-blocked"),
		Description:      pulumi.String("Addresses that incident response blocks"),
		Scope:            args.reach(),
		IpAddressVersion: pulumi.String("IPV4"),
		Addresses:        pulumi.StringArray{},
		Tags:             tagged(args.Tags, args.Prefix+"-blocked"),
	}, pulumi.Parent(c), pulumi.IgnoreChanges([]string{"addresses"}))
	if err != nil {
		return nil, err
	}
	acl, err := wafv2.NewWebAcl(ctx, name+"-acl", &wafv2.WebAclArgs{
		Name:          pulumi.String(args.Prefix + "-waf"),
		Description:   pulumi.String("WAF for application protection"),
		Scope:         args.reach(),
		DefaultAction: &wafv2.WebAclDefaultActionArgs{Allow: &wafv2.WebAclDefaultActionAllowArgs{}},
		Rules:         args.rules(blockSet.Arn),
		// Required, though the guide's snippet leaves it out.
		VisibilityConfig: &wafv2.WebAclVisibilityConfigArgs{
			CloudwatchMetricsEnabled: pulumi.Bool(true),
			MetricName:               pulumi.String(args.Prefix + "-waf"),
			SampledRequestsEnabled:   pulumi.Bool(true),
		},
		DataProtectionConfig: hideCredentials(),
		Tags:                 tagged(args.Tags, args.Prefix+"-waf"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	c.Arn, c.Name, c.BlockSetArn = acl.Arn, acl.Name, blockSet.Arn
	return acl, nil
}

// credentialHeaders never reach logs or sampled requests.
var credentialHeaders = []string{"authorization", "cookie", "x-api-key"}

// hideCredentials covers what redaction in the log does not: the sampled
// requests that the console shows.
func hideCredentials() *wafv2.WebAclDataProtectionConfigArgs {
	return &wafv2.WebAclDataProtectionConfigArgs{
		DataProtections: wafv2.WebAclDataProtectionConfigDataProtectionArray{
			&wafv2.WebAclDataProtectionConfigDataProtectionArgs{
				Action: pulumi.String("SUBSTITUTION"),
				Field: &wafv2.WebAclDataProtectionConfigDataProtectionFieldArgs{
					FieldType: pulumi.String("SINGLE_HEADER"),
					FieldKeys: pulumi.ToStringArray(credentialHeaders),
				},
			},
		},
	}
}

// WAFLogGroup is the physical name of a stack's web ACL log group. WAF refuses
// any other start of the name with a misleading "ARN isn't valid"
// (pulumi/pulumi-aws#1214).
func WAFLogGroup(prefix string) string { return "aws-waf-logs-" + prefix }

// keptActions are the actions of requests that are logged; requests that no
// rule matched are in the load balancer's access log.
var keptActions = []string{"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"}

func (c *WebAcl) log(ctx *pulumi.Context, name string, args *WebAclArgs, acl *wafv2.WebAcl) (err error) {
	child := pulumi.Parent(c)
	c.LogGroup, err = monitoring.NewLogGroup(ctx, name+"-logs", &monitoring.LogGroupArgs{
		Name: WAFLogGroup(args.Prefix), KmsKeyArn: args.LogKeyArn,
		RetentionInDays: args.LogRetentionInDays, Tags: args.Tags,
	}, child)
	if err != nil {
		return err
	}
	policy, err := logDelivery(args.Scope, WAFLogGroup(args.Prefix)).JSON(identity.LogPolicy)
	if err != nil {
		return err
	}
	// Without it WAF writes itself into a policy that all web ACLs of the
	// region share, until that overflows (hashicorp/terraform-provider-aws#25296).
	// A region holds ten such policies.
	delivery, err := cloudwatch.NewLogResourcePolicy(ctx, name+"-logs", &cloudwatch.LogResourcePolicyArgs{
		PolicyName:     pulumi.String(args.Prefix + "-waf-logs"),
		PolicyDocument: pulumi.String(policy),
	}, child)
	if err != nil {
		return err
	}
	logging := &wafv2.WebAclLoggingConfigurationArgs{
		ResourceArn:           acl.Arn,
		LogDestinationConfigs: pulumi.StringArray{c.LogGroup.Arn},
		LoggingFilter: &wafv2.WebAclLoggingConfigurationLoggingFilterArgs{
			DefaultBehavior: pulumi.String("DROP"),
			Filters: wafv2.WebAclLoggingConfigurationLoggingFilterFilterArray{
				&wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs{
					Behavior: pulumi.String("KEEP"), Requirement: pulumi.String("MEETS_ANY"), Conditions: keepConditions(),
				},
			},
		},
		RedactedFields: redactedFields(),
	}
	_, err = wafv2.NewWebAclLoggingConfiguration(ctx, name+"-logging", logging, child, pulumi.DependsOn([]pulumi.Resource{delivery}))
	return err
}

func keepConditions() wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArray {
	var out wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArray
	for _, action := range keptActions {
		out = append(out, &wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs{
			ActionCondition: &wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs{Action: pulumi.String(action)},
		})
	}
	return out
}

func redactedFields() wafv2.WebAclLoggingConfigurationRedactedFieldArray {
	var out wafv2.WebAclLoggingConfigurationRedactedFieldArray
	for _, header := range credentialHeaders {
		out = append(out, &wafv2.WebAclLoggingConfigurationRedactedFieldArgs{
			SingleHeader: &wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs{Name: pulumi.String(header)},
		})
	}
	return out
}

// logDelivery lets AWS's log delivery write to the group for this account.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html
func logDelivery(scope identity.Scope, group string) identity.Document {
	return identity.Document{{
		Sid: "DeliverLogs", Effect: identity.Allow,
		Principals: identity.Principals{Service: []string{"delivery.logs.amazonaws.com"}},
		Actions:    []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		Resources:  []string{scope.ARN("logs", "log-group:"+group+":*")},
		Conditions: []identity.Condition{
			{Test: "StringEquals", Key: "aws:SourceAccount", Values: []string{scope.AccountID}},
			{Test: "ArnLike", Key: "aws:SourceArn", Values: []string{scope.ARN("logs", "*")}},
		},
	}}
}
