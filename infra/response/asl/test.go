package asl

// Test is a condition of a Choice.
type Test struct {
	variable, operator string
	value              any
	combined           string
	parts              []Test
}

// Is compares the value at a reference path: Is("$.kind", "StringEquals", "user").
func Is(variable, operator string, value any) Test {
	return Test{variable: variable, operator: operator, value: value}
}

// Present says that there is something at the path.
func Present(variable string) Test { return Is(variable, "IsPresent", true) }

// Text says that the value at the path is that text.
func Text(variable, value string) Test { return Is(variable, "StringEquals", value) }

// All are all of the tests.
func All(tests ...Test) Test { return Test{combined: "And", parts: tests} }

// Any is at least one of the tests.
func Any(tests ...Test) Test { return Test{combined: "Or", parts: tests} }

// Not is the opposite.
func Not(test Test) Test { return Test{combined: "Not", parts: []Test{test}} }

// operators are the comparisons that the machine uses, with whether the value
// is a path too.
var operators = map[string]bool{
	"BooleanEquals": false, "IsPresent": false, "StringEquals": false, "StringMatches": false,
	"NumericEquals": false, "NumericEqualsPath": true, "NumericGreaterThanEquals": false, "NumericGreaterThanPath": true,
	"StringEqualsPath": true, "TimestampGreaterThanEqualsPath": true,
}

func (t Test) render() map[string]any {
	switch t.combined {
	case "":
		return map[string]any{"Variable": t.variable, t.operator: t.value}
	case "Not":
		return map[string]any{"Not": t.parts[0].render()}
	}
	parts := make([]any, len(t.parts))
	for i, p := range t.parts {
		parts[i] = p.render()
	}
	return map[string]any{t.combined: parts}
}
