package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// maxEvents is how many events one call may bring.
const maxEvents = 5_000

func eventLabel(updateID string, sequence int64) string {
	return fmt.Sprintf("%s/%d", updateID, sequence)
}

// eventHead is as much of an apitype.EngineEvent as the service looks at.
type eventHead struct {
	Sequence int64 `json:"sequence"`
	// Resource says that a pack looked at a resource, Stack that it looked at all
	// of them.
	Resource *packEvent `json:"policyAnalyzeSummaryEvent"`
	Stack    *packEvent `json:"policyAnalyzeStackSummaryEvent"`
	// A step that begins, has ended, has failed.
	Pre     *stepEvent `json:"resourcePreEvent"`
	Outputs *stepEvent `json:"resOutputsEvent"`
	Failed  *stepEvent `json:"resOpFailedEvent"`
	Summary *struct {
		Changes map[string]int `json:"resourceChanges"`
	} `json:"summaryEvent"`
}

type packEvent struct {
	Pack    string `json:"policyPackName"`
	Tag     string `json:"policyPackVersionTag"`
	Version string `json:"policyPackVersion"`
}

type stepEvent struct {
	Metadata struct {
		Op string `json:"op"`
	} `json:"metadata"`
}

// programs says whether the step is one of the program's, which packs look at
// beforehand: an update that refreshes does that before it starts the program.
func (e *stepEvent) programs() bool { return e != nil && e.Metadata.Op != "refresh" }

// PutEvents stores engine events, JSON objects, and reads from them what the
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
		var head eventHead
		if err := json.Unmarshal(event, &head); err != nil {
			return &Error{Code: CodeInvalid, Message: fmt.Sprintf("event %d of the batch is not a JSON object of the expected shape", i), Cause: err}
		}
		rows = append(rows, EventRow{Sequence: head.Sequence, Sealed: keys.seal(sealEvent, eventLabel(ref.ID, head.Sequence), event)})
		heads = append(heads, head)
	}
	return s.store.Update(ctx, func(tx Tx) error {
		update, err := leased(tx, ref)
		if err != nil {
			return err
		}
		if err := tx.PutEvents(ref.ID, rows); err != nil {
			return err
		}
		learned := false
		for _, h := range heads {
			learned = update.learn(h) || learned
		}
		if !learned {
			return s.heard(tx, &update)
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
	if !u.Stepped && (h.Pre.programs() || h.Outputs.programs() || h.Failed.programs()) {
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
