package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"redoubt/automation/backend/replay"
)

// CompleteUpdate ends an update as its client says: succeeded or failed. It
// may be said again.
func (s *Service) CompleteUpdate(ctx context.Context, ref UpdateRef, status UpdateStatus) error {
	if status != StatusSucceeded && status != StatusFailed {
		return Fail(CodeInvalid, "an update ends as succeeded or failed, not as %s", quoted(string(status)))
	}
	var update Update
	err := s.store.View(ctx, func(tx Tx) (err error) { update, err = tx.Update(ref.ID); return err })
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && !update.knows(ref.Token):
		return leaseLost(ref.ID)
	case err != nil:
		return err
	case update.Status == status:
		return nil // its answer was lost
	case update.Status != StatusRunning:
		return leaseLost(ref.ID)
	}
	return s.closeUpdate(ctx, update, closing{status: status, by: Caller{Token: Token{Principal: update.Principal}}})
}

// CancelUpdate ends somebody's update. It does not reach the client: that
// learns of it when it wants to write.
func (s *Service) CancelUpdate(ctx context.Context, by Caller, name StackName, id string) error {
	stack, err := s.stackFor(ctx, by, Apply, name)
	if err != nil {
		return err
	}
	update, err := s.updateIn(ctx, stack, id)
	if err != nil {
		return err
	}
	if update.Status.Final() {
		return nil
	}
	return s.closeUpdate(ctx, update, closing{status: StatusCancelled, by: by, why: "cancelled"})
}

// closing is how and by whom an update is closed.
type closing struct {
	status UpdateStatus
	by     Caller
	why    string
}

// folded is the state that an update left.
type folded struct {
	state json.RawMessage
	// rows is how many journal rows it was folded from, and checkpoint the digest
	// of the checkpoint, as it is kept, that it was taken from.
	rows       int64
	checkpoint []byte
	// pending are the steps that had begun and not ended.
	pending int
	// trouble is what the state's integrity check found.
	trouble []string
}

// closeUpdate folds what the update did into a state and gives the stack free.
// Folding is done outside of the transaction that does it; if something came
// meanwhile, it is done again.
func (s *Service) closeUpdate(ctx context.Context, update Update, c closing) error {
	return s.keys.use(ctx, update.StackID, func(keys *stackKeys) error { return s.closeWith(ctx, keys, update, c) })
}

func (s *Service) closeWith(ctx context.Context, keys *stackKeys, update Update, c closing) error {
	const attempts = 10
	for range attempts {
		f, err := s.fold(ctx, keys, update)
		if err != nil {
			return err
		}
		done, err := s.finish(ctx, keys, update.ID, c, f)
		if err != nil || done {
			return err
		}
	}
	return Fail(CodeConflict, "update %s goes on while it is being closed: try again", update.ID)
}

// finish writes the state and the end of the update; false if its client has
// sent more since it was folded.
func (s *Service) finish(ctx context.Context, keys *stackKeys, id string, c closing, f folded) (done bool, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		done = false
		stack, err := tx.LockStack(keys.stackID)
		if err != nil {
			return missing(err, "the stack was deleted")
		}
		update, err := tx.LockUpdate(id)
		if err != nil {
			return err
		}
		if update.Status.Final() {
			done = true
			return nil
		}
		if fresh, err := f.upToDate(tx, update); err != nil || !fresh {
			return err
		}
		done = true
		update.Status, update.CompletedAt, update.PendingOperations = c.status, tx.Now(), f.pending
		update.Stepped = update.Stepped || c.assumesSteps(f)
		update.Compliant = update.compliant()
		if !update.DryRun && stack.ActiveUpdate == id {
			stack.ActiveUpdate, stack.Version = "", update.Version
			if err := putStateAs(tx, keys, &stack, f.state); err != nil {
				return err
			}
			update.Resources = stack.Resources
			if _, err := tx.PruneStates(stack.ID, stack.Version, s.opts.KeepStates); err != nil {
				return err
			}
			if err := tx.SaveStack(stack); err != nil {
				return err
			}
		}
		if err := tx.SaveUpdate(update); err != nil {
			return err
		}
		if update.DryRun {
			return nil
		}
		return record(tx, c.by, "update.end", stack.Name.String(), c.detail(update))
	})
	if err == nil && done && len(f.trouble) > 0 {
		s.opts.Log.ErrorContext(ctx, "the state that an update left is not sound", "update", id, "findings", f.trouble)
	}
	return done, err
}

// upToDate says whether nothing came since.
func (f folded) upToDate(tx Tx, update Update) (bool, error) {
	rows, _, err := tx.JournalSize(update.ID)
	if err != nil || rows != f.rows || update.Journaled {
		return rows == f.rows, err
	}
	checkpoint, err := tx.Checkpoint(update.ID)
	if errors.Is(err, ErrNotFound) {
		return f.checkpoint == nil, nil
	}
	// No two sealed texts are equal: each has a nonce of its own.
	return bytes.Equal(digest(checkpoint.Sealed), f.checkpoint), err
}

func (c closing) detail(update Update) map[string]string {
	detail := map[string]string{"update": update.ID, "status": string(c.status)}
	if c.why != "" {
		detail["why"] = c.why
	}
	if update.PendingOperations > 0 {
		detail["pending"] = fmt.Sprint(update.PendingOperations)
	}
	if !update.Compliant {
		detail["compliant"] = "false"
	}
	return detail
}

// fold makes the state that an update left: from its journal, or from its last
// checkpoint; the state before it if it wrote nothing.
func (s *Service) fold(ctx context.Context, keys *stackKeys, update Update) (f folded, err error) {
	if update.DryRun {
		return folded{}, nil
	}
	err = s.store.View(ctx, func(tx Tx) error {
		f = folded{}
		base, err := openState(tx, keys, update.BaseVersion)
		if err != nil {
			return err
		}
		if f.rows, _, err = tx.JournalSize(update.ID); err != nil {
			return err
		}
		if f.rows > 0 {
			return s.foldJournal(tx, keys, update, base, &f)
		}
		checkpoint, err := tx.Checkpoint(update.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			f.state = base
			return nil
		case err != nil:
			return err
		}
		f.checkpoint = digest(checkpoint.Sealed)
		f.state, err = keys.open(sealCheckpoint, checkpointLabel(update.ID), checkpoint.Sealed)
		return err
	})
	if err != nil || f.rows > 0 {
		return f, err
	}
	d, err := parseDeployment(f.state)
	if err == nil && d.Deployment != nil {
		f.pending = len(d.Deployment.PendingOperations)
	}
	return f, err
}

func (s *Service) foldJournal(tx Tx, keys *stackKeys, update Update, base json.RawMessage, f *folded) error {
	var entries iter.Seq2[json.RawMessage, error] = func(yield func(json.RawMessage, error) bool) {
		stop := errors.New("enough")
		err := tx.Journal(update.ID, func(r JournalRow) error {
			entry, err := keys.open(sealJournal, journalLabel(update.ID, r.Sequence), r.Sealed)
			if !yield(entry, err) || err != nil {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(nil, err)
		}
	}
	result, err := replay.Replay(base, entries, replay.Options{Time: tx.Now(), Version: orElse(update.Environment["pulumi.version"], s.opts.Version)})
	if err != nil {
		return &Error{Code: CodeConflict, Message: fmt.Sprintf("the journal of update %s cannot be folded into a state; it is kept, and the stack stays locked until somebody has looked at it", update.ID), Cause: err}
	}
	f.state, f.pending = result.Deployment, len(result.Pending)
	for _, finding := range result.Findings {
		f.trouble = append(f.trouble, finding.String())
	}
	return nil
}
