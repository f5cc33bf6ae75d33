package network

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/shield"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// ShieldSubscriptionComponent ties ShieldSubscription to the guide.
var ShieldSubscriptionComponent = guide.Component{
	Token:  "redoubt:network:ShieldSubscription",
	Serves: []guide.ID{guide.OverviewNetworkShield, guide.ResponseSupportSecurityResponse},
}

// ShieldCommitment is what AcknowledgeAnnualCommitment must say: a
// subscription costs that much and cannot be given back within the year.
// https://aws.amazon.com/shield/pricing/
const ShieldCommitment = "USD-3000-per-month-12-months"

// SupportPlan is the account's AWS Support plan.
type SupportPlan string

// The support plans. Without Business or Enterprise, AWS refuses the Shield
// Response Team's access and its calls.
const (
	SupportNone       SupportPlan = ""
	SupportBusiness   SupportPlan = "business"
	SupportEnterprise SupportPlan = "enterprise"
)

// EmergencyContact is whom the Shield Response Team calls.
type EmergencyContact struct {
	Email string
	// Phone is in international form, "+4930123456".
	Phone string
	// Notes, such as when the contact is on duty; at most 1,024 characters.
	Notes string
}

// ShieldSubscriptionArgs describes an account's Shield Advanced subscription
// and what the Shield Response Team may do in the account. An account has one
// of each: leave them to one stack. Prefix, Scope and Subscription are required.
type ShieldSubscriptionArgs struct {
	Prefix string
	Scope  identity.Scope
	// Subscription is managed, which buys one, or adopted: the account, or its
	// organization's payer, has one. It has no id.
	Subscription singleton.Singleton
	// AcknowledgeAnnualCommitment must be ShieldCommitment for a subscription
	// to be bought.
	AcknowledgeAnnualCommitment string
	SupportPlan                 SupportPlan
	// ResponseTeamAccess lets the Shield Response Team change protections and
	// web ACLs, and read web ACL logs, during an attack.
	ResponseTeamAccess bool
	// LogBuckets are names of buckets that it may read too, at most ten. Shield
	// enters a statement into their policies; see ResponseTeamStatement.
	LogBuckets []string
	// LogsReady are the buckets' policies.
	LogsReady []pulumi.Resource
	// EmergencyContacts, if any, turn proactive engagement on: the team calls
	// when a protected resource that is under attack is unhealthy. At most ten,
	// one of them with a phone.
	EmergencyContacts []EmergencyContact
	// PermissionsBoundary caps the team's role; see identity.RoleArgs.
	PermissionsBoundary string
	Tags                map[string]string
}

// ShieldSubscription is the account's part of Shield Advanced.
type ShieldSubscription struct {
	pulumi.ResourceState

	// Role is the Shield Response Team's; nil without ResponseTeamAccess.
	Role *identity.Role

	subscription *shield.Subscription
}

// NewShieldSubscription registers the subscription and the Shield Response
// Team's access. It returns every finding about args at once.
func NewShieldSubscription(ctx *pulumi.Context, name string, args *ShieldSubscriptionArgs, opts ...pulumi.ResourceOption) (*ShieldSubscription, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("shield subscription %s: %w", name, err)
	}
	c := &ShieldSubscription{}
	if err := ctx.RegisterComponentResource(ShieldSubscriptionComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("shield subscription %s: register component: %w", name, err)
	}
	for _, step := range []func(*pulumi.Context, string, *ShieldSubscriptionArgs) error{c.subscribe, c.admit, c.engage} {
		if err := step(ctx, name, args); err != nil {
			return nil, fmt.Errorf("shield subscription %s: %w", name, err)
		}
	}
	out := pulumi.Map{}
	if c.Role != nil {
		out["shieldResponseRoleArn"] = c.Role.Arn
	}
	return c, ctx.RegisterResourceOutputs(c, out)
}

// subscribed is what a protection depends on; none for an adopted subscription
// and for a nil receiver.
func (c *ShieldSubscription) subscribed() []pulumi.Resource {
	if c == nil || c.subscription == nil {
		return nil
	}
	return []pulumi.Resource{c.subscription}
}

// subscribe buys the subscription. Nothing ends it again: AWS lets auto-renewal
// be turned off in the year's last 30 days only, and an update that leaves the
// resource out must fail rather than look as if it had cancelled.
func (c *ShieldSubscription) subscribe(ctx *pulumi.Context, name string, args *ShieldSubscriptionArgs) (err error) {
	if !args.Subscription.Managed() {
		return nil
	}
	c.subscription, err = shield.NewSubscription(ctx, name+"-subscription", &shield.SubscriptionArgs{
		AutoRenew:   pulumi.String("ENABLED"),
		SkipDestroy: pulumi.Bool(true),
	}, pulumi.Parent(c), pulumi.Protect(true), pulumi.RetainOnDelete(true))
	return err
}

// admit gives the Shield Response Team its role and the log buckets.
func (c *ShieldSubscription) admit(ctx *pulumi.Context, name string, args *ShieldSubscriptionArgs) (err error) {
	if !args.ResponseTeamAccess {
		return nil
	}
	child := pulumi.Parent(c)
	c.Role, err = identity.NewRole(ctx, name+"-response-team", &identity.RoleArgs{
		RoleName:            args.Prefix + "-shield-response",
		Description:         "Lets the AWS Shield Response Team mitigate attacks on " + args.Prefix,
		Trust:               identity.ServiceTrust(responseTeam, args.Scope),
		ManagedPolicyARNs:   []string{"arn:" + args.Scope.Partition + ":iam::aws:policy/service-role/AWSShieldDRTAccessPolicy"},
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, child)
	if err != nil {
		return err
	}
	// Shield takes the role only with its policy attached and a subscription.
	ready := append(c.subscribed(), c.Role.Rights...)
	access, err := shield.NewDrtAccessRoleArnAssociation(ctx, name+"-response-team", &shield.DrtAccessRoleArnAssociationArgs{
		RoleArn: c.Role.Arn,
	}, child, pulumi.DependsOn(ready))
	if err != nil {
		return err
	}
	for _, bucket := range args.LogBuckets {
		_, err := shield.NewDrtAccessLogBucketAssociation(ctx, name+"-"+bucket, &shield.DrtAccessLogBucketAssociationArgs{
			LogBucket:            pulumi.String(bucket),
			RoleArnAssociationId: access.ID(),
		}, child, pulumi.DependsOn(args.LogsReady))
		if err != nil {
			return err
		}
	}
	return nil
}

// engage lets the Shield Response Team call.
func (c *ShieldSubscription) engage(ctx *pulumi.Context, name string, args *ShieldSubscriptionArgs) error {
	if len(args.EmergencyContacts) == 0 {
		return nil
	}
	var contacts shield.ProactiveEngagementEmergencyContactArray
	for _, c := range args.EmergencyContacts {
		contacts = append(contacts, shield.ProactiveEngagementEmergencyContactArgs{
			EmailAddress: pulumi.String(c.Email), PhoneNumber: optional(c.Phone), ContactNotes: optional(c.Notes),
		})
	}
	_, err := shield.NewProactiveEngagement(ctx, name+"-engagement", &shield.ProactiveEngagementArgs{
		Enabled: pulumi.Bool(true), EmergencyContacts: contacts,
	}, pulumi.Parent(c), pulumi.DependsOn(c.subscribed()))
	return err
}

// optional leaves an empty string out.
func optional(s string) pulumi.StringPtrInput {
	if s == "" {
		return nil
	}
	return pulumi.String(s)
}
