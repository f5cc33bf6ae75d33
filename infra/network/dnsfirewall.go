package network

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/identity"
	"redoubt/infra/monitoring"
)

// DnsFirewallComponent ties DnsFirewall to the guide.
var DnsFirewallComponent = guide.Component{
	Token:  "redoubt:network:DnsFirewall",
	Serves: []guide.ID{guide.ResponseContainmentBlockAccess},
}

// DNSMode is what the firewall does with a query that its rules match.
type DNSMode string

// The modes.
const (
	// DNSBlock answers that there is no such name.
	DNSBlock DNSMode = "block"
	// DNSAlert answers truly and marks the query in the log: to learn what an
	// application asks for before it is held to it. BlockedDomains and what
	// incident response blocks stay blocked.
	DNSAlert DNSMode = "alert"
)

// DnsFirewallArgs describes a VPC's DNS firewall. Prefix, Scope, VpcID, Mode,
// LogKeyArn and LogRetentionInDays are required.
type DnsFirewallArgs struct {
	Prefix string
	Scope  identity.Scope
	VpcID  pulumi.StringInput
	Mode   DNSMode
	// BlockedDomains and AllowedDomains are names such as "example.org"; each
	// stands for its subdomains too. What is blocked is blocked before what is
	// allowed is looked at.
	BlockedDomains, AllowedDomains []string
	// OnlyAllowed refuses every name but those of AllowedDomains and of AWS.
	// Without it AllowedDomains are exceptions from ManagedLists.
	OnlyAllowed bool
	// ManagedLists are ids of AWS's domain lists, "rslvr-fdl-…". They differ
	// by region: aws route53resolver list-firewall-domain-lists shows them.
	ManagedLists []string
	// FailOpen lets queries through while the firewall cannot be reached:
	// availability before security.
	FailOpen bool
	// MutationProtection makes AWS refuse to take the firewall off the VPC.
	// Turn it off in an update of its own before removing the firewall.
	MutationProtection bool
	// LogKeyArn encrypts the query log's group; see monitoring.LogGroupArgs.
	LogKeyArn          pulumi.StringInput
	LogRetentionInDays int
	// CreateLogResourcePolicy makes a policy of our own for the delivery into
	// the group. A region holds ten. Without it, AWS enters the group into the
	// policy that its services share.
	CreateLogResourcePolicy bool
	Tags                    map[string]string
}

// DnsFirewall decides which names a VPC may look up and logs every query: data
// does not leave as names of somebody's zone, and malware does not find home.
type DnsFirewall struct {
	pulumi.ResourceState

	// BlockListID is the domain list that incident response writes to; the
	// stack never changes its domains.
	BlockListID pulumi.StringOutput
	// RuleGroupID is "rslvr-frg-…".
	RuleGroupID pulumi.StringOutput
	LogGroup    *monitoring.LogGroup
}

// NewDnsFirewall registers the domain lists, the rules, their association with
// the VPC and the query log. It returns every finding about args at once.
func NewDnsFirewall(ctx *pulumi.Context, name string, args *DnsFirewallArgs, opts ...pulumi.ResourceOption) (*DnsFirewall, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("dns firewall %s: %w", name, err)
	}
	c := &DnsFirewall{}
	if err := ctx.RegisterComponentResource(DnsFirewallComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("dns firewall %s: register component: %w", name, err)
	}
	b := &dnsBuilder{ctx: ctx, name: name, args: args, c: c}
	for _, step := range []func() error{b.ruleGroup, b.log, b.associate} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("dns firewall %s: %w", name, err)
		}
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"blockDomainListId": c.BlockListID, "dnsRuleGroupId": c.RuleGroupID, "dnsQueryLogGroup": c.LogGroup.Name,
	})
}

func (args *DnsFirewallArgs) validate() error {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a DnsFirewallArgs")
		return f.err()
	}
	f.prefix(args.Prefix)
	checkScope(&f, args.Scope)
	f.required("vpcId", args.VpcID != nil, "pass the VPC's id")
	if args.Mode != DNSBlock && args.Mode != DNSAlert {
		f.add("mode", fmt.Sprintf("%q is no mode", args.Mode), "use block, or alert while an application is new")
	}
	args.checkDomains(&f)
	f.required("logKeyArn", args.LogKeyArn != nil, "pass the logs key's ARN")
	if !slices.Contains(monitoring.RetentionDays, args.LogRetentionInDays) {
		f.add("logRetentionInDays", fmt.Sprintf("%d is not a period that CloudWatch Logs knows", args.LogRetentionInDays), "use one of monitoring.RetentionDays")
	}
	return f.err()
}

// dnsBuilder holds what the steps of NewDnsFirewall share.
type dnsBuilder struct {
	ctx  *pulumi.Context
	name string
	args *DnsFirewallArgs
	c    *DnsFirewall

	// rules are what must be there before the VPC is held to them.
	rules []pulumi.Resource
}

func (b *dnsBuilder) child() pulumi.ResourceOption { return pulumi.Parent(b.c) }

// associationPriority orders the rule groups of one VPC. AWS takes numbers
// between 100 and 9,900; those outside are Firewall Manager's.
const associationPriority = 500

// associate holds the VPC to the rules, once all of them are there: a group
// that first knows only "block the rest" would cut the VPC off.
func (b *dnsBuilder) associate() error {
	_, err := route53.NewResolverFirewallConfig(b.ctx, b.name+"-failure", &route53.ResolverFirewallConfigArgs{
		ResourceId:       b.args.VpcID.ToStringOutput(),
		FirewallFailOpen: enabled(b.args.FailOpen),
	}, b.child())
	if err != nil {
		return err
	}
	physical := b.args.Prefix + "-dns"
	_, err = route53.NewResolverFirewallRuleGroupAssociation(b.ctx, b.name+"-vpc", &route53.ResolverFirewallRuleGroupAssociationArgs{
		Name:                pulumi.String(physical),
		FirewallRuleGroupId: b.c.RuleGroupID,
		VpcId:               b.args.VpcID.ToStringOutput(),
		Priority:            pulumi.Int(associationPriority),
		MutationProtection:  enabled(b.args.MutationProtection),
		Tags:                tagged(b.args.Tags, physical),
	}, b.child(), pulumi.DependsOn(b.rules))
	return err
}

// enabled is how Route 53 Resolver writes a switch.
func enabled(on bool) pulumi.StringInput {
	if on {
		return pulumi.String("ENABLED")
	}
	return pulumi.String("DISABLED")
}
