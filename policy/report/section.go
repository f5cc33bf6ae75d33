package report

import (
	"slices"
	"strings"

	"redoubt/guide"
	"redoubt/policy/rule"
)

// section is what a report has about one section of the guide.
type section struct {
	// Chapter is the guide's first heading above it, Name the ones below.
	Chapter, Name string
	Verdicts
	// Severities are its findings that count.
	Severities map[rule.Severity]int
}

// beyond is the section of rules that serve no bullet.
const beyond = "Beyond the guide"

// sections are the guide's, in its order, without those that no rule judged. A rule
// that serves bullets of several sections counts in each.
func (r Report) sections() []section {
	var order []string
	for _, b := range guide.All() {
		if !slices.Contains(order, b.Section) {
			order = append(order, b.Section)
		}
	}
	order = append(order, beyond)
	found := map[string]*section{}
	for _, one := range r.Rules {
		for _, name := range one.sections() {
			s := found[name]
			if s == nil {
				s = newSection(name)
				found[name] = s
			}
			s.add(one.Verdicts)
			s.Severities[one.Severity] += one.Verdicts.Failed
		}
	}
	var out []section
	for _, name := range order {
		if s := found[name]; s != nil {
			out = append(out, *s)
		}
	}
	return out
}

func newSection(path string) *section {
	chapter, name, _ := strings.Cut(path, " / ")
	if name == "" {
		name = chapter
	}
	return &section{Chapter: chapter, Name: name, Severities: map[rule.Severity]int{}}
}

// sections are those of the rule's bullets, each once.
func (r Rule) sections() []string {
	var out []string
	for _, b := range r.Guide {
		if !slices.Contains(out, b.Section) {
			out = append(out, b.Section)
		}
	}
	if len(out) == 0 {
		return []string{beyond}
	}
	return out
}

// Score is the share of decided checks that passed, in whole percent, rounded down:
// 100 means that nothing failed, exempt or not.
func (v Verdicts) Score() int {
	decided := v.Passed + v.Failed + v.Exempt
	if decided == 0 {
		return 100
	}
	return 100 * v.Passed / decided
}
