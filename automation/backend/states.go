package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// noState is what a stack without any state exports: the CLI needs a version
// that it knows and a deployment that is there.
const noState = `{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z","magic":"","version":""}}}`

// deployment is as much of an apitype.UntypedDeployment as is looked at here:
// the rest is kept as it came, so that a newer CLI's state loses nothing.
type deployment struct {
	Version    int `json:"version"`
	Deployment *struct {
		Resources         []json.RawMessage `json:"resources"`
		PendingOperations []struct {
			Type     string `json:"type"`
			Resource struct {
				URN string `json:"urn"`
			} `json:"resource"`
		} `json:"pending_operations"`
	} `json:"deployment"`
}

func parseDeployment(state json.RawMessage) (deployment, error) {
	var d deployment
	if err := json.Unmarshal(state, &d); err != nil {
		return d, &Error{Code: CodeInvalid, Message: "the state is not a deployment: it must be a JSON object with version and deployment, as `pulumi stack export` writes it", Cause: err}
	}
	return d, nil
}

func (d deployment) resources() int64 {
	if d.Deployment == nil {
		return 0
	}
	return int64(len(d.Deployment.Resources))
}

// pendingCreates are steps of which nobody knows whether they made something.
func (d deployment) pendingCreates() int {
	if d.Deployment == nil {
		return 0
	}
	n := 0
	for _, op := range d.Deployment.PendingOperations {
		if op.Type == "creating" {
			n++
		}
	}
	return n
}

func checkDeployment(state json.RawMessage) error {
	d, err := parseDeployment(state)
	if err != nil {
		return err
	}
	if d.Version < 3 {
		return Fail(CodeInvalid, "the state has version %d: export it with a newer Pulumi CLI (3 or newer is stored)", d.Version)
	}
	if d.Deployment == nil {
		return Fail(CodeInvalid, "the state has no deployment")
	}
	return nil
}

func stateLabel(version int64) string { return fmt.Sprint(version) }

// putState makes a state the newest of a stack that is locked, one version
// higher. The caller saves the stack.
func putState(tx Tx, keys *stackKeys, stack *Stack, state json.RawMessage) error {
	stack.Version++
	return putStateAs(tx, keys, stack, state)
}

// putStateAs does it under the version that the stack has.
func putStateAs(tx Tx, keys *stackKeys, stack *Stack, state json.RawMessage) error {
	d, err := parseDeployment(state)
	if err != nil {
		return err
	}
	stack.Resources, stack.PendingCreates = d.resources(), d.pendingCreates()
	return tx.PutState(StateVersion{
		StackID: stack.ID, Version: stack.Version, Sealed: keys.seal(sealState, stateLabel(stack.Version), state),
		Digest: digest(state), Resources: stack.Resources, CreatedAt: tx.Now(),
	})
}

// openState returns a state; version 0 is the one of a stack without any.
func openState(tx Tx, keys *stackKeys, version int64) (json.RawMessage, error) {
	if version == 0 {
		return json.RawMessage(noState), nil
	}
	row, err := tx.State(keys.stackID, version)
	if err != nil {
		return nil, err
	}
	return keys.open(sealState, stateLabel(version), row.Sealed)
}

// Export returns a state as it was stored; version 0 is the newest.
func (s *Service) Export(ctx context.Context, by Caller, name StackName, version int64) (json.RawMessage, error) {
	stack, err := s.stackFor(ctx, by, Read, name)
	if err != nil {
		return nil, err
	}
	var state json.RawMessage
	read := func(tx Tx, keys *stackKeys) error {
		fresh, err := tx.StackByID(stack.ID)
		if err != nil {
			return missing(err, "there is no stack %s", name)
		}
		wanted := version
		if wanted == 0 {
			wanted = fresh.Version
		}
		state, err = openState(tx, keys, wanted)
		return missing(err, "stack %s has no state %d: it never had, or it is older than what is kept", name, wanted)
	}
	err = s.keys.use(ctx, stack.ID, func(keys *stackKeys) error {
		return s.store.View(ctx, func(tx Tx) error { return read(tx, keys) })
	})
	return state, err
}

// Import makes a state the newest one, and returns the update that did.
func (s *Service) Import(ctx context.Context, by Caller, name StackName, state json.RawMessage) (Update, error) {
	if err := checkDeployment(state); err != nil {
		return Update{}, err
	}
	stack, err := s.stackFor(ctx, by, Write, name)
	if err != nil {
		return Update{}, err
	}
	if stack.Protected && !by.May(ApplyProtected, name) {
		return Update{}, s.refuse(ctx, by, "stack.import", name.String(), "stack "+name.String()+" is protected: its state changes by approved operations only")
	}
	keys, err := s.keys.of(ctx, stack.ID)
	if err != nil {
		return Update{}, err
	}
	var update Update
	err = s.store.Update(ctx, func(tx Tx) error {
		fresh, err := tx.LockStack(stack.ID)
		if err != nil {
			return missing(err, "there is no stack %s", name)
		}
		if err := idle(tx, fresh); err != nil {
			return err
		}
		if err := s.putByHand(tx, keys, &fresh, by, KindImport, state); err != nil {
			return err
		}
		if err := tx.SaveStack(fresh); err != nil {
			return err
		}
		update, err = tx.UpdateByVersion(fresh.ID, fresh.Version)
		if err != nil {
			return err
		}
		return record(tx, by, "stack.import", name.String(), map[string]string{"update": update.ID, "version": fmt.Sprint(fresh.Version)})
	})
	return update, err
}

// putByHand stores a state that no engine made, with an entry in the history.
func (s *Service) putByHand(tx Tx, keys *stackKeys, stack *Stack, by Caller, kind UpdateKind, state json.RawMessage) error {
	base := stack.Version
	if err := putState(tx, keys, stack, state); err != nil {
		return err
	}
	if _, err := tx.PruneStates(stack.ID, stack.Version, s.opts.KeepStates); err != nil {
		return err
	}
	now := tx.Now()
	stack.UpdatedAt = now
	return tx.CreateUpdate(Update{
		ID: newID("upd"), StackID: stack.ID, Kind: kind, Status: StatusSucceeded, Version: stack.Version, BaseVersion: base,
		Principal: by.Principal(), Compliant: true, Resources: stack.Resources, CreatedAt: now, StartedAt: now, CompletedAt: now,
	})
}

// History returns a page of a stack's updates, newest first, with the
// configuration that each ran with; page counts from 1.
func (s *Service) History(ctx context.Context, by Caller, name StackName, page, size int) ([]HistoryEntry, error) {
	return s.history(ctx, by, name, func(tx Tx, stack Stack) ([]Update, error) {
		return tx.History(stack.ID, max(1, page), size)
	})
}

// LatestPreviews returns the newest dry runs of a stack.
func (s *Service) LatestPreviews(ctx context.Context, by Caller, name StackName, limit int) ([]HistoryEntry, error) {
	return s.history(ctx, by, name, func(tx Tx, stack Stack) ([]Update, error) { return tx.LatestPreviews(stack.ID, limit) })
}

// UpdateByVersion returns the update that left a version of a stack's state.
func (s *Service) UpdateByVersion(ctx context.Context, by Caller, name StackName, version int64) (HistoryEntry, error) {
	entries, err := s.history(ctx, by, name, func(tx Tx, stack Stack) ([]Update, error) {
		update, err := tx.UpdateByVersion(stack.ID, version)
		return []Update{update}, missing(err, "stack %s has no update %d", name, version)
	})
	if err != nil {
		return HistoryEntry{}, err
	}
	return entries[0], nil
}

// HistoryEntry is an update with its configuration, a JSON object as the
// client sent it, null without any.
type HistoryEntry struct {
	Update
	Config json.RawMessage
}

func (s *Service) history(ctx context.Context, by Caller, name StackName, find func(Tx, Stack) ([]Update, error)) ([]HistoryEntry, error) {
	stack, err := s.stackFor(ctx, by, Read, name)
	if err != nil {
		return nil, err
	}
	var updates []Update
	if err := s.store.View(ctx, func(tx Tx) (err error) { updates, err = find(tx, stack); return err }); err != nil {
		return nil, err
	}
	entries := make([]HistoryEntry, len(updates))
	err = s.keys.use(ctx, stack.ID, func(keys *stackKeys) (err error) {
		for i, u := range updates {
			entries[i].Update = u
			if len(u.SealedConfig) == 0 {
				continue
			}
			if entries[i].Config, err = keys.open(sealConfig, u.ID, u.SealedConfig); err != nil {
				return err
			}
		}
		return nil
	})
	return entries, err
}

// UpdateOf returns an update of a stack by its id.
func (s *Service) UpdateOf(ctx context.Context, by Caller, name StackName, id string) (Update, error) {
	stack, err := s.stackFor(ctx, by, Read, name)
	if err != nil {
		return Update{}, err
	}
	return s.updateIn(ctx, stack, id)
}

func (s *Service) updateIn(ctx context.Context, stack Stack, id string) (Update, error) {
	var update Update
	err := s.store.View(ctx, func(tx Tx) (err error) { update, err = tx.Update(id); return err })
	if errors.Is(err, ErrNotFound) || err == nil && update.StackID != stack.ID {
		return Update{}, Fail(CodeNotFound, "stack %s has no update %s", stack.Name, quoted(id))
	}
	return update, err
}
