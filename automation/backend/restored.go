package backend

import (
	"context"
	"errors"
	"fmt"
)

// Restored marks every stack that has a state as one from a backup: the cloud has
// gone on since, and nothing but a refresh may change a stack before one has
// succeeded. Who restores the database calls it before a server runs on it, or what
// waits in it would be done a second time.
//
// It is for a person on the server's machine, as RecoverToken is.
func (s *Service) Restored(ctx context.Context) (marked []StackName, err error) {
	by := Caller{Token: Token{Principal: "admin"}}
	var stacks []Stack
	if err := s.store.View(ctx, func(tx Tx) (err error) { stacks, err = tx.Stacks(StackQuery{}); return err }); err != nil {
		return nil, err
	}
	for _, stack := range stacks {
		done := false
		err := s.store.Update(ctx, func(tx Tx) error {
			fresh, err := tx.LockStack(stack.ID)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			if done = fresh.Version > 0; !done {
				return nil
			}
			fresh.RestoredAt = tx.Now()
			if err := tx.SaveStack(fresh); err != nil {
				return err
			}
			return record(tx, by, "stack.restored", fresh.Name.String(), map[string]string{"version": fmt.Sprint(fresh.Version)})
		})
		if err != nil {
			return marked, err
		}
		if done {
			marked = append(marked, stack.Name)
		}
	}
	return marked, nil
}
