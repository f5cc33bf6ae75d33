package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
)

// PrefixListComponent ties PrefixList to the guide.
var PrefixListComponent = guide.Component{
	Token:  "redoubt:network:PrefixList",
	Serves: []guide.ID{guide.PracticesSecurityGroupsSpecificCIDRBlocks},
}

// CloudFrontOrigins is AWS's list of the addresses from which CloudFront asks
// origins. Other people's distributions come from there too: check a secret
// header behind it.
const CloudFrontOrigins = "com.amazonaws.global.cloudfront.origin-facing"

// awsListWeights are how many rules AWS's lists count for in a security group.
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
var awsListWeights = map[string]int{CloudFrontOrigins: 55}

// AllowedList is a prefix list whose addresses may reach the load balancer.
type AllowedList struct {
	// Name is unique among a group's lists; rules carry it in their names.
	Name string
	// ID is the list's, "pl-…".
	ID pulumi.StringInput
	// Weight is how many rules it counts for in a security group: of a list of
	// our own its maximum of entries, used or not.
	Weight int
}

// LookupAWSList returns one of AWS's prefix lists, for example
// CloudFrontOrigins, under a short name. The lists are a region's: pass the
// provider, or the parent that has it.
func LookupAWSList(ctx *pulumi.Context, name, awsName string, opts ...pulumi.InvokeOption) (AllowedList, error) {
	weight, ok := awsListWeights[awsName]
	if !ok {
		return AllowedList{}, fmt.Errorf("prefix list %s: its weight is not known (use %s)", awsName, CloudFrontOrigins)
	}
	found, err := ec2.LookupManagedPrefixList(ctx, &ec2.LookupManagedPrefixListArgs{Name: pulumi.StringRef(awsName)}, opts...)
	if err != nil {
		return AllowedList{}, fmt.Errorf("prefix list %s: look up (is it in this partition?): %w", awsName, err)
	}
	return AllowedList{Name: name, ID: pulumi.String(found.Id), Weight: weight}, nil
}

// PrefixListEntry is one range of a list.
type PrefixListEntry struct {
	CIDR string
	// Description says whose range it is, at most 255 characters.
	Description string
}

// PrefixListArgs describes a prefix list of our own. Prefix, Name and Entries
// are required.
type PrefixListArgs struct {
	Prefix string
	// Name says whose ranges these are, for example "office".
	Name string
	// Entries are ranges of one address family.
	Entries []PrefixListEntry
	// MaxEntries is how many the list can hold, and how many rules it counts
	// for in each security group; the number of entries if zero.
	MaxEntries int
	Tags       map[string]string
}

// PrefixList names ranges once, for all rules that mean them.
type PrefixList struct {
	pulumi.ResourceState

	// ID is "pl-…", for rules and routes.
	ID pulumi.IDOutput
	// Allowed is the list as SecurityGroupsArgs takes it.
	Allowed AllowedList
}

// NewPrefixList registers the list. It returns every finding about args at once.
func NewPrefixList(ctx *pulumi.Context, name string, args *PrefixListArgs, opts ...pulumi.ResourceOption) (*PrefixList, error) {
	family, err := args.validate()
	if err != nil {
		return nil, fmt.Errorf("prefix list %s: %w", name, err)
	}
	c := &PrefixList{}
	if err := ctx.RegisterComponentResource(PrefixListComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("prefix list %s: register component: %w", name, err)
	}
	var entries ec2.ManagedPrefixListEntryTypeArray
	for _, e := range args.Entries {
		entries = append(entries, ec2.ManagedPrefixListEntryTypeArgs{Cidr: pulumi.String(e.CIDR), Description: pulumi.String(e.Description)})
	}
	physical := args.Prefix + "-" + args.Name
	list, err := ec2.NewManagedPrefixList(ctx, name+"-list", &ec2.ManagedPrefixListArgs{
		Name:          pulumi.String(physical),
		AddressFamily: pulumi.String(family),
		Entries:       entries,
		MaxEntries:    pulumi.Int(args.size()),
		Tags:          tagged(args.Tags, physical),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("prefix list %s: %w", name, err)
	}
	c.ID = list.ID()
	c.Allowed = AllowedList{Name: args.Name, ID: list.ID().ToStringOutput(), Weight: args.size()}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"prefixListId": c.ID})
}

func (args *PrefixListArgs) size() int { return max(args.MaxEntries, len(args.Entries)) }

// validate returns the entries' address family as EC2 writes it.
func (args *PrefixListArgs) validate() (string, error) {
	var f findings
	if args == nil {
		f.add("args", "missing", "pass a PrefixListArgs")
		return "", f.err()
	}
	f.prefix(args.Prefix)
	checkListName(&f, "name", args.Name)
	f.required("entries", len(args.Entries) > 0, "name at least one range")
	if args.MaxEntries != 0 && args.MaxEntries < len(args.Entries) {
		f.add("maxEntries", fmt.Sprintf("%d does not hold %d entries", args.MaxEntries, len(args.Entries)), "raise it, or leave it out")
	}
	family, seen := "", map[netip.Prefix]bool{}
	for i, e := range args.Entries {
		field := fmt.Sprintf("entries[%d].", i)
		checkDescription(&f, field+"description", e.Description)
		p, ok := parseRange(&f, field+"cidr", e.CIDR)
		if !ok {
			continue
		}
		if seen[p] {
			f.add(field+"cidr", e.CIDR+" is named twice", "name each range once")
		}
		seen[p] = true
		if p.Bits() == 0 {
			f.add(field+"cidr", e.CIDR+" is the whole internet", "a list is for known ranges; use allowedCidrs")
		}
		of := familyOf(p)
		if family != "" && of != family {
			f.add(field+"cidr", e.CIDR+" is "+of+" in a list of "+family, "make a second list for it")
		}
		family = of
	}
	return family, f.err()
}

func familyOf(p netip.Prefix) string {
	if p.Addr().Is6() {
		return "IPv6"
	}
	return "IPv4"
}

func checkListName(f *findings, field, name string) {
	if !namePrefix.MatchString(name) || strings.Contains(name, "--") {
		f.add(field, fmt.Sprintf("%q cannot be part of a name", name), "3 to 26 of a-z 0-9 and single hyphens, for example office")
	}
}
