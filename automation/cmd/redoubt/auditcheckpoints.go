package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"redoubt/automation/backend"
	"redoubt/automation/client"
	"redoubt/automation/provision"
)

type auditCheckpoints struct {
	URL   string `help:"Address of the server; by default where the Pulumi CLI is logged in." env:"REDOUBT_URL" placeholder:"URL" name:"url"`
	After int64  `help:"Only those after this entry." placeholder:"N"`
	Key   bool   `help:"Print the public key alone."`
	JSON  bool   `help:"They are JSON in any case." name:"json" hidden:""`
}

// Help is the long text of redoubt audit checkpoints --help.
func (auditCheckpoints) Help() string {
	return `A checkpoint is the server's signature (Ed25519) under the end that the audit log had
at a time. Each line has the public key too; keep the key itself where who can change
the checkpoints cannot change it.

Examples:
  redoubt audit checkpoints > checkpoints.jsonl
  redoubt audit checkpoints --key > audit.key
  redoubt audit verify audit.jsonl --checkpoints checkpoints.jsonl --key "$(cat audit.key)"`
}

// Run carries the command out.
func (c *auditCheckpoints) Run(ctx context.Context, s *streams) error {
	service, err := remote{URL: c.URL}.service()
	if err != nil {
		return err
	}
	key, err := service.GetAuditKey(ctx)
	if err != nil {
		return err
	}
	if c.Key {
		_, err := fmt.Fprintln(s.out, key.PublicKey)
		return err
	}
	list, err := all(func(cursor string) ([]client.AuditCheckpoint, string, error) {
		page, err := service.ListAuditCheckpoints(ctx, client.ListAuditCheckpointsParams{After: c.After, Cursor: cursor, Limit: pageSize})
		return page.Items, page.NextCursor, err
	})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(s.out)
	for _, x := range list {
		line := provision.SavedCheckpoint{Sequence: x.Sequence, Hash: x.Hash, At: x.At, KeyID: x.KeyID, Signature: x.Signature}
		if x.KeyID == key.KeyID { // an older key is not known any more
			line.PublicKey = key.PublicKey
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(s.err, "There is no checkpoint yet: the first one is made some minutes after the first entry.")
	}
	return nil
}

// checkpoints are what the entries of a log are held to.
type checkpoints struct {
	signed []provision.AuditCheckpoint // by sequence
	keys   map[string]ed25519.PublicKey
	// Checked are those whose entry was in the log and fits.
	checked int
	// pinned says that the keys were given, and not taken from the checkpoints' own file.
	pinned bool
}

// readCheckpoints reads an export; keys are in hexadecimal, and those of the file
// itself where none are given.
func readCheckpoints(path string, keys []string) (*checkpoints, error) {
	c := &checkpoints{keys: map[string]ed25519.PublicKey{}, pinned: len(keys) > 0}
	for _, text := range keys {
		if err := c.trust(text); err != nil {
			return nil, fmt.Errorf("--key: %w", err)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was read
	decoder := json.NewDecoder(file)
	for n := 1; ; n++ {
		var line provision.SavedCheckpoint
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: checkpoint %d of the file cannot be read: %w", path, n, err)
		}
		hash, err1 := hex.DecodeString(line.Hash)
		signature, err2 := base64.StdEncoding.DecodeString(line.Signature)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("%s: checkpoint %d of the file cannot be read: %w", path, n, err)
		}
		if !c.pinned && line.PublicKey != "" {
			if err := c.trust(line.PublicKey); err != nil {
				return nil, fmt.Errorf("%s: checkpoint %d of the file: %w", path, n, err)
			}
		}
		c.signed = append(c.signed, provision.AuditCheckpoint{Sequence: line.Sequence, Hash: hash, At: line.At, KeyID: line.KeyID, Signature: signature})
	}
	if len(c.signed) == 0 {
		return nil, fmt.Errorf("%s has no checkpoints", path)
	}
	slices.SortStableFunc(c.signed, func(a, b provision.AuditCheckpoint) int { return int(a.Sequence - b.Sequence) })
	return c, nil
}

func (c *checkpoints) trust(text string) error {
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%.20q is no public key: 64 hexadecimal digits (redoubt audit checkpoints --key)", text)
	}
	c.keys[provision.AuditKeyID(key)] = key
	return nil
}

// signatures verifies all of them, before any entry.
func (c *checkpoints) signatures() error {
	for _, x := range c.signed {
		key, ok := c.keys[x.KeyID]
		if !ok {
			return backend.Fail(backend.CodeConflict, "checkpoint %d was signed with key %s, which is not among those that are trusted (--key)", x.Sequence, x.KeyID)
		}
		if err := x.Verify(key); err != nil {
			return backend.Fail(backend.CodeConflict, "%v", err)
		}
	}
	return nil
}

// entry holds an entry of the chain to the checkpoints of it.
func (c *checkpoints) entry(e backend.AuditEntry) error {
	at, _ := slices.BinarySearchFunc(c.signed, e.Sequence, func(x provision.AuditCheckpoint, n int64) int { return int(x.Sequence - n) })
	for ; at < len(c.signed) && c.signed[at].Sequence == e.Sequence; at++ {
		if !bytes.Equal(c.signed[at].Hash, e.Hash) {
			return backend.Fail(backend.CodeConflict, "entry %d is not the one that was signed at %s: the log was written anew", e.Sequence, dateText(c.signed[at].At, "?"))
		}
		c.checked++
	}
	return nil
}

// end looks at the checkpoints of which the log had no entry: those before its
// beginning are about what is not in it, and those after its end about what was.
func (c *checkpoints) end(found *chain) error {
	if last := c.signed[len(c.signed)-1]; last.Sequence > found.Last {
		return backend.Fail(backend.CodeConflict, "the log ends with entry %d, and entry %d was signed at %s: it was cut off", found.Last, last.Sequence, dateText(last.At, "?"))
	}
	if c.checked == 0 {
		return backend.Fail(backend.CodeConflict, "no checkpoint is of an entry of this log, which begins with entry %d: they say nothing of it", found.First)
	}
	return nil
}
