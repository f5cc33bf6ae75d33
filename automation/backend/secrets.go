package backend

import (
	"context"
	"errors"
	"fmt"
)

// Encrypt seals texts with the stack's key, each by itself, in order. Who may
// write the stack may, and who may preview it: the engine seals what the
// program makes secret.
func (s *Service) Encrypt(ctx context.Context, by Caller, name StackName, plaintexts [][]byte) ([][]byte, error) {
	verb := Preview
	if by.May(Write, name) && !by.May(Preview, name) {
		verb = Write
	}
	stack, err := s.stackFor(ctx, by, verb, name)
	if err != nil {
		return nil, err
	}
	keys, err := s.keys.of(ctx, stack.ID)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(plaintexts))
	for i, p := range plaintexts {
		out[i] = keys.seal(sealSecret, "", p)
	}
	return out, nil
}

// Decrypt opens what Encrypt sealed, and records that it did. why is the
// client's own word for it.
func (s *Service) Decrypt(ctx context.Context, by Caller, name StackName, ciphertexts [][]byte, why string) ([][]byte, error) {
	stack, err := s.stackFor(ctx, by, Decrypt, name)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, len(ciphertexts))
	err = s.keys.use(ctx, stack.ID, func(keys *stackKeys) (err error) {
		for i, c := range ciphertexts {
			if out[i], err = keys.open(sealSecret, "", c); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errSealed) {
		return nil, Fail(CodeInvalid, "a secret was not encrypted for stack %s, or it was damaged: set it again with `pulumi config set --secret`", name)
	}
	if err != nil {
		return nil, err
	}
	return out, s.recordDecryption(ctx, by, name, len(ciphertexts), why)
}

// RecordDecryption records that a client read secrets with a key of its own.
func (s *Service) RecordDecryption(ctx context.Context, by Caller, name StackName, secrets int, why string) error {
	if _, err := s.stackFor(ctx, by, Read, name); err != nil {
		return err
	}
	return s.recordDecryption(ctx, by, name, secrets, why)
}

func (s *Service) recordDecryption(ctx context.Context, by Caller, name StackName, secrets int, why string) error {
	detail := map[string]string{"secrets": fmt.Sprint(secrets)}
	if why != "" {
		detail["why"] = why
	}
	return s.store.Update(ctx, func(tx Tx) error { return record(tx, by, "secrets.decrypt", name.String(), detail) })
}

// RotateKey makes a new key for a stack: what is sealed from now on needs it,
// what was sealed before opens with the older ones. Other processes on the same
// database seal with it within a minute.
func (s *Service) RotateKey(ctx context.Context, by Caller, name StackName) error {
	stack, err := s.stackFor(ctx, by, Admin, name)
	if err != nil {
		return err
	}
	var newest int64
	err = s.store.View(ctx, func(tx Tx) error {
		rows, err := tx.DataKeys(stack.ID)
		for _, row := range rows {
			newest = max(newest, row.Version)
		}
		return err
	})
	if err != nil {
		return err
	}
	key, _, err := s.keys.fresh(ctx, stack.ID, newest+1)
	if err != nil {
		return err
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockStack(stack.ID); err != nil {
			return missing(err, "there is no stack %s", name)
		}
		key.CreatedAt = tx.Now()
		if err := tx.PutDataKey(key); err != nil {
			if errors.Is(err, ErrExists) {
				return Fail(CodeConflict, "the key of stack %s was rotated by somebody else at the same time", name)
			}
			return err
		}
		return record(tx, by, "key.rotate", name.String(), map[string]string{"version": fmt.Sprint(key.Version)})
	})
	s.keys.forget(stack.ID)
	return err
}

// Rewrap wraps every stack's keys, and the installation's own, with the
// operator's current key, so that the older one can be destroyed; it returns how
// many it wrapped. Nothing that is sealed is written again.
func (s *Service) Rewrap(ctx context.Context, by Caller) (wrapped int, err error) {
	if !by.mayEverywhere(Admin) {
		return 0, s.refuse(ctx, by, "key.rewrap", "", "only an administrator of everything rewraps keys")
	}
	if wrapped, err = s.rewrapSigningKey(ctx, by); err != nil {
		return 0, err
	}
	const batch = 100
	ring := s.keys.ring
	for {
		var rows []DataKey
		if err := s.store.View(ctx, func(tx Tx) (err error) { rows, err = tx.DataKeysNotWrappedBy(ring.Current(), batch); return err }); err != nil {
			return wrapped, err
		}
		if len(rows) == 0 {
			return wrapped, nil
		}
		for i, row := range rows {
			key, err := ring.Unwrap(ctx, row.Wrapped, row.WrappedBy, keyLabel(row.StackID))
			if err != nil {
				return wrapped, cannotOpen(row.WrappedBy, err)
			}
			if rows[i].Wrapped, rows[i].WrappedBy, err = ring.Wrap(ctx, key, keyLabel(row.StackID)); err != nil {
				return wrapped, &Error{Code: CodeUnavailable, Message: "the key service does not answer", Cause: err}
			}
		}
		err := s.store.Update(ctx, func(tx Tx) error {
			for _, row := range rows {
				// Its stack may have been deleted meanwhile.
				if err := tx.RewrapDataKey(row); err != nil && !errors.Is(err, ErrNotFound) {
					return err
				}
			}
			return record(tx, by, "key.rewrap", "", map[string]string{"keys": fmt.Sprint(len(rows)), "by": ring.Current()})
		})
		if err != nil {
			return wrapped, err
		}
		wrapped += len(rows)
	}
}

// cannotOpen is for an operator's key that is gone too early.
func cannotOpen(by string, cause error) error {
	return &Error{Code: CodeUnavailable, Message: fmt.Sprintf("a key that %q wraps cannot be opened: keep that key until all are wrapped anew", by), Cause: cause}
}
