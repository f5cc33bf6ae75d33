package engine

import (
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"redoubt/policy/exempt"
)

// Finding is one thing that the policy pack reported.
type Finding struct {
	// Pack is the name of the policy's pack.
	Pack   string `json:"pack,omitempty"`
	Policy string `json:"policy"`
	// Level is mandatory, advisory or remediate; Severity is critical, high,
	// medium, low or empty.
	Level    string `json:"level"`
	Severity string `json:"severity,omitempty"`
	URN      string `json:"urn,omitempty"`
	Message  string `json:"message"`
	// Exemption lets it pass; nil where it counts.
	Exemption *Exemption `json:"exemption,omitempty"`
}

// Exemption is why a finding does not count.
type Exemption struct {
	// ID names it where it was made; empty for one of the pack's configuration.
	ID string `json:"id,omitempty"`
	// Until is its last day (UTC).
	Until  time.Time `json:"until"`
	Owner  string    `json:"owner"`
	Reason string    `json:"reason"`
}

// Change is what the engine did, or would do, to one resource.
type Change struct {
	URN  string `json:"urn"`
	Type string `json:"type"`
	Op   string `json:"op"`
	// Properties are the paths that differ, sorted.
	Properties []string `json:"properties,omitempty"`
	// Inputs is the digest of what the resource is given, in an outcome: see
	// inputsDigest.
	Inputs string `json:"inputs,omitempty"`
	// Retained is true for a resource that leaves the state and stays in the
	// account, because the program says so (retainOnDelete).
	Retained bool `json:"retained,omitempty"`
}

// Outcome is what one operation's events amount to.
type Outcome struct {
	// Counts are resources by operation: create, update, same, delete, ….
	Counts map[string]int `json:"counts"`
	// Changes are all resources whose operation is not "same".
	Changes  []Change  `json:"changes,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	// Errors are the engine's error diagnostics, in order.
	Errors []string `json:"errors,omitempty"`
	// Outputs are the stack's, secrets masked.
	Outputs map[string]any `json:"outputs,omitempty"`
	// Judged says that a policy pack saw the whole stack, and named a policy that it
	// held something to.
	Judged bool `json:"judged,omitempty"`
}

// Changed is the number of resources that the operation touched.
func (o Outcome) Changed() int {
	n := 0
	for op, count := range o.Counts {
		if op != string(apitype.OpSame) && op != string(apitype.OpRead) {
			n += count
		}
	}
	return n
}

// Mandatory are the findings that stop an operation.
func (o Outcome) Mandatory() []Finding {
	var out []Finding
	for _, f := range o.Findings {
		if f.Level == "mandatory" && f.Exemption == nil {
			out = append(out, f)
		}
	}
	return out
}

// FindingsOf is what a policy event says: one finding, or those that the pack's
// exemptions let pass.
func FindingsOf(p apitype.PolicyEvent) []Finding {
	f := Finding{
		Pack: p.PolicyPackName, Policy: p.PolicyName, Level: level(p.EnforcementLevel), Severity: p.Severity,
		URN: p.ResourceURN, Message: Plain(p.Message),
	}
	if f.Policy != exempt.Policy || f.Level != "advisory" {
		return []Finding{f}
	}
	passed, ok := exempt.Parse(f.Message)
	if !ok {
		return []Finding{f}
	}
	out := make([]Finding, len(passed))
	for i, e := range passed {
		out[i] = Finding{
			Pack: f.Pack, Policy: e.Rule, Level: e.Level, Severity: e.Severity, URN: e.URN, Message: e.Message,
			Exemption: &Exemption{ID: e.ID, Until: e.Until, Owner: e.Owner, Reason: e.Reason},
		}
	}
	return out
}

// Recorder collects the events of one operation. The SDK closes a channel only
// if the CLI connected to it, so the recorder ends when it is told to and
// never waits for a close.
type Recorder struct {
	// OnResource is called at each finished resource with the number so far;
	// it must not block. May be nil.
	OnResource func(done int)
	// OnEvent is called with each event, but for those that say once more that a
	// component is done; it must not block. May be nil.
	OnEvent func(apitype.EngineEvent)
	// OnEnd is called when the engine has done all that it does: what is left to the
	// CLI is to write that down. It may be called again. May be nil.
	OnEnd func()

	mu      sync.Mutex
	outcome Outcome
	done    int
	// components are those that are done.
	components map[componentStep]bool
	// named says that a pack has named a policy, whole that it saw the stack.
	named, whole bool
}

type componentStep struct {
	urn string
	op  apitype.OpType
}

// Record collects events until stop is called; stop drains what is buffered
// and returns the outcome.
func (r *Recorder) Record() (channel chan<- events.EngineEvent, stop func() Outcome) {
	// Buffered, because a slow reader would block the engine's event stream.
	ch := make(chan events.EngineEvent, 1024)
	end, ended := make(chan struct{}), make(chan struct{})
	r.outcome, r.components = Outcome{Counts: map[string]int{}}, map[componentStep]bool{}
	r.named, r.whole = false, false
	go func() {
		defer close(ended)
		for {
			select {
			case e, open := <-ch:
				if !open {
					return
				}
				r.add(e)
			case <-end:
				r.drain(ch)
				return
			}
		}
	}()
	return ch, func() Outcome {
		close(end)
		<-ended
		r.mu.Lock()
		defer r.mu.Unlock()
		r.outcome.sort()
		r.outcome.Judged = r.named && r.whole
		return r.outcome
	}
}

func (r *Recorder) drain(ch <-chan events.EngineEvent) {
	for {
		select {
		case e, open := <-ch:
			if !open {
				return
			}
			r.add(e)
		default:
			return
		}
	}
}

func (r *Recorder) add(e events.EngineEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.ResOutputsEvent != nil {
		r.addOutputs(e.ResOutputsEvent.Metadata)
		if r.repeats(e.ResOutputsEvent.Metadata) {
			return
		}
	}
	if r.OnEvent != nil && e.Error == nil {
		r.OnEvent(e.EngineEvent)
	}
	if r.OnEnd != nil && (e.SummaryEvent != nil || e.CancelEvent != nil) {
		r.OnEnd()
	}
	switch {
	case e.PolicyEvent != nil:
		r.outcome.Findings = append(r.outcome.Findings, FindingsOf(*e.PolicyEvent)...)
	case e.PolicyAnalyzeSummaryEvent != nil:
		s := e.PolicyAnalyzeSummaryEvent
		r.named = r.named || len(s.Passed)+len(s.Failed) > 0
	case e.PolicyAnalyzeStackSummaryEvent != nil:
		s := e.PolicyAnalyzeStackSummaryEvent
		r.named, r.whole = r.named || len(s.Passed)+len(s.Failed) > 0, true
	case e.DiagnosticEvent != nil && e.DiagnosticEvent.Severity == "error":
		r.outcome.Errors = append(r.outcome.Errors, Plain(e.DiagnosticEvent.Message))
	case e.ResOutputsEvent != nil:
		r.addChange(e.ResOutputsEvent.Metadata)
	case e.SummaryEvent != nil:
		for op, n := range e.SummaryEvent.ResourceChanges {
			r.outcome.Counts[string(op)] = n
		}
	}
}

// repeats says whether a component was done already. A preview says so when it is
// registered, as of every resource, and again when its outputs are (pkg/engine,
// previewActions.OnResourceStepPost and OnResourceOutputs). Other resources are
// said to be done once for each step, and one name may have several of a kind:
// two that were replaced and are deleted.
func (r *Recorder) repeats(m apitype.StepEventMetadata) bool {
	state := m.New
	if state == nil {
		state = m.Old
	}
	if state == nil || state.Custom {
		return false
	}
	step := componentStep{m.URN, m.Op}
	before := r.components[step]
	r.components[step] = true
	return before
}

// addOutputs keeps the stack's, which come with the last of its events.
func (r *Recorder) addOutputs(m apitype.StepEventMetadata) {
	if m.Type == stackType && m.New != nil {
		r.outcome.Outputs = masked(m.New.Outputs)
	}
}

func (r *Recorder) addChange(m apitype.StepEventMetadata) {
	r.done++
	if r.OnResource != nil {
		r.OnResource(r.done)
	}
	if m.Op == apitype.OpSame || m.Op == apitype.OpRead {
		return
	}
	change := ChangeOf(m)
	change.Inputs = inputsDigest(m)
	r.outcome.Changes = append(r.outcome.Changes, change)
}

// ChangeOf is what a step does to its resource.
func ChangeOf(m apitype.StepEventMetadata) Change {
	return Change{URN: m.URN, Type: m.Type, Op: string(m.Op), Properties: properties(m), Retained: m.Old != nil && m.Old.RetainOnDelete}
}

// stackType is the resource that stands for the stack itself.
const stackType = "pulumi:pulumi:Stack"

// masked are outputs with a word in the place of each secret: the engine leaves
// some in the envelope of a secret, with the word in it.
func masked(outputs map[string]any) map[string]any {
	out := make(map[string]any, len(outputs))
	for name, value := range outputs {
		if nested, ok := value.(map[string]any); ok {
			if _, secret := nested[resource.SigKey]; secret {
				out[name] = "[secret]"
				continue
			}
			value = masked(nested)
		}
		out[name] = value
	}
	return out
}

// properties are the paths that a step changes: the detailed diff where the
// provider gave one, else the keys.
func properties(m apitype.StepEventMetadata) []string {
	var paths []string
	for p := range m.DetailedDiff {
		paths = append(paths, p)
	}
	if len(paths) == 0 {
		paths = append(paths, m.Diffs...)
	}
	sort.Strings(paths)
	return paths
}

func (o *Outcome) sort() {
	sort.SliceStable(o.Changes, func(i, j int) bool { return o.Changes[i].URN < o.Changes[j].URN })
	sort.SliceStable(o.Findings, func(i, j int) bool {
		a, b := o.Findings[i], o.Findings[j]
		if a.Policy != b.Policy {
			return a.Policy < b.Policy
		}
		return a.URN < b.URN
	})
}

// level is the engine's word for an enforcement level, as people configure it:
// the event says "warning" for an advisory policy.
func level(s string) string {
	if s == "warning" {
		return "advisory"
	}
	return s
}

// Plain removes the engine's colour tags.
func Plain(s string) string {
	for {
		start := strings.Index(s, "<{%")
		if start < 0 {
			return strings.TrimSpace(s)
		}
		end := strings.Index(s[start:], "%}>")
		if end < 0 {
			return strings.TrimSpace(s)
		}
		s = s[:start] + s[start+end+len("%}>"):]
	}
}
