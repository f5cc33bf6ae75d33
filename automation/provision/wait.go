package provision

import (
	"context"
	"time"
)

// pollEvery is how often who waits asks the database: what another process has done
// is told here by nobody.
const pollEvery = time.Second

// WaitEvents returns an operation's events after a sequence number, and waits until
// there is one. It returns none where the operation has ended and there are none
// left, and the context's error where that ends first.
func (s *Service) WaitEvents(ctx context.Context, p Principal, id string, after int64, limit int) (events []Event, err error) {
	if _, _, err := s.operationFor(ctx, p, id, ActionRead); err != nil {
		return nil, err
	}
	err = s.until(ctx, id, func(tx Tx) (done bool, err error) {
		// In this order: what it did before it ended is seen by who sees the end.
		at, err := tx.Position(id)
		if err != nil {
			return false, err
		}
		events, err = tx.EventsAfter(id, after, eventPage(limit))
		return len(events) > 0 || at.State.Final(), err
	})
	return events, err
}

// WaitOperation returns an operation when it is final or waits for people, or as it
// is after a while; at most a minute or so is a good one.
func (s *Service) WaitOperation(ctx context.Context, p Principal, id string, atMost time.Duration) (Operation, error) {
	o, _, err := s.operationFor(ctx, p, id, ActionRead)
	if err != nil {
		return Operation{}, err
	}
	if atMost <= 0 {
		return o, nil
	}
	waiting, stop := context.WithTimeout(ctx, atMost)
	defer stop()
	err = s.until(waiting, id, func(tx Tx) (bool, error) {
		at, err := tx.Position(id)
		return at.State.Final() || at.State == AwaitingApproval || at.State == NeedsRecovery, err
	})
	if err != nil && (waiting.Err() == nil || ctx.Err() != nil) {
		return o, err
	}
	// It is there, or it takes longer than that.
	err = s.read(ctx, func(tx Tx) (err error) { o, err = tx.Operation(id); return err })
	return o, err
}

// until looks at the database whenever something happens to an operation, and now
// and then, until look says that it is done.
func (s *Service) until(ctx context.Context, id string, look func(Tx) (done bool, err error)) error {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		// Before looking: what happens after that closes the channel.
		told, forget := s.changed.wait(id)
		done := false
		err := s.read(ctx, func(tx Tx) (err error) { done, err = look(tx); return err })
		if err != nil || done {
			forget()
			return err
		}
		select {
		case <-told:
		case <-poll.C:
		case <-ctx.Done():
			forget()
			return ctx.Err()
		}
		forget()
	}
}
