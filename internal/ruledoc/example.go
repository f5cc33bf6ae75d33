package ruledoc

import (
	"encoding/json"
	"fmt"
	"strings"

	"redoubt/policy/fixture"
	"redoubt/policy/rule"
)

// example is a case of the fixture and its program.
type example struct {
	fixture.Case
	program string
}

// examples returns a case that fails and one that passes, which differ as little
// as two of the fixture's cases do, and are short.
func examples(r rule.Rule, f fixture.File) (fails, passes example, err error) {
	byAnswer := map[string][]example{}
	for _, c := range f.Cases {
		if c.Want != "fail" && c.Want != "pass" {
			continue
		}
		text, err := program(c)
		if err != nil {
			return fails, passes, err
		}
		byAnswer[c.Want] = append(byAnswer[c.Want], example{c, text})
	}
	best := -1
	for i, bad := range byAnswer["fail"] {
		for j, good := range byAnswer["pass"] {
			if d := distance(r, bad, good) + (i+j)*laterCase; best < 0 || d < best {
				best, fails, passes = d, bad, good
			}
		}
	}
	if best < 0 {
		return fails, passes, fmt.Errorf("it has %d cases that fail and %d that pass: the rule's page needs one of each at least",
			len(byAnswer["fail"]), len(byAnswer["pass"]))
	}
	return fails, passes, nil
}

// What a pair of examples costs a reader, in lines.
const (
	lineThatDiffers = 3
	laterCase       = 3 // a fixture begins with what is usual
	unknownValue    = 20
	ownSettings     = 20
	otherType       = 40
)

func distance(r rule.Rule, bad, good example) int {
	cost := strings.Count(bad.program, "\n") + strings.Count(good.program, "\n")
	cost += lineThatDiffers * differing(bad.program, good.program)
	for _, e := range []example{bad, good} {
		if e.HasUnknown() {
			cost += unknownValue
		}
		if len(e.Config) > 0 {
			cost += ownSettings
		}
	}
	if settings(bad.Config) != settings(good.Config) {
		cost += ownSettings
	}
	a, _ := subject(r, bad.Case)
	b, _ := subject(r, good.Case)
	if a.Type != b.Type {
		cost += otherType
	}
	return cost
}

// differing counts the lines that one text has and the other has not.
func differing(a, b string) int {
	left := map[string]int{}
	for line := range strings.Lines(a) {
		left[line]++
	}
	for line := range strings.Lines(b) {
		left[line]--
	}
	n := 0
	for _, more := range left {
		n += max(more, -more)
	}
	return n
}

// subject is the resource that the case's answer is about.
func subject(r rule.Rule, c fixture.Case) (fixture.Resource, bool) {
	for _, res := range c.Resources {
		if c.Subject == res.Name {
			return res, true
		}
		for _, typ := range r.Types {
			if c.Subject == "" && rule.Canonical(typ) == rule.Canonical(res.Type) {
				return res, true
			}
		}
	}
	return fixture.Resource{}, false
}

// settings is a configuration as JSON; empty for none.
func settings(config map[string]any) string {
	if len(config) == 0 {
		return ""
	}
	text, err := json.Marshal(config)
	if err != nil {
		panic(err) // what YAML holds, JSON can hold
	}
	return string(text)
}
