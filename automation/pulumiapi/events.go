package pulumiapi

import (
	"encoding/json"
	"strconv"

	"redoubt/automation/backend"
)

// eventsPage is how many events an answer holds.
const eventsPage = 500

// eventsAnswer is apitype.GetUpdateEventsResponse with the events as they came.
type eventsAnswer struct {
	Events            []json.RawMessage `json:"events"`
	ContinuationToken *string           `json:"continuationToken"`
}

// getEvents answers the events of an update. `pulumi stack history events`
// takes whatever a person types for the update: its id, or its version.
func getEvents(c *call) (any, error) {
	id := c.r.PathValue("update")
	if version, err := number(id); err == nil {
		entry, err := c.service.UpdateByVersion(c.ctx(), c.caller, c.stack(), version)
		if err != nil {
			return nil, err
		}
		id = entry.ID
	}
	after := int64(-1)
	if token := c.r.URL.Query().Get("continuationToken"); token != "" {
		var err error
		if after, err = strconv.ParseInt(token, 10, 64); err != nil {
			return nil, backend.Fail(backend.CodeInvalid, "the continuation token is none of this service's")
		}
	}
	events, last, err := c.service.Events(c.ctx(), c.caller, c.stack(), id, after, eventsPage)
	if err != nil {
		return nil, err
	}
	answer := eventsAnswer{Events: events}
	if events == nil {
		answer.Events = []json.RawMessage{}
	}
	if len(events) == eventsPage {
		next := strconv.FormatInt(last, 10)
		answer.ContinuationToken = &next
	}
	return answer, nil
}
