// Package monitoring watches the stack: encrypted log groups, metrics, alarms
// and audit trails.
package monitoring

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// LogGroupComponent ties LogGroup to the guide.
var LogGroupComponent = guide.Component{
	Token:  "redoubt:monitoring:LogGroup",
	Serves: []guide.ID{guide.OverviewMonitoringLogs},
}

// RetentionDays are the only retention periods, in days, that CloudWatch Logs
// accepts (PutRetentionPolicy), ascending. "Never expire", which the provider
// writes as 0, is left out: a group that nobody bounded is a cost and a
// liability that nobody decided on.
var RetentionDays = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
	1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// logGroupName is the pattern that CreateLogGroup documents.
var logGroupName = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)

// LogGroupArgs describes a log group. Every field but MaskIn and Tags is required.
type LogGroupArgs struct {
	// Name is the physical name, for example "/redoubt-dev/flow-logs".
	Name string
	// KmsKeyArn is the ARN (not the id or alias) of a key whose policy lets
	// logs.<region>.amazonaws.com use it for this log group's encryption context.
	KmsKeyArn pulumi.StringInput
	// RetentionInDays is one of RetentionDays.
	RetentionInDays int
	// MaskIn is the partition, "aws", if credentials and personal data in the
	// events are masked; empty leaves them. For what applications write.
	MaskIn string
	// Tags go on the log group, beside Name.
	Tags map[string]string
}

// LogGroup is a CloudWatch log group that is encrypted with a key of ours and
// that expires. Other components make theirs with it, so that no unencrypted
// or unbounded group exists.
type LogGroup struct {
	pulumi.ResourceState

	// Group is the log group itself, for DependsOn.
	Group *cloudwatch.LogGroup
	// Arn is the group's ARN without the ":*" that some callers need to add.
	Arn pulumi.StringOutput
	// Name is the physical name.
	Name pulumi.StringOutput
}

// NewLogGroup registers an encrypted log group. It returns every finding about
// args at once, each as "field: why (fix)".
func NewLogGroup(ctx *pulumi.Context, name string, args *LogGroupArgs, opts ...pulumi.ResourceOption) (*LogGroup, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("log group %s: %w", name, err)
	}
	c := &LogGroup{}
	if err := ctx.RegisterComponentResource(LogGroupComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("log group %s: register component: %w", name, err)
	}
	tags := pulumi.StringMap{"Name": pulumi.String(args.Name)}
	for _, key := range slices.Sorted(maps.Keys(args.Tags)) {
		tags[key] = pulumi.String(args.Tags[key])
	}
	group, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(args.Name),
		KmsKeyId:        args.KmsKeyArn.ToStringOutput(),
		RetentionInDays: pulumi.Int(args.RetentionInDays),
		Tags:            tags,
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("log group %s: %w", name, err)
	}
	c.Group, c.Arn, c.Name = group, group.Arn, group.Name
	if args.MaskIn != "" {
		if err := c.mask(ctx, name, args.MaskIn); err != nil {
			return nil, fmt.Errorf("log group %s: mask: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "name": c.Name})
}

func (args *LogGroupArgs) validate() error {
	if args == nil {
		return errors.New("args: missing (pass a LogGroupArgs)")
	}
	var errs []error
	switch {
	case !logGroupName.MatchString(args.Name):
		errs = append(errs, fmt.Errorf("name: %q is no log group name (1 to 512 of a-z A-Z 0-9 . - _ / #)", args.Name))
	case strings.HasPrefix(args.Name, "aws/"):
		errs = append(errs, fmt.Errorf("name: %q starts with aws/, which AWS reserves (start it with /)", args.Name))
	}
	if args.KmsKeyArn == nil {
		errs = append(errs, errors.New("kmsKeyArn: missing, the group would not be encrypted with a key of ours (pass the logs key's ARN)"))
	}
	if !slices.Contains(RetentionDays, args.RetentionInDays) {
		errs = append(errs, fmt.Errorf("retentionInDays: %d is not a period that CloudWatch Logs knows (use one of %v)", args.RetentionInDays, RetentionDays))
	}
	return errors.Join(errs...)
}
