package provision

import (
	"context"
	"encoding/json"
	"time"
)

// LogLine is what the engine, a provider, the program or this service said in an
// operation. It holds no secrets: the runner has taken them out.
type LogLine struct {
	// Seq is the event's.
	Seq int64
	At  time.Time
	// Phase is the run of the engine, empty for what the service says.
	Phase Phase
	// Severity is info, info#err, warning or error.
	Severity string
	URN      string
	Message  string
}

// Logs returns what was said in an operation after a sequence number, in order, and
// what after is for the next page; 0 for the last. Lines are events, and kept as long.
func (s *Service) Logs(ctx context.Context, p Principal, id string, after int64, limit int) (lines []LogLine, next int64, err error) {
	if _, _, err := s.operationFor(ctx, p, id, ActionRead); err != nil {
		return nil, 0, err
	}
	limit = eventPage(limit)
	var events []Event
	err = s.read(ctx, func(tx Tx) (err error) {
		events, err = tx.EventsOfTypes(id, []EventType{EventLog, EventDiagnostic}, after, limit+1)
		return err
	})
	for i, e := range events {
		if i == limit {
			return lines, lines[limit-1].Seq, err
		}
		lines = append(lines, lineOf(e))
	}
	return lines, 0, err
}

func lineOf(e Event) LogLine {
	var said struct {
		Phase    Phase  `json:"phase"`
		Severity string `json:"severity"`
		URN      string `json:"urn"`
		Message  string `json:"message"`
	}
	if json.Unmarshal(e.Data, &said) != nil || said.Message == "" {
		said.Message = string(e.Data) // as it is, rather than nothing
	}
	return LogLine{Seq: e.Seq, At: e.At, Phase: said.Phase, Severity: orText(said.Severity, "info"), URN: said.URN, Message: said.Message}
}
