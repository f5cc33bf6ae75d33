package identity

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/accessanalyzer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"redoubt/guide"
	"redoubt/infra/singleton"
)

// AnalyzersComponent finds access that nobody meant to give, or uses.
var AnalyzersComponent = guide.Component{
	Token: "redoubt:identity:Analyzers",
	Serves: []guide.ID{
		guide.PracticesIAMRegularAccessReviews,
		guide.PracticesAuthorizationRegularAudits,
	},
}

// AnalyzersArgs describes the account's analyzers in one region.
type AnalyzersArgs struct {
	Scope Scope
	// Prefix starts their names.
	Prefix string
	// External finds what the resource policies of the account let in from
	// outside it. An account wants one per region; it is free.
	External singleton.Singleton
	// Unused finds roles, keys, passwords and rights that nobody used for
	// UnusedAccessDays. AWS bills it per role and user and month, and IAM is
	// global: one region's is enough. Adopt needs the analyzer's name as id.
	Unused singleton.Singleton
	// UnusedAccessDays is 1 to 365; zero means 90.
	UnusedAccessDays int
	// Organization analyzes the whole organization: only in its management
	// account or the delegated administrator's.
	Organization bool
	// Archive are external findings that are as intended.
	Archive map[string][]ArchiveFilter
	// Protect keeps the analyzers when the stack is destroyed.
	Protect bool
	Tags    map[string]string
}

// ArchiveFilter matches findings; the filters of a rule must all match.
// Keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-filter-keys.html
type ArchiveFilter struct {
	// Criterion is the finding's field, for example "principal.AWS".
	Criterion string
	// Equals, Contains and Differs are values; one of the three lists is filled.
	Equals, Contains, Differs []string
}

// Analyzers are IAM Access Analyzers. An adopted one is used under its name
// and never changed: it gets no archive rules.
type Analyzers struct {
	pulumi.ResourceState

	External, Unused *accessanalyzer.Analyzer
	// ExternalArn and UnusedArn are composed from names and known at preview;
	// "" where there is no such analyzer.
	ExternalArn, UnusedArn string
}

// NewAnalyzers makes the managed analyzers and their archive rules.
func NewAnalyzers(ctx *pulumi.Context, name string, args *AnalyzersArgs, opts ...pulumi.ResourceOption) (*Analyzers, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("analyzers %q: %w", name, err)
	}
	c := &Analyzers{ExternalArn: args.arn(args.External, "external-access"), UnusedArn: args.arn(args.Unused, "unused-access")}
	if err := ctx.RegisterComponentResource(AnalyzersComponent.Token, name, c, opts...); err != nil {
		return nil, fmt.Errorf("analyzers %q: register: %w", name, err)
	}
	if err := c.build(ctx, name, args); err != nil {
		return nil, fmt.Errorf("analyzers %q: %w", name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"externalArn": pulumi.String(c.ExternalArn), "unusedArn": pulumi.String(c.UnusedArn),
	})
}

func (c *Analyzers) build(ctx *pulumi.Context, name string, args *AnalyzersArgs) error {
	var err error
	if args.External.Managed() {
		c.External, err = accessanalyzer.NewAnalyzer(ctx, name+"-external", &accessanalyzer.AnalyzerArgs{
			AnalyzerName: pulumi.String(args.name("external-access")),
			Type:         pulumi.String(args.typed("")),
			Tags:         tagged(args.Tags, args.name("external-access")),
		}, managed(c, args.Protect)...)
		if err != nil {
			return err
		}
		if err := c.archive(ctx, name, args); err != nil {
			return err
		}
	}
	if args.Unused.Managed() {
		days := args.UnusedAccessDays
		if days == 0 {
			days = 90
		}
		c.Unused, err = accessanalyzer.NewAnalyzer(ctx, name+"-unused", &accessanalyzer.AnalyzerArgs{
			AnalyzerName: pulumi.String(args.name("unused-access")),
			Type:         pulumi.String(args.typed("_UNUSED_ACCESS")),
			Configuration: &accessanalyzer.AnalyzerConfigurationArgs{
				UnusedAccess: &accessanalyzer.AnalyzerConfigurationUnusedAccessArgs{UnusedAccessAge: pulumi.Int(days)},
			},
			Tags: tagged(args.Tags, args.name("unused-access")),
		}, managed(c, args.Protect)...)
	}
	return err
}

func (c *Analyzers) archive(ctx *pulumi.Context, name string, args *AnalyzersArgs) error {
	for _, rule := range slices.Sorted(maps.Keys(args.Archive)) {
		var filters accessanalyzer.ArchiveRuleFilterArray
		for _, filter := range args.Archive[rule] {
			filters = append(filters, filter.input())
		}
		_, err := accessanalyzer.NewArchiveRule(ctx, name+"-"+rule, &accessanalyzer.ArchiveRuleArgs{
			AnalyzerName: c.External.AnalyzerName,
			RuleName:     pulumi.String(rule),
			Filters:      filters,
		}, pulumi.Parent(c))
		if err != nil {
			return err
		}
	}
	return nil
}

func (filter ArchiveFilter) input() accessanalyzer.ArchiveRuleFilterArgs {
	in := accessanalyzer.ArchiveRuleFilterArgs{Criteria: pulumi.String(filter.Criterion)}
	switch {
	case len(filter.Equals) > 0:
		in.Eqs = pulumi.ToStringArray(filter.Equals)
	case len(filter.Contains) > 0:
		in.Contains = pulumi.ToStringArray(filter.Contains)
	default:
		in.Neqs = pulumi.ToStringArray(filter.Differs)
	}
	return in
}

func (args *AnalyzersArgs) name(suffix string) string { return args.Prefix + "-" + suffix }

// typed is the analyzer's type: ACCOUNT or ORGANIZATION and what follows.
func (args *AnalyzersArgs) typed(suffix string) string {
	if args.Organization {
		return "ORGANIZATION" + suffix
	}
	return "ACCOUNT" + suffix
}

func (args *AnalyzersArgs) arn(s singleton.Singleton, suffix string) string {
	switch {
	case s.Managed():
		return args.Scope.ARN("access-analyzer", "analyzer/"+args.name(suffix))
	case s.Adopted():
		return args.Scope.ARN("access-analyzer", "analyzer/"+s.ID)
	default:
		return ""
	}
}

var analyzerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,254}$`)

func (args *AnalyzersArgs) validate() error {
	if args == nil {
		return errors.New("args: nil (pass &identity.AnalyzersArgs{…})")
	}
	f := &findings{}
	f.scope(args.Scope)
	f.prefix(args.Prefix)
	for _, s := range []struct {
		field string
		mode  singleton.Singleton
	}{{"external", args.External}, {"unused", args.Unused}} {
		f.wrap(s.field, s.mode.Validate())
		if s.mode.Adopted() && !analyzerForm.MatchString(s.mode.ID) {
			f.add(s.field, fmt.Sprintf("id %q is not an analyzer's name", s.mode.ID), "name the existing one: aws accessanalyzer list-analyzers")
		}
	}
	if args.UnusedAccessDays != 0 {
		f.within("unusedAccessDays", args.UnusedAccessDays, 1, 365, "90 is a quarter, as long as the access review's")
	}
	if len(args.Archive) > 0 && !args.External.Managed() {
		f.add("archive", "the external analyzer is not the stack's", "manage it, or make the rules where it is managed")
	}
	for _, rule := range slices.Sorted(maps.Keys(args.Archive)) {
		args.checkRule(f, rule)
	}
	return f.err()
}

func (args *AnalyzersArgs) checkRule(f *findings, rule string) {
	field := fmt.Sprintf("archive[%q]", rule)
	if !analyzerForm.MatchString(rule) {
		f.add(field, "not a rule's name", "a letter, then up to 254 letters, digits and _.-")
	}
	if len(args.Archive[rule]) == 0 {
		f.add(field, "a rule without filters would archive every finding", "say which findings are intended")
	}
	for i, filter := range args.Archive[rule] {
		lists := 0
		for _, list := range [][]string{filter.Equals, filter.Contains, filter.Differs} {
			if len(list) > 0 {
				lists++
			}
		}
		if filter.Criterion == "" || lists != 1 {
			f.add(fmt.Sprintf("%s[%d]", field, i), "not one criterion with one list of values", "fill criterion and one of equals, contains and differs")
		}
	}
}
