package rule

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest is the known name that was probably meant; empty where none is like it.
// A name that is a part of a known one, or the other way round, comes before one
// that is spelt like it.
func Nearest(name string, known []string) string {
	name = strings.ToLower(name)
	best, least := "", 0
	for _, k := range known {
		distance := levenshtein.Distance(name, k, nil)
		part := name != "" && (strings.Contains(k, name) || strings.Contains(name, k))
		if !part && distance > max(2, len(name)/3) {
			continue
		}
		if part {
			distance -= len(name) + len(k) // below every one that is only spelt alike
		}
		if best == "" || distance < least {
			best, least = k, distance
		}
	}
	return best
}
