package network

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// managedGroup is one of AWS's rule groups in the web ACL. Names of rules are
// immutable, and a changed priority reorders what is evaluated.
type managedGroup struct {
	name     string
	priority int
	metric   string
	// wcu is its capacity; a web ACL holds 1,500 at the basic price.
	// https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
	wcu int
	// countOnly groups match honest users too (VPNs, hosting providers): they
	// inform and never block.
	countOnly bool
	// configure fills in what a group that costs extra asks for; nil for others.
	configure func(*managedStatement)
}

// managedStatement is the reference to a group, by a name that fits on a line.
type managedStatement = wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs

// The first is the guide's, word for word.
var managedGroups = []managedGroup{
	{"AWSManagedRulesCommonRuleSet", 1, "CommonRuleMetric", 700, false, nil},
	{"AWSManagedRulesKnownBadInputsRuleSet", 2, "KnownBadInputsMetric", 200, false, nil},
	{"AWSManagedRulesSQLiRuleSet", 3, "SQLiMetric", 200, false, nil},
	{"AWSManagedRulesAmazonIpReputationList", 4, "IpReputationMetric", 25, false, nil},
	{"AWSManagedRulesAnonymousIpList", 5, "AnonymousIpMetric", 50, true, nil},
}

// Priorities of our own rules, around AWS's groups. What incident response
// blocks comes first, so that no other rule can let it through.
const (
	priorityBlocked   = 0
	priorityRate      = 6
	priorityCountries = 7
	priorityLogin     = 8
	priorityBody      = 9
	// What is charged by the request comes last: it sees only what the other
	// rules let through.
	priorityBots     = 10
	priorityTakeover = 11
)

// rateWindow is the time in seconds in which requests are counted.
const rateWindow = 300

// tooManyRequests is what an address over its rate gets: a client that keeps
// to the protocol slows down, where 403 would look like a defect.
const tooManyRequests = 429

const minRate, maxRate = 10, 2_000_000_000

var (
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	pathStart   = regexp.MustCompile(`^/[\x21-\x7e]{0,199}$`)
)

func (args *WebAclArgs) checkRules(f *findings) {
	checkRate := func(field string, limit int) {
		if limit < minRate || limit > maxRate {
			f.add(field, fmt.Sprintf("%d requests in five minutes", limit), fmt.Sprintf("%d to %d", minRate, maxRate))
		}
	}
	checkRate("rateLimit", args.RateLimit)
	if args.LoginPath != "" {
		checkRate("loginRateLimit", args.LoginRateLimit)
		if !pathStart.MatchString(args.LoginPath) {
			f.add("loginPath", fmt.Sprintf("%q is no path", args.LoginPath), "start it with / and keep it under 200 characters")
		}
	}
	for i, code := range args.BlockedCountries {
		if !countryCode.MatchString(code) {
			f.add(fmt.Sprintf("blockedCountries[%d]", i), fmt.Sprintf("%q is no country", code), "two capital letters of ISO 3166-1")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args.CountedRules)) {
		if !slices.Contains(args.groupNames(), name) {
			f.add(fmt.Sprintf("countedRules[%q]", name), "is no rule group of this web ACL", "use one of "+strings.Join(args.groupNames(), ", "))
		}
	}
}

// groupNames are AWS's groups in this web ACL.
func (args *WebAclArgs) groupNames() []string {
	var names []string
	for _, g := range slices.Concat(managedGroups, args.paidGroups()) {
		names = append(names, g.name)
	}
	return names
}

// rules is the web ACL's list, by priority.
func (args *WebAclArgs) rules(blockSet pulumi.StringInput) wafv2.WebAclRuleArray {
	rules := wafv2.WebAclRuleArray{args.blockedAddresses(blockSet)}
	for _, g := range managedGroups {
		rules = append(rules, args.managed(g))
	}
	rules = append(rules, args.rate("RateLimit", priorityRate, args.RateLimit, ""))
	if len(args.BlockedCountries) > 0 {
		rules = append(rules, args.countries())
	}
	if args.LoginPath != "" {
		rules = append(rules, args.rate("LoginRateLimit", priorityLogin, args.LoginRateLimit, args.LoginPath))
	}
	if args.MaxBodyBytes > 0 {
		rules = append(rules, args.body())
	}
	for _, g := range args.paidGroups() {
		rules = append(rules, args.managed(g))
	}
	return rules
}

// blockedAddresses blocks in either mode: it is empty until an incident.
func (args *WebAclArgs) blockedAddresses(set pulumi.StringInput) *wafv2.WebAclRuleArgs {
	return &wafv2.WebAclRuleArgs{
		Name: pulumi.String("BlockedAddresses"), Priority: pulumi.Int(priorityBlocked),
		Action: block(0),
		Statement: &wafv2.WebAclRuleStatementArgs{
			IpSetReferenceStatement: &wafv2.WebAclRuleStatementIpSetReferenceStatementArgs{Arn: set},
		},
		VisibilityConfig: visible("BlockedAddressesMetric"),
	}
}

func (args *WebAclArgs) managed(g managedGroup) *wafv2.WebAclRuleArgs {
	override := &wafv2.WebAclRuleOverrideActionArgs{None: &wafv2.WebAclRuleOverrideActionNoneArgs{}}
	if g.countOnly || args.Mode == WAFCount {
		override = &wafv2.WebAclRuleOverrideActionArgs{Count: &wafv2.WebAclRuleOverrideActionCountArgs{}}
	}
	statement := &managedStatement{
		Name: pulumi.String(g.name), VendorName: pulumi.String("AWS"),
	}
	if g.configure != nil {
		g.configure(statement)
	}
	if counted := args.counted(g.name); len(counted) > 0 {
		statement.RuleActionOverrides = countOnly(counted)
	}
	return &wafv2.WebAclRuleArgs{
		Name: pulumi.String(g.name), Priority: pulumi.Int(g.priority),
		OverrideAction:   override,
		Statement:        &wafv2.WebAclRuleStatementArgs{ManagedRuleGroupStatement: statement},
		VisibilityConfig: visible(g.metric),
	}
}

func countOnly(rules []string) wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArray {
	var out wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArray
	for _, rule := range slices.Sorted(slices.Values(rules)) {
		out = append(out, &wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs{
			Name: pulumi.String(rule),
			ActionToUse: &wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs{
				Count: &wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs{},
			},
		})
	}
	return out
}

// rate limits one address; with a path, its requests to paths that start so.
func (args *WebAclArgs) rate(name string, priority, limit int, path string) *wafv2.WebAclRuleArgs {
	statement := &wafv2.WebAclRuleStatementRateBasedStatementArgs{
		Limit: pulumi.Int(limit), AggregateKeyType: pulumi.String("IP"), EvaluationWindowSec: pulumi.Int(rateWindow),
	}
	if path != "" {
		statement.ScopeDownStatement = startsWith(path)
	}
	return &wafv2.WebAclRuleArgs{
		Name: pulumi.String(name), Priority: pulumi.Int(priority),
		Action:           args.action(tooManyRequests),
		Statement:        &wafv2.WebAclRuleStatementArgs{RateBasedStatement: statement},
		VisibilityConfig: visible(name + "Metric"),
	}
}

// pathTransforms normalise a path before it is compared, or /./login would get
// round a limit.
var pathTransforms = []string{"URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"}

// startsWith is pathStartsWith as a rate's scope, which the SDK types apart.
func startsWith(path string) *wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementArgs {
	var transforms wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementTextTransformationArray
	for i, transform := range pathTransforms {
		transforms = append(transforms, &wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementTextTransformationArgs{
			Priority: pulumi.Int(i), Type: pulumi.String(transform),
		})
	}
	return &wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementArgs{
		ByteMatchStatement: &wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementArgs{
			FieldToMatch: &wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementFieldToMatchArgs{
				UriPath: &wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementFieldToMatchUriPathArgs{},
			},
			PositionalConstraint: pulumi.String("STARTS_WITH"),
			SearchString:         pulumi.String(strings.ToLower(path)),
			TextTransformations:  transforms,
		},
	}
}

func (args *WebAclArgs) countries() *wafv2.WebAclRuleArgs {
	return &wafv2.WebAclRuleArgs{
		Name: pulumi.String("BlockedCountries"), Priority: pulumi.Int(priorityCountries),
		Action: args.action(0),
		Statement: &wafv2.WebAclRuleStatementArgs{
			GeoMatchStatement: &wafv2.WebAclRuleStatementGeoMatchStatementArgs{
				CountryCodes: pulumi.ToStringArray(slices.Sorted(slices.Values(args.BlockedCountries))),
			},
		},
		VisibilityConfig: visible("BlockedCountriesMetric"),
	}
}

// action blocks with the status (0 for WAF's own 403), or counts in count mode.
func (args *WebAclArgs) action(status int) *wafv2.WebAclRuleActionArgs {
	if args.Mode == WAFCount {
		return &wafv2.WebAclRuleActionArgs{Count: &wafv2.WebAclRuleActionCountArgs{}}
	}
	return block(status)
}

func block(status int) *wafv2.WebAclRuleActionArgs {
	action := &wafv2.WebAclRuleActionBlockArgs{}
	if status != 0 {
		action.CustomResponse = &wafv2.WebAclRuleActionBlockCustomResponseArgs{ResponseCode: pulumi.Int(status)}
	}
	return &wafv2.WebAclRuleActionArgs{Block: action}
}

func visible(metric string) *wafv2.WebAclRuleVisibilityConfigArgs {
	return &wafv2.WebAclRuleVisibilityConfigArgs{
		CloudwatchMetricsEnabled: pulumi.Bool(true),
		MetricName:               pulumi.String(metric),
		SampledRequestsEnabled:   pulumi.Bool(true),
	}
}
