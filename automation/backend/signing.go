package backend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
)

// signingSetting is the setting that holds the key, wrapped.
const signingSetting = "signing-key"

// keptKey is a key of the installation's as it is kept.
type keptKey struct {
	Wrapped []byte `json:"wrapped"`
	By      string `json:"by"`
}

func (k *keptKey) load(tx Tx) error {
	text, err := tx.Setting(signingSetting)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, k)
}

func (k keptKey) save(tx Tx) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return tx.PutSetting(signingSetting, text)
}

func (k keptKey) open(ctx context.Context, ring Keyring) ([]byte, error) {
	key, err := ring.Unwrap(ctx, k.Wrapped, k.By, signingSetting)
	if err != nil {
		return nil, &Error{Code: CodeUnavailable, Message: "the installation's signing key cannot be opened", Cause: err}
	}
	return key, nil
}

// SigningKey is the installation's key for addresses that are good for a while,
// 32 bytes; it is made when it is first asked for. All nodes get the same.
func (s *Service) SigningKey(ctx context.Context) ([]byte, error) {
	var kept keptKey
	ring := s.keys.ring
	err := s.store.View(ctx, kept.load)
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
			if err := kept.load(tx); !errors.Is(err, ErrNotFound) {
				return err
			}
			kept = keptKey{wrapped, by}
			return kept.save(tx)
		}); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return kept.open(ctx, ring)
}

// rewrapSigningKey wraps it with the operator's current key.
func (s *Service) rewrapSigningKey(ctx context.Context, by Caller) error {
	var kept keptKey
	ring := s.keys.ring
	err := s.store.View(ctx, kept.load)
	if errors.Is(err, ErrNotFound) || err == nil && kept.By == ring.Current() {
		return nil
	}
	if err != nil {
		return err
	}
	key, err := kept.open(ctx, ring)
	if err != nil {
		return err
	}
	if kept.Wrapped, kept.By, err = ring.Wrap(ctx, key, signingSetting); err != nil {
		return &Error{Code: CodeUnavailable, Message: "the key service does not answer", Cause: err}
	}
	return s.store.Update(ctx, func(tx Tx) error {
		if err := kept.save(tx); err != nil {
			return err
		}
		return record(tx, by, "key.rewrap", signingSetting, map[string]string{"by": kept.By})
	})
}
