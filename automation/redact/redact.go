// Package redact keeps credentials out of logs: Text masks what looks like one
// in any text, Handler does that to everything that is logged.
package redact

import (
	"net/url"
	"regexp"
	"strings"
)

// Mask stands where a credential stood.
const Mask = "[redacted]"

// patterns find credentials by their own form, wherever they stand. What is
// not in a group is masked.
var patterns = []struct {
	find    *regexp.Regexp
	replace string
}{
	// Headers of requests as a whole, then what is in them by itself.
	{regexp.MustCompile(`(?i)(authorization["']?\s*[:=]\s*["'\[]*)(?:[a-z-]+ +)?[^\s"'\]\[]+`), "${1}" + Mask},
	{regexp.MustCompile(`(?i)\b(update-token|bearer|basic)( +|:)[^\s"',;\[]+`), "${1}${2}" + Mask},
	// Access tokens: the middle part is the token's id and no secret, and tells
	// an operator which one to revoke.
	{regexp.MustCompile(`(redoubt_[0-9a-z]+_)[0-9A-Za-z]+`), "${1}" + Mask},
	{regexp.MustCompile(`(?i)\b(token )([0-9A-Za-z_.-]{20,})`), "${1}" + Mask},
	// Passwords in URLs, up to the last @ before the host.
	{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"']*:)[^\s/"']+@`), "${1}" + Mask + "@"},
	// Passwords in connection strings and queries: password=…, 'password': "…".
	{regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|passphrase)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;"'}\]]+)`), "${1}" + Mask},
	// Private keys.
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), Mask},
	// Secret keys of AWS have no form of their own, their session tokens do.
	{regexp.MustCompile(`(?i)(x-amz-(?:security-token|signature)["']?\s*[:=]\s*["']?)[^\s"'&]+`), "${1}" + Mask},
}

// Text masks what looks like a credential.
func Text(text string) string {
	for _, p := range patterns {
		text = p.find.ReplaceAllString(text, p.replace)
	}
	return text
}

// URL masks the password of a URL, also of one that cannot be parsed.
func URL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return Text(raw)
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	query := u.Query()
	for name := range query {
		if Secret(name) {
			query.Set(name, "redacted")
			u.RawQuery = query.Encode()
		}
	}
	return u.String()
}

// names are parts of names whose values are secret whatever they look like.
var names = []string{"password", "passwd", "passphrase", "secret", "authorization", "credential", "cookie", "privatekey"}

// Secret says whether a thing of this name is to be masked as a whole. Names
// that only count or name secrets, such as "secrets" and "token_id", are not.
func Secret(name string) bool {
	plain := strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(name))
	if plain == "token" || strings.HasSuffix(plain, "accesstoken") || strings.HasSuffix(plain, "updatetoken") || strings.HasSuffix(plain, "leasetoken") {
		return true
	}
	if plain == "secrets" || strings.HasSuffix(plain, "file") {
		return false
	}
	for _, n := range names {
		if strings.Contains(plain, n) {
			return true
		}
	}
	return false
}
