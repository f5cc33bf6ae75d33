package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// BoundaryComponent caps the roles of workloads.
var BoundaryComponent = guide.Component{
	Token: "redoubt:identity:Boundary",
	Serves: []guide.ID{
		guide.OverviewIdentityLeastPrivilege,
		guide.PracticesIAMLeastPrivilege,
		guide.PracticesIAMConditionConstraints,
	},
}

// WorkloadServices are the service prefixes that a workload's role may use at
// all, if its own policies say so. iam, organizations and account are left out
// on purpose.
var WorkloadServices = []string{
	"cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "es", "events", "execute-api", "firehose", "kinesis", "kms",
	"lambda", "logs", "rds", "rds-db", "s3", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "states", "sts", "xray",
}

// BoundaryArgs describes a boundary.
type BoundaryArgs struct {
	Scope Scope
	// Prefix starts the policy's name, for example "redoubt-dev".
	Prefix string
	// Services are the service prefixes under the ceiling; empty means
	// WorkloadServices.
	Services []string
	Tags     map[string]string
}

// Boundary is the permissions boundary of workload roles: whatever policies a
// role collects, it stays within the services, cannot raise its own rights or
// make roles without the boundary, and cannot touch what watches over it.
type Boundary struct {
	pulumi.ResourceState

	Policy *iam.Policy
	// Arn is composed from names, so that roles and policies carry it at preview.
	Arn string
}

// BoundaryARN is the ARN of the boundary that NewBoundary makes for the prefix.
func BoundaryARN(scope Scope, prefix string) string {
	return scope.GlobalARN("iam", "policy/"+boundaryName(prefix))
}

func boundaryName(prefix string) string { return SecurityName(prefix, "workload-boundary") }

// NewBoundary makes the policy. Roles that name it depend on Policy.
func NewBoundary(ctx *pulumi.Context, name string, args *BoundaryArgs, opts ...pulumi.ResourceOption) (*Boundary, error) {
	text, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("boundary %q: %w", name, err)
	}
	c := &Boundary{Arn: BoundaryARN(args.Scope, args.Prefix)}
	if err := ctx.RegisterComponentResource(BoundaryComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("boundary %q: register: %w", name, err)
	}
	c.Policy, err = iam.NewPolicy(ctx, name+"-policy", &iam.PolicyArgs{
		Name:        pulumi.String(boundaryName(args.Prefix)),
		Description: pulumi.String("Caps the workload roles of " + args.Prefix),
		Policy:      pulumi.String(text),
		Tags:        tagged(args.Tags, boundaryName(args.Prefix)),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("boundary %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": pulumi.String(c.Arn)})
}

var servicePrefix = regexp.MustCompile(`^[a-z][a-z0-9-]+$`)

func (args *BoundaryArgs) render() (string, error) {
	if args == nil {
		return "", errors.New("args: nil (pass &identity.BoundaryArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	for i, service := range args.Services {
		switch {
		case !servicePrefix.MatchString(service):
			f.add(fmt.Sprintf("services[%d]", i), fmt.Sprintf("%q is no service prefix", service), "as in its actions, for example s3")
		case slices.Contains([]string{"account", "iam", "organizations"}, service):
			f.add(fmt.Sprintf("services[%d]", i), service+" lets a workload raise its own rights", "give it to a role of its own, without this boundary")
		}
	}
	text, err := args.policy().JSON(BoundaryPolicy)
	f.wrap("policy", err)
	return text, f.err()
}

// policy is the ceiling and what stays denied under it. What the ceiling
// leaves out is denied again by name, because a resource policy that names a
// session reaches past a boundary's implicit deny but not past an explicit one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (args *BoundaryArgs) policy() Document {
	services := args.Services
	if len(services) == 0 {
		services = WorkloadServices
	}
	var ceiling []string
	for _, service := range services {
		ceiling = append(ceiling, service+":*")
	}
	slices.Sort(ceiling)
	everywhere := []string{"*"}
	return Document{
		{Sid: "Ceiling", Effect: Allow, Actions: ceiling, Resources: everywhere},
		{Sid: "NoEscalation", Effect: Deny, Actions: escalating, Resources: everywhere},
		{
			Sid: "NoRoleWithoutBoundary", Effect: Deny, Actions: unbounding, Resources: everywhere,
			Conditions: []Condition{{"StringNotEquals", "iam:PermissionsBoundary", []string{BoundaryARN(args.Scope, args.Prefix)}}},
		},
		{
			Sid: "KeepBoundary", Effect: Deny,
			Actions: []string{
				"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
				"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:SetDefaultPolicyVersion",
			},
			Resources: everywhere,
		},
		{
			Sid: "NoSecurityRoles", Effect: Deny,
			Actions:   []string{"iam:*", "sts:AssumeRole", "sts:TagSession"},
			Resources: []string{args.Scope.RoleARN(SecurityPrefix + "*"), args.Scope.GlobalARN("iam", "policy/"+SecurityPrefix+"*")},
		},
		{Sid: "NoDisarming", Effect: Deny, Actions: slices.Concat(disarming, publicBlockChanges), Resources: everywhere},
		{
			Sid: "NoKeyLoss", Effect: Deny,
			Actions:   []string{"kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"},
			Resources: everywhere,
		},
		{Sid: "NoAccountChanges", Effect: Deny, Actions: []string{"account:*", "organizations:*"}, Resources: everywhere},
	}
}

// escalating are the ways to more rights that need no role of one's own: new
// credentials, other people's trust, wider policies.
var escalating = []string{
	"iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey",
	"iam:CreateLoginProfile", "iam:CreateOpenIDConnectProvider", "iam:CreateSAMLProvider", "iam:CreateUser",
	"iam:DeactivateMFADevice", "iam:PutGroupPolicy", "iam:PutUserPolicy", "iam:UpdateAccountPasswordPolicy",
	"iam:UpdateAssumeRolePolicy", "iam:UpdateLoginProfile", "iam:UpdateOpenIDConnectProviderThumbprint",
	"iam:UpdateSAMLProvider", "lambda:AddPermission",
}

// unbounding are the actions on roles that IAM tells the boundary of.
var unbounding = []string{"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
