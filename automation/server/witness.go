package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// witness keeps the signed checkpoints of the audit log where who can write the
// database cannot: what is cut off the log, or written anew, shows there.
type witness interface {
	// last is the sequence of the newest checkpoint that it has; 0 for none.
	last(ctx context.Context) (int64, error)
	// keep takes the next one.
	keep(ctx context.Context, c provision.SavedCheckpoint) error
}

// tell hands a witness all that it does not have yet, also what it missed while it
// could not be reached.
func (p *provisioning) tell(ctx context.Context, w witness) error {
	const atOnce = 100
	for {
		after, err := w.last(ctx)
		if err != nil {
			return err
		}
		list, err := p.service.SavedCheckpoints(ctx, after, atOnce)
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := w.keep(ctx, c); err != nil {
				return err
			}
		}
		if len(list) < atOnce {
			return nil
		}
	}
}

// fileWitness is a file of JSON lines, as redoubt audit verify --checkpoints takes it.
type fileWitness struct{ path string }

func (w fileWitness) last(context.Context) (sequence int64, err error) {
	file, err := os.Open(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("audit.file: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var c provision.SavedCheckpoint
		// Half a line is one that was being written when the machine died.
		if json.Unmarshal(lines.Bytes(), &c) == nil {
			sequence = max(sequence, c.Sequence)
		}
	}
	return sequence, lines.Err()
}

func (w fileWitness) keep(_ context.Context, c provision.SavedCheckpoint) error {
	file, err := os.OpenFile(w.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	line, err := json.Marshal(c)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if at, seekErr := file.Seek(-1, 2); seekErr == nil {
		end := make([]byte, 1)
		if _, readErr := file.ReadAt(end, at); readErr == nil && end[0] != '\n' {
			line = append([]byte("\n"), line...) // after half a line
		}
	}
	_, err = file.Write(append(line, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("audit.file: %w", err)
	}
	return nil
}

// bucketSetting is how far the bucket has been told.
const bucketSetting = "audit bucket"

// bucketWitness is a bucket with Object Lock: what it has taken nobody removes before
// its time, not even who has all rights in the account.
type bucketWitness struct {
	records provision.Store
	bucket  *lockedBucket
}

func (w bucketWitness) last(ctx context.Context) (sequence int64, err error) {
	err = w.records.View(ctx, func(tx provision.Tx) error {
		text, err := tx.Setting(bucketSetting)
		if errors.Is(err, backend.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		// Of another bucket nothing is known.
		if of, number, _ := bytes.Cut(text, []byte(" ")); string(of) == w.bucket.name {
			sequence, err = strconv.ParseInt(string(number), 10, 64)
		}
		return err
	})
	return sequence, err
}

func (w bucketWitness) keep(ctx context.Context, c provision.SavedCheckpoint) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := w.bucket.put(ctx, fmt.Sprintf("checkpoint-%020d.json", c.Sequence), text); err != nil {
		return fmt.Errorf("audit.bucket: %w", err)
	}
	return w.records.Update(ctx, func(tx provision.Tx) error {
		return tx.PutSetting(bucketSetting, fmt.Appendf(nil, "%s %d", w.bucket.name, c.Sequence))
	})
}
