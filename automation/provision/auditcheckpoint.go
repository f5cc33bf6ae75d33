package provision

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"

	"redoubt/automation/backend"
)

const (
	// checkpointEntries and checkpointEvery are when the next checkpoint is made:
	// whichever comes first.
	checkpointEntries = 1000
	checkpointEvery   = 10 * time.Minute
	// signCheckpoints is the purpose of the key.
	signCheckpoints = "audit checkpoints"
)

// A chain of hashes shows a change in its middle. That its end was cut off, or all
// of it written anew, shows where a signed checkpoint was kept elsewhere: in the
// log file, in a bucket, by who gets the webhook.

// checkpointKey signs. It is made of the installation's key, so that all nodes
// sign alike, and nobody has it who has the database alone.
func (s *Service) checkpointKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(s.derived(signCheckpoints))
}

// AuditKey is the public key of checkpoints, and its id.
func (s *Service) AuditKey() (ed25519.PublicKey, string) {
	key := s.checkpointKey().Public().(ed25519.PublicKey)
	return key, AuditKeyID(key)
}

// AuditKeyID names a public key: the beginning of its SHA-256.
func AuditKeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// signed is what the signature is over: JSON in its canonical form (RFC 8785).
func (c AuditCheckpoint) signed() ([]byte, error) {
	text, err := json.Marshal(map[string]any{
		"sequence": fmt.Sprint(c.Sequence), // RFC 8785 has numbers as IEEE 754 has them
		"hash":     hex.EncodeToString(c.Hash), "at": c.At.UTC().Format(time.RFC3339Nano), "key_id": c.KeyID,
	})
	if err != nil {
		return nil, err
	}
	return jcs.Transform(text)
}

// Verify says whether the checkpoint was signed with a key.
func (c AuditCheckpoint) Verify(key ed25519.PublicKey) error {
	text, err := c.signed()
	if err != nil {
		return err
	}
	if c.KeyID != AuditKeyID(key) {
		return Fail(CodeConflict, "checkpoint %d was signed with key %s, and this is key %s", c.Sequence, c.KeyID, AuditKeyID(key))
	}
	if !ed25519.Verify(key, text, c.Signature) {
		return Fail(CodeConflict, "the signature of checkpoint %d is not good: it was changed", c.Sequence)
	}
	return nil
}

// CheckpointAudit signs the end of the audit log where it is time to, and returns
// the checkpoint, nil where it is not.
func (s *Service) CheckpointAudit(ctx context.Context, now bool) (made *AuditCheckpoint, err error) {
	err = s.store.Update(ctx, func(tx Tx) error {
		made = nil
		end, err := tx.LastAudit()
		if errors.Is(err, backend.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		last, err := tx.LastAuditCheckpoint()
		if err != nil && !errors.Is(err, backend.ErrNotFound) {
			return err
		}
		behind := end.Sequence - last.Sequence
		if behind == 0 || !now && behind < checkpointEntries && tx.Now().Sub(last.At) < checkpointEvery {
			return nil
		}
		c := AuditCheckpoint{Sequence: end.Sequence, Hash: end.Hash, At: tx.Now()}
		if err := s.sign(&c); err != nil {
			return err
		}
		if err := tx.AddAuditCheckpoint(c); err != nil {
			return err
		}
		made = &c
		// Not in the audit log: it would want a checkpoint of its own, for ever.
		return s.tellCheckpoint(tx, c)
	})
	return made, err
}

func (s *Service) sign(c *AuditCheckpoint) error {
	key := s.checkpointKey()
	c.KeyID = AuditKeyID(key.Public().(ed25519.PublicKey))
	text, err := c.signed()
	if err != nil {
		return err
	}
	c.Signature = ed25519.Sign(key, text)
	return nil
}

func (s *Service) tellCheckpoint(tx Tx, c AuditCheckpoint) error {
	orgs, err := tx.Organizations()
	if err != nil {
		return err
	}
	for _, org := range orgs {
		if err := notify(tx, org.Name, "", "audit.checkpoint", map[string]string{
			"sequence": fmt.Sprint(c.Sequence), "hash": hex.EncodeToString(c.Hash), "key_id": c.KeyID,
			"at": c.At.UTC().Format(time.RFC3339Nano), "signature": hex.EncodeToString(c.Signature),
		}); err != nil {
			return err
		}
	}
	return nil
}

// AuditCheckpoints are those after a sequence, in order.
func (s *Service) AuditCheckpoints(ctx context.Context, p Principal, after int64, limit int) (page []AuditCheckpoint, err error) {
	if err := s.Check(ctx, p, ActionReadAudit, Resource{}); err != nil {
		return nil, err
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { page, err = tx.AuditCheckpoints(after, limit); return err })
	return page, err
}

// SavedCheckpoint is a checkpoint as it is kept elsewhere, a JSON object a line.
type SavedCheckpoint struct {
	Sequence int64     `json:"sequence"`
	Hash     string    `json:"hash"`
	At       time.Time `json:"at"`
	KeyID    string    `json:"key_id"`
	// Signature is in base64, PublicKey in hexadecimal.
	Signature string `json:"signature"`
	PublicKey string `json:"public_key"`
}

// SavedCheckpoints are those after a sequence, in order: for who keeps them elsewhere.
func (s *Service) SavedCheckpoints(ctx context.Context, after int64, limit int) ([]SavedCheckpoint, error) {
	var list []AuditCheckpoint
	if err := s.store.View(ctx, func(tx Tx) (err error) { list, err = tx.AuditCheckpoints(after, limit); return err }); err != nil {
		return nil, err
	}
	key, id := s.AuditKey()
	saved := make([]SavedCheckpoint, len(list))
	for i, c := range list {
		saved[i] = SavedCheckpoint{
			Sequence: c.Sequence, Hash: hex.EncodeToString(c.Hash), At: c.At, KeyID: c.KeyID, Signature: base64.StdEncoding.EncodeToString(c.Signature),
		}
		if c.KeyID == id { // an older key is not known any more
			saved[i].PublicKey = hex.EncodeToString(key)
		}
	}
	return saved, nil
}

// VerifyCheckpoint says whether a verified entry of the log is the one that a
// checkpoint was made of.
func VerifyCheckpoint(c AuditCheckpoint, e backend.AuditEntry, key ed25519.PublicKey) error {
	if err := c.Verify(key); err != nil {
		return err
	}
	if c.Sequence != e.Sequence || !bytes.Equal(c.Hash, e.Hash) {
		return Fail(CodeConflict, "entry %d of the audit log is not the one that checkpoint %d signed: the log was written anew", e.Sequence, c.Sequence)
	}
	return nil
}
