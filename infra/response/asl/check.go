package asl

import "fmt"

func (s Task) check(report reporter) {
	if !resourceForm.MatchString(s.Resource) {
		report("Resource", fmt.Sprintf("%q is no integration", s.Resource), "use asl.SDK or asl.WaitForToken")
	}
	if s.TimeoutSeconds < 0 || s.TimeoutSeconds > 99999999 {
		report("TimeoutSeconds", fmt.Sprintf("%d", s.TimeoutSeconds), "1 to 99999999, or 0 for none")
	}
	checkPayload("Parameters", s.Parameters, report)
	checkPayload("ResultSelector", s.ResultSelector, report)
	checkReference("ResultPath", s.ResultPath, report)
	checkHandlers(s.Retry, s.Catch, report)
}

func (s Choice) check(report reporter) {
	if len(s.Rules) == 0 {
		report("Rules", "none", "add one, or use a Pass")
	}
	if s.Default == End {
		report("Default", "missing: what matches nothing would fail with States.NoChoiceMatched", "say where it goes")
	}
	for i, r := range s.Rules {
		if r.Next == End {
			report(fmt.Sprintf("Rules[%d].Next", i), "missing", "a Choice cannot end a machine")
		}
		r.Test.check(fmt.Sprintf("Rules[%d]", i), report)
	}
}

func (t Test) check(field string, report reporter) {
	if t.combined != "" {
		if len(t.parts) == 0 {
			report(field, t.combined+" of nothing", "add tests")
		}
		for _, p := range t.parts {
			p.check(field, report)
		}
		return
	}
	checkReference(field+".Variable", t.variable, report)
	isPath, known := operators[t.operator]
	if !known {
		report(field, fmt.Sprintf("%q is no comparison that this machine uses", t.operator), "add it to operators")
	}
	if text, ok := t.value.(string); isPath && ok {
		checkReference(field+"."+t.operator, text, report)
	}
}

func (s Parallel) check(report reporter) {
	if len(s.Branches) == 0 {
		report("Branches", "none", "add one")
	}
	checkPayload("ResultSelector", s.ResultSelector, report)
	checkReference("ResultPath", s.ResultPath, report)
	checkHandlers(s.Retry, s.Catch, report)
}

func (s Map) check(report reporter) {
	checkExpression("ItemsPath", s.ItemsPath, report)
	checkPayload("ItemSelector", s.ItemSelector, report)
	checkReference("ResultPath", s.ResultPath, report)
	checkHandlers(s.Retry, s.Catch, report)
}

func (s Pass) check(report reporter) {
	checkPayload("Parameters", s.Parameters, report)
	checkReference("ResultPath", s.ResultPath, report)
}

func (s Compute) check(report reporter) { checkJSONata("Output", s.Output, report) }

func (s Wait) check(report reporter) {
	if s.Seconds < 1 || s.Seconds > 99999999 {
		report("Seconds", fmt.Sprintf("%d", s.Seconds), "1 to 99999999")
	}
}

func (s Succeed) check(reporter) {}

func (s Fail) check(report reporter) {
	if s.Error == "" || s.Cause == "" {
		report("Error", "a failure without name or cause", "say what went wrong and what people do now")
	}
}

// StateName implements State.
func (s Task) StateName() string { return s.Name }

// StateName implements State.
func (s Choice) StateName() string { return s.Name }

// StateName implements State.
func (s Parallel) StateName() string { return s.Name }

// StateName implements State.
func (s Map) StateName() string { return s.Name }

// StateName implements State.
func (s Pass) StateName() string { return s.Name }

// StateName implements State.
func (s Compute) StateName() string { return s.Name }

// StateName implements State.
func (s Wait) StateName() string { return s.Name }

// StateName implements State.
func (s Succeed) StateName() string { return s.Name }

// StateName implements State.
func (s Fail) StateName() string { return s.Name }

func (s Task) next() []string     { return withCatches(s.Next, s.Catch) }
func (s Parallel) next() []string { return withCatches(s.Next, s.Catch) }
func (s Map) next() []string      { return withCatches(s.Next, s.Catch) }
func (s Pass) next() []string     { return []string{s.Next} }
func (s Compute) next() []string  { return []string{s.Next} }
func (s Wait) next() []string     { return []string{s.Next} }
func (s Succeed) next() []string  { return nil }
func (s Fail) next() []string     { return nil }

func (s Choice) next() []string {
	var out []string
	for _, r := range s.Rules {
		out = append(out, r.Next)
	}
	return append(out, s.Default)
}

func withCatches(next string, catches []Catch) []string {
	out := []string{next}
	for _, c := range catches {
		out = append(out, c.Next)
	}
	return out
}

func (s Task) inner() []Machine     { return nil }
func (s Choice) inner() []Machine   { return nil }
func (s Parallel) inner() []Machine { return s.Branches }
func (s Map) inner() []Machine      { return []Machine{s.Each} }
func (s Pass) inner() []Machine     { return nil }
func (s Compute) inner() []Machine  { return nil }
func (s Wait) inner() []Machine     { return nil }
func (s Succeed) inner() []Machine  { return nil }
func (s Fail) inner() []Machine     { return nil }

// Resources are the integrations that the machine calls, nested ones included,
// in order of states; the machine's role needs rights for each.
func (m Machine) Resources() []string {
	var out []string
	for _, s := range m.States {
		if t, ok := s.(Task); ok {
			out = append(out, t.Resource)
		}
		for _, nested := range s.inner() {
			out = append(out, nested.Resources()...)
		}
	}
	return out
}
