package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"redoubt/automation/backend/replay"
)

// maxBatch is how many entries one call may bring; a client that sent more is
// told so, and splits.
const maxBatch = 10_000

func journalLabel(updateID string, sequence int64) string {
	return fmt.Sprintf("%s/%d", updateID, sequence)
}

// AppendJournal stores journal entries, each valid JSON; they are durable when it
// returns nil. Entries may come again, and in any order.
func (s *Service) AppendJournal(ctx context.Context, ref UpdateRef, entries []json.RawMessage) error {
	if len(entries) > maxBatch {
		return Fail(CodeTooLarge, "%d journal entries at once: at most %d", len(entries), maxBatch)
	}
	keys, err := s.keysFor(ctx, ref)
	if err != nil {
		return err
	}
	rows, stepped, err := journalRows(keys, ref.ID, entries)
	if err != nil {
		return err
	}
	stale, err := s.appendHeld(ctx, ref, rows, stepped)
	switch {
	case errors.Is(err, errTells):
		return s.appendLocked(ctx, ref, rows)
	case err != nil || !stale:
		return err
	default:
		return s.extend(ctx, ref)
	}
}

// errTells is for a write that tells something new of the update itself, which
// takes the update's lock. It is rare: the first step, what a pack reports.
var errTells = errors.New("the update itself changes")

// appendHeld stores rows while others do; stale says that the lease is to be
// extended.
func (s *Service) appendHeld(ctx context.Context, ref UpdateRef, rows []JournalRow, stepped bool) (stale bool, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		held, err := hold(tx, ref)
		if err != nil {
			return s.lateEntries(tx, ref, rows, err)
		}
		if stepped && !held.Stepped {
			return errTells
		}
		stale = s.stale(tx, held)
		return keepRows(tx, ref, held.DryRun || !held.Journaled, rows)
	})
	return stale, err
}

// appendLocked stores the rows of an update's first step, and that there was one.
func (s *Service) appendLocked(ctx context.Context, ref UpdateRef, rows []JournalRow) error {
	return s.store.Update(ctx, func(tx Tx) error {
		update, err := leased(tx, ref)
		if err != nil {
			return s.lateEntries(tx, ref, rows, err)
		}
		if err := keepRows(tx, ref, update.DryRun || !update.Journaled, rows); err != nil {
			return err
		}
		return s.heardStep(tx, &update)
	})
}

func keepRows(tx Tx, ref UpdateRef, journalless bool, rows []JournalRow) error {
	if journalless {
		return Fail(CodeConflict, "update %s sends no journal: it is a preview, or it said that it would send whole states", ref.ID)
	}
	err := tx.AppendJournal(ref.ID, rows)
	if errors.Is(err, ErrExists) {
		return Fail(CodeConflict, "a journal entry of update %s came again with another content: nothing of this batch was kept", ref.ID)
	}
	return err
}

// lateEntries lets a batch pass that was stored before the update was closed:
// its acknowledgement was lost on the way.
func (s *Service) lateEntries(tx Tx, ref UpdateRef, rows []JournalRow, refusal error) error {
	update, err := tx.Update(ref.ID)
	if err != nil || !update.knows(ref.Token) {
		return refusal
	}
	stored := map[int64]string{}
	err = tx.Journal(ref.ID, func(r JournalRow) error {
		stored[r.Sequence] = string(r.Digest)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if stored[r.Sequence] != string(r.Digest) {
			return refusal
		}
	}
	return nil
}

// journalRows are entries as they are kept; stepped says that one of them is of a
// step of the program.
func journalRows(keys *stackKeys, updateID string, entries []json.RawMessage) (rows []JournalRow, stepped bool, err error) {
	rows = make([]JournalRow, 0, len(entries))
	for i, entry := range entries {
		head, err := replay.ReadHead(entry)
		if err != nil {
			return nil, false, &Error{Code: CodeInvalid, Message: fmt.Sprintf("journal entry %d of the batch is not a JSON object of the expected shape", i), Cause: err}
		}
		if head.Sequence < 1 {
			return nil, false, Fail(CodeInvalid, "journal entry %d of the batch has no sequence number", i)
		}
		if head.Version > 1 {
			return nil, false, Fail(CodeInvalid, "journal entry %d has format %d, which is newer than this service knows (1): update the service, or set PULUMI_DISABLE_JOURNALING", head.Sequence, head.Version)
		}
		if !replay.Known(head.Kind) {
			// At the end of the update it could not be folded, and would lock the stack.
			return nil, false, Fail(CodeInvalid, "journal entry %d is of kind %d, which this service does not know: update the service, or set PULUMI_DISABLE_JOURNALING", head.Sequence, head.Kind)
		}
		stepped = stepped || head.Stepped()
		rows = append(rows, JournalRow{
			Sequence: head.Sequence, Digest: digest(entry),
			Sealed: keys.seal(sealJournal, journalLabel(updateID, head.Sequence), entry),
		})
	}
	return rows, stepped, nil
}

// CheckLease says whether a token is, or was, one of an update's: cheap enough
// to be asked before the body of a request is read.
func (s *Service) CheckLease(ctx context.Context, ref UpdateRef) error {
	_, err := s.stackOf(ctx, ref)
	return err
}

func checkpointLabel(updateID string) string { return updateID }

// PutCheckpoint replaces the state that an update has reached, an
// apitype.UntypedDeployment as JSON, for clients that send whole states.
// sequence orders them; 0 for clients that do not number them.
func (s *Service) PutCheckpoint(ctx context.Context, ref UpdateRef, sequence int64, state json.RawMessage) error {
	if err := checkDeployment(state); err != nil {
		return err
	}
	keys, err := s.keysFor(ctx, ref)
	if err != nil {
		return err
	}
	sealed := keys.seal(sealCheckpoint, checkpointLabel(ref.ID), state)
	return s.store.Update(ctx, func(tx Tx) error {
		update, err := leased(tx, ref)
		if err != nil {
			return err
		}
		if update.DryRun || update.Journaled {
			return Fail(CodeConflict, "update %s sends no whole states: it is a preview, or it said that it would send a journal", ref.ID)
		}
		if sequence > 0 {
			last, err := tx.Checkpoint(ref.ID)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if sequence < last.Sequence {
				return Fail(CodeConflict, "state %d of update %s came after state %d", sequence, ref.ID, last.Sequence)
			}
		}
		if err := tx.PutCheckpoint(Checkpoint{UpdateID: ref.ID, Sequence: sequence, Sealed: sealed}); err != nil {
			return err
		}
		return s.heard(tx, &update)
	})
}

// Checkpoint returns the last state that a running update has sent, byte for
// byte, for clients that send only what changed since.
func (s *Service) Checkpoint(ctx context.Context, ref UpdateRef) (json.RawMessage, error) {
	stackID, err := s.stackOf(ctx, ref)
	if err != nil {
		return nil, err
	}
	var state json.RawMessage
	read := func(tx Tx, keys *stackKeys) error {
		update, err := tx.Update(ref.ID)
		if err != nil || !update.holds(ref.Token) {
			return leaseLost(ref.ID)
		}
		checkpoint, err := tx.Checkpoint(ref.ID)
		if err != nil {
			return missing(err, "update %s has sent no state yet", ref.ID)
		}
		state, err = keys.open(sealCheckpoint, checkpointLabel(ref.ID), checkpoint.Sealed)
		return err
	}
	err = s.keys.use(ctx, stackID, func(keys *stackKeys) error {
		return s.store.View(ctx, func(tx Tx) error { return read(tx, keys) })
	})
	return state, err
}
