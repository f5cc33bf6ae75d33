package network

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// awsDomains are where AWS's own endpoints, and the names that it gives to
// what runs in a VPC, lie. A VPC held to allowed names cannot do without them.
var awsDomains = []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "compute.internal", "ec2.internal"}

// dnsRule is one rule of the firewall: what it does with a list's names.
type dnsRule struct {
	// name is unique in the group; the list of our own has it too.
	name     string
	priority int
	action   dnsAction
	// domains are the list's names, for a list of our own.
	domains []string
	// managed is the id of AWS's list, for one of those.
	managed string
	// kept says that incident response writes the list, not the stack.
	kept bool
}

// dnsAction is an action as DNS Firewall writes it.
type dnsAction string

const (
	dnsAllow dnsAction = "ALLOW"
	dnsBlock dnsAction = "BLOCK"
	dnsAlert dnsAction = "ALERT"
)

// rules is the firewall's table, by priority: the first match decides. What
// incident response blocks comes first, so that no other rule can let it
// through; gaps leave room for rules that do not reorder the others.
func (args *DnsFirewallArgs) rules() []dnsRule {
	matched := dnsBlock
	if args.Mode == DNSAlert {
		matched = dnsAlert
	}
	rules := []dnsRule{{name: "incident", priority: 100, action: dnsBlock, kept: true}}
	if len(args.BlockedDomains) > 0 {
		rules = append(rules, dnsRule{name: "blocked", priority: 200, action: dnsBlock, domains: withSubdomains(args.BlockedDomains)})
	}
	if allowed := args.allowedDomains(); len(allowed) > 0 {
		rules = append(rules, dnsRule{name: "allowed", priority: 300, action: dnsAllow, domains: withSubdomains(allowed)})
	}
	for i, id := range args.ManagedLists {
		rules = append(rules, dnsRule{name: "managed-" + id, priority: 400 + i, action: matched, managed: id})
	}
	if args.OnlyAllowed {
		rules = append(rules, dnsRule{name: "others", priority: 900, action: matched, domains: []string{everyDomain}})
	}
	return rules
}

func (args *DnsFirewallArgs) allowedDomains() []string {
	if !args.OnlyAllowed {
		return args.AllowedDomains
	}
	return slices.Concat(awsDomains, args.AllowedDomains)
}

// everyDomain is every name there is, as a list writes it.
const everyDomain = "*."

// withSubdomains writes each name and, because a list's entry stands for itself
// alone, its subdomains. AWS answers with a dot at the end of each entry, so
// without one every refresh would find a difference
// (hashicorp/terraform-provider-aws#23543).
func withSubdomains(domains []string) []string {
	var out []string
	for _, d := range domains {
		out = append(out, d+".", "*."+d+".")
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// listDomain is domainName with underscores, as in service records.
var listDomain = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

var managedList = regexp.MustCompile(`^rslvr-fdl-[a-z0-9]{1,40}$`)

// maxManagedLists keeps the managed rules' priorities below the last rule's.
const maxManagedLists = 20

func (args *DnsFirewallArgs) checkDomains(f *findings) {
	from := map[string]string{}
	for _, list := range []struct {
		field   string
		domains []string
	}{{"blockedDomains", args.BlockedDomains}, {"allowedDomains", args.AllowedDomains}} {
		for i, d := range list.domains {
			field := fmt.Sprintf("%s[%d]", list.field, i)
			// The longest that leaves room for "*." and "." in the 255 characters of an entry.
			if !listDomain.MatchString(d) || len(d) > 252 {
				f.add(field, fmt.Sprintf("%q is no domain name", d), "lower case, without * and without a dot at its end: it stands for its subdomains too")
			}
			if other, ok := from[d]; ok {
				f.add(field, d+" is also "+other, "name each domain once")
			}
			from[d] = field
		}
	}
	seen := map[string]bool{}
	for i, id := range args.ManagedLists {
		field := fmt.Sprintf("managedLists[%d]", i)
		if !managedList.MatchString(id) {
			f.add(field, fmt.Sprintf("%q is no domain list's id", id), "it starts with rslvr-fdl-; aws route53resolver list-firewall-domain-lists shows the region's")
		}
		if seen[id] {
			f.add(field, id+" is named twice", "name each list once")
		}
		seen[id] = true
	}
	if len(args.ManagedLists) > maxManagedLists {
		f.add("managedLists", fmt.Sprintf("%d lists", len(args.ManagedLists)), fmt.Sprintf("at most %d", maxManagedLists))
	}
}

// ruleGroup makes the lists and the rules.
func (b *dnsBuilder) ruleGroup() error {
	physical := b.args.Prefix + "-dns"
	group, err := route53.NewResolverFirewallRuleGroup(b.ctx, b.name+"-rules", &route53.ResolverFirewallRuleGroupArgs{
		Name: pulumi.String(physical),
		Tags: tagged(b.args.Tags, physical),
	}, b.child())
	if err != nil {
		return err
	}
	b.c.RuleGroupID = group.ID().ToStringOutput()
	for _, r := range b.args.rules() {
		list, err := b.list(r)
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.name, err)
		}
		if err := b.rule(r, list); err != nil {
			return fmt.Errorf("rule %s: %w", r.name, err)
		}
	}
	return nil
}

func (b *dnsBuilder) rule(r dnsRule, list pulumi.StringInput) error {
	in := &route53.ResolverFirewallRuleArgs{
		Name:                 pulumi.String(r.name),
		FirewallRuleGroupId:  b.c.RuleGroupID,
		FirewallDomainListId: list,
		Priority:             pulumi.Int(r.priority),
		Action:               pulumi.String(r.action),
	}
	switch r.action {
	case dnsBlock:
		in.BlockResponse = pulumi.String("NXDOMAIN")
	case dnsAllow:
		// Where an allowed name leads is its owner's business: else every
		// content network behind it would have to be allowed as well.
		in.FirewallDomainRedirectionAction = pulumi.String("TRUST_REDIRECTION_DOMAIN")
	}
	rule, err := route53.NewResolverFirewallRule(b.ctx, b.name+"-"+r.name, in, b.child())
	if err != nil {
		return err
	}
	b.rules = append(b.rules, rule)
	return nil
}

// list returns the id of the rule's domain list, which it makes or, for one of
// AWS's, looks up: an id of another region fails here and not in mid-update.
func (b *dnsBuilder) list(r dnsRule) (pulumi.StringInput, error) {
	if r.managed != "" {
		found, err := route53.LookupResolverFirewallDomainList(b.ctx, &route53.LookupResolverFirewallDomainListArgs{
			FirewallDomainListId: r.managed,
		}, pulumi.Parent(b.c))
		if err != nil {
			return nil, fmt.Errorf("domain list %s is not in %s (ids differ by region): %w", r.managed, b.args.Scope.Region, err)
		}
		if found.ManagedOwnerName == "" {
			return nil, fmt.Errorf("domain list %s (%s) is not one of AWS's (put its domains into blockedDomains)", r.managed, found.Name)
		}
		return pulumi.String(r.managed), nil
	}
	physical := b.args.Prefix + "-dns-" + r.name
	opts := []pulumi.ResourceOption{b.child()}
	if r.kept {
		opts = append(opts, pulumi.IgnoreChanges([]string{"domains"}))
	}
	list, err := route53.NewResolverFirewallDomainList(b.ctx, b.name+"-"+r.name, &route53.ResolverFirewallDomainListArgs{
		Name:    pulumi.String(physical),
		Domains: pulumi.ToStringArray(r.domains),
		Tags:    tagged(b.args.Tags, physical),
	}, opts...)
	if err != nil {
		return nil, err
	}
	if r.kept {
		b.c.BlockListID = list.ID().ToStringOutput()
	}
	return list.ID(), nil
}
