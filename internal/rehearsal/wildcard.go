package rehearsal

import "strings"

// like is IAM's matching: * is any text, ? is any character, capitals do not
// count in actions and service names.
func like(pattern, s string) bool {
	return matches(strings.ToLower(pattern), strings.ToLower(s))
}

func matches(pattern, s string) bool {
	// star is where the last * stood, and mark how much of s it took.
	star, mark := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
