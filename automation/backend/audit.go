package backend

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// record adds an entry to the audit log in the transaction of what it records:
// no change without its entry.
func record(tx Tx, by Caller, action, target string, detail map[string]string) error {
	return appendAudit(tx, AuditEntry{
		Principal: by.Principal(), Token: by.Token.ID, Action: action, Target: target, Detail: withAddress(detail, by.Address),
	})
}

func withAddress(detail map[string]string, address string) map[string]string {
	if address == "" {
		return detail
	}
	out := map[string]string{"address": address}
	for k, v := range detail {
		out[k] = v
	}
	return out
}

// Record adds an entry to the chain in the transaction of what it records. Its
// sequence, time and hashes are set here.
func Record(tx Tx, e AuditEntry) error { return appendAudit(tx, e) }

func appendAudit(tx Tx, e AuditEntry) error {
	last, err := tx.LastAudit()
	if err != nil && err != ErrNotFound { //nolint:errorlint // a Store returns it bare
		return err
	}
	e.Sequence, e.At, e.Previous = last.Sequence+1, tx.Now(), last.Hash
	if e.Hash, err = e.hash(); err != nil {
		return err
	}
	return tx.AppendAudit(e)
}

// refuse records that somebody tried what they may not, and returns the error
// that says so.
func (s *Service) refuse(ctx context.Context, by Caller, action, target, why string) error {
	err := s.store.Update(ctx, func(tx Tx) error {
		return appendAudit(tx, AuditEntry{
			Principal: by.Principal(), Token: by.Token.ID, Action: action, Target: target, Denied: true,
			Detail: withAddress(map[string]string{"why": why}, by.Address),
		})
	})
	if err != nil {
		return err
	}
	return &Error{Code: CodeForbidden, Message: why}
}

// hash is over every field and the hash before, each with its length, so that
// no two entries are the same bytes.
func (e AuditEntry) hash() ([]byte, error) {
	detail, err := json.Marshal(e.Detail) // sorts the keys
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, field := range [][]byte{
		e.Previous, fmt.Append(nil, e.Sequence), fmt.Append(nil, e.At.UnixMicro()), []byte(e.Principal), []byte(e.Token),
		[]byte(e.Action), []byte(e.Target), fmt.Append(nil, e.Denied), detail,
	} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(field)))
		b = append(b, field...)
	}
	return digest(b), nil
}

// Audit returns entries after a sequence number.
func (s *Service) Audit(ctx context.Context, by Caller, after int64, limit int) (entries []AuditEntry, err error) {
	if !by.mayEverywhere(Admin) {
		return nil, s.refuse(ctx, by, "audit.read", "", "only an administrator of everything reads the audit log")
	}
	err = s.store.View(ctx, func(tx Tx) (err error) { entries, err = tx.Audit(after, limit); return err })
	return entries, err
}

// VerifyAudit walks the chain after an entry (the zero entry for the beginning)
// and returns the last one that fits; the error names the first that does not.
func VerifyAudit(after AuditEntry, entries []AuditEntry) (AuditEntry, error) {
	for _, e := range entries {
		want, err := e.hash()
		if err != nil {
			return after, err
		}
		if e.Sequence != after.Sequence+1 || string(e.Previous) != string(after.Hash) || string(e.Hash) != string(want) {
			return after, Fail(CodeConflict, "the audit log is broken at entry %d: it was changed, or entries are missing before it", e.Sequence)
		}
		after = e
	}
	return after, nil
}
