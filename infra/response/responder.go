package response

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sfn"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/response/asl"
)

// ResponderComponent is the response machine with what starts it.
var ResponderComponent = guide.Component{
	Token: "redoubt:response:Responder",
	Serves: []guide.ID{
		guide.OperationsHighGuardDutyHighSeverity,
		guide.ResponseDetectionMonitorAlerts,
		guide.ResponseDetectionReviewLogs,
		guide.ResponseDetectionAnalyzeMetrics,
		guide.ResponseDetectionCheckGuardDuty,
		guide.ResponseAnalysisIdentifyScope,
		guide.ResponseAnalysisDetermineImpact,
		guide.ResponseAnalysisReviewAuditLogs,
		guide.ResponseAnalysisCheckConfigurations,
		guide.ResponseContainmentIsolateResources,
		guide.ResponseContainmentBlockAccess,
		guide.ResponseContainmentRotateCredentials,
		guide.ResponseContainmentUpdatePolicies,
		guide.ResponseEradicationRemoveThreats,
		guide.ResponseEradicationApplyPatches,
		guide.ResponseEradicationVerifyRemoval,
		guide.ResponseRecoveryRestoreServices,
		guide.ResponseRecoveryVerifyFunctionality,
		guide.ResponseRecoveryMonitorClosely,
		guide.ResponseRecoveryDocumentChanges,
		guide.ResponsePostIncidentReviewResponse,
		guide.ResponsePostIncidentTrainTeam,
	},
}

// Responder answers incidents of an environment. Findings of high severity, and
// of families that are always urgent, start an execution of its state machine;
// so do the alarms on its list, and people (see OperatorSource). What the
// machine contains is never part of the stack's state; call CheckContainment
// before a stack that has a Responder registers anything.
type Responder struct {
	pulumi.ResourceState

	// Machine, Table, Topic and Queue are nil with mode Off.
	Machine *sfn.StateMachine
	Table   *dynamodb.Table
	Topic   *sns.Topic
	// Queue holds the decisions that are due.
	Queue *sqs.Queue
	// DeadLetters holds events that did not start the machine.
	DeadLetters *sqs.Queue
	// Quarantine denies everything to who has it.
	Quarantine *iam.Policy
	// MachineArn and TopicArn are empty with mode Off.
	MachineArn, TopicArn pulumi.StringOutput

	role, trigger *identity.Role
	// rights are what the machine needs before its first execution.
	rights []pulumi.Resource
}

// NewResponder makes the response. The error joins every finding in args.
func NewResponder(ctx *pulumi.Context, name string, args *ResponderArgs, opts ...pulumi.ResourceOption) (*Responder, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("responder %q: %w", name, err)
	}
	c := &Responder{MachineArn: pulumi.String("").ToStringOutput(), TopicArn: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(ResponderComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("responder %q: register: %w", name, err)
	}
	if args.Mode != Off {
		if err := c.build(ctx, name, args); err != nil {
			return nil, fmt.Errorf("responder %q: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"machineArn": c.MachineArn, "topicArn": c.TopicArn})
}

func (c *Responder) build(ctx *pulumi.Context, name string, args *ResponderArgs) error {
	m, err := Definition(args)
	if err != nil {
		return err
	}
	for _, step := range []func(*pulumi.Context, string, *ResponderArgs, asl.Machine) error{
		c.store, c.tell, c.quarantine, c.grant, c.run, c.start, c.approve, c.watchOver, c.queries, c.practise,
	} {
		if err := step(ctx, name, args, m); err != nil {
			return err
		}
	}
	return nil
}

// tags are the component's tags with the physical name as Name.
func (a *ResponderArgs) tags(name string) pulumi.StringMap {
	out := pulumi.ToStringMap(a.Tags)
	out["Name"] = pulumi.String(name)
	return out
}

// quarantine makes the policy that containment attaches to users and roles.
func (c *Responder) quarantine(ctx *pulumi.Context, name string, args *ResponderArgs, _ asl.Machine) error {
	text, err := identity.Document{{
		Sid: "Quarantine", Effect: identity.Deny, Actions: []string{"*"}, Resources: []string{"*"},
	}}.JSON(identity.ManagedPolicy)
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	c.Quarantine, err = iam.NewPolicy(ctx, name+"-quarantine", &iam.PolicyArgs{
		Name:        pulumi.String(args.Prefix + "-quarantine"),
		Description: pulumi.String("Denies everything to users and roles that incident response contains"),
		Policy:      pulumi.String(text), Tags: args.tags(args.Prefix + "-quarantine"),
	}, pulumi.Parent(c))
	return err
}

// grant makes the machine's role out of what the machine calls. Its fences and
// its running costs are managed policies: IAM holds 10240 characters of inline
// policies for a role, which the rights need for themselves.
func (c *Responder) grant(ctx *pulumi.Context, name string, args *ResponderArgs, m asl.Machine) error {
	calls := called(m)
	var err error
	c.role, err = identity.NewRole(ctx, name+"-machine", &identity.RoleArgs{
		RoleName: args.name("machine"), Description: "The incident response machine of " + args.Prefix,
		Trust:               identity.ServiceTrust("states.amazonaws.com", args.Scope, args.machineARN()),
		Policies:            map[string]identity.Document{"respond": args.statements(calls)},
		PermissionsBoundary: args.PermissionsBoundary, Tags: args.Tags,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.rights = c.role.Rights
	for _, p := range []struct {
		purpose, description string
		document             identity.Document
	}{
		{"fences", "What the incident response may never do", args.fences(args.guardedActions(calls))},
		{"operation", "What it takes to run the incident response", append(args.operation(), args.searchLogs())},
	} {
		text, err := p.document.JSON(identity.ManagedPolicy)
		if err != nil {
			return fmt.Errorf("%s: %w", p.purpose, err)
		}
		policy, err := iam.NewPolicy(ctx, name+"-"+p.purpose, &iam.PolicyArgs{
			Name: pulumi.String(args.name(p.purpose)), Description: pulumi.String(p.description),
			Policy: pulumi.String(text), Tags: args.tags(args.name(p.purpose)),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		attached, err := iam.NewRolePolicyAttachment(ctx, name+"-"+p.purpose, &iam.RolePolicyAttachmentArgs{
			Role: c.role.Name, PolicyArn: policy.Arn,
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.rights = append(c.rights, attached)
	}
	return nil
}
