package backend

import (
	"context"
	"fmt"
)

// Recovered is an administrator's token for whoever lost the last one.
type Recovered struct {
	Token Token
	// Credential is shown this once.
	Credential string
	// Revoked are the ids of the other tokens, where they were to end.
	Revoked []string
}

// recoveredName is such a token's.
const recoveredName = "recovered administrator"

// RecoverToken makes an administrator's token without asking for one. It is for a
// person on the server's machine and for no endpoint: what lets them is that they
// have the database and the operator's key, with which they could read and write
// everything anyway; so the key must open what the installation sealed with it.
// revokeOthers ends every other token, as after a theft.
func (s *Service) RecoverToken(ctx context.Context, revokeOthers bool) (out Recovered, err error) {
	var tokens []Token
	if err := s.store.View(ctx, func(tx Tx) (err error) { tokens, err = tx.Tokens(); return err }); err != nil {
		return out, err
	}
	if len(tokens) == 0 {
		return out, Fail(CodeConflict, "this database has no token yet, so none is lost: start `redoubt serve` on it, whose first start prints one (or is this another database than the server's?)")
	}
	if _, err := s.SigningKey(ctx); err != nil {
		return out, err
	}
	token, credential := mint(NewToken{Name: recoveredName, Principal: "admin", Grants: []Grant{{Stacks: everything, Verbs: []Verb{Admin}}}})
	by := Caller{Token: token}
	err = s.store.Update(ctx, func(tx Tx) error {
		out = Recovered{}
		token.CreatedAt, token.CreatedBy = tx.Now(), "redoubt token recover"
		if revokeOthers {
			if out.Revoked, err = revokeAll(tx, by); err != nil {
				return err
			}
		}
		if err := tx.CreateToken(token); err != nil {
			return err
		}
		out.Token, out.Credential = token, credential
		return record(tx, by, "token.recovered", token.ID, map[string]string{"name": token.Name, "revoked": fmt.Sprint(len(out.Revoked))})
	})
	return out, err
}

// revokeAll ends every token there is.
func revokeAll(tx Tx, by Caller) (ids []string, err error) {
	tokens, err := tx.Tokens()
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		if !t.RevokedAt.IsZero() {
			continue
		}
		locked, err := tx.LockToken(t.ID)
		if err != nil {
			return nil, err
		}
		locked.RevokedAt = tx.Now()
		if err := tx.SaveToken(locked); err != nil {
			return nil, err
		}
		if err := record(tx, by, "token.revoke", t.ID, map[string]string{"name": t.Name}); err != nil {
			return nil, err
		}
		ids = append(ids, t.ID)
	}
	return ids, nil
}
