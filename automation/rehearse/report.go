package rehearse

import (
	"time"

	"redoubt/automation/engine"
)

// Report is what a rehearsal found; it says of itself that it is one.
type Report struct {
	// Rehearsal is always true: nothing of this happened on AWS.
	Rehearsal bool          `json:"rehearsal"`
	OK        bool          `json:"ok"`
	Stacks    []StackReport `json:"stacks"`
	// Breaks are what became of planted mistakes, instead of Stacks.
	Breaks []BreakReport `json:"breaks,omitempty"`
}

// StackReport is the rehearsal of one stack.
type StackReport struct {
	Stack string `json:"stack"`
	OK    bool   `json:"ok"`
	// Resources that the account held after the update; ByType counts them.
	Resources int            `json:"resources"`
	ByType    map[string]int `json:"byType,omitempty"`
	// NotModelled are types that the account treats generically, by count.
	NotModelled map[string]int `json:"notModelled,omitempty"`
	// Findings of the policy pack at the preview; Mandatory is how many of
	// them stop an update.
	Findings  []engine.Finding `json:"findings"`
	Mandatory int              `json:"mandatory"`
	// Deferred is the number of checks that the preview could not decide.
	Deferred int     `json:"deferred"`
	Phases   []Phase `json:"phases"`
}

// Phase is one step of a stack's life.
type Phase struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Problem says what the phase did not do that it must.
	Problem string `json:"problem,omitempty"`
	// Saw is what happened, in words.
	Saw     string         `json:"saw"`
	Counts  map[string]int `json:"counts,omitempty"`
	Changes int            `json:"changes"`
	// Seconds it took; FloorSeconds is the same operation by the engine alone:
	// the same program against a provider that only echoes, without policy and
	// with a state that is only written at the end. Zero where it was not
	// measured.
	Seconds      float64 `json:"seconds"`
	FloorSeconds float64 `json:"floorSeconds,omitempty"`
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
