package identity

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// RoleComponent is the role with its policies.
var RoleComponent = guide.Component{
	Token: "redoubt:identity:Role",
	Serves: []guide.ID{
		guide.OverviewIdentityLeastPrivilege,
		guide.PracticesIAMResourceLevelPermissions,
		guide.PracticesIAMConditionConstraints,
		guide.PracticesIAMLeastPrivilege,
	},
}

// Components are the package's components.
var Components = []guide.Component{
	RoleComponent,
	AccessComponent,
	AccessReviewComponent,
	AccountGuardsComponent,
	AnalyzersComponent,
	BoundaryComponent,
	DeployRoleComponent,
	OrganizationComponent,
	PasswordPolicyComponent,
	TokenSignerComponent,
	UserPoolClientComponent,
	UserPoolComponent,
}

// RoleArgs describes a role. Everything is known at preview.
type RoleArgs struct {
	// RoleName is the physical name, at most 64 characters, unique in the account.
	RoleName string
	// Description says who uses the role and what for; required.
	Description string
	// Trust says who may assume the role; see ServiceTrust.
	Trust Document
	// Policies are the role's inline policies by name.
	Policies map[string]Document
	// ManagedPolicyARNs are attached as they are, for example AWS's
	// service-role policies.
	ManagedPolicyARNs []string
	// PermissionsBoundary is the ARN of a managed policy that caps the role;
	// empty for none.
	PermissionsBoundary string
	// MaxSessionDuration is in seconds, 3600 to 43200; zero means 3600.
	MaxSessionDuration int
	Tags               map[string]string
}

// Role is an IAM role whose rights are separate resources, so that a right
// added or taken is one line of a preview. Rights attached by others are left
// alone (no Exclusive resources): incident response denies a role's old
// sessions with an inline policy, which the next update must not undo.
type Role struct {
	pulumi.ResourceState

	Role *iam.Role
	Arn  pulumi.StringOutput
	// Name is the physical name, known when the role is there: for what must wait.
	Name pulumi.StringOutput
	// Rights are the policies and attachments: what uses the role depends on
	// them, or its first calls are denied.
	Rights []pulumi.Resource
}

var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// NewRole makes the role. The error joins every finding in args.
func NewRole(ctx *pulumi.Context, name string, args *RoleArgs, opts ...pulumi.ResourceOption) (*Role, error) {
	docs, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("role %q: %w", name, err)
	}
	c := &Role{}
	if err := ctx.RegisterComponentResource(RoleComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("role %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args, docs); err != nil {
		return nil, fmt.Errorf("role %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "name": c.Name})
}

func (c *Role) build(ctx *pulumi.Context, name string, args *RoleArgs, docs roleDocuments) error {
	tags := pulumi.ToStringMap(args.Tags)
	tags["Name"] = pulumi.String(args.RoleName)
	duration := args.MaxSessionDuration
	if duration == 0 {
		duration = 3600
	}
	in := &iam.RoleArgs{
		Name:               pulumi.String(args.RoleName),
		Description:        pulumi.String(args.Description),
		AssumeRolePolicy:   pulumi.String(docs.trust),
		MaxSessionDuration: pulumi.Int(duration),
		Tags:               tags,
	}
	if args.PermissionsBoundary != "" {
		in.PermissionsBoundary = pulumi.String(args.PermissionsBoundary)
	}
	var err error
	if c.Role, err = iam.NewRole(ctx, name+"-role", in, pulumi.Parent(c)); err != nil {
		return err
	}
	c.Arn, c.Name = c.Role.Arn, c.Role.Name
	for _, key := range slices.Sorted(maps.Keys(docs.inline)) {
		p, err := iam.NewRolePolicy(ctx, name+"-"+key, &iam.RolePolicyArgs{
			Name:   pulumi.String(key),
			Role:   c.Role.Name,
			Policy: pulumi.String(docs.inline[key]),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.Rights = append(c.Rights, p)
	}
	for _, arn := range args.ManagedPolicyARNs {
		a, err := iam.NewRolePolicyAttachment(ctx, name+"-"+policyBase(arn), &iam.RolePolicyAttachmentArgs{
			Role:      c.Role.Name,
			PolicyArn: pulumi.String(arn),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
		c.Rights = append(c.Rights, a)
	}
	return nil
}

// roleDocuments are a role's policies in the policy language.
type roleDocuments struct {
	trust  string
	inline map[string]string
}

func (args *RoleArgs) render() (roleDocuments, error) {
	docs := roleDocuments{inline: map[string]string{}}
	if args == nil {
		return docs, errors.New("args: nil (pass &identity.RoleArgs{…})")
	}
	findings := args.checkFields()
	var err error
	if docs.trust, err = args.Trust.TrustPolicy(); err != nil {
		findings = append(findings, fmt.Errorf("trust: %w", err))
	}
	total := 0
	for _, key := range slices.Sorted(maps.Keys(args.Policies)) {
		text, err := args.Policies[key].JSON(InlinePolicy)
		if err != nil {
			findings = append(findings, fmt.Errorf("policies[%q]: %w", key, err))
			continue
		}
		docs.inline[key] = text
		total += Size(text)
	}
	if limit := kinds[InlinePolicy].limit; total > limit {
		findings = append(findings, fmt.Errorf(
			"policies: %d characters together, a role holds %d inline (move some to a managed policy)", total, limit))
	}
	return docs, errors.Join(findings...)
}

func (args *RoleArgs) checkFields() []error {
	var findings []error
	if !roleName.MatchString(args.RoleName) {
		findings = append(findings, fmt.Errorf("roleName: %q (1 to 64 letters, digits and +=,.@_-)", args.RoleName))
	}
	if len(args.Description) < 8 || len(args.Description) > 1000 {
		findings = append(findings, fmt.Errorf("description: %d characters (8 to 1000: who uses the role and what for)", len(args.Description)))
	}
	if d := args.MaxSessionDuration; d != 0 && (d < 3600 || d > 43200) {
		findings = append(findings, fmt.Errorf("maxSessionDuration: %d seconds (3600 to 43200)", d))
	}
	for i, arn := range args.ManagedPolicyARNs {
		if policyBase(arn) == "" {
			findings = append(findings, fmt.Errorf("managedPolicyARNs[%d]: %q is not a policy's ARN (arn:<partition>:iam::<account or aws>:policy/<name>)", i, arn))
		}
		if slices.Contains([]string{"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"}, policyBase(arn)) {
			findings = append(findings, fmt.Errorf("managedPolicyARNs[%d]: %s is not least privilege (write the statements as an inline policy)", i, policyBase(arn)))
		}
	}
	if b := args.PermissionsBoundary; b != "" && policyBase(b) == "" {
		findings = append(findings, fmt.Errorf("permissionsBoundary: %q is not a policy's ARN (arn:<partition>:iam::<account>:policy/<name>)", b))
	}
	return findings
}

var policyARN = regexp.MustCompile(`^arn:[^:]+:iam::(aws|\d{12}):policy/(?:.*/)?([\w+=,.@-]+)$`)

// policyBase is the name of the managed policy with that ARN, without its
// path; empty if it is not a policy's ARN.
func policyBase(arn string) string {
	m := policyARN.FindStringSubmatch(arn)
	if m == nil {
		return ""
	}
	return m[2]
}
