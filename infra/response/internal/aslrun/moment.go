package aslrun

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
	"time"

	"redoubt/infra/response/internal/expression"
)

// moment is one entry into a state: what its expressions can see.
type moment struct {
	execution *execution
	name      string
	state     state
	in, item  any
	entered   time.Time
}

// context is the context object, "$$".
func (at *moment) context() map[string]any {
	return map[string]any{
		"Execution": map[string]any{
			"Id": "arn:aws:states:eu-central-1:123456789012:execution:m:" + ExecutionName, "Name": ExecutionName,
			"StartTime": Start.Format(time.RFC3339), "Input": at.execution.input,
		},
		"State": map[string]any{"Name": at.name, "EnteredTime": at.entered.Format(time.RFC3339)},
		"Task":  map[string]any{"Token": "token-of-" + at.name},
		"Map":   map[string]any{"Item": at.item},
	}
}

func (at *moment) evaluate(text string, in any) (any, error) {
	e, err := expression.Parse(text)
	if err != nil {
		return nil, err
	}
	return expression.Eval(e, expression.Scope{Input: in, Context: at.context()})
}

// payload fills a template.
func (at *moment) payload(template any, in any) (any, error) {
	switch t := template.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, v := range t {
			var err error
			if field, isExpression := strings.CutSuffix(key, ".$"); isExpression {
				out[field], err = at.evaluate(v.(string), in)
			} else {
				out[key], err = at.payload(v, in)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(t))
		for i, v := range t {
			var err error
			if out[i], err = at.payload(v, in); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return template, nil
}

// selected is the result after ResultSelector.
func (at *moment) selected(result any) (any, error) {
	// What an account answers may be Go values: make it plain JSON data.
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	if at.state.ResultSelector == nil {
		return plain, nil
	}
	return at.payload(at.state.ResultSelector, plain)
}

func (at *moment) pass() (any, error) {
	if at.state.QueryLanguage == "JSONata" {
		return jsonata(at.state.Output, map[string]any{"input": at.in, "context": at.context()})
	}
	result := at.in
	if at.state.Parameters != nil {
		var err error
		if result, err = at.payload(at.state.Parameters, at.in); err != nil {
			return nil, fmt.Errorf("%s: %w", at.name, err)
		}
	}
	return at.place(result, at.state.ResultPath)
}

func jsonata(template any, states any) (any, error) {
	switch t := template.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, v := range t {
			var err error
			if out[key], err = jsonata(v, states); err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
		}
		return out, nil
	case string:
		if !strings.HasPrefix(t, "{%") {
			return t, nil
		}
		j, err := expression.ParseJSONata(t)
		if err != nil {
			return nil, err
		}
		return j.Eval(states)
	}
	return template, nil
}

// place puts the result where ResultPath says: absent replaces the state,
// null keeps it.
func (at *moment) place(result any, resultPath json.RawMessage) (any, error) {
	if len(resultPath) == 0 {
		return result, nil
	}
	if string(resultPath) == "null" {
		return at.in, nil
	}
	var text string
	if err := json.Unmarshal(resultPath, &text); err != nil {
		return nil, err
	}
	p, err := expression.ParsePath(text)
	if err != nil {
		return nil, err
	}
	return put(at.in, p.Fields(), result), nil
}

func put(in any, fields []string, value any) any {
	if len(fields) == 0 {
		return value
	}
	old, _ := in.(map[string]any)
	out := maps.Clone(old)
	if out == nil {
		out = map[string]any{}
	}
	out[fields[0]] = put(out[fields[0]], fields[1:], value)
	return out
}

func (at *moment) choose() (string, error) {
	for _, rule := range at.state.Choices {
		yes, err := at.test(rule)
		if err != nil {
			return "", fmt.Errorf("%s: %w", at.name, err)
		}
		if yes {
			return rule["Next"].(string), nil
		}
	}
	return at.state.Default, nil
}

func (at *moment) test(rule map[string]any) (bool, error) {
	for key, v := range rule {
		switch key {
		case "And", "Or":
			for _, part := range v.([]any) {
				yes, err := at.test(part.(map[string]any))
				if err != nil || yes == (key == "Or") {
					return yes, err
				}
			}
			return key == "And", nil
		case "Not":
			yes, err := at.test(v.(map[string]any))
			return !yes, err
		}
	}
	return at.compare(rule)
}

func (at *moment) compare(rule map[string]any) (bool, error) {
	variable := rule["Variable"].(string)
	got, err := at.evaluate(variable, at.in)
	for operator, want := range rule {
		switch operator {
		case "Variable", "Next":
			continue
		case "IsPresent":
			return (err == nil) == want.(bool), nil
		}
		if err != nil {
			return false, err
		}
		if strings.HasSuffix(operator, "Path") {
			if want, err = at.evaluate(want.(string), at.in); err != nil {
				return false, err
			}
		}
		return compareValues(strings.TrimSuffix(operator, "Path"), got, want)
	}
	return false, fmt.Errorf("%s: no comparison", variable)
}

func compareValues(operator string, got, want any) (bool, error) {
	switch operator {
	case "StringEquals", "NumericEquals", "BooleanEquals":
		return got == want, nil
	case "StringMatches":
		text, _ := got.(string)
		// path.Match's "*" stops at a slash, of which findings have one.
		clean := strings.NewReplacer("/", "\x00", "[", "\x01")
		return path.Match(clean.Replace(want.(string)), clean.Replace(text))
	case "NumericGreaterThan", "NumericGreaterThanEquals":
		g, okG := got.(float64)
		w, okW := want.(float64)
		return okG && okW && (g > w || g == w && operator == "NumericGreaterThanEquals"), nil
	case "TimestampGreaterThanEquals":
		g, errG := time.Parse(time.RFC3339, fmt.Sprint(got))
		w, errW := time.Parse(time.RFC3339, fmt.Sprint(want))
		return errG == nil && errW == nil && !g.Before(w), nil
	}
	return false, fmt.Errorf("comparison %q", operator)
}
