package sql

import (
	"time"

	"redoubt/automation/backend"
)

var tokenColumns = columns{
	"id", "hash", "name", "principal", "human", "member_of", "grants", "created_at", "created_by", "expires_at", "revoked_at", "last_used_at",
}

var (
	insertToken  = tokenColumns.insert("tokens")
	saveToken    = "UPDATE tokens SET " + tokenColumns.set() + " WHERE id = $1"
	selectTokens = "SELECT " + tokenColumns.list() + " FROM tokens"
)

func tokenArgs(k backend.Token) []any {
	return []any{
		k.ID, blob(k.Hash), k.Name, k.Principal, k.Human, asJSON(k.Groups), asJSON(k.Grants), micros(k.CreatedAt), k.CreatedBy,
		micros(k.ExpiresAt), micros(k.RevokedAt), micros(k.LastUsedAt),
	}
}

func scanToken(r row) (k backend.Token, err error) {
	err = r.Scan(&k.ID, bytesOf{&k.Hash}, &k.Name, &k.Principal, &k.Human, jsonOf{&k.Groups}, jsonOf{&k.Grants}, moment{&k.CreatedAt}, &k.CreatedBy,
		moment{&k.ExpiresAt}, moment{&k.RevokedAt}, moment{&k.LastUsedAt})
	return k, err
}

// CreateToken implements backend.Tx.
func (t *tx) CreateToken(k backend.Token) error { return t.insert(insertToken, tokenArgs(k)...) }

// Token implements backend.Tx.
func (t *tx) Token(id string) (backend.Token, error) {
	return one(t, scanToken, selectTokens+" WHERE id = $1", id)
}

// LockToken implements backend.Tx.
func (t *tx) LockToken(id string) (backend.Token, error) {
	return one(t, scanToken, selectTokens+" WHERE id = $1"+t.in.forUpdate, id)
}

// SaveToken implements backend.Tx.
func (t *tx) SaveToken(k backend.Token) error { return t.change(saveToken, tokenArgs(k)...) }

// Tokens implements backend.Tx.
func (t *tx) Tokens() ([]backend.Token, error) {
	return all(t, scanToken, selectTokens+" ORDER BY id")
}

// ofPeople is the condition of a partial index, word for word.
const ofPeople = "substr(principal, 1, 10) <> 'operation/'"

// AccessTokens implements provision.Tx.
func (t *tx) AccessTokens(principal, after string, limit int) ([]backend.Token, error) {
	var w where
	w.and(ofPeople)
	w.and("id > " + w.arg(after))
	if principal != "" {
		w.and("principal = " + w.arg(principal))
	}
	bound := w.arg(atMost(limit))
	return all(t, scanToken, selectTokens+w.String()+" ORDER BY id LIMIT "+bound, w.args...)
}

// endedOperationTokens are good for nothing any more. What says so of an operation is
// in the audit log.
const endedOperationTokens = `principal LIKE 'operation/%'
	AND (revoked_at > 0 AND revoked_at < $1 OR expires_at > 0 AND expires_at < $1)`

// PruneOperationTokens implements backend.Tx.
func (t *tx) PruneOperationTokens(before time.Time, limit int) (int64, error) {
	return t.prune("tokens", "id", endedOperationTokens, before, limit)
}
