package rule

import (
	"regexp"
	"strings"
)

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// Account returns the account of an AWS principal, given as the account's id or
// as an ARN in it, and "" for every other principal.
func (p Principal) Account() string {
	if p.Type != "AWS" {
		return ""
	}
	if accountID.MatchString(p.ID) {
		return p.ID
	}
	return AccountOf(p.ID)
}

// WholeAccount says that the principal is everybody in an account whom the
// account's own policies let: its id, or the ARN of its root.
func (p Principal) WholeAccount() bool {
	return p.Account() != "" && (p.Account() == p.ID || strings.HasSuffix(p.ID, ":root"))
}

// AccountOf returns the account in an ARN, and "" where there is none.
func AccountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" && accountID.MatchString(parts[4]) {
		return parts[4]
	}
	return ""
}

// WideResource says that a pattern of a Resource element means everything, or
// everything of one kind: "*", "arn:aws:s3:::*/*", "arn:aws:iam::*:role/*".
func WideResource(pattern string) bool {
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) < 6 {
		return strings.HasSuffix(pattern, "*")
	}
	if parts[2] == "s3" { // a bucket's name stands where others have a kind
		return strings.Trim(parts[5], "*/") == ""
	}
	return wholeKind.MatchString(parts[5])
}

var wholeKind = regexp.MustCompile(`^([a-z][a-z-]*[:/])?[*/:]*\*$`)

// WideResources says that the statement covers everything, or everything of one
// kind, or everything but some.
func (s Statement) WideResources() bool {
	if len(s.NotResources) > 0 {
		return true
	}
	for _, r := range s.Resources {
		if WideResource(r) {
			return true
		}
	}
	return false
}
