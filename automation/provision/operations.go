package provision

import "context"

// Operation returns an operation by its id.
func (s *Service) Operation(ctx context.Context, p Principal, id string) (Operation, error) {
	o, _, err := s.operationFor(ctx, p, id, ActionRead)
	if err != nil {
		return Operation{}, err
	}
	return o, nil
}

// Operations returns a page of the operations that somebody may read, newest first,
// and what Before is for the next one; empty for the last.
func (s *Service) Operations(ctx context.Context, p Principal, q OperationQuery) ([]Operation, string, error) {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return nil, "", err
	}
	readable := s.readableStacks(ctx, judge)
	return collect(page(q.Limit), q.Before, func(before string, n int) (found []Operation, err error) {
		q.Before, q.Limit = before, n
		err = s.read(ctx, func(tx Tx) (err error) { found, err = tx.Operations(q); return err })
		return found, err
	}, func(o Operation) (string, bool, error) {
		ok, err := readable(o.StackID)
		return o.ID, ok, err
	})
}

// readableStacks says of stacks, by id, whether somebody may read them. Each is
// looked at once.
func (s *Service) readableStacks(ctx context.Context, judge func(Action, Resource) (Decision, error)) func(id string) (bool, error) {
	known := map[string]bool{}
	return func(id string) (bool, error) {
		if ok, found := known[id]; found {
			return ok, nil
		}
		var env Environment
		if err := s.read(ctx, func(tx Tx) (err error) { env, err = tx.Environment(id); return err }); err != nil {
			return false, err
		}
		d, err := judge(ActionRead, env.resource())
		known[id] = d.Allowed
		return d.Allowed, err
	}
}

// Events returns an operation's events after a sequence number, in order.
func (s *Service) Events(ctx context.Context, p Principal, id string, after int64, limit int) (events []Event, err error) {
	if _, _, err := s.operationFor(ctx, p, id, ActionRead); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(tx Tx) (err error) { events, err = tx.EventsAfter(id, after, eventPage(limit)); return err })
	return events, err
}

// eventPage bounds how many events are returned at once.
func eventPage(limit int) int {
	const usual, most = 500, 5000
	if limit <= 0 {
		return usual
	}
	return min(limit, most)
}

// Approvals returns the decisions on an operation, in the order of time: those on
// older plans too.
func (s *Service) Approvals(ctx context.Context, p Principal, id string) (approvals []Approval, err error) {
	if _, _, err := s.operationFor(ctx, p, id, ActionRead); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(tx Tx) (err error) { approvals, err = tx.Approvals(id); return err })
	return approvals, err
}

// Claims returns what runs where, of the stacks that somebody may read.
func (s *Service) Claims(ctx context.Context, p Principal) ([]Claim, error) {
	judge, err := s.judge(ctx, p)
	if err != nil {
		return nil, err
	}
	var all []Claim
	if err := s.read(ctx, func(tx Tx) (err error) { all, err = tx.Claims(tx.Now()); return err }); err != nil {
		return nil, err
	}
	readable := s.readableStacks(ctx, judge)
	found := []Claim{}
	for _, c := range all {
		ok, err := readable(c.StackID)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, c)
		}
	}
	return found, nil
}
