package backend

import (
	"context"
	"errors"
	"fmt"
)

// PreparedStack is a stack with a key of its own that is not there yet: it is
// written in a transaction of the caller's, together with what else belongs to it.
// Its key is wrapped before, because that may ask a service.
type PreparedStack struct {
	Stack
	key  DataKey
	keys *stackKeys
	all  *keyCache
}

// PrepareStack makes a stack that Write writes. It is for other services on the
// same database, which have decided themselves who may.
func (s *Service) PrepareStack(ctx context.Context, name StackName, tags map[string]string, protected bool) (*PreparedStack, error) {
	if err := errors.Join(CheckStackName(name), CheckTags(tags)); err != nil {
		return nil, joined(err)
	}
	p := &PreparedStack{Stack: Stack{ID: newID("stk"), Name: name, Tags: tags, Protected: protected}, all: s.keys}
	var err error
	p.key, p.keys, err = s.keys.fresh(ctx, p.ID, 1)
	return p, err
}

// Write writes the stack and its key. It may be called again in another attempt of
// the transaction.
func (p *PreparedStack) Write(tx Tx) error {
	if _, err := tx.Organization(p.Name.Org); err != nil {
		return missing(err, "there is no organization %s (an administrator makes one with `redoubt org create`)", quoted(p.Name.Org))
	}
	p.CreatedAt, p.key.CreatedAt = tx.Now(), tx.Now()
	if err := tx.CreateStack(p.Stack); err != nil {
		if errors.Is(err, ErrExists) {
			return Fail(CodeConflict, "stack %s already exists", p.Name)
		}
		return err
	}
	return tx.PutDataKey(p.key)
}

// Written is called when the transaction has committed: the key is at hand from
// then on.
func (p *PreparedStack) Written() { p.all.put(p.keys) }

// Seal seals an input with the stack's key, as Sealer's.
func (p *PreparedStack) Seal(label string, plain []byte) []byte {
	return p.keys.seal(sealInput, label, plain)
}

// Sealer returns what seals inputs with the stack's key. label is the input's
// place: a sealed input does not open in another one.
func (s *Service) Sealer(ctx context.Context, stackID string) (func(label string, plain []byte) []byte, error) {
	keys, err := s.keys.of(ctx, stackID)
	if err != nil {
		return nil, err
	}
	return func(label string, plain []byte) []byte { return keys.seal(sealInput, label, plain) }, nil
}

// OpenInputs opens what a Sealer sealed, by label, and records that it did; why is
// what for.
func (s *Service) OpenInputs(ctx context.Context, by Caller, name StackName, sealed map[string][]byte, why string) (map[string][]byte, error) {
	stack, err := s.stackFor(ctx, by, Decrypt, name)
	if err != nil {
		return nil, err
	}
	open := make(map[string][]byte, len(sealed))
	err = s.keys.use(ctx, stack.ID, func(keys *stackKeys) (err error) {
		for label, text := range sealed {
			if open[label], err = keys.open(sealInput, label, text); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errSealed) {
		return nil, Fail(CodeInvalid, "a secret input was not sealed for its place in stack %s, or it was damaged: give it anew", name)
	}
	if err != nil {
		return nil, err
	}
	return open, s.store.Update(ctx, func(tx Tx) error {
		return record(tx, by, "inputs.open", name.String(), map[string]string{"secrets": fmt.Sprint(len(sealed)), "why": why})
	})
}
