package identity

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/organizations"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/singleton"
)

// OrganizationComponent is what holds in every account of the organization.
var OrganizationComponent = guide.Component{
	Token: "redoubt:identity:Organization",
	Serves: []guide.ID{
		guide.OverviewIdentityResourcePolicies,
		guide.PracticesIAMConditionConstraints,
		guide.PracticesIAMServiceControlPolicies,
		guide.PracticesAuthorizationResourcePolicies,
	},
}

// OrganizationArgs describes the organization's policies.
type OrganizationArgs struct {
	Scope Scope
	// Management says that the scope's account is the organization's management
	// account, where alone these policies are made. It is checked with AWS.
	Management bool
	// OrgID is the organization's id, "o-…". It is checked with AWS.
	OrgID string
	// Prefix starts the policies' names.
	Prefix string
	// Targets are where the policies are attached: roots (r-…), organizational
	// units (ou-…) and accounts. Try a unit with one account first. Service
	// control policies never bind the management account itself.
	Targets []string
	// Guardrails are the service control policies; empty means all.
	Guardrails []Guardrail
	// AllowedRegions are for GuardrailRegions.
	AllowedRegions []string
	// Custodians are ARN patterns of roles, beside the security roles, that may
	// change detection and the account's guards: the pipeline's, for example
	// "arn:aws:iam::*:role/deploy-account".
	Custodians []string
	// Perimeter adds the resource control policy.
	Perimeter bool
	// TrustedAccounts are accounts outside the organization that the perimeter
	// lets in, if the resource's own policy does.
	TrustedAccounts []string
	// Attached is how many policies of each type a target has from elsewhere;
	// zero means one, AWS's FullAWSAccess.
	Attached int
	// RootAccess centralises root access: member accounts need no root
	// credentials any more.
	RootAccess singleton.Singleton
	// Protect keeps the policies when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// Organization is the organization's guardrails, its resource perimeter and
// its central root access.
type Organization struct {
	pulumi.ResourceState

	Guardrails map[Guardrail]*organizations.Policy
	// Perimeter is nil without one.
	Perimeter *organizations.Policy
	// RootAccess is nil unless managed.
	RootAccess *iam.OrganizationsFeatures
}

// NewOrganization makes the policies and attaches them. The error joins every
// finding in args, those among them that only AWS's answer about the
// organization shows.
func NewOrganization(ctx *pulumi.Context, name string, args *OrganizationArgs, opts ...pulumi.ResourceOption) (*Organization, error) {
	policies, err := args.render()
	if err != nil {
		return nil, fmt.Errorf("organization %q: %w", name, err)
	}
	c := &Organization{Guardrails: map[Guardrail]*organizations.Policy{}}
	if err := ctx.RegisterComponentResource(OrganizationComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("organization %q: register: %w", name, err)
	}
	if err := args.compare(ctx, pulumi.Parent(c)); err != nil {
		return nil, fmt.Errorf("organization %q: %w", name, err)
	}
	for _, p := range policies {
		if err := c.attach(ctx, name, args, p); err != nil {
			return nil, fmt.Errorf("organization %q: %s: %w", name, p.key, err)
		}
	}
	if args.RootAccess.Managed() {
		// Trusted access for iam.amazonaws.com must be on in the organization.
		c.RootAccess, err = iam.NewOrganizationsFeatures(ctx, name+"-root-access", &iam.OrganizationsFeaturesArgs{
			EnabledFeatures: pulumi.ToStringArray([]string{"RootCredentialsManagement", "RootSessions"}),
		}, managed(c, args.Protect)...)
		if err != nil {
			return nil, fmt.Errorf("organization %q: root access: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}

// attach makes a policy and attaches it to every target.
func (c *Organization) attach(ctx *pulumi.Context, name string, args *OrganizationArgs, p organizationPolicy) error {
	policyName := args.Prefix + "-" + p.key
	policy, err := organizations.NewPolicy(ctx, name+"-"+p.key, &organizations.PolicyArgs{
		Name:        pulumi.String(policyName),
		Description: pulumi.String(p.description),
		Type:        pulumi.String(p.typ),
		Content:     pulumi.String(p.content),
		Tags:        tagged(args.Tags, policyName),
	}, managed(c, args.Protect)...)
	if err != nil {
		return err
	}
	if p.typ == rcpType {
		c.Perimeter = policy
	} else {
		c.Guardrails[Guardrail(p.key)] = policy
	}
	for _, target := range slices.Sorted(slices.Values(args.Targets)) {
		_, err := organizations.NewPolicyAttachment(ctx, name+"-"+p.key+"-"+target, &organizations.PolicyAttachmentArgs{
			PolicyId: policy.ID(),
			TargetId: pulumi.String(target),
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
	}
	return nil
}

// compare holds the arguments to what AWS says about the organization: a
// perimeter with a foreign id would lock everyone out of everything.
func (args *OrganizationArgs) compare(ctx *pulumi.Context, opts ...pulumi.InvokeOption) error {
	org, err := organizations.LookupOrganization(ctx, opts...)
	if err != nil {
		return fmt.Errorf("orgId: AWS does not say which organization this is: %w (use credentials of the management account)", err)
	}
	f := &findings{}
	if org.Id != args.OrgID {
		f.add("orgId", fmt.Sprintf("%q, but the account is in %q", args.OrgID, org.Id), "correct the id")
	}
	if org.MasterAccountId != args.Scope.AccountID {
		f.add("management", fmt.Sprintf("account %s is not the management account, which is %s", args.Scope.AccountID, org.MasterAccountId),
			"deploy this stack there, or set management to false")
	}
	for _, typ := range args.types() {
		// The list is empty, too, in organizations without all features.
		if len(org.EnabledPolicyTypes) > 0 && !slices.Contains(org.EnabledPolicyTypes, typ) {
			f.add("orgId", typ+" is not a policy type that the organization has enabled",
				"aws organizations enable-policy-type --policy-type "+typ+" --root-id <root>")
		}
	}
	return f.err()
}
