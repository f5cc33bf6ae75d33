package backend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
)

// signingSetting is the setting that holds the key, wrapped.
const signingSetting = "signing-key"

// SigningKey is the installation's key for addresses that are good for a while,
// 32 bytes; it is made when it is first asked for. All nodes get the same.
func (s *Service) SigningKey(ctx context.Context) ([]byte, error) {
	var kept struct {
		Wrapped []byte `json:"wrapped"`
		By      string `json:"by"`
	}
	load := func(tx Tx) error {
		text, err := tx.Setting(signingSetting)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &kept)
	}
	ring := s.keys.ring
	err := s.store.View(ctx, load)
	if errors.Is(err, ErrNotFound) {
		fresh := make([]byte, 32)
		if _, err := rand.Read(fresh); err != nil {
			return nil, err
		}
		wrapped, by, err := ring.Wrap(ctx, fresh, signingSetting)
		if err != nil {
			return nil, &Error{Code: CodeUnavailable, Message: "the key service does not answer", Cause: err}
		}
		if err := s.store.Update(ctx, func(tx Tx) error {
			// The audit log's lock lets only one node make a key.
			if _, err := tx.LastAudit(); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err := load(tx); !errors.Is(err, ErrNotFound) {
				return err
			}
			kept.Wrapped, kept.By = wrapped, by
			text, err := json.Marshal(kept)
			if err != nil {
				return err
			}
			return tx.PutSetting(signingSetting, text)
		}); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	key, err := ring.Unwrap(ctx, kept.Wrapped, kept.By, signingSetting)
	if err != nil {
		return nil, &Error{Code: CodeUnavailable, Message: "the installation's signing key cannot be opened", Cause: err}
	}
	return key, nil
}
