// Package review looks through the exemptions of a policy pack, as somebody must now
// and then: which have ended or soon do, which are for a rule that nobody has any
// more, and which match nothing that is deployed.
package review

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// Exemption is one of a configuration, or a waiver of the service.
type Exemption struct {
	// Source says where it was found: the file, or the project.
	Source string `json:"source"`
	Rule   string `json:"rule"`
	// Resource is a URN, or a pattern of it.
	Resource string `json:"resource"`
	Owner    string `json:"owner"`
	Reason   string `json:"reason"`
	ID       string `json:"id,omitempty"`
	// Project and Environments, a pattern of stacks' names, are a waiver's: it holds
	// nowhere else. They are empty in a configuration.
	Project      string `json:"project,omitempty"`
	Environments string `json:"environments,omitempty"`
	// Ends is when it holds no more: of a last day its end, in UTC.
	Ends time.Time `json:"ends"`
}

// State is what a review finds of an exemption.
type State string

// Every exemption has one of the first three, which are its age, and may have the
// others besides.
const (
	Active   State = "active"
	Expiring State = "expiring"
	Expired  State = "expired"
	// UnknownRule is one for a rule that the pack does not have: it lets nothing pass.
	UnknownRule State = "unknown rule"
	// Unused is one that matches no resource of the given stacks that its rule judges.
	Unused State = "matches nothing"
)

// Row is an exemption with what was found.
type Row struct {
	Exemption
	// DaysLeft are whole days: 0 on the last one, negative after it.
	DaysLeft int     `json:"days_left"`
	States   []State `json:"states"`
}

// Options are what exemptions are held against.
type Options struct {
	Now time.Time
	// Expiring is how long before its end an exemption counts as expiring.
	Expiring time.Duration
	// Rules are the pack's, with the types that each judges. Of a rule without types
	// every resource counts.
	Rules map[string][]string
	// Stacks are those that the exemptions are for; without any, nobody knows which
	// are unused.
	Stacks []Stack
}

// Review looks through exemptions: those that end first come first.
func Review(list []Exemption, opts Options) []Row {
	rows := make([]Row, len(list))
	for i, e := range list {
		row := Row{Exemption: e, DaysLeft: daysBetween(opts.Now, e.Ends)}
		switch {
		case !e.Ends.After(opts.Now):
			row.States = []State{Expired}
		case !e.Ends.After(opts.Now.Add(opts.Expiring)):
			row.States = []State{Expiring}
		default:
			row.States = []State{Active}
		}
		if _, known := opts.Rules[e.Rule]; !known {
			row.States = append(row.States, UnknownRule)
		}
		if e.unused(opts) {
			row.States = append(row.States, Unused)
		}
		rows[i] = row
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(a.Ends.Compare(b.Ends), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Resource, b.Resource))
	})
	return rows
}

// daysBetween are whole days, rounded down. A time.Duration ends after 292 years.
func daysBetween(from, to time.Time) int {
	return int(math.Floor(float64(to.Unix()-from.Unix()) / (24 * 60 * 60)))
}

func (e Exemption) unused(opts Options) bool {
	asked := false
	for _, s := range opts.Stacks {
		if e.Project != "" && (e.Project != s.Project || !rule.WildcardMatch(e.Environments, s.Name)) {
			continue
		}
		asked = true
		if slices.ContainsFunc(s.Resources, func(r Resource) bool { return e.covers(r, opts.Rules[e.Rule]) }) {
			return false
		}
	}
	return asked
}

func (e Exemption) covers(r Resource, types []string) bool {
	judged := len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return rule.Canonical(t) == rule.Canonical(r.Type) })
	return judged && rule.WildcardMatch(e.Resource, r.URN)
}

// Has says that the state was found.
func (r Row) Has(s State) bool { return slices.Contains(r.States, s) }

// advice is what to do about a state; there is none about an active exemption.
var advice = map[State]string{
	Expiring:    "renew it with a new end, or fix the resource before",
	Expired:     "its findings are violations again: fix the resource, or renew it with a new end; then delete what is left",
	UnknownRule: "the pack has no such rule: correct the name, or delete it",
	Unused:      "no resource in the given states that the rule judges has such a URN: correct the pattern, or delete it",
}

// Wrong says that somebody must do something: it lets nothing pass any more, or never
// did. A waiver that has ended is history, which the service keeps.
func (r Row) Wrong() bool {
	if r.Project != "" && r.Has(Expired) {
		return false
	}
	return r.Has(Expired) || r.Has(UnknownRule) || r.Has(Unused)
}

// Advice is a line for each state that somebody should do something about.
func (r Row) Advice() []string {
	if r.Project != "" && r.Has(Expired) {
		return nil
	}
	var out []string
	for _, s := range r.States {
		if advice[s] != "" {
			out = append(out, fmt.Sprintf("%s: %s: %s: %s", r.Source, r.Exemption, r.said(s), advice[s]))
		}
	}
	return out
}

// said is a state with how long.
func (r Row) said(s State) string {
	switch {
	case s == Expiring:
		return fmt.Sprintf("expires in %s, on %s", days(r.DaysLeft), r.LastDay())
	case s == Expired:
		return fmt.Sprintf("expired %s ago, on %s", days(-r.DaysLeft), r.LastDay())
	default:
		return string(s)
	}
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// LastDay is the day, in UTC, on which it holds for the last time.
func (e Exemption) LastDay() string { return e.Ends.UTC().Add(-1).Format(exempt.DateLayout) }

// String names the exemption.
func (e Exemption) String() string {
	text := fmt.Sprintf("%s on %s (%s)", e.Rule, e.Resource, e.Owner)
	if e.ID != "" {
		text = e.ID + " for " + text
	}
	return text
}
