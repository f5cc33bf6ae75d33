package api

import "redoubt/automation/backend"

type historyQuery struct {
	WithID
	Paging
}

// listHistory has the number of the next page as its cursor: the newest come
// first, and what is new pushes them on.
func (h *handlers) listHistory(c *call, in *historyQuery) (*answer[page[Update]], error) {
	n, err := in.Cursor.number()
	if err != nil {
		return nil, err
	}
	const far = 1 << 31
	at := int(min(max(n, 1), far))
	updates, err := h.service.History(c, c.principal, in.ID, at, in.Limit)
	next := ""
	if len(updates) == in.Limit {
		next = textOf(int64(at) + 1)
	}
	return pageOf(updates, next, updateOf), err
}

func updateOf(u backend.Update) Update {
	return Update{
		ID: u.ID, Kind: string(u.Kind), Status: string(u.Status), Version: u.Version, Principal: u.Principal, Message: u.Message,
		Changes: u.Changes, Resources: u.Resources, Compliant: u.Compliant, StartedAt: u.StartedAt, CompletedAt: u.CompletedAt,
	}
}
