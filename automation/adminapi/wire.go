package adminapi

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"redoubt/automation/backend"
)

// Prefix starts every path.
const Prefix = "/v0/admin/"

// Organization is an organization as it is sent.
type Organization struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// Token is an access token without its secret.
type Token struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Principal  string          `json:"principal"`
	Human      string          `json:"human,omitempty"`
	Groups     []string        `json:"groups,omitempty"`
	Grants     []backend.Grant `json:"grants"`
	CreatedAt  time.Time       `json:"createdAt"`
	CreatedBy  string          `json:"createdBy"`
	ExpiresAt  time.Time       `json:"expiresAt,omitzero"`
	RevokedAt  time.Time       `json:"revokedAt,omitzero"`
	LastUsedAt time.Time       `json:"lastUsedAt,omitzero"`
}

// NewToken asks for a token.
type NewToken struct {
	Name      string `json:"name"`
	Principal string `json:"principal"`
	// Human is the person behind it, Groups are those that bindings give roles to.
	Human  string          `json:"human,omitempty"`
	Groups []string        `json:"groups,omitempty"`
	Grants []backend.Grant `json:"grants"`
	// LifetimeSeconds is 0 for a token that does not expire.
	LifetimeSeconds int64 `json:"lifetimeSeconds,omitempty"`
}

// CreatedToken is a new token with its credential, which is shown this once.
type CreatedToken struct {
	Token
	Credential string `json:"credential"`
}

func tokenOf(t backend.Token) Token {
	return Token{
		ID: t.ID, Name: t.Name, Principal: t.Principal, Human: t.Human, Groups: t.Groups, Grants: t.Grants, CreatedAt: t.CreatedAt, CreatedBy: t.CreatedBy,
		ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt, LastUsedAt: t.LastUsedAt,
	}
}

// Rewrapped says how many keys of stacks were wrapped anew.
type Rewrapped struct {
	Keys int `json:"keys"`
}

// Requirement is a policy pack that an organization's updates must run.
type Requirement struct {
	Pack string `json:"pack"`
	// Version is the pack's own; empty for the newest.
	Version string `json:"version,omitempty"`
	// Config is by policy: enforcement level and properties.
	Config json.RawMessage `json:"config,omitempty"`
}

// AuditEntry is an entry of the audit log, and a line of an exported one. With
// nothing but its lines the chain can be verified.
type AuditEntry struct {
	Sequence  int64     `json:"sequence"`
	At        time.Time `json:"at"`
	Principal string    `json:"principal"`
	Token     string    `json:"token"`
	Action    string    `json:"action"`
	Target    string    `json:"target"`
	Denied    bool      `json:"denied"`
	// Detail is part of the hash: null and {} are not the same.
	Detail   map[string]string `json:"detail"`
	Previous string            `json:"previous"`
	Hash     string            `json:"hash"`
}

func auditOf(e backend.AuditEntry) AuditEntry {
	return AuditEntry{
		Sequence: e.Sequence, At: e.At.UTC(), Principal: e.Principal, Token: e.Token, Action: e.Action, Target: e.Target,
		Denied: e.Denied, Detail: e.Detail, Previous: hex.EncodeToString(e.Previous), Hash: hex.EncodeToString(e.Hash),
	}
}

// Entry is the entry as the domain has it. Hashes that are none become empty,
// and do not fit.
func (e AuditEntry) Entry() backend.AuditEntry {
	previous, _ := hex.DecodeString(e.Previous)
	hash, _ := hex.DecodeString(e.Hash)
	return backend.AuditEntry{
		Sequence: e.Sequence, At: e.At, Principal: e.Principal, Token: e.Token, Action: e.Action, Target: e.Target,
		Denied: e.Denied, Detail: e.Detail, Previous: previous, Hash: hash,
	}
}

// list is how several things are sent, so that fields can be added.
type list[T any] struct {
	Items []T `json:"items"`
}

// Problem is an error as it is sent: RFC 9457, and the code.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail is a sentence for people.
	Detail string       `json:"detail"`
	Code   backend.Code `json:"code"`
	// Instance names the request; the server's log has it.
	Instance string `json:"instance,omitempty"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }
