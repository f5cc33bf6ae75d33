package sql

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"redoubt/automation/backend"
)

const (
	// chunk is how many rows one statement stores: one round trip for a batch of
	// the engine's, and few different texts for PostgreSQL to prepare.
	chunk = 100
	// page is how many rows Journal has in memory at a time.
	page = 64

	selectJournal = `SELECT sequence, digest, sealed FROM journal WHERE update_id = $1 AND sequence > $2
		ORDER BY sequence LIMIT $3`
	sizeOfJournal = "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM journal WHERE update_id = $1"
)

// completedBefore are the updates whose belongings are pruned.
const completedBefore = "update_id IN (SELECT id FROM updates WHERE completed_at > 0 AND completed_at < $1)"

// foldedBefore are those of them whose journal is in the state.
const foldedBefore = "update_id IN (SELECT id FROM updates WHERE completed_at > 0 AND completed_at < $1 AND left_out = 0)"

// AppendJournal implements backend.Tx. Where nothing is there already it is one
// INSERT per chunk.
func (t *tx) AppendJournal(updateID string, rows []backend.JournalRow) error {
	var stored []int64
	for start := 0; start < len(rows); start += chunk {
		part := rows[start:min(start+chunk, len(rows))]
		added, err := t.addJournal(updateID, part)
		if err != nil {
			return err
		}
		stored = append(stored, added...)
		if len(added) == len(part) {
			continue
		}
		same, err := t.sameJournal(updateID, part)
		if err != nil {
			return err
		}
		if !same {
			return t.takeBackJournal(updateID, stored)
		}
	}
	return nil
}

// addJournal stores the rows that are not there and returns their sequences.
func (t *tx) addJournal(updateID string, rows []backend.JournalRow) ([]int64, error) {
	values := make([]string, len(rows))
	args := make([]any, 0, 1+3*len(rows))
	args = append(args, updateID)
	for i, r := range rows {
		values[i] = fmt.Sprintf("($1, $%d, $%d, $%d)", 3*i+2, 3*i+3, 3*i+4)
		args = append(args, r.Sequence, blob(r.Digest), blob(r.Sealed))
	}
	return all(t, value[int64], "INSERT INTO journal (update_id, sequence, digest, sealed) VALUES "+strings.Join(values, ", ")+
		" ON CONFLICT DO NOTHING RETURNING sequence", args...)
}

// sameJournal says whether what is kept has the digests of the rows.
func (t *tx) sameJournal(updateID string, rows []backend.JournalRow) (bool, error) {
	args := make([]any, 0, 1+len(rows))
	args = append(args, updateID)
	for _, r := range rows {
		args = append(args, r.Sequence)
	}
	kept := make(map[int64][]byte, len(rows))
	err := t.each(func(r row) error {
		var sequence int64
		var digest []byte
		err := r.Scan(&sequence, bytesOf{&digest})
		kept[sequence] = digest
		return err
	}, "SELECT sequence, digest FROM journal WHERE update_id = $1 AND sequence IN ("+placeholders(2, len(rows))+")", args...)
	if err != nil {
		return false, err
	}
	for _, r := range rows {
		if !bytes.Equal(kept[r.Sequence], r.Digest) {
			return false, nil
		}
	}
	return true, nil
}

// takeBackJournal leaves the journal as it was before rows that contradict it,
// so that a caller may go on with the transaction.
func (t *tx) takeBackJournal(updateID string, stored []int64) error {
	for _, sequence := range stored {
		if _, err := t.exec("DELETE FROM journal WHERE update_id = $1 AND sequence = $2", updateID, sequence); err != nil {
			return err
		}
	}
	return backend.ErrExists
}

func scanJournal(r row) (j backend.JournalRow, err error) {
	err = r.Scan(&j.Sequence, bytesOf{&j.Digest}, bytesOf{&j.Sealed})
	return j, err
}

// Journal implements backend.Tx. It reads in pages, so that each may use the Tx.
func (t *tx) Journal(updateID string, each func(backend.JournalRow) error) error {
	after := int64(-1 << 63)
	for {
		rows, err := all(t, scanJournal, selectJournal, updateID, after, int64(page))
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := each(r); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
		after = rows[len(rows)-1].Sequence
	}
}

// JournalSize implements backend.Tx.
func (t *tx) JournalSize(updateID string) (rows, bytes int64, err error) {
	err = t.each(func(r row) error { return r.Scan(&rows, &bytes) }, sizeOfJournal, updateID)
	return rows, bytes, err
}

// PruneJournals implements backend.Tx.
func (t *tx) PruneJournals(before time.Time, limit int) (int64, error) {
	return t.prune("journal", "update_id, sequence", foldedBefore, before, limit)
}
