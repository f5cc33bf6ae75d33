package api

import (
	"time"

	"redoubt/automation/provision"
)

// Queue is what waits for a worker.
type Queue struct {
	Name    string    `json:"name" doc:"default, or drift for checks for drift."`
	Paused  bool      `json:"paused" doc:"Workers take nothing from it; what runs goes on."`
	Depth   int       `json:"depth" doc:"Operations that wait for a worker."`
	Running int       `json:"running" doc:"Operations that have one."`
	Oldest  time.Time `json:"oldest_at,omitzero" doc:"Since when the first of those that wait does; missing where none does."`
	Age     int       `json:"oldest_seconds" doc:"How long that is."`
}

func queueOf(q provision.Queue) Queue {
	return Queue{q.Name, q.Paused, q.Waiting, q.Running, q.Oldest, int(q.Age.Seconds())}
}

func (h *handlers) listQueues(c *call, _ *noInput) (*answer[page[Queue]], error) {
	queues, err := h.service.Queues(c, c.principal)
	return pageOf(queues, "", queueOf), err
}

func (h *handlers) pauseQueue(c *call, in *WithName) (*answer[Queue], error) {
	q, err := h.service.PauseQueue(c, c.principal, in.Name)
	return &answer[Queue]{queueOf(q)}, err
}

func (h *handlers) resumeQueue(c *call, in *WithName) (*answer[Queue], error) {
	q, err := h.service.ResumeQueue(c, c.principal, in.Name)
	return &answer[Queue]{queueOf(q)}, err
}
