package rules

import (
	"strings"

	"redoubt/policy/rule"
)

// webACLs are the resources that hold rules of the web application firewall.
var webACLs = []string{"wafv2/webAcl", "wafv2/ruleGroup"}

// aclRules returns the rules of a web ACL or a rule group, whether they are
// blocks or JSON in the API's spelling. The verdict is Skip, or Undetermined where
// there are rules that cannot be read.
func aclRules(r *rule.Resource) ([]rule.Value, rule.Verdict) {
	list, out := r.Get("rules").Items(), rule.Skip()
	for _, property := range []string{"ruleJson", "rulesJson"} { // of a web ACL, of a rule group
		v := r.Get(property)
		if v.Empty() {
			continue
		}
		if v.Unknown() {
			out = rule.All(out, rule.Unsure("%s is unknown", property))
			continue
		}
		parsed, err := v.JSON(blockName)
		if err != nil {
			out = rule.All(out, rule.Unsure("%s is not a list of rules: %v", property, err))
			continue
		}
		list = append(list, parsed.Items()...)
	}
	return list, out
}

// blockName is what the provider calls a field of the API: "Name" is "name".
func blockName(field string) string {
	if field == "CloudWatchMetricsEnabled" {
		return "cloudwatchMetricsEnabled"
	}
	return strings.ToLower(field[:min(1, len(field))]) + field[min(1, len(field)):]
}

// holdsManagedGroup is the verdict of a web ACL that must hold one of AWS's rule
// groups, itself or through an association of its own.
func holdsManagedGroup(s *rule.Stack, acl *rule.Resource, name string) rule.Verdict {
	const association = "wafv2/webAclRuleGroupAssociation" // since version 7 of the provider
	list, readable := aclRules(acl)
	parts := []rule.Verdict{readable}
	for _, e := range list {
		parts = append(parts, isManagedGroup(e.Get("statement.managedRuleGroupStatement"), name))
	}
	for _, a := range s.Pointing(acl, "webAclArn", association) {
		parts = append(parts, isManagedGroup(a.Get("managedRuleGroup"), name))
	}
	parts = append(parts, missing(s, "webAclArn", association, acl.Type, "no rule holds "+name+" of vendor AWS"))
	return rule.Any(parts...)
}

// isManagedGroup passes where the block names the group, and skips others.
func isManagedGroup(group rule.Value, wanted string) rule.Verdict {
	name, vendor := group.Get("name"), group.Get("vendorName")
	n, nameKnown := name.Str()
	v, vendorKnown := vendor.Str()
	switch {
	case group.Absent(), nameKnown && n != wanted, vendorKnown && v != "AWS":
		return rule.Skip()
	case name.Unknown() || vendor.Unknown():
		return rule.Unsure("%s is unknown", group.Path())
	case nameKnown && vendorKnown:
		return rule.Pass()
	default:
		return rule.Skip()
	}
}

// doesNotCount is the verdict of a rule's action, or of an override of one, that
// must do more than count.
func doesNotCount(action rule.Value, format string, args ...any) rule.Verdict {
	count := action.Get("count")
	switch {
	case count.Unknown():
		return rule.Unsure("%s is unknown", action.Path())
	case count.Present():
		return rule.Fail(format, args...)
	default:
		return rule.Pass()
	}
}
