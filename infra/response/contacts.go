package response

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/account"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/chatbot"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/data"
	"redoubt/infra/identity"
	"redoubt/infra/singleton"
)

// ContactsComponent is who is reached, and what they can reach.
var ContactsComponent = guide.Component{
	Token: "redoubt:response:Contacts",
	Serves: []guide.ID{
		guide.ResponseTeamSlack,
		guide.ResponseTeamEmail,
		guide.ResponseTeamPhone,
		guide.ResponseTeamOnCall,
		guide.ResponseSupportEnterpriseSupport,
		guide.ResponseSupportSecurityResponse,
		guide.ResponseSupportTAMContact,
		guide.ResponseSupportAccountTeam,
		guide.ResponsePartnersSOCProvider,
		guide.ResponsePartnersMSSPContact,
		guide.ResponsePartnersForensicsTeam,
		guide.ResponsePartnersLegalTeam,
	},
}

// Person is an alternate contact of the account: AWS writes and calls.
type Person struct {
	Name, Title, Email string
	// Phone is in international form, "+49 30 901820".
	Phone string
}

// Partner is another account whose people help.
type Partner struct {
	// Name is short and ends up in role names: "soc", "mssp".
	Name string
	// AccountID is the partner's, twelve digits.
	AccountID string
	// ExternalID is agreed with the partner, at least 16 signs; it keeps the
	// partner's other customers from using our role. AWS does not treat it as
	// a secret.
	ExternalID string
}

// Slack is a channel of a workspace that is connected to the account, which
// takes a person and the console once.
type Slack struct {
	// TeamID is the workspace's, "T…"; ChannelID the channel's, "C…".
	TeamID, ChannelID string
	// TopicArns are the topics whose notices the channel shows.
	TopicArns pulumi.StringArrayInput
}

// PagerDuty is a service of PagerDuty with the Events API v2.
type PagerDuty struct {
	// RoutingKey is the integration's key; a secret.
	RoutingKey pulumi.StringInput
	// MachineArn is the response machine whose failures page, known at preview.
	MachineArn string
	// DeadLetterArn is the responder's queue of lost events, which has an alarm.
	DeadLetterArn pulumi.StringInput
}

// ContactsArgs describes the contacts.
type ContactsArgs struct {
	Scope identity.Scope
	// Prefix starts physical names, for example "redoubt-prod".
	Prefix string
	// Production refuses placeholders: example.com, 1-800-xxx-xxxx.
	Production bool
	// Alternate says what happens to the account's alternate contacts, of which
	// it has one set: manage writes them, adopt and off leave them alone.
	Alternate singleton.Singleton
	// Security is the security team, Operations AWS's technical account
	// manager's contact with us, Billing the account team's; for Manage.
	Security, Operations, Billing Person

	// Readers are SOC and MSSP: they read configuration and findings, no data.
	Readers []Partner
	// Forensics reads evidence; nil for none.
	Forensics *Partner
	// LegalPrincipals are ARNs of who may put legal holds on evidence, with MFA.
	LegalPrincipals []string
	// SupportPrincipals are ARNs of who may open cases with AWS, with MFA.
	SupportPrincipals []string
	// EvidenceBucket is what Forensics and legal look into, EvidenceKeyAlias the
	// alias of its key, "alias/…".
	EvidenceBucket   *data.Bucket
	EvidenceKeyAlias string

	// Slack and PagerDuty are nil for none.
	Slack     *Slack
	PagerDuty *PagerDuty

	// Protect keeps the alternate contacts when the stack is destroyed.
	Protect bool
	// PermissionsBoundary is the ARN of the policy that caps the roles.
	PermissionsBoundary string
	Tags                map[string]string
}

// Contacts are the people of an incident: those who AWS reaches, those who are
// paged, and those who get in to help.
type Contacts struct {
	pulumi.ResourceState

	// Alternate are by type: SECURITY, OPERATIONS, BILLING.
	Alternate map[string]*account.AlternativeContact
	// Roles are by purpose: the readers' names, "forensics", "legal", "support",
	// and "chat" for Slack's.
	Roles map[string]*identity.Role
	Slack *chatbot.SlackChannelConfiguration
	// Pager is where EventBridge calls PagerDuty.
	Pager *cloudwatch.EventApiDestination
}

// NewContacts makes the contacts. The error joins every finding in args.
func NewContacts(ctx *pulumi.Context, name string, args *ContactsArgs, opts ...pulumi.ResourceOption) (*Contacts, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("contacts %q: %w", name, err)
	}
	c := &Contacts{Alternate: map[string]*account.AlternativeContact{}, Roles: map[string]*identity.Role{}}
	if err := ctx.RegisterComponentResource(ContactsComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("contacts %q: register: %w", name, err)
	}
	for _, step := range []func(*pulumi.Context, string, *ContactsArgs) error{c.alternates, c.roles, c.chat, c.page} {
		if err := step(ctx, name, args); err != nil {
			return nil, fmt.Errorf("contacts %q: %w", name, err)
		}
	}
	arns := pulumi.StringMap{}
	for purpose, role := range c.Roles {
		arns[purpose] = role.Arn
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"roleArns": arns})
}

// alternates writes the account's contacts. They stay when the stack goes: an
// account without a security contact is worse than one with an old one.
func (c *Contacts) alternates(ctx *pulumi.Context, name string, args *ContactsArgs) error {
	if !args.Alternate.Managed() {
		return nil
	}
	for _, contact := range args.people() {
		var err error
		c.Alternate[contact.kind], err = account.NewAlternativeContact(ctx, name+"-"+contact.field, &account.AlternativeContactArgs{
			AlternateContactType: pulumi.String(contact.kind), Name: pulumi.String(contact.Name), Title: pulumi.String(contact.Title),
			EmailAddress: pulumi.String(contact.Email), PhoneNumber: pulumi.String(contact.Phone),
		}, pulumi.Parent(c), pulumi.Protect(args.Protect), pulumi.RetainOnDelete(true))
		if err != nil {
			return err
		}
	}
	return nil
}

// contact is a person in one of the account's three places.
type contact struct {
	kind, field string
	Person
}

func (args *ContactsArgs) people() []contact {
	return []contact{
		{"SECURITY", "security", args.Security}, {"OPERATIONS", "operations", args.Operations}, {"BILLING", "billing", args.Billing},
	}
}
