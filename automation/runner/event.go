package runner

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"redoubt/automation/engine"
)

// EventType says which field of an event is set.
type EventType string

// The types of events.
const (
	TypeProgress   EventType = "progress"
	TypeResource   EventType = "resource"
	TypeDiagnostic EventType = "diagnostic"
	TypePolicy     EventType = "policy"
	TypeSummary    EventType = "summary"
)

// Event is one thing that happened in an operation. It holds no secrets.
type Event struct {
	// Seq counts from 1.
	Seq        int             `json:"seq"`
	Time       time.Time       `json:"time"`
	Type       EventType       `json:"type"`
	Progress   *Progress       `json:"progress,omitempty"`
	Resource   *Resource       `json:"resource,omitempty"`
	Diagnostic *Diagnostic     `json:"diagnostic,omitempty"`
	Policy     *engine.Finding `json:"policy,omitempty"`
	Summary    *Summary        `json:"summary,omitempty"`
}

// Progress is how far the operation is.
type Progress struct {
	// Done is how many resources are.
	Done int `json:"done"`
}

// Status is that of one resource.
type Status string

// A resource is begun, then done or failed.
const (
	Begun  Status = "begun"
	Done   Status = "done"
	Failed Status = "failed"
)

// Resource is a resource that changes, or would.
type Resource struct {
	engine.Change
	Status Status `json:"status"`
}

// Diagnostic is what the engine, a provider or the program says.
type Diagnostic struct {
	// Severity is info, info#err, warning or error.
	Severity string `json:"severity"`
	URN      string `json:"urn,omitempty"`
	Message  string `json:"message"`
}

// Summary comes at the end.
type Summary struct {
	Counts  map[string]int `json:"counts"`
	Seconds int            `json:"seconds"`
}

// translator turns the engine's events into ours.
type translator struct {
	scrub scrubber
	// preview says that nothing is done: nobody need know that it begins.
	preview bool
	seq     int
	now     func() time.Time
	// done is how many resources are, told how many were when somebody was told, at.
	done, told int
	at         time.Time
}

// progressEvery is how often is told how far it is, so that a stack of a thousand
// resources is not told of a thousand times.
const progressEvery = 50 * time.Millisecond

// longestMessage is what an event keeps of one message: a provider's error may hold a
// whole page that it was answered.
const longestMessage = 16 << 10

// shortened is a message that is no longer than that, cut between characters.
func shortened(text string) string {
	if len(text) <= longestMessage {
		return text
	}
	cut := strings.ToValidUTF8(text[:longestMessage], "")
	return fmt.Sprintf("%s … (%d more bytes)", cut, len(text)-len(cut))
}

// translate returns no event for what tells nobody anything.
func (t *translator) translate(e apitype.EngineEvent) (events []Event) {
	add := func(event Event) {
		t.seq++
		event.Seq, event.Time = t.seq, t.now()
		events = append(events, event)
	}
	resource := func(m apitype.StepEventMetadata, status Status) {
		if m.Op != apitype.OpSame && m.Op != apitype.OpRead {
			add(Event{Type: TypeResource, Resource: &Resource{engine.ChangeOf(m), status}})
		}
	}
	progress := func(every time.Duration) {
		if now := t.now(); t.done > t.told && now.Sub(t.at) >= every {
			t.told, t.at = t.done, now
			add(Event{Type: TypeProgress, Progress: &Progress{Done: t.done}})
		}
	}
	switch {
	case e.ResourcePreEvent != nil && t.preview:
	case e.ResourcePreEvent != nil:
		resource(e.ResourcePreEvent.Metadata, Begun)
	case e.ResOutputsEvent != nil:
		resource(e.ResOutputsEvent.Metadata, Done)
		t.done++
		progress(progressEvery)
	case e.ResOpFailedEvent != nil:
		resource(e.ResOpFailedEvent.Metadata, Failed)
	case e.DiagnosticEvent != nil:
		d := e.DiagnosticEvent
		if text := shortened(t.scrub.text(engine.Plain(d.Message))); text != "" && d.Severity != "debug" && !d.Ephemeral {
			add(Event{Type: TypeDiagnostic, Diagnostic: &Diagnostic{Severity: d.Severity, URN: d.URN, Message: text}})
		}
	case e.PolicyEvent != nil:
		for _, f := range engine.FindingsOf(*e.PolicyEvent) {
			f = t.scrub.finding(f)
			f.Message = shortened(f.Message)
			add(Event{Type: TypePolicy, Policy: &f})
		}
	case e.SummaryEvent != nil:
		progress(0)
		counts := map[string]int{}
		for op, n := range e.SummaryEvent.ResourceChanges {
			counts[string(op)] = n
		}
		add(Event{Type: TypeSummary, Summary: &Summary{Counts: counts, Seconds: e.SummaryEvent.DurationSeconds}})
	}
	return events
}
