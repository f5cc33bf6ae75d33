package analyzer

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"redoubt/policy/exempt"
	"redoubt/policy/rule"
)

// Exemption lets a resource break a rule, for a reason, in somebody's name, and
// until a day.
type Exemption struct {
	Rule string
	// Resource is the resource's URN, or a pattern of it in which * is any text
	// and ? one character: "*::legacy-logs".
	Resource string
	Reason   string
	Owner    string
	// Expires is the last day on which the exemption holds (UTC).
	Expires time.Time
	// ID names it where it was made, and is said with what it lets pass; empty where
	// it has no other place than the configuration.
	ID string
}

// activeAt says that the exemption holds at the time.
func (e Exemption) activeAt(now time.Time) bool {
	return now.UTC().Before(e.Expires.AddDate(0, 0, 1))
}

func (e Exemption) matches(f finding) bool {
	return e.Rule == f.rule && rule.WildcardMatch(e.Resource, string(f.urn))
}

// String is the exemption in one line.
func (e Exemption) String() string {
	text := fmt.Sprintf("%s on %s until %s (%s: %s)", e.Rule, e.Resource, e.Expires.Format(exempt.DateLayout), e.Owner, e.Reason)
	if e.ID != "" {
		text = e.ID + " for " + text
	}
	return text
}

// register is the pack's exemptions, with what they were used for.
type register struct {
	entries []Exemption
	used    map[int]bool
	// unknown are those for rules that the pack does not have: another version of it
	// may. They let nothing pass, so they stop nothing either.
	unknown []Exemption
}

// find returns the active exemption of a violation, or else the expired one. An
// undetermined verdict counts as use, because it may become a violation.
func (g *register) find(f finding, o rule.Outcome, now time.Time) (active, expired *Exemption) {
	if o != rule.Failed && o != rule.Undetermined {
		return nil, nil
	}
	for i := range g.entries {
		e := &g.entries[i]
		if !e.matches(f) {
			continue
		}
		g.used[i] = true
		if e.activeAt(now) {
			return e, nil
		}
		expired = e
	}
	return nil, expired
}

// parseExemptions reads the properties of the policy "exemptions" and reports
// every wrong field.
func parseExemptions(props map[string]any, rules map[string]rule.Rule) (*register, error) {
	g := &register{used: map[int]bool{}}
	list, err := ParseExemptions(props)
	for _, e := range list {
		if _, known := rules[e.Rule]; !known {
			g.unknown = append(g.unknown, e)
			continue
		}
		g.entries = append(g.entries, e)
	}
	sort.SliceStable(g.entries, func(i, j int) bool {
		a, b := g.entries[i], g.entries[j]
		return a.Rule < b.Rule || a.Rule == b.Rule && a.Resource < b.Resource
	})
	return g, err
}

// ParseExemptions reads the exemptions of a configuration, in its order, from the
// properties that stand under the policy exempt.Policy, and reports every wrong
// field at once. Which rules there are it does not know.
func ParseExemptions(props map[string]any) ([]Exemption, error) {
	var errs []error
	for _, name := range sortedNames(props) {
		if name != exemptionEntries {
			errs = append(errs, fmt.Errorf("%s is not a setting: this policy has entries", name))
		}
	}
	list, ok := props[exemptionEntries].([]any)
	if props[exemptionEntries] != nil && !ok {
		errs = append(errs, errors.New("entries must be a list of objects with rule, resource, reason, owner and expires"))
	}
	var out []Exemption
	seen := map[string]int{}
	for i, raw := range list {
		e, err := parseExemption(raw)
		if err != nil {
			errs = append(errs, prefixed(fmt.Sprintf("entries[%d]", i), err))
			continue
		}
		key := e.Rule + " " + e.Resource
		if first, dup := seen[key]; dup {
			errs = append(errs, fmt.Errorf("entries[%d] repeats entries[%d]: keep one of them", i, first))
			continue
		}
		seen[key] = i
		out = append(out, e)
	}
	return out, errors.Join(errs...)
}

// exemptionFields are those that an exemption must have; "id" it may have besides.
var exemptionFields = []string{"rule", "resource", "reason", "owner", "expires"}

const (
	exemptionID      = "id"
	exemptionEntries = "entries"
)

func parseExemption(raw any) (Exemption, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return Exemption{}, fmt.Errorf("must be an object with %s", strings.Join(exemptionFields, ", "))
	}
	var errs []error
	text := map[string]string{}
	for _, f := range exemptionFields {
		s, isStr := m[f].(string)
		if text[f] = strings.TrimSpace(s); !isStr || text[f] == "" {
			errs = append(errs, fmt.Errorf("%s must be a text that is not empty", f))
		}
	}
	id, isStr := m[exemptionID].(string)
	if m[exemptionID] != nil && !isStr {
		errs = append(errs, fmt.Errorf("%s must be a text", exemptionID))
	}
	for _, name := range sortedNames(m) {
		if _, known := text[name]; !known && name != exemptionID {
			errs = append(errs, fmt.Errorf("%s is not a field: an exemption has %s, and may have %s", name, strings.Join(exemptionFields, ", "), exemptionID))
		}
	}
	e := Exemption{Rule: text["rule"], Resource: text["resource"], Reason: text["reason"], Owner: text["owner"], ID: strings.TrimSpace(id)}
	if e.Resource != "" {
		errs = append(errs, checkPattern(e.Resource))
	}
	if text["expires"] != "" {
		day, err := time.Parse(exempt.DateLayout, text["expires"])
		if err != nil {
			errs = append(errs, fmt.Errorf("expires %q must be a day such as 2027-03-31", text["expires"]))
		}
		e.Expires = day
	}
	return e, errors.Join(errs...)
}

// checkPattern refuses patterns that name no resource, or all of them.
func checkPattern(p string) error {
	switch {
	case strings.Trim(p, "*?:") == "":
		return fmt.Errorf("resource %q covers every resource: set the rule's enforcementLevel instead", p)
	case !strings.HasPrefix(p, "urn:pulumi:") && !strings.HasPrefix(p, "*"):
		return fmt.Errorf("resource %q can match no URN: give the URN, or a pattern such as *::%s", p, p)
	default:
		return nil
	}
}
