package runner

import (
	"regexp"
	"strings"
)

// panics are how Go's runtime says why a process ends: a panic, or what it
// cannot recover from, like two writers of a map. What follows are goroutines.
var panics = regexp.MustCompile(`(?ms)^(?:panic|fatal error): (.*?)(?:^goroutine |^\[signal |\z)`)

// panicOf is what a process said of its panic; empty where it did not panic.
func panicOf(stderr string) string {
	m := panics.FindStringSubmatch(stderr)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
