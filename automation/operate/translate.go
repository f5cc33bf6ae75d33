package operate

import (
	"encoding/json"
	"fmt"

	"redoubt/automation/engine"
	"redoubt/automation/provision"
	"redoubt/automation/runner"
)

// codes are what the runner's errors are to provisioning; what is not here is a
// CodeConflict: the engine says what is wrong.
var codes = map[runner.Code]provision.Code{
	runner.CodeInvalid: provision.CodeEngineUnavailable, runner.CodeUnauthorized: provision.CodeEngineUnavailable,
	runner.CodePolicy: provision.CodePolicyBlocked, runner.CodeBusy: provision.CodeStackBusy,
}

// dead are those of an engine that did not end by itself: what a run of what changes
// nothing left is nothing, and of an update it is not known.
var dead = map[runner.Code]bool{runner.CodeKilled: true, runner.CodeLost: true, runner.CodePanic: true}

// translated is an error of the runner's as provisioning has them.
func translated(err error, phase provision.Phase) error {
	if err == nil {
		return nil
	}
	code := runner.CodeOf(err)
	out := &provision.Error{Code: provision.CodeConflict, Message: err.Error(), Cause: err}
	switch {
	case code == "":
		return unavailable(err)
	case dead[code] && phase.Changes():
		out.Code = provision.CodeNeedsRecovery
	case code == runner.CodeKilled || code == runner.CodeLost:
		out.Code = provision.CodeEngineUnavailable
	default:
		if known, ok := codes[code]; ok {
			out.Code = known
		}
	}
	return out
}

func (w waivers) result(r runner.Result) provision.Result {
	out := provision.Result{Counts: r.Counts, Outputs: r.Outputs, Seconds: r.Seconds}
	if out.Counts == nil {
		out.Counts = map[string]int{}
	}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, changeOf(c))
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, w.finding(f))
	}
	return out
}

func changeOf(c engine.Change) provision.Change {
	return provision.Change{URN: c.URN, Type: c.Type, Op: c.Op, Properties: c.Properties, Inputs: c.Inputs}
}

// waivers are those that a run was given, by their ids.
type waivers map[string]provision.Waiver

func waiversOf(r provision.Run) waivers {
	w := waivers{}
	for _, one := range r.Exemptions {
		w[one.ID] = one
	}
	return w
}

// finding is a finding with the waiver that lets it pass, which ends at a time, where
// the pack knows days.
func (w waivers) finding(f engine.Finding) provision.Finding {
	out := provision.Finding{Pack: f.Pack, Policy: f.Policy, Level: f.Level, Severity: f.Severity, URN: f.URN, Message: f.Message}
	if e := f.Exemption; e != nil {
		out.Exemption = &provision.Exemption{Until: e.Until, Owner: e.Owner, Reason: e.Reason}
		if one, ok := w[e.ID]; ok {
			out.Waiver, out.Exemption.Until = one.ID, one.ExpiresAt
		}
	}
	return out
}

// event is an event of the runner's as provisioning keeps it: what it says, and in
// which phase.
func (w waivers) event(e runner.Event, phase provision.Phase) (provision.Event, bool) {
	type in struct {
		Phase provision.Phase `json:"phase"`
	}
	var data any
	switch {
	case e.Progress != nil:
		data = struct {
			in
			*runner.Progress
		}{in{phase}, e.Progress}
	case e.Resource != nil:
		data = struct {
			in
			provision.Change
			Status runner.Status `json:"status"`
		}{in{phase}, changeOf(e.Resource.Change), e.Resource.Status}
	case e.Diagnostic != nil:
		data = struct {
			in
			*runner.Diagnostic
		}{in{phase}, e.Diagnostic}
	case e.Policy != nil:
		data = struct {
			in
			provision.Finding
		}{in{phase}, w.finding(*e.Policy)}
	case e.Summary != nil:
		data = struct {
			in
			*runner.Summary
		}{in{phase}, e.Summary}
	default:
		return provision.Event{}, false
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", data, err)) // a mistake in package runner
	}
	return provision.Event{At: e.Time, Type: provision.EventType(e.Type), Data: text}, true
}
