package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// NewUpdate describes an update to be made.
type NewUpdate struct {
	Kind   UpdateKind
	DryRun bool
	// Config is the configuration that it runs with, a JSON object; secrets in
	// it are ciphertext.
	Config json.RawMessage
	// Message and Environment are what the client says about it.
	Message     string
	Environment map[string]string
}

// CreateUpdate makes an update that is not started yet, and says which packs
// it must run.
func (s *Service) CreateUpdate(ctx context.Context, by Caller, name StackName, n NewUpdate) (Update, []PolicyPack, error) {
	verb := Preview
	if !n.DryRun {
		verb = Apply
	}
	stack, err := s.stackFor(ctx, by, verb, name)
	if err != nil {
		return Update{}, nil, err
	}
	if why := protectedFrom(stack, by, n.DryRun); why != "" {
		return Update{}, nil, s.refuse(ctx, by, "update.create", name.String(), why)
	}
	if err := recoverable(stack, n.Kind, n.DryRun); err != nil {
		return Update{}, nil, err
	}
	keys, err := s.keys.of(ctx, stack.ID)
	if err != nil {
		return Update{}, nil, err
	}
	update := Update{
		ID: newID("upd"), StackID: stack.ID, Kind: n.Kind, DryRun: n.DryRun, Status: StatusCreated,
		Principal: by.Principal(), Message: n.Message, Environment: n.Environment,
	}
	if len(n.Config) > 0 {
		update.SealedConfig = keys.seal(sealConfig, update.ID, n.Config)
	}
	var packs []PolicyPack
	err = s.store.Update(ctx, func(tx Tx) error {
		if packs, err = requiredPacks(tx, name.Org); err != nil {
			return err
		}
		update.Policies = nil
		for _, p := range packs {
			update.Policies = append(update.Policies, RequiredPack{Name: p.Name, Version: p.Version, Tag: p.Tag})
		}
		update.CreatedAt = tx.Now()
		return tx.CreateUpdate(update)
	})
	return update, packs, err
}

// protectedFrom says why somebody may not change a stack because it is
// protected; empty where it is not, or they may.
func protectedFrom(stack Stack, by Caller, dryRun bool) string {
	if dryRun || !stack.Protected || by.May(ApplyProtected, stack.Name) {
		return ""
	}
	return "stack " + stack.Name.String() + " is protected: preview it, and order the change to have it approved and applied"
}

// recoverable refuses to go on blindly after an update died while it created
// something, or on a state from a backup: the same thing would be created twice.
func recoverable(stack Stack, kind UpdateKind, dryRun bool) error {
	if dryRun || kind == KindRefresh {
		return nil
	}
	if !stack.RestoredAt.IsZero() {
		return Fail(CodeConflict, "stack %s comes from a backup, and the cloud may be ahead of its state: run `pulumi refresh` first. "+
			"What was made after the backup is in no state: look for it, and adopt it with `pulumi import`", stack.Name)
	}
	if stack.PendingCreates == 0 {
		return nil
	}
	// Not refresh --import-pending-creates, nor "import" when refresh asks: the
	// engine (3.259) forgets the operations that the CLI makes of them, and the
	// resources would be created twice after all.
	return Fail(CodeConflict, "stack %s needs recovery: the update before died while it created %d resource(s), which may exist. "+
		"See which of them do (`pulumi stack export` lists them as pending_operations; what a salvage left out counts too, and `redoubt stack journal` shows it), run `pulumi refresh --clear-pending-creates`, and adopt those that exist with `pulumi import`",
		stack.Name, stack.PendingCreates)
}

// Lease is the right to write a stack's state, for a while.
type Lease struct {
	Update Update
	// Token is shown this once.
	Token     string
	ExpiresAt time.Time
}

// StartUpdate begins an update: one that is no dry run gets the stack's lease.
// journal says that the client sends steps as journal entries.
func (s *Service) StartUpdate(ctx context.Context, by Caller, name StackName, id string, tags map[string]string, journal bool) (Lease, error) {
	if err := CheckTags(tags); err != nil {
		return Lease{}, err
	}
	stack, err := s.stackFor(ctx, by, Preview, name)
	if err != nil {
		return Lease{}, err
	}
	if err := s.stillAuthorized(ctx, by, stack, id); err != nil {
		return Lease{}, err
	}
	// An update that is in the way and may be closed is closed first; closing is
	// too much work for the transaction that takes the lease.
	const attempts = 3
	for range attempts {
		lease, blocker, err := s.tryStart(ctx, by, stack.ID, id, tags, journal)
		if d, ok := err.(denial); ok { //nolint:errorlint // a Store returns it bare
			return Lease{}, s.refuse(ctx, by, "update.start", name.String(), string(d))
		}
		if err != nil || blocker == nil {
			return lease, err
		}
		if err := s.closeUpdate(ctx, *blocker, closing{status: StatusInterrupted, by: by, why: "its lease had ended"}); err != nil {
			return Lease{}, err
		}
	}
	return Lease{}, Fail(CodeConflict, "stack %s is being changed by others: try again", name)
}

// denial is why somebody may not; it is recorded once the transaction in which
// it was found out is over.
type denial string

// Error implements error.
func (d denial) Error() string { return string(d) }

// tryStart returns the lease, or the update that must be closed before. What
// CreateUpdate has checked may have changed since: an update may be made a day
// before it starts.
func (s *Service) tryStart(ctx context.Context, by Caller, stackID, id string, tags map[string]string, journal bool) (lease Lease, blocker *Update, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		lease, blocker = Lease{}, nil
		stack, err := tx.LockStack(stackID)
		if err != nil {
			return missing(err, "the stack was deleted")
		}
		update, err := tx.LockUpdate(id)
		if errors.Is(err, ErrNotFound) || err == nil && update.StackID != stackID {
			return Fail(CodeNotFound, "stack %s has no update %s", stack.Name, quoted(id))
		}
		if err != nil {
			return err
		}
		if !update.DryRun && !by.May(Apply, stack.Name) {
			return denial("the token may preview stack " + stack.Name.String() + ", and not change it")
		}
		if why := protectedFrom(stack, by, update.DryRun); why != "" {
			return denial(why)
		}
		if update.Status != StatusCreated || update.Principal != by.Principal() {
			return Fail(CodeConflict, "update %s was started already, or is somebody else's", id)
		}
		if !update.DryRun {
			if blocker, err = takeStack(tx, &stack, &update); err != nil || blocker != nil {
				return err
			}
			if err := recoverable(stack, update.Kind, update.DryRun); err != nil {
				return err
			}
		}
		if !update.DryRun && len(tags) > 0 {
			stack.Tags = merged(stack.Tags, tags)
		}
		update.Status, update.StartedAt, update.BaseVersion, update.Journaled = StatusRunning, tx.Now(), baseOf(stack, update), journal
		lease = s.grant(tx, &update, s.opts.FirstLease)
		if err := tx.SaveUpdate(update); err != nil {
			return err
		}
		lease.Update = update
		if update.DryRun {
			return nil
		}
		stack.UpdatedAt = update.StartedAt
		if err := tx.SaveStack(stack); err != nil {
			return err
		}
		return record(tx, by, "update.start", stack.Name.String(), map[string]string{
			"update": id, "kind": string(update.Kind), "version": fmt.Sprint(update.Version),
		})
	})
	return lease, blocker, err
}

// baseOf is the state that the update's journal counts from: the newest one.
// The update's own version is not there yet.
func baseOf(stack Stack, u Update) int64 {
	if u.DryRun {
		return stack.Version
	}
	return u.Version - 1
}

// takeStack makes the update the stack's active one, or returns the one that
// is in the way and may be closed. That one loses its tokens at once: what its
// client is told from then on is that it has lost the stack, not that a lease was
// renewed which is about to be closed.
func takeStack(tx Tx, stack *Stack, update *Update) (blocker *Update, err error) {
	if stack.ActiveUpdate != "" {
		active, err := tx.LockUpdate(stack.ActiveUpdate)
		if err != nil {
			return nil, err
		}
		if active.Status == StatusRunning && tx.Now().Before(active.LeaseExpiresAt) {
			return nil, busy(*stack, active)
		}
		if !active.Status.Final() {
			active.TokenHashes = nil
			return &active, tx.SaveUpdate(active)
		}
	}
	stack.Fence++
	stack.ActiveUpdate = update.ID
	update.Fence, update.Version = stack.Fence, stack.Version+1
	return nil, nil
}

func merged(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}
