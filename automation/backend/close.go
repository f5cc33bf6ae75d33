package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

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
	// salvage leaves out what cannot be folded, see salvage.go.
	salvage bool
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
	// leftOut is what a salvage left out.
	leftOut []LeftOut
}

// closeUpdate folds what the update did into a state and gives the stack free.
// Folding is done outside of the transaction that does it; if something came
// meanwhile, it is done again.
func (s *Service) closeUpdate(ctx context.Context, update Update, c closing) error {
	return s.keys.use(ctx, update.StackID, func(keys *stackKeys) error {
		_, err := s.closeWith(ctx, keys, update, c)
		return err
	})
}

func (s *Service) closeWith(ctx context.Context, keys *stackKeys, update Update, c closing) (folded, error) {
	const attempts = 10
	for range attempts {
		f, err := s.fold(ctx, keys, update, c.salvage)
		if err != nil {
			return f, err
		}
		done, err := s.finish(ctx, keys, update.ID, c, f)
		if err != nil || done {
			return f, err
		}
	}
	return folded{}, Fail(CodeConflict, "update %s goes on while it is being closed: try again", update.ID)
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
		update.Compliant, update.LeftOut = update.compliant(), len(f.leftOut)
		if !update.DryRun && stack.ActiveUpdate == id {
			unseen, err := stillLeftOut(tx, keys, stack, update)
			if err != nil {
				return err
			}
			stack.ActiveUpdate, stack.Version = "", update.Version
			if err := putStateAs(tx, keys, &stack, f.state); err != nil {
				return err
			}
			stack.PendingCreates += update.LeftOut + unseen
			if update.Kind == KindRefresh && update.Status == StatusSucceeded {
				stack.RestoredAt = time.Time{}
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
		if err := record(tx, c.by, "update.end", stack.Name.String(), c.detail(update)); err != nil || update.LeftOut == 0 {
			return err
		}
		return record(tx, c.by, "stack.salvage", stack.Name.String(), c.salvaged(update, f.leftOut))
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
//
// What cannot be folded is an error that says what to do about it, or with
// salvage left out.
func (s *Service) fold(ctx context.Context, keys *stackKeys, update Update, salvage bool) (f folded, err error) {
	if update.DryRun {
		return folded{}, nil
	}
	err = s.store.View(ctx, func(tx Tx) error {
		f = folded{}
		base, err := openState(tx, keys, update.BaseVersion)
		if errors.Is(err, errSealed) {
			return lostBase(update, err)
		}
		if err != nil {
			return err
		}
		if f.rows, _, err = tx.JournalSize(update.ID); err != nil {
			return err
		}
		if f.rows > 0 {
			return s.foldJournal(tx, keys, update, base, &f, salvage)
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
		if err != nil && salvage {
			f.state, f.leftOut, err = base, []LeftOut{{Sequence: checkpoint.Sequence, Reason: "the state that the update sent last: " + damaged}}, nil
		}
		if err != nil {
			return stuck(tx, update, err)
		}
		return nil
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

func (s *Service) foldJournal(tx Tx, keys *stackKeys, update Update, base json.RawMessage, f *folded, salvage bool) error {
	result, err := replay.Replay(base, entriesOf(tx, keys, update.ID), replay.Options{
		Time: tx.Now(), Version: orElse(update.Environment["pulumi.version"], s.opts.Version), Salvage: salvage,
	})
	var unfit *replay.JournalError
	switch {
	case err == nil:
	case errors.Is(err, replay.ErrBase) && salvage:
		return f.nothingOf(tx, update, base, err)
	case errors.Is(err, replay.ErrBase), errors.As(err, &unfit):
		return stuck(tx, update, err)
	default: // the database
		return err
	}
	f.state, f.pending = result.Deployment, len(result.Pending)
	for _, finding := range result.Findings {
		f.trouble = append(f.trouble, finding.String())
	}
	for _, d := range result.Dropped {
		f.leftOut = append(f.leftOut, LeftOut{Sequence: d.Sequence, Partly: d.Partly, Reason: d.Reason})
	}
	return nil
}

// entriesOf is a journal, in its order. A row that does not open is an entry that
// cannot be read, and no end of the others.
func entriesOf(tx Tx, keys *stackKeys, updateID string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		stop := errors.New("enough")
		err := tx.Journal(updateID, func(r JournalRow) error {
			entry, err := keys.open(sealJournal, journalLabel(updateID, r.Sequence), r.Sealed)
			if err != nil {
				err = &replay.JournalError{Sequence: r.Sequence, Reason: damaged, Cause: err}
			}
			if !yield(entry, err) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(nil, err)
		}
	}
}
