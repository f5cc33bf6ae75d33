package rules

import "redoubt/policy/rule"

// baseline says that the stack declares what an account has one of: it is then
// the place where the account's other guards are looked for. A stack of one
// bucket needs no audit trail of its own.
func baseline(s *rule.Stack) bool {
	return len(s.Of("cloudtrail/trail", "guardduty/detector", "securityhub/account", "cfg/recorder", "accessanalyzer/analyzer")) > 0
}
