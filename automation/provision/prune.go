package provision

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"redoubt/automation/backend"
)

// Prune deletes what is kept for a while only, a batch at a time. Any number of nodes
// may do so; in one process one at a time.
func (s *Service) Prune(ctx context.Context) error {
	var failures []error
	for _, old := range []struct {
		delete func(tx Tx, before time.Time, limit int) (int64, error)
		after  time.Duration
	}{
		{Tx.PruneOperationEvents, s.opts.KeepEvents},
		{Tx.PruneDeliveries, s.opts.KeepDeliveries},
		{Tx.PruneReplies, s.opts.KeepReplies},
	} {
		_, err := backend.InBatches(ctx, func(limit int) (n int64, err error) {
			err = s.store.Update(ctx, func(tx Tx) (err error) {
				n, err = old.delete(tx, tx.Now().Add(-old.after), limit)
				return err
			})
			return n, err
		})
		failures = append(failures, err)
	}
	return errors.Join(append(failures, s.eraseSecrets(ctx))...)
}

// eraseSecrets erases the secret inputs of operations that ended long ago. It begins
// where it ended the last time: few have any.
func (s *Service) eraseSecrets(ctx context.Context) error {
	_, err := backend.InBatches(ctx, func(limit int) (int64, error) {
		var found []Operation
		err := s.store.View(ctx, func(tx Tx) (err error) {
			found, err = tx.EndedWithSecrets(s.erased, tx.Now().Add(-s.opts.KeepSecrets), limit)
			return err
		})
		if err != nil {
			return 0, err
		}
		for _, o := range found {
			if err := s.eraseSecretsOf(ctx, o.ID); err != nil {
				return 0, err
			}
			s.erased = o.EndedAt
		}
		return int64(len(found)), nil
	})
	return err
}

func (s *Service) eraseSecretsOf(ctx context.Context, id string) error {
	return s.store.Update(ctx, func(tx Tx) error {
		o, err := tx.LockOperation(id)
		if err != nil {
			return err
		}
		erased, err := withoutSecrets(o.Inputs)
		if err != nil {
			return err
		}
		o.Inputs = erased
		return tx.SaveOperation(&o)
	})
}

// withoutSecrets are inputs in which secrets are still known to have been, and by
// their fingerprints to be the same or not, and cannot be opened any more.
func withoutSecrets(inputs json.RawMessage) (json.RawMessage, error) {
	value, err := decoded(inputs)
	if err != nil {
		return nil, err
	}
	if value, err = eachSealed(value, "", func(_ string, one sealed) (any, error) {
		return map[string]any{sealedKey: "", fingerprintKey: one.Fingerprint}, nil
	}); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// erased is the error of who needs a secret that is not there any more.
func erased(place string) error {
	return Fail(CodeConflict, "the secret input %s was erased, because the operation that had it ended long ago: order again, and give it anew", place)
}

// stillThere says whether inputs have all the secrets that they had.
func stillThere(inputs json.RawMessage) error {
	if len(inputs) == 0 {
		return nil
	}
	value, err := decoded(inputs)
	if err != nil {
		return err
	}
	_, err = eachSealed(value, "", func(place string, one sealed) (any, error) {
		if one.Sealed == "" {
			return nil, erased(place)
		}
		return map[string]any{sealedKey: one.Sealed, fingerprintKey: one.Fingerprint}, nil
	})
	return err
}
