package config

import (
	"slices"
	"strconv"
	"strings"
)

// Allowed is what a field takes beyond its type: one of a few texts or numbers,
// or a number between two bounds, both inclusive.
type Allowed struct {
	// OneOf are the choices, "" among them where the field may be left empty; nil
	// for a range.
	OneOf []string
	// Min and Max bound a number.
	Min, Max float64
}

// AllowedValues are what the validation insists on, by the field's path; a
// list's items have brackets, "alerting.channels[].levels". Fields that are not
// there take every value of their type, or say more in their comment.
func AllowedValues() map[string]Allowed {
	out := map[string]Allowed{
		"alerting.channels[].levels": {OneOf: slices.Clone(levels)},
		"alerting.slack.levels":      {OneOf: slices.Clone(levels)},
	}
	for _, c := range choices {
		out[c.field] = Allowed{OneOf: slices.Clone(c.of)}
	}
	for _, r := range ranges {
		out[r.field] = Allowed{Min: r.min, Max: r.max}
	}
	for _, r := range retentions {
		days := make([]string, 0, len(retentionDays))
		for _, d := range retentionDays {
			days = append(days, strconv.Itoa(d))
		}
		out[r.field] = Allowed{OneOf: days}
	}
	return out
}

// number writes a bound as people do: 2000000000 and not 2e+09.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// String is the sentence's end that errors and the reference share: "10 to 300",
// "one of none, single, perAZ".
func (a Allowed) String() string {
	if a.OneOf == nil {
		return number(a.Min) + " to " + number(a.Max)
	}
	words := slices.Clone(a.OneOf)
	if i := slices.Index(words, ""); i >= 0 {
		words[i] = "empty"
	}
	return "one of " + strings.Join(words, ", ")
}
