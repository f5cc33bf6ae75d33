package identity

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// reporter collects a finding about a statement: the field, what is wrong with
// it and how to fix it.
type reporter func(field, why, fix string)

var (
	plainSid   = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionForm = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$`)
	arnForm    = regexp.MustCompile(`^(\*|arn:[^:]+:[^:]+:[^:]*:[^:]*:.+)$`)
)

// operators are the condition operators without their ForAnyValue: and
// ForAllValues: prefixes and IfExists suffix.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = []string{
	"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "BinaryEquals", "Bool",
	"DateEquals", "DateGreaterThan", "DateGreaterThanEquals", "DateLessThan", "DateLessThanEquals", "DateNotEquals",
	"IpAddress", "NotIpAddress", "Null",
	"NumericEquals", "NumericGreaterThan", "NumericGreaterThanEquals", "NumericLessThan", "NumericLessThanEquals", "NumericNotEquals",
	"StringEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike",
}

// check returns every finding of the kind's rules, in the document's order.
func (d Document) check(kind Kind) []error {
	rules, known := kinds[kind]
	if !known {
		return []error{fmt.Errorf("kind: %q is not a kind of policy (use identity.InlinePolicy or another constant)", kind)}
	}
	if len(d) == 0 {
		return []error{fmt.Errorf("document: a %s without statements is refused by AWS (add one or leave the policy out)", kind)}
	}
	var findings []error
	seen := map[string]int{}
	for i, s := range d {
		report := func(field, why, fix string) {
			findings = append(findings, fmt.Errorf("%s: %s: %s (%s)", s.label(i), field, why, fix))
		}
		if first, twice := seen[s.Sid]; twice && s.Sid != "" {
			report("Sid", fmt.Sprintf("statement %d has the same", first), "statement ids are unique in a document")
		}
		seen[s.Sid] = i
		s.checkGrammar(rules, report)
		if rules.grants {
			s.checkGrants(report)
		}
		if rules.principal {
			s.checkEveryone(report)
		}
		if kind == TrustPolicy {
			s.checkTrust(report)
		}
	}
	return findings
}

// label names the statement for people.
func (s Statement) label(i int) string {
	if s.Sid == "" {
		return fmt.Sprintf("statement %d", i)
	}
	return fmt.Sprintf("statement %d %q", i, s.Sid)
}

func (s Statement) checkGrammar(rules kindRules, report reporter) {
	if rules.plainSid && !plainSid.MatchString(s.Sid) {
		report("Sid", fmt.Sprintf("%q has other signs than letters and digits", s.Sid), "IAM allows A-Z, a-z and 0-9 here")
	}
	if s.Effect != Allow && s.Effect != Deny {
		report("Effect", fmt.Sprintf("%q", s.Effect), "Allow or Deny")
	}
	if (len(s.Actions) > 0) == (len(s.NotActions) > 0) {
		report("Actions", "a statement has either Actions or NotActions", "fill one of the two")
	}
	if rules.resource && (len(s.Resources) > 0) == (len(s.NotResources) > 0) {
		report("Resources", "a statement has either Resources or NotResources", "fill one of the two")
	}
	if !rules.resource && len(s.Resources)+len(s.NotResources) > 0 {
		report("Resources", "a trust policy is about its own role", "leave resources out")
	}
	if rules.principal == s.Principals.empty() {
		report("Principals", "named where the policy's carrier is the principal, or missing where it is not",
			"only resource and trust policies name principals")
	}
	if s.Principals.Any && len(s.Principals.AWS)+len(s.Principals.Service)+len(s.Principals.Federated) > 0 {
		report("Principals", "everyone already includes the others", "set Any or name principals, not both")
	}
	for _, a := range slices.Concat(s.Actions, s.NotActions) {
		if !actionForm.MatchString(a) {
			report("Actions", fmt.Sprintf("%q is not service:Action", a), "write the prefix in lower case, for example s3:GetObject")
		}
	}
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		if !arnForm.MatchString(r) {
			report("Resources", fmt.Sprintf("%q is not an ARN", r), "compose it with Scope.ARN or Scope.GlobalARN")
		}
	}
	s.checkConditions(report)
}

func (s Statement) checkConditions(report reporter) {
	seen := map[string]bool{}
	for _, c := range s.Conditions {
		test := strings.TrimPrefix(strings.TrimPrefix(c.Test, "ForAnyValue:"), "ForAllValues:")
		if !slices.Contains(operators, strings.TrimSuffix(test, "IfExists")) {
			report("Conditions", fmt.Sprintf("%q is not a condition operator", c.Test), "for example StringEquals or ArnLike")
		}
		if !strings.Contains(c.Key, ":") {
			report("Conditions", fmt.Sprintf("%q is not a condition key", c.Key), "for example aws:SourceAccount")
		}
		if len(c.Values) == 0 || slices.Contains(c.Values, "") {
			report("Conditions", fmt.Sprintf("%s has an empty value, which matches nothing", c.Key), "give it its value")
		}
		id := c.Test + " " + strings.ToLower(c.Key)
		if seen[id] {
			report("Conditions", fmt.Sprintf("%s %s twice: their values would be alternatives", c.Test, c.Key), "put the values in one condition")
		}
		seen[id] = true
	}
}

// checkEveryone holds an Allow for everyone to having a condition.
func (s Statement) checkEveryone(report reporter) {
	everyone := s.Principals.Any || slices.Contains(s.Principals.AWS, "*")
	if s.Effect == Allow && everyone && len(s.Conditions) == 0 {
		report("Principals", "everyone in the world is allowed", "name principals, or condition on aws:PrincipalOrgID or aws:SourceAccount")
	}
}
