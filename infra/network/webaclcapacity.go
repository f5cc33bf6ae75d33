package network

import (
	"fmt"
	"strings"
)

// Capacity units (WCU) of statements.
// https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements-match.html
const (
	wcuAddressSet = 1
	wcuCountries  = 1
	wcuRate       = 2
	wcuSize       = 1
	wcuStartsWith = 2
	wcuTransform  = 10
	// https://docs.aws.amazon.com/waf/latest/developerguide/ddos-automatic-app-layer-response-rg.html
	wcuShieldResponse = 150
)

// What a web ACL holds at the basic price, and what it holds at all.
const basicCapacity, maxCapacity = 1500, 5000

// ruleCapacity is a rule with its capacity units.
type ruleCapacity struct {
	rule string
	wcu  int
}

// capacities is what each rule of the web ACL takes.
func (args *WebAclArgs) capacities() []ruleCapacity {
	path := wcuStartsWith + len(pathTransforms)*wcuTransform
	out := []ruleCapacity{{"BlockedAddresses", wcuAddressSet}, {"RateLimit", wcuRate}}
	for _, g := range managedGroups {
		out = append(out, ruleCapacity{g.name, g.wcu})
	}
	for _, g := range args.paidGroups() {
		out = append(out, ruleCapacity{g.name, g.wcu})
	}
	for _, row := range []struct {
		on   bool
		rule string
		wcu  int
	}{
		{len(args.BlockedCountries) > 0, "BlockedCountries", wcuCountries},
		{args.LoginPath != "", "LoginRateLimit", wcuRate + path},
		{args.MaxBodyBytes > 0, "BodySize", wcuSize + len(args.UploadPaths)*path},
		{args.BotControl != nil && args.BotControl.Path != "", "the path of botControl", path},
		{args.ShieldResponse, "Shield's automatic response", wcuShieldResponse},
	} {
		if row.on {
			out = append(out, ruleCapacity{row.rule, row.wcu})
		}
	}
	return out
}

// Capacity is the web ACL's capacity units as AWS documents them for each
// statement. WAF counts a transformation that several rules share once, so what
// it reports can be lower, and is never higher.
func (args *WebAclArgs) Capacity() int {
	total := 0
	for _, c := range args.capacities() {
		total += c.wcu
	}
	return total
}

func (args *WebAclArgs) checkCapacity(f *findings) {
	total := args.Capacity()
	if total <= basicCapacity || args.AllowExtraCapacity && total <= maxCapacity {
		return
	}
	var rules []string
	for _, c := range args.capacities() {
		rules = append(rules, fmt.Sprintf("%s %d", c.rule, c.wcu))
	}
	why := fmt.Sprintf("%d units, of %d at the basic price: %s", total, basicCapacity, strings.Join(rules, ", "))
	if total > maxCapacity {
		f.add("capacity", why, fmt.Sprintf("AWS takes %d: use fewer uploadPaths", maxCapacity))
		return
	}
	f.add("capacity", why, "use fewer uploadPaths or groups, or set allowExtraCapacity and pay for it")
}
