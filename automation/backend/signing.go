package backend

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
)

// signingSetting is the setting that holds the key, wrapped.
const signingSetting = "signing-key"

// signingKey is the key as it is kept.
type signingKey struct {
	Wrapped []byte `json:"wrapped"`
	By      string `json:"by"`
}

func loadSigningKey(tx Tx) (k signingKey, err error) {
	text, err := tx.Setting(signingSetting)
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(text, &k)
}

func (k signingKey) save(tx Tx) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return tx.PutSetting(signingSetting, text)
}

// SigningKey is the installation's key for addresses that are good for a while,
// 32 bytes; it is made when it is first asked for. All nodes get the same.
func (s *Service) SigningKey(ctx context.Context) ([]byte, error) {
	var kept signingKey
	load := func(tx Tx) (err error) { kept, err = loadSigningKey(tx); return err }
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
			kept = signingKey{wrapped, by}
			return kept.save(tx)
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

// rewrapSigningKey wraps the key with the operator's current one. Without it
// the service would not start any more once the older one is gone.
func (s *Service) rewrapSigningKey(ctx context.Context, by Caller) (wrapped int, err error) {
	ring := s.keys.ring
	var kept signingKey
	err = s.store.View(ctx, func(tx Tx) (err error) { kept, err = loadSigningKey(tx); return err })
	if errors.Is(err, ErrNotFound) || err == nil && kept.By == ring.Current() {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	key, err := ring.Unwrap(ctx, kept.Wrapped, kept.By, signingSetting)
	if err != nil {
		return 0, cannotOpen(kept.By, err)
	}
	var fresh signingKey
	if fresh.Wrapped, fresh.By, err = ring.Wrap(ctx, key, signingSetting); err != nil {
		return 0, &Error{Code: CodeUnavailable, Message: "the key service does not answer", Cause: err}
	}
	return 1, s.store.Update(ctx, func(tx Tx) error {
		if err := fresh.save(tx); err != nil {
			return err
		}
		return record(tx, by, "key.rewrap", "", map[string]string{"keys": "1", "by": fresh.By})
	})
}
