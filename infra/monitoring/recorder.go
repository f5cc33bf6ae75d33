package monitoring

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cfg"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// RecorderComponent ties Recorder to the guide.
var RecorderComponent = guide.Component{
	Token: "redoubt:monitoring:Recorder",
	Serves: []guide.ID{
		guide.PracticesKMSSecretsRotation,
		guide.PracticesSecurityGroupsRegularReviews,
		guide.PracticesAuthorizationRegularAudits,
		guide.OperationsLowConfigurationChanges,
		guide.ResponseAnalysisCheckConfigurations,
	},
}

// RuleSet is how many of the table's Config rules are made.
type RuleSet string

// The rule sets.
const (
	// NoRules records and judges nothing.
	NoRules RuleSet = "none"
	// CoreRules are those whose breach is a hole.
	CoreRules RuleSet = "core"
	// AllRules are all.
	AllRules RuleSet = "all"
)

// RecorderArgs describes AWS Config in an account's region, of which there is
// one recorder. Prefix, Scope, Singleton and Rules are required; to manage the
// recorder, the bucket's fields and KeyAlias too.
type RecorderArgs struct {
	Prefix string
	Scope  identity.Scope
	// Singleton is manage, adopt (rules are still made: they use the recorder
	// that is there) or off (neither).
	Singleton singleton.Singleton
	// Bucket receives the history; its policy must admit AWS Config and is
	// among BucketReady. It is the physical name.
	Bucket      string
	BucketReady []pulumi.Resource
	// KmsKeyArn encrypts the history; KeyAlias is its alias, "alias/…".
	KmsKeyArn pulumi.StringInput
	KeyAlias  string
	// Continuous records each change as it happens, otherwise once a day.
	Continuous bool
	// GlobalTypes records IAM too; in one region of an account only, or every
	// region pays for the same records.
	GlobalTypes bool
	Rules       RuleSet
	// Values replace parameters of rules, by rule and parameter:
	// {"ACCESS_KEYS_ROTATED": {"maxAccessKeyAge": "30"}}.
	Values map[string]map[string]string
	// ConformancePack is the template of a conformance pack, YAML; empty for none.
	ConformancePack string
	// Protect keeps the recorder when the stack is destroyed.
	Protect bool
	// PermissionsBoundary caps the recorder's role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// Recorder is AWS Config: the history of every resource's configuration, and
// rules that judge it.
type Recorder struct {
	pulumi.ResourceState

	// RuleNames are the rules' physical names, in the table's order.
	RuleNames []string
}

// NewRecorder registers the recorder and the rules. It returns every finding
// about args at once.
func NewRecorder(ctx *pulumi.Context, name string, args *RecorderArgs, opts ...pulumi.ResourceOption) (*Recorder, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("recorder %s: %w", name, err)
	}
	c := &Recorder{}
	if err := ctx.RegisterComponentResource(RecorderComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("recorder %s: register component: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("recorder %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"ruleNames": pulumi.ToStringArray(c.RuleNames)})
}

func (args *RecorderArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a RecorderArgs)")
	}
	var f findings
	f.place(args.Prefix, args.Scope)
	f.singleton("singleton", args.Singleton)
	f.refuse(!slices.Contains([]RuleSet{NoRules, CoreRules, AllRules}, args.Rules), "rules", fmt.Sprintf("%q is no rule set", args.Rules), "none, core or all")
	args.checkValues(&f)
	if !args.Singleton.Managed() {
		return f.err()
	}
	f.refuse(!bucketNames.MatchString(args.Bucket), "bucket", fmt.Sprintf("%q is no bucket's name", args.Bucket), "the audit bucket's physical name")
	f.refuse(len(args.BucketReady) == 0, "bucketReady", "empty, AWS Config would find a bucket that refuses it", "pass the bucket's policy")
	f.required("kmsKeyArn", args.KmsKeyArn != nil, "pass the ARN of the bucket's key")
	f.refuse(!strings.HasPrefix(args.KeyAlias, "alias/"), "keyAlias", fmt.Sprintf("%q", args.KeyAlias), "alias/<name>, see data.Key.AliasName")
	return f.err()
}

func (c *Recorder) build(ctx *pulumi.Context, name string, args *RecorderArgs) error {
	var recording []pulumi.Resource
	if args.Singleton.Managed() {
		status, err := c.record(ctx, name, args)
		if err != nil {
			return err
		}
		recording = []pulumi.Resource{status}
	}
	if !args.Singleton.Used() {
		return nil
	}
	for _, r := range args.rules() {
		if err := c.rule(ctx, name, args, r, recording); err != nil {
			return fmt.Errorf("rule %s: %w", r.identifier, err)
		}
	}
	if args.ConformancePack == "" {
		return nil
	}
	_, err := cfg.NewConformancePack(ctx, name+"-pack", &cfg.ConformancePackArgs{
		Name: pulumi.String(args.Prefix), TemplateBody: pulumi.String(args.ConformancePack),
	}, pulumi.Parent(c), pulumi.DependsOn(recording))
	return err
}

// record makes the role, the recorder, its delivery and, last, switches it on:
// a recorder without a delivery channel cannot start.
func (c *Recorder) record(ctx *pulumi.Context, name string, args *RecorderArgs) (pulumi.Resource, error) {
	child := pulumi.Parent(c)
	role, err := identity.NewRole(ctx, name+"-role", &identity.RoleArgs{
		RoleName: args.Prefix + "-config", Description: "Lets AWS Config read configurations and write their history",
		Trust:               identity.ServiceTrust("config.amazonaws.com", args.Scope),
		Policies:            map[string]identity.Document{"deliver": args.rights()},
		ManagedPolicyARNs:   []string{"arn:" + args.Scope.Partition + ":iam::aws:policy/service-role/AWS_ConfigRole"},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, child)
	if err != nil {
		return nil, err
	}
	frequency := "DAILY"
	if args.Continuous {
		frequency = "CONTINUOUS"
	}
	recorder, err := cfg.NewRecorder(ctx, name+"-recorder", &cfg.RecorderArgs{
		Name: pulumi.String(args.Prefix), RoleArn: role.Arn,
		RecordingGroup: &cfg.RecorderRecordingGroupArgs{AllSupported: pulumi.Bool(true), IncludeGlobalResourceTypes: pulumi.Bool(args.GlobalTypes)},
		RecordingMode:  &cfg.RecorderRecordingModeArgs{RecordingFrequency: pulumi.String(frequency)},
	}, child, pulumi.Protect(args.Protect), pulumi.DependsOn(role.Rights))
	if err != nil {
		return nil, err
	}
	channel, err := cfg.NewDeliveryChannel(ctx, name+"-channel", &cfg.DeliveryChannelArgs{
		Name: pulumi.String(args.Prefix), S3BucketName: pulumi.String(args.Bucket), S3KmsKeyArn: args.KmsKeyArn.ToStringOutput(),
		SnapshotDeliveryProperties: &cfg.DeliveryChannelSnapshotDeliveryPropertiesArgs{DeliveryFrequency: pulumi.String("TwentyFour_Hours")},
	}, child, pulumi.DependsOn(append([]pulumi.Resource{recorder}, args.BucketReady...)))
	if err != nil {
		return nil, err
	}
	return cfg.NewRecorderStatus(ctx, name+"-status", &cfg.RecorderStatusArgs{
		Name: recorder.Name, IsEnabled: pulumi.Bool(true),
	}, child, pulumi.DependsOn([]pulumi.Resource{channel}))
}

// rights are what the managed policy lacks: this bucket and its key.
func (args *RecorderArgs) rights() identity.Document {
	bucket := args.Scope.GlobalARN("s3", args.Bucket)
	return identity.Document{
		{
			Sid: "WriteHistory", Effect: identity.Allow, Actions: []string{"s3:PutObject"},
			Resources:  []string{bucket + "/AWSLogs/" + args.Scope.AccountID + "/Config/*"},
			Conditions: []identity.Condition{{Test: "StringEquals", Key: "s3:x-amz-acl", Values: []string{"bucket-owner-full-control"}}},
		},
		{Sid: "CheckBucket", Effect: identity.Allow, Actions: []string{"s3:GetBucketAcl", "s3:ListBucket"}, Resources: []string{bucket}},
		useKeyThroughS3(args.Scope, args.KeyAlias),
	}
}

func (c *Recorder) rule(ctx *pulumi.Context, name string, args *RecorderArgs, r configRule, recording []pulumi.Resource) error {
	physical := args.Prefix + "-" + r.name()
	in := &cfg.RuleArgs{
		Name: pulumi.String(physical), Description: pulumi.String(r.asks),
		Source: &cfg.RuleSourceArgs{Owner: pulumi.String("AWS"), SourceIdentifier: pulumi.String(r.identifier)},
		Tags:   tagged(args.Tags, physical),
	}
	if values := args.parameters(r); len(values) > 0 {
		text, err := json.Marshal(values)
		if err != nil {
			return err
		}
		in.InputParameters = pulumi.String(string(text))
	}
	c.RuleNames = append(c.RuleNames, physical)
	_, err := cfg.NewRule(ctx, name+"-"+r.name(), in, pulumi.Parent(c), pulumi.DependsOn(recording))
	return err
}
