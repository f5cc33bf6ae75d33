package backend

import (
	"context"
	"encoding/json"
)

// JournalEntry is an entry of a journal for a person to look at.
type JournalEntry struct {
	Sequence int64 `json:"sequence"`
	// Entry is what the client sent; nil where it cannot be decrypted.
	Entry json.RawMessage `json:"entry,omitempty"`
	// Sealed is the row as it is kept, where it cannot be decrypted, and Problem
	// says so.
	Sealed  []byte `json:"sealed,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Journal returns the journal of an update, or the last state that it sent where
// it sends whole states: before a salvage to see what is wrong with it, and after
// it to see what was left out. It is all in memory, as for a fold.
func (s *Service) Journal(ctx context.Context, by Caller, name StackName, updateID string) (entries []JournalEntry, err error) {
	stack, err := s.stackFor(ctx, by, Admin, name)
	if err != nil {
		return nil, err
	}
	update, err := s.updateIn(ctx, stack, updateID)
	if err != nil {
		return nil, err
	}
	keys, err := s.keys.load(ctx, stack.ID, nil) // as for Salvage
	if err != nil {
		return nil, err
	}
	opened := func(sequence int64, what, label string, sealed []byte) JournalEntry {
		text, err := keys.open(what, label, sealed)
		if err != nil {
			return JournalEntry{Sequence: sequence, Sealed: sealed, Problem: damaged}
		}
		return JournalEntry{Sequence: sequence, Entry: text}
	}
	err = s.store.View(ctx, func(tx Tx) error {
		entries = nil
		err := tx.Journal(update.ID, func(r JournalRow) error {
			entries = append(entries, opened(r.Sequence, sealJournal, journalLabel(update.ID, r.Sequence), r.Sealed))
			return nil
		})
		if err != nil || update.Journaled {
			return err
		}
		checkpoint, err := tx.Checkpoint(update.ID)
		if err == nil {
			entries = append(entries, opened(checkpoint.Sequence, sealCheckpoint, checkpointLabel(update.ID), checkpoint.Sealed))
		}
		if err == ErrNotFound { //nolint:errorlint // a Store returns it bare
			return nil
		}
		return err
	})
	return entries, err
}
