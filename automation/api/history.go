package api

import "redoubt/automation/backend"

// listHistory has the last update of a page as its cursor: the newest come first, and
// what is new must not push others onto the next page again.
func (h *handlers) listHistory(c *call, in *pageOfOne) (*answer[page[Update]], error) {
	updates, err := h.service.History(c, c.principal, in.ID, in.Cursor.after, in.Limit)
	next := ""
	if len(updates) == in.Limit {
		next = updates[in.Limit-1].ID
	}
	return pageOf(updates, next, updateOf), err
}

func updateOf(u backend.Update) Update {
	return Update{
		ID: u.ID, Kind: string(u.Kind), Status: string(u.Status), Version: u.Version, Principal: u.Principal, Message: u.Message,
		Changes: u.Changes, Resources: u.Resources, Compliant: u.Compliant, StartedAt: u.StartedAt, CompletedAt: u.CompletedAt,
	}
}
