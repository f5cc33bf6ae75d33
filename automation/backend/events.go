package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"redoubt/automation/backend/replay"
)

// maxEvents is how many events one call may bring.
const maxEvents = 5_000

func eventLabel(updateID string, sequence int64) string {
	return fmt.Sprintf("%s/%d", updateID, sequence)
}

// eventHead is as much of an apitype.EngineEvent as the service looks at.
type eventHead struct {
	Sequence int64
	Stack    *struct {
		Pack    string `json:"policyPackName"`
		Tag     string `json:"policyPackVersionTag"`
		Version string `json:"policyPackVersion"`
	}
	Summary *struct {
		Changes map[string]int `json:"resourceChanges"`
	}
}

// PutEvents stores engine events, each valid JSON, and reads from them what the
// history shows.
func (s *Service) PutEvents(ctx context.Context, ref UpdateRef, events []json.RawMessage) error {
	if len(events) > maxEvents {
		return Fail(CodeTooLarge, "%d events at once: at most %d", len(events), maxEvents)
	}
	keys, err := s.keysFor(ctx, ref)
	if err != nil {
		return err
	}
	rows := make([]EventRow, 0, len(events))
	var heads []eventHead
	for i, event := range events {
		head, err := readEvent(event)
		if err != nil {
			return &Error{Code: CodeInvalid, Message: fmt.Sprintf("event %d of the batch is not a JSON object of the expected shape", i), Cause: err}
		}
		rows = append(rows, EventRow{Sequence: head.Sequence, Sealed: keys.seal(sealEvent, eventLabel(ref.ID, head.Sequence), event)})
		if head.Stack != nil || head.Summary != nil {
			heads = append(heads, head)
		}
	}
	if len(heads) == 0 {
		return s.putEvents(ctx, ref, rows)
	}
	return s.store.Update(ctx, func(tx Tx) error {
		update, err := leased(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.PutEvents(ref.ID, rows); err != nil {
			return err
		}
		for _, h := range heads {
			update.learn(h)
		}
		update.Touched, update.LeaseExpiresAt = true, tx.Now().Add(s.opts.Lease)
		return tx.SaveUpdate(update)
	})
}

// putEvents stores events that say nothing of the update itself.
func (s *Service) putEvents(ctx context.Context, ref UpdateRef, rows []EventRow) error {
	var stale bool
	err := s.store.Update(ctx, func(tx Tx) error {
		held, err := hold(tx, ref)
		if err != nil {
			return err
		}
		stale = s.stale(tx, held)
		return tx.PutEvents(ref.ID, rows)
	})
	if err != nil || !stale {
		return err
	}
	return s.extend(ctx, ref)
}

// readEvent reads an event that is valid JSON. Most events have nothing but a
// number for the service.
func readEvent(event json.RawMessage) (head eventHead, err error) {
	err = replay.Fields(event, func(name string, value json.RawMessage) error {
		switch name {
		case "sequence":
			return json.Unmarshal(value, &head.Sequence)
		case "policyAnalyzeStackSummaryEvent":
			return json.Unmarshal(value, &head.Stack)
		case "summaryEvent":
			return json.Unmarshal(value, &head.Summary)
		default:
			return nil
		}
	})
	return head, err
}

// learn takes over what an event says. Events are the client's word: enough
// for a history, no proof against somebody who forges them.
func (u *Update) learn(h eventHead) {
	if h.Summary != nil {
		u.Changes = h.Summary.Changes
	}
	if h.Stack == nil {
		return
	}
	for i, p := range u.Policies {
		if p.Name == h.Stack.Pack && slices.Contains([]string{h.Stack.Tag, h.Stack.Version}, p.Tag) {
			u.Policies[i].Reported = true
		}
	}
}

// Events returns an update's events after a sequence number, -1 for all, and
// the last one's number.
func (s *Service) Events(ctx context.Context, by Caller, name StackName, id string, after int64, limit int) (events []json.RawMessage, last int64, err error) {
	stack, err := s.stackFor(ctx, by, Read, name)
	if err != nil {
		return nil, 0, err
	}
	update, err := s.updateIn(ctx, stack, id)
	if err != nil {
		return nil, 0, err
	}
	var rows []EventRow
	if err := s.store.View(ctx, func(tx Tx) (err error) { rows, err = tx.Events(update.ID, after, limit); return err }); err != nil {
		return nil, 0, err
	}
	err = s.keys.use(ctx, stack.ID, func(keys *stackKeys) error {
		events, last = nil, after
		for _, r := range rows {
			event, err := keys.open(sealEvent, eventLabel(update.ID, r.Sequence), r.Sealed)
			if err != nil {
				return err
			}
			events, last = append(events, event), r.Sequence
		}
		return nil
	})
	return events, last, err
}
