package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var tokenTests = []test{
	{"tokens come back as they were, sorted by id", func(t *testing.T, s backend.Store) {
		full := backend.Token{
			ID: "tok_b", Hash: []byte{0, 1}, Name: "CI ✓", Principal: "sa:ci", Human: "alice", Groups: []string{"shop", "on call"},
			Grants:    []backend.Grant{{Stacks: "acme/*/*", Verbs: []backend.Verb{backend.Read, backend.Apply}}, {Stacks: "x"}},
			CreatedAt: at(1), CreatedBy: "root", ExpiresAt: at(2), RevokedAt: at(3), LastUsedAt: at(4),
		}
		zero := backend.Token{ID: "tok_a"}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateToken(full))
			require.NoError(t, tx.CreateToken(zero))
			require.ErrorIs(t, tx.CreateToken(backend.Token{ID: "tok_b"}), backend.ErrExists)
			require.ErrorIs(t, tx.SaveToken(backend.Token{ID: "tok_c"}), backend.ErrNotFound)
			_, err := tx.Token("tok_c")
			require.ErrorIs(t, err, backend.ErrNotFound)
			_, err = tx.LockToken("tok_c")
			require.ErrorIs(t, err, backend.ErrNotFound)
		})
		require.Equal(t, []backend.Token{zero, full}, got(t, s, backend.Tx.Tokens))
		full.RevokedAt, full.Grants, full.Name, full.Human, full.Groups = at(9), []backend.Grant{}, "another", "bob", []string{}
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.SaveToken(full)) })
		require.Equal(t, full, got(t, s, func(tx backend.Tx) (backend.Token, error) { return tx.Token("tok_b") }))
	}},
	{"who locks a token sees what the one before did", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.CreateToken(backend.Token{ID: "tok_a"})) })
		ctx := deadline(t)
		for _, err := range together(func(int) error {
			return s.Update(ctx, func(tx backend.Tx) error {
				it, err := tx.LockToken("tok_a")
				if err != nil {
					return err
				}
				it.Name += "x"
				return tx.SaveToken(it)
			})
		}) {
			require.NoError(t, err)
		}
		it := got(t, s, func(tx backend.Tx) (backend.Token, error) { return tx.Token("tok_a") })
		require.Len(t, it.Name, crowd)
	}},
	{"tokens of operations are pruned when they are good for nothing any more, and people's stay", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			for id, k := range map[string]backend.Token{
				"tok_a": {Principal: "operation/op_a", RevokedAt: at(1)},
				"tok_b": {Principal: "operation/op_b", ExpiresAt: at(1)},
				"tok_c": {Principal: "operation/op_c", RevokedAt: at(2)},
				"tok_d": {Principal: "operation/op_d"},
				"tok_e": {Principal: "alice", RevokedAt: at(1), ExpiresAt: at(1)},
			} {
				k.ID, k.Groups, k.Grants = id, []string{}, []backend.Grant{}
				require.NoError(t, tx.CreateToken(k))
			}
			for _, want := range []int64{1, 1, 0} {
				n, err := tx.PruneOperationTokens(at(2), 1)
				require.NoError(t, err)
				require.Equal(t, want, n)
			}
		})
		var left []string
		for _, k := range got(t, s, backend.Tx.Tokens) {
			left = append(left, k.ID)
		}
		require.Equal(t, []string{"tok_c", "tok_d", "tok_e"}, left)
	}},
}
