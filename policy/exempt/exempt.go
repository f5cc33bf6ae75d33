// Package exempt is how a policy pack says which findings its exemptions let pass,
// and how that is read again.
//
// The engine has no place for it: an analyzer's answer is diagnostics and names of
// rules, and the reasons that it may give for a rule that did not apply are in no
// event (pkg/v3, apitype.PolicyAnalyzeSummaryEvent has names alone). So the pack
// says it once for a stack, in one advisory diagnostic of the policy Policy, a line
// for each finding. The stock CLI prints that as it is, and everything that keeps
// the engine's events keeps it.
package exempt

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Policy is the name of the pack's policy that has its exemptions, and says what
// they let pass.
const Policy = "exemptions"

// DateLayout is that of a last day.
const DateLayout = time.DateOnly

// Finding is one that an exemption lets pass.
type Finding struct {
	// Rule found it on URN; Level and Severity are what it would count as, and
	// Message says what is wrong.
	Rule, URN, Level, Severity, Message string
	// Until is the exemption's last day (UTC), Owner who answers for it, Reason why
	// it is there.
	Until         time.Time
	Owner, Reason string
	// ID names the exemption where it was made; empty where nobody gave it a name.
	ID string
}

// Format words findings for people, such that Parse has them again.
func Format(found []Finding) string {
	lines := []string{fmt.Sprintf("%d findings are exempt:", len(found))}
	if len(found) == 1 {
		lines[0] = "1 finding is exempt:"
	}
	for _, f := range found {
		id := ""
		if f.ID != "" {
			id = " (" + strconv.Quote(f.ID) + ")"
		}
		lines = append(lines, fmt.Sprintf("  %s %s %s on %q: exempt until %s by %q%s, because %q: %q",
			f.Level, f.Severity, f.Rule, f.URN, f.Until.UTC().Format(DateLayout), f.Owner, id, f.Reason, f.Message))
	}
	return strings.Join(lines, "\n")
}

// quoted is a text as strconv.Quote writes it.
const quoted = `("(?:[^"\\]|\\.)*")`

var (
	head = regexp.MustCompile(`^\d+ findings? (?:is|are) exempt:$`)
	line = regexp.MustCompile(`^  (\S+) (\S+) (\S+) on ` + quoted + `: exempt until (\d{4}-\d\d-\d\d) by ` + quoted +
		`(?: \(` + quoted + `\))?, because ` + quoted + `: ` + quoted + `$`)
)

// Parse reads what Format wrote. It is false for any other text, all of it: what is
// half understood is no account of what was let pass.
func Parse(text string) (found []Finding, ok bool) {
	lines := strings.Split(text, "\n")
	if len(lines) < 2 || !head.MatchString(lines[0]) {
		return nil, false
	}
	for _, l := range lines[1:] {
		f, ok := parse(l)
		if !ok {
			return nil, false
		}
		found = append(found, f)
	}
	return found, true
}

func parse(text string) (f Finding, ok bool) {
	m := line.FindStringSubmatch(text)
	if m == nil {
		return f, false
	}
	f.Level, f.Severity, f.Rule = m[1], m[2], m[3]
	var err error
	if f.Until, err = time.Parse(DateLayout, m[5]); err != nil {
		return f, false
	}
	for i, into := range map[int]*string{4: &f.URN, 6: &f.Owner, 7: &f.ID, 8: &f.Reason, 9: &f.Message} {
		if m[i] == "" {
			continue // the id alone may be missing
		}
		if *into, err = strconv.Unquote(m[i]); err != nil {
			return f, false
		}
	}
	return f, true
}
