package api

import (
	"time"

	"redoubt/automation/provision"
)

// LogLine is what the engine, a provider, the program or this service said.
type LogLine struct {
	Seq      int64     `json:"seq" doc:"The event's."`
	TS       time.Time `json:"ts"`
	Phase    string    `json:"phase,omitempty" doc:"The run of the engine; missing for what the service says."`
	Severity string    `json:"severity" doc:"info, info#err, warning or error."`
	URN      string    `json:"urn,omitempty" doc:"The resource that it is about."`
	Message  string    `json:"message" doc:"Secrets are taken out."`
}

func lineOf(l provision.LogLine) LogLine {
	return LogLine{l.Seq, l.At, string(l.Phase), l.Severity, l.URN, l.Message}
}

type logsInput struct {
	WithID
	Paging
	After int64 `query:"after" minimum:"0" doc:"Those after this sequence."`
}

func (h *handlers) listLogs(c *call, in *logsInput) (*answer[page[LogLine]], error) {
	n, err := in.Cursor.number()
	if err != nil {
		return nil, err
	}
	lines, next, err := h.service.Logs(c, c.principal, in.ID, max(n, in.After), in.Limit)
	return pageOf(lines, cursorNumber(next), lineOf), err
}
