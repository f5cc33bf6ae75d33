package monitoring

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/guardduty"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// DetectorComponent ties Detector to the guide.
var DetectorComponent = guide.Component{
	Token: "redoubt:monitoring:Detector",
	Serves: []guide.ID{
		guide.OverviewMonitoringGuardDuty,
		guide.OperationsGuardDutyUnauthorizedAccess,
		guide.OperationsGuardDutySuspiciousActivity,
		guide.OperationsGuardDutyDataExfiltration,
		guide.OperationsGuardDutyCryptocurrencyMining,
		guide.OperationsHighGuardDutyHighSeverity,
		guide.ResponseDetectionCheckGuardDuty,
	},
}

// Feature is a protection plan of GuardDuty.
type Feature string

// The features.
const (
	S3DataEvents         Feature = "S3_DATA_EVENTS"
	EBSMalwareProtection Feature = "EBS_MALWARE_PROTECTION"
	RDSLoginEvents       Feature = "RDS_LOGIN_EVENTS"
	LambdaNetworkLogs    Feature = "LAMBDA_NETWORK_LOGS"
	EKSAuditLogs         Feature = "EKS_AUDIT_LOGS"
	// RuntimeMonitoring lets GuardDuty put its agent into tasks, instances and
	// clusters. Where the VPC has no guardduty-data endpoint it makes one, with
	// a security group, outside the stack: the VPC can then not be destroyed
	// (terraform-provider-aws#46747).
	RuntimeMonitoring Feature = "RUNTIME_MONITORING"
)

// feature is a row of the table of features.
type feature struct {
	name Feature
	// additional are the switches that the feature has of its own.
	additional []string
}

var features = []feature{
	{name: S3DataEvents},
	{name: EBSMalwareProtection},
	{name: RDSLoginEvents},
	{name: LambdaNetworkLogs},
	{name: EKSAuditLogs},
	{name: RuntimeMonitoring, additional: []string{"EC2_AGENT_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EKS_ADDON_MANAGEMENT"}},
}

// DetectorArgs describes GuardDuty in an account's region, of which there is
// one. Prefix, Scope and Singleton are required.
type DetectorArgs struct {
	Prefix string
	Scope  identity.Scope
	// Singleton is manage, adopt (ID: the detector's, empty to look it up) or off.
	Singleton singleton.Singleton
	// Features are switched on, all others off: what a new detector has by
	// default changes with the years.
	Features []Feature
	// Export keeps findings beyond GuardDuty's 90 days; nil for none.
	Export *FindingsExport
	// Protect keeps the detector when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// FindingsExport is where findings go.
type FindingsExport struct {
	// BucketArn is a bucket whose policy admits GuardDuty, and KmsKeyArn a key
	// whose policy does; both are required, and tried when the export is made.
	BucketArn, KmsKeyArn pulumi.StringInput
	// Ready are the policies.
	Ready []pulumi.Resource
}

// Detector is GuardDuty, switched on.
type Detector struct {
	pulumi.ResourceState

	// ID is the detector's, empty without one.
	ID pulumi.StringOutput
}

var detectorID = regexp.MustCompile(`^[a-f0-9]{32}$`)

// NewDetector registers the detector. It returns every finding about args at once.
func NewDetector(ctx *pulumi.Context, name string, args *DetectorArgs, opts ...pulumi.ResourceOption) (*Detector, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("detector %s: %w", name, err)
	}
	c := &Detector{ID: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(DetectorComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("detector %s: register component: %w", name, err)
	}
	var err error
	switch args.Singleton.Mode {
	case singleton.Manage:
		err = c.build(ctx, name, args)
	case singleton.Adopt:
		err = c.adopt(ctx, args.Singleton.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("detector %s: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"detectorId": c.ID})
}

func (args *DetectorArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a DetectorArgs)")
	}
	var f findings
	f.place(args.Prefix, args.Scope)
	f.singleton("singleton", args.Singleton)
	f.refuse(args.Singleton.ID != "" && !detectorID.MatchString(args.Singleton.ID), "singleton.id",
		fmt.Sprintf("%q is no detector's id", args.Singleton.ID), "32 hexadecimal digits, or empty to look it up")
	for i, wanted := range args.Features {
		known := slices.ContainsFunc(features, func(row feature) bool { return row.name == wanted })
		f.refuse(!known, fmt.Sprintf("features[%d]", i), fmt.Sprintf("%q is not a feature that the table knows", wanted), "use a constant, for example S3DataEvents")
	}
	if e := args.Export; e != nil {
		f.required("export.bucketArn", e.BucketArn != nil, "pass the audit bucket's ARN")
		f.required("export.kmsKeyArn", e.KmsKeyArn != nil, "GuardDuty exports encrypted findings only; pass a key that admits it")
		f.refuse(len(e.Ready) == 0, "export.ready", "empty, GuardDuty would find a bucket that refuses it", "pass the bucket's policy")
	}
	return f.err()
}

// adopt uses the detector that is there and changes nothing about it.
func (c *Detector) adopt(ctx *pulumi.Context, id string) error {
	if id == "" {
		// The invoke takes the provider of the component, and with it the region.
		found, err := guardduty.LookupDetector(ctx, &guardduty.LookupDetectorArgs{}, pulumi.Parent(c))
		if err != nil {
			return fmt.Errorf("look up the region's detector: %w (switch GuardDuty on, or use mode manage)", err)
		}
		id = found.Id
	}
	c.ID = pulumi.String(id).ToStringOutput()
	return nil
}

func (c *Detector) build(ctx *pulumi.Context, name string, args *DetectorArgs) error {
	child := pulumi.Parent(c)
	detector, err := guardduty.NewDetector(ctx, name+"-detector", &guardduty.DetectorArgs{
		Enable:                     pulumi.Bool(true),
		FindingPublishingFrequency: pulumi.String("FIFTEEN_MINUTES"),
		Tags:                       tagged(args.Tags, args.Prefix+"-detector"),
	}, child, pulumi.Protect(args.Protect))
	if err != nil {
		return err
	}
	c.ID = detector.ID().ToStringOutput()
	for _, row := range features {
		status := "DISABLED"
		if slices.Contains(args.Features, row.name) {
			status = "ENABLED"
		}
		in := &guardduty.DetectorFeatureArgs{DetectorId: c.ID, Name: pulumi.String(row.name), Status: pulumi.String(status)}
		if len(row.additional) > 0 {
			in.AdditionalConfigurations = additional(row.additional, status)
		}
		if _, err := guardduty.NewDetectorFeature(ctx, name+"-"+string(row.name), in, child); err != nil {
			return err
		}
	}
	if args.Export == nil {
		return nil
	}
	_, err = guardduty.NewPublishingDestination(ctx, name+"-export", &guardduty.PublishingDestinationArgs{
		DetectorId: c.ID, DestinationType: pulumi.String("S3"),
		DestinationArn: args.Export.BucketArn.ToStringOutput(), KmsKeyArn: args.Export.KmsKeyArn.ToStringOutput(),
	}, child, pulumi.DependsOn(args.Export.Ready))
	return err
}

func additional(names []string, status string) guardduty.DetectorFeatureAdditionalConfigurationArray {
	var out guardduty.DetectorFeatureAdditionalConfigurationArray
	for _, n := range names {
		out = append(out, &guardduty.DetectorFeatureAdditionalConfigurationArgs{Name: pulumi.String(n), Status: pulumi.String(status)})
	}
	return out
}
