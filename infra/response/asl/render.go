package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// sizeLimit is the largest definition, in bytes.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const sizeLimit = 1 << 20

// JSON returns the definition, the same bytes for the same machine. The error
// joins every finding, each "state: field: why (fix)".
func (m Machine) JSON() (string, error) {
	if err := m.Validate(); err != nil {
		return "", err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m.render()); err != nil {
		return "", fmt.Errorf("state machine: %w (use plain JSON values)", err)
	}
	text := string(bytes.TrimRight(b.Bytes(), "\n"))
	if len(text) > sizeLimit {
		return "", fmt.Errorf("state machine: %d bytes, a definition holds %d (split it)", len(text), sizeLimit)
	}
	return text, nil
}

func (m Machine) render() map[string]any {
	states := map[string]any{}
	for _, s := range m.States {
		states[s.StateName()] = s.render()
	}
	out := map[string]any{"StartAt": m.StartAt, "States": states}
	set(out, "Comment", m.Comment)
	if m.TimeoutSeconds > 0 {
		out["TimeoutSeconds"] = m.TimeoutSeconds
	}
	return out
}

// newState starts a state with what all have.
func newState(kind, comment string) map[string]any {
	out := map[string]any{"Type": kind}
	set(out, "Comment", comment)
	return out
}

func set(out map[string]any, key, value string) {
	if value != "" {
		out[key] = value
	}
}

func setPayload(out map[string]any, key string, p Payload) {
	if p != nil {
		out[key] = p
	}
}

func setNext(out map[string]any, next string) {
	if next == End {
		out["End"] = true
		return
	}
	out["Next"] = next
}

func setResult(out map[string]any, path string) {
	switch path {
	case "":
	case Discard:
		out["ResultPath"] = nil
	default:
		out["ResultPath"] = path
	}
}

func setHandlers(out map[string]any, retries []Retry, catches []Catch) {
	if len(retries) > 0 {
		list := make([]any, len(retries))
		for i, r := range retries {
			// Full jitter, so that executions which were throttled together do
			// not come back together.
			list[i] = map[string]any{
				"ErrorEquals": r.ErrorEquals, "IntervalSeconds": r.IntervalSeconds, "MaxAttempts": r.MaxAttempts,
				"BackoffRate": r.BackoffRate, "JitterStrategy": "FULL",
			}
		}
		out["Retry"] = list
	}
	if len(catches) > 0 {
		list := make([]any, len(catches))
		for i, c := range catches {
			entry := map[string]any{"ErrorEquals": c.ErrorEquals, "Next": c.Next}
			setResult(entry, c.ResultPath)
			list[i] = entry
		}
		out["Catch"] = list
	}
}

func (s Task) render() map[string]any {
	out := newState("Task", s.Comment)
	out["Resource"] = s.Resource
	setPayload(out, "Parameters", s.Parameters)
	setPayload(out, "ResultSelector", s.ResultSelector)
	setResult(out, s.ResultPath)
	if s.TimeoutSeconds > 0 {
		out["TimeoutSeconds"] = s.TimeoutSeconds
	}
	setHandlers(out, s.Retry, s.Catch)
	setNext(out, s.Next)
	return out
}

func (s Choice) render() map[string]any {
	out := newState("Choice", s.Comment)
	rules := make([]any, len(s.Rules))
	for i, r := range s.Rules {
		rule := maps.Clone(r.Test.render())
		rule["Next"] = r.Next
		rules[i] = rule
	}
	out["Choices"], out["Default"] = rules, s.Default
	return out
}

func (s Parallel) render() map[string]any {
	out := newState("Parallel", s.Comment)
	branches := make([]any, len(s.Branches))
	for i, b := range s.Branches {
		branches[i] = b.render()
	}
	out["Branches"] = branches
	setPayload(out, "ResultSelector", s.ResultSelector)
	setResult(out, s.ResultPath)
	setHandlers(out, s.Retry, s.Catch)
	setNext(out, s.Next)
	return out
}

func (s Map) render() map[string]any {
	out := newState("Map", s.Comment)
	processor := s.Each.render()
	processor["ProcessorConfig"] = map[string]any{"Mode": "INLINE"}
	out["ItemProcessor"], out["ItemsPath"] = processor, s.ItemsPath
	setPayload(out, "ItemSelector", s.ItemSelector)
	if s.MaxConcurrency > 0 {
		out["MaxConcurrency"] = s.MaxConcurrency
	}
	setResult(out, s.ResultPath)
	setHandlers(out, s.Retry, s.Catch)
	setNext(out, s.Next)
	return out
}

func (s Pass) render() map[string]any {
	out := newState("Pass", s.Comment)
	setPayload(out, "Parameters", s.Parameters)
	setResult(out, s.ResultPath)
	setNext(out, s.Next)
	return out
}

func (s Compute) render() map[string]any {
	out := newState("Pass", s.Comment)
	out["QueryLanguage"], out["Output"] = "JSONata", s.Output
	setNext(out, s.Next)
	return out
}

func (s Wait) render() map[string]any {
	out := newState("Wait", s.Comment)
	out["Seconds"] = s.Seconds
	setNext(out, s.Next)
	return out
}

func (s Succeed) render() map[string]any { return newState("Succeed", s.Comment) }

func (s Fail) render() map[string]any {
	out := newState("Fail", s.Comment)
	out["Error"], out["Cause"] = s.Error, s.Cause
	return out
}
