package api

import (
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// AuditEntry is one line of the record of who did what. With nothing but entries
// the chain can be verified.
type AuditEntry struct {
	Sequence  int64             `json:"sequence"`
	At        time.Time         `json:"at"`
	Principal string            `json:"principal"`
	Token     string            `json:"token"`
	Action    string            `json:"action"`
	Target    string            `json:"target"`
	Denied    bool              `json:"denied" doc:"It was tried and refused."`
	Detail    map[string]string `json:"detail" doc:"Part of the hash: null and {} are not the same." nullable:"true"`
	Previous  string            `json:"previous" doc:"The hash of the entry before, in hexadecimal."`
	Hash      string            `json:"hash"`
}

// AuditCheckpoint is a signed place in the chain.
type AuditCheckpoint struct {
	Sequence  int64     `json:"sequence"`
	Hash      string    `json:"hash" doc:"Of the entry, in hexadecimal."`
	At        time.Time `json:"at"`
	KeyID     string    `json:"key_id"`
	Signature string    `json:"signature" doc:"Ed25519, in base64."`
}

// AuditKey is the public key that checkpoints are signed with.
type AuditKey struct {
	KeyID     string `json:"key_id"`
	Algorithm string `json:"algorithm" enum:"ed25519"`
	PublicKey string `json:"public_key" doc:"In hexadecimal. Keep it elsewhere than the checkpoints."`
}

// Node is a worker with what it runs.
type Node struct {
	Node        string    `json:"node"`
	StackID     string    `json:"stack_id"`
	OperationID string    `json:"operation_id"`
	Fence       int64     `json:"fence"`
	ExpiresAt   time.Time `json:"expires_at" doc:"When others may take the stack over, if nobody renews it."`
}

func auditOf(e backend.AuditEntry) AuditEntry {
	return AuditEntry{
		Sequence: e.Sequence, At: e.At.UTC(), Principal: e.Principal, Token: e.Token, Action: e.Action, Target: e.Target, Denied: e.Denied,
		Detail: e.Detail, Previous: hex.EncodeToString(e.Previous), Hash: hex.EncodeToString(e.Hash),
	}
}

func checkpointOf(c provision.AuditCheckpoint) AuditCheckpoint {
	return AuditCheckpoint{c.Sequence, hex.EncodeToString(c.Hash), c.At.UTC(), c.KeyID, base64.StdEncoding.EncodeToString(c.Signature)}
}

// AuditQuery is where a page of the log begins.
type AuditQuery struct {
	Paging
	After int64 `query:"after" minimum:"0" doc:"Those after this sequence."`
}

// from is the sequence that the page begins after.
func (q AuditQuery) from() (int64, error) {
	n, err := q.Cursor.number()
	return max(n, q.After), err
}

type auditInput struct {
	AuditQuery
	Accept string `header:"Accept" doc:"application/x-ndjson for all entries, a line each, without pages."`
}

// auditOutput writes a page or lines.
type auditOutput struct{ Body func(huma.Context) }

func (h *handlers) listAudit(c *call, in *auditInput) (*auditOutput, error) {
	after, err := in.from()
	if err != nil {
		return nil, err
	}
	if wantsLines(c.r) {
		write, err := h.exportAudit(c, after)
		return &auditOutput{write}, err
	}
	entries, err := h.service.Audit(c, c.principal, after, in.Limit)
	next := ""
	if len(entries) == in.Limit {
		next = textOf(entries[in.Limit-1].Sequence)
	}
	return &auditOutput{writeJSON(pageOf(entries, next, auditOf).Body)}, err
}

func (h *handlers) listAuditCheckpoints(c *call, in *AuditQuery) (*answer[page[AuditCheckpoint]], error) {
	after, err := in.from()
	if err != nil {
		return nil, err
	}
	checkpoints, err := h.service.AuditCheckpoints(c, c.principal, after, in.Limit)
	next := ""
	if len(checkpoints) == in.Limit {
		next = textOf(checkpoints[in.Limit-1].Sequence)
	}
	return pageOf(checkpoints, next, checkpointOf), err
}

// getAuditKey answers whoever is known: a public key verifies, and tells nothing.
func (h *handlers) getAuditKey(_ *call, _ *noInput) (*answer[AuditKey], error) {
	key, id := h.service.AuditKey()
	return &answer[AuditKey]{AuditKey{id, "ed25519", hex.EncodeToString(key)}}, nil
}

func (h *handlers) listNodes(c *call, _ *noInput) (*answer[page[Node]], error) {
	claims, err := h.service.Claims(c, c.principal)
	return pageOf(claims, "", func(c provision.Claim) Node {
		return Node{c.Node, c.StackID, c.OperationID, c.Fence, c.ExpiresAt}
	}), err
}
