package backend

import (
	"context"
	"encoding/json"
	"errors"
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
	// Resource says that a pack looked at a resource, Stack that it looked at all
	// of them.
	Resource, Stack *packEvent
	// Step is of a step that begins, has ended or has failed, as it came.
	Step    json.RawMessage
	Summary *struct {
		Changes map[string]int `json:"resourceChanges"`
	}
}

type packEvent struct {
	Pack    string `json:"policyPackName"`
	Tag     string `json:"policyPackVersionTag"`
	Version string `json:"policyPackVersion"`
}

// readEvent reads an event that is valid JSON.
func readEvent(event json.RawMessage) (head eventHead, err error) {
	err = replay.Fields(event, func(name string, value json.RawMessage) error {
		switch name {
		case "sequence":
			return json.Unmarshal(value, &head.Sequence)
		case "policyAnalyzeSummaryEvent":
			return json.Unmarshal(value, &head.Resource)
		case "policyAnalyzeStackSummaryEvent":
			return json.Unmarshal(value, &head.Stack)
		case "summaryEvent":
			return json.Unmarshal(value, &head.Summary)
		case "resourcePreEvent", "resOutputsEvent", "resOpFailedEvent":
			head.Step = value
		}
		return nil
	})
	return head, err
}

// ofProgram says whether the step is one of the program's, which packs look at
// beforehand: an update that refreshes does that before it starts the program.
func (h eventHead) ofProgram() bool {
	if h.Step == nil {
		return false
	}
	op := ""
	// A step without an operation counts as one of the program's: nobody is let off
	// by leaving it out.
	_ = replay.Fields(h.Step, func(name string, value json.RawMessage) error {
		if name != "metadata" {
			return nil
		}
		return replay.Fields(value, func(name string, value json.RawMessage) error {
			if name == "op" {
				return json.Unmarshal(value, &op)
			}
			return nil
		})
	})
	return op != "refresh"
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
	rows, heads := make([]EventRow, 0, len(events)), make([]eventHead, 0, len(events))
	for i, event := range events {
		head, err := readEvent(event)
		if err != nil {
			return &Error{Code: CodeInvalid, Message: fmt.Sprintf("event %d of the batch is not a JSON object of the expected shape", i), Cause: err}
		}
		rows = append(rows, EventRow{Sequence: head.Sequence, Sealed: keys.seal(sealEvent, eventLabel(ref.ID, head.Sequence), event)})
		heads = append(heads, head)
	}
	stale, err := s.putHeld(ctx, ref, rows, heads)
	switch {
	case errors.Is(err, errTells):
		return s.putLocked(ctx, ref, rows, heads)
	case err != nil || !stale:
		return err
	default:
		return s.extend(ctx, ref)
	}
}

// putHeld stores events that say nothing new of the update itself; stale says that
// the lease is to be extended.
func (s *Service) putHeld(ctx context.Context, ref UpdateRef, rows []EventRow, heads []eventHead) (stale bool, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		held, err := hold(tx, ref)
		if err != nil {
			return err
		}
		known := Update{Stepped: held.Stepped, Policies: held.Policies}
		if slices.ContainsFunc(heads, known.learn) {
			return errTells
		}
		stale = s.stale(tx, held)
		return tx.PutEvents(ref.ID, rows)
	})
	return stale, err
}

func (s *Service) putLocked(ctx context.Context, ref UpdateRef, rows []EventRow, heads []eventHead) error {
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

// learn takes over what an event says, in whatever order they come, and says
// whether it was news. Events are the client's word: enough for a history, no
// proof against somebody who forges them.
func (u *Update) learn(h eventHead) (news bool) {
	if h.Summary != nil {
		u.Changes, news = h.Summary.Changes, true
	}
	if !u.Stepped && h.ofProgram() {
		u.Stepped, news = true, true
	}
	for i := range u.Policies {
		p := &u.Policies[i]
		if p.said(h.Resource) && !p.Evaluated {
			p.Evaluated, news = true, true
		}
		if p.said(h.Stack) && !p.Reported {
			p.Evaluated, p.Reported, news = true, true, true
		}
	}
	return news
}

// said says whether it is the pack, in that version, that an event tells of.
func (p RequiredPack) said(e *packEvent) bool {
	return e != nil && p.Name == e.Pack && slices.Contains([]string{e.Tag, e.Version}, p.Tag)
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
