package asl

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"redoubt/infra/response/internal/expression"
)

// Validate returns every finding: names used twice, ways to nowhere, states
// that nothing reaches, states that never end, and malformed expressions.
func (m Machine) Validate() error {
	v := &validator{seen: map[string]bool{}}
	v.machine(m, "machine")
	return errors.Join(v.findings...)
}

type validator struct {
	findings []error
	seen     map[string]bool
}

func (v *validator) report(place, why, fix string) {
	v.findings = append(v.findings, fmt.Errorf("%s: %s (%s)", place, why, fix))
}

func (v *validator) machine(m Machine, place string) {
	byName := map[string]State{}
	for _, s := range m.States {
		name := s.StateName()
		if name == "" || len(name) > 80 {
			v.report(place, fmt.Sprintf("the name %q has %d characters", name, len(name)), "1 to 80")
		}
		if v.seen[name] {
			v.report(name, "a second state has the name", "names are unique in the machine, branches included")
		}
		v.seen[name], byName[name] = true, s
	}
	if byName[m.StartAt] == nil {
		v.report(place, fmt.Sprintf("StartAt: there is no state %q", m.StartAt), "name one of the states")
	}
	for _, s := range m.States {
		v.state(s, byName)
	}
	v.reach(m, byName)
}

func (v *validator) state(s State, byName map[string]State) {
	name := s.StateName()
	for _, next := range s.next() {
		if next != End && byName[next] == nil {
			v.report(name, fmt.Sprintf("goes to %q, which is not there", next), "name a state of the same machine")
		}
	}
	s.check(func(field, why, fix string) { v.report(name+": "+field, why, fix) })
	for i, m := range s.inner() {
		v.machine(m, fmt.Sprintf("%s: branch %d", name, i))
	}
}

// reach reports states that no way leads to and states that no way leads out of.
func (v *validator) reach(m Machine, byName map[string]State) {
	reached := closure([]string{m.StartAt}, func(name string) []string {
		if s := byName[name]; s != nil {
			return s.next()
		}
		return nil
	})
	before := map[string][]string{}
	var ends []string
	for _, s := range m.States {
		if len(s.next()) == 0 || slices.Contains(s.next(), End) {
			ends = append(ends, s.StateName())
		}
		for _, n := range s.next() {
			before[n] = append(before[n], s.StateName())
		}
	}
	finishing := closure(ends, func(name string) []string { return before[name] })
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if !reached[name] {
			v.report(name, "nothing leads to it", "remove it, or go to it from another state")
		}
		if !finishing[name] {
			v.report(name, "no way leads from it to an end", "give the loop a way out")
		}
	}
}

func closure(from []string, follow func(string) []string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		name := from[0]
		from = from[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		from = append(from, follow(name)...)
	}
	return seen
}

type reporter = func(field, why, fix string)

var resourceForm = regexp.MustCompile(`^arn:aws[a-z-]*:states:::(aws-sdk:[a-z0-9]+:[a-z][A-Za-z0-9]+|sqs:sendMessage\.waitForTaskToken)$`)

func checkHandlers(retries []Retry, catches []Catch, report reporter) {
	for i, r := range retries {
		checkErrors(fmt.Sprintf("Retry[%d]", i), r.ErrorEquals, i == len(retries)-1, report)
		if r.IntervalSeconds < 1 || r.MaxAttempts < 1 || r.BackoffRate < 1 {
			report(fmt.Sprintf("Retry[%d]", i), "an interval, count or rate below 1", "at least 1 each")
		}
	}
	for i, c := range catches {
		checkErrors(fmt.Sprintf("Catch[%d]", i), c.ErrorEquals, i == len(catches)-1, report)
		checkReference(fmt.Sprintf("Catch[%d].ResultPath", i), c.ResultPath, report)
	}
}

func checkErrors(field string, names []string, last bool, report reporter) {
	if len(names) == 0 {
		report(field, "no errors", "name errors, or States.ALL")
	}
	if slices.Contains(names, "States.ALL") && (len(names) > 1 || !last) {
		report(field, "States.ALL is not alone, or not last", "it takes every error; put it alone in the last entry")
	}
}

// checkReference wants a path that names one place, or none.
func checkReference(field, path string, report reporter) {
	if path == "" || path == Discard {
		return
	}
	p, err := expression.ParsePath(path)
	if err != nil {
		report(field, err.Error(), "write $.field")
		return
	}
	if !p.Reference() || p.Context() {
		report(field, fmt.Sprintf("%q does not name one place of the state", path), "no wildcards, filters or $$ here")
	}
}

// checkPayload walks a template: ".$" fields hold expressions, others do not.
func checkPayload(field string, value any, report reporter) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if strings.HasSuffix(key, ".$") {
				checkExpression(field+"."+key, v[key], report)
				continue
			}
			checkPayload(field+"."+key, v[key], report)
		}
	case []any:
		for i, e := range v {
			checkPayload(fmt.Sprintf("%s[%d]", field, i), e, report)
		}
	case string:
		if strings.HasPrefix(v, "$.") || strings.HasPrefix(v, "$$.") || strings.HasPrefix(v, "States.") || strings.HasPrefix(v, "{%") {
			report(field, fmt.Sprintf("%q would be taken literally", v), "let the field's name end in .$")
		}
	}
}

func checkExpression(field string, value any, report reporter) {
	text, ok := value.(string)
	if !ok {
		report(field, fmt.Sprintf("%v is no expression", value), "write a path or an intrinsic function")
		return
	}
	if _, err := expression.Parse(text); err != nil {
		report(field, err.Error(), "see the intrinsic functions of the developer guide")
	}
}

// checkJSONata walks the output of a Compute.
func checkJSONata(field string, value any, report reporter) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if strings.HasSuffix(key, ".$") {
				report(field+"."+key, "a JSONPath field in a JSONata state", "drop the .$ and write {% … %}")
			}
			checkJSONata(field+"."+key, v[key], report)
		}
	case string:
		if !strings.HasPrefix(v, "{%") {
			return
		}
		if _, err := expression.ParseJSONata(v); err != nil {
			report(field, err.Error(), "see JSONata's documentation")
		}
	}
}
