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
	stacks := stacks{judge: judge, readable: map[string]bool{}}
	return collect(page(q.Limit), q.Before, func(before string, n int) (found []Operation, err error) {
		q.Before, q.Limit = before, n
		err = s.read(ctx, func(tx Tx) (err error) {
			if found, err = tx.Operations(q); err != nil {
				return err
			}
			for _, o := range found {
				if err := stacks.look(tx, o.StackID); err != nil {
					return err
				}
			}
			return nil
		})
		return found, err
	}, func(o Operation) (string, bool, error) { return o.ID, stacks.readable[o.StackID], nil })
}

// stacks are those that somebody may read, and those that they may not.
type stacks struct {
	judge    func(Action, Resource) (Decision, error)
	readable map[string]bool
}

// look looks at a stack once.
func (s stacks) look(tx Tx, id string) error {
	if _, known := s.readable[id]; known {
		return nil
	}
	env, err := tx.Environment(id)
	if err != nil {
		return err
	}
	d, err := s.judge(ActionRead, env.resource())
	s.readable[id] = d.Allowed && err == nil
	return err
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
	stacks := stacks{judge: judge, readable: map[string]bool{}}
	var all []Claim
	err = s.read(ctx, func(tx Tx) (err error) {
		if all, err = tx.Claims(tx.Now()); err != nil {
			return err
		}
		for _, c := range all {
			if err := stacks.look(tx, c.StackID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found := []Claim{}
	for _, c := range all {
		if stacks.readable[c.StackID] {
			found = append(found, c)
		}
	}
	return found, nil
}
