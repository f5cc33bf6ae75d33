package rule

import (
	"fmt"
	"strings"
)

// Outcome is the answer of a rule about a resource.
type Outcome int

// The outcomes. They are ordered by weight: the heaviest of several wins.
const (
	// NotApplicable means that the rule has nothing to say about the resource.
	NotApplicable Outcome = iota
	// Passed means that the rule holds, whatever the unknown values will be.
	Passed
	// Undetermined means that the answer depends on a value that is unknown
	// until the update, or that lives outside the stack.
	Undetermined
	// Failed means that the rule is violated, whatever the unknown values will be.
	Failed
)

// String returns the outcome as fixtures and reports spell it.
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "pass"
	case Undetermined:
		return "undetermined"
	case Failed:
		return "fail"
	default:
		return "not-applicable"
	}
}

// Verdict is an outcome with its reasons. The zero value is "not applicable".
type Verdict struct {
	Outcome Outcome
	// Reasons say what is wrong (Failed) or what is not known (Undetermined),
	// each a clause without a full stop. They never hold a secret value.
	Reasons []string
	// Unreadable says that a known text, such as a policy document, could not be
	// read: no update will answer the question, somebody must mend the text.
	Unreadable bool
}

// Pass says that the rule holds.
func Pass() Verdict { return Verdict{Outcome: Passed} }

// Skip says that the rule does not apply to the resource.
func Skip() Verdict { return Verdict{} }

// Fail says what is wrong.
func Fail(format string, args ...any) Verdict {
	return Verdict{Outcome: Failed, Reasons: []string{fmt.Sprintf(format, args...)}}
}

// Unsure says which value the answer depends on.
func Unsure(format string, args ...any) Verdict {
	return Verdict{Outcome: Undetermined, Reasons: []string{fmt.Sprintf(format, args...)}}
}

// Unreadable says which known text is not what it must be.
func Unreadable(format string, args ...any) Verdict {
	v := Unsure(format, args...)
	v.Unreadable = true
	return v
}

// enough is how many reasons a verdict keeps: nobody reads more, and looking for
// repetitions in a longer list would take ever longer.
const enough = 20

// All is the verdict where every part must hold: the heaviest outcome, with the
// first reasons of the parts that have it, in order and without repetition.
func All(parts ...Verdict) Verdict {
	var out Verdict
	for _, v := range parts {
		switch {
		case v.Outcome > out.Outcome:
			out = Verdict{v.Outcome, append([]string(nil), v.Reasons...), v.Unreadable}
		case v.Outcome == out.Outcome:
			out.Unreadable = out.Unreadable || v.Unreadable
			if len(out.Reasons) < enough {
				out.Reasons = appendNew(out.Reasons, v.Reasons)
			}
		}
	}
	return out
}

// Any is the verdict where one part is enough: Passed if a part passed,
// Undetermined if a part may yet pass, else the failures together. Without an
// applicable part it is Skip.
func Any(parts ...Verdict) Verdict {
	var failed, unsure Verdict
	for _, v := range parts {
		switch v.Outcome {
		case Passed:
			return v
		case Undetermined:
			unsure = All(unsure, v)
		case Failed:
			failed = All(failed, v)
		}
	}
	if unsure.Outcome == Undetermined {
		return unsure
	}
	return failed
}

// Reason joins the reasons into one clause.
func (v Verdict) Reason() string { return strings.Join(v.Reasons, "; ") }

func appendNew(list, more []string) []string {
next:
	for _, m := range more {
		for _, l := range list {
			if l == m {
				continue next
			}
		}
		list = append(list, m)
	}
	return list
}
