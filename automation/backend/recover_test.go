package backend_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
)

var tokenRecoveryTests = []test{
	{"a lost administrator's token is replaced, and the others stay", func(t *testing.T, w *world) {
		alice := w.person(t, "alice", "acme/*/*", backend.Read)
		made, err := w.RecoverToken(t.Context(), false)
		require.NoError(t, err)
		require.Empty(t, made.Revoked)
		root, err := w.Authenticate(t.Context(), made.Credential)
		require.NoError(t, err)
		require.Equal(t, "redoubt token recover", root.Token.CreatedBy)
		tokens, err := w.Tokens(t.Context(), root)
		require.NoError(t, err)
		require.Len(t, tokens, 3)
		_, err = w.Authenticate(t.Context(), w.credential)
		require.NoError(t, err)
		last := w.last(t)
		require.Equal(t, "token.recovered", last.Action)
		require.Equal(t, made.Token.ID, last.Target)
		require.NotEqual(t, alice.Token.ID, made.Token.ID)
	}},
	{"with the others revoked nobody else gets in", func(t *testing.T, w *world) {
		alice := w.person(t, "alice", "acme/*/*", backend.Read)
		require.NoError(t, w.RevokeToken(t.Context(), w.admin, alice.Token.ID))
		made, err := w.RecoverToken(t.Context(), true)
		require.NoError(t, err)
		require.Equal(t, []string{w.admin.Token.ID}, made.Revoked, "alice's was revoked before")
		_, err = w.Authenticate(t.Context(), w.credential)
		fails(t, err, backend.CodeUnauthenticated)
		root, err := w.Authenticate(t.Context(), made.Credential)
		require.NoError(t, err)
		entries, err := w.Audit(t.Context(), root, 0, 0)
		require.NoError(t, err)
		require.Equal(t, "token.revoke", entries[len(entries)-2].Action)
		require.Equal(t, "1", entries[len(entries)-1].Detail["revoked"])
		_, err = backend.VerifyAudit(backend.AuditEntry{}, entries)
		require.NoError(t, err)
	}},
	{"without the operator's key no token is recovered", func(t *testing.T, w *world) {
		_, err := w.SigningKey(t.Context()) // as every start of a server asks for it
		require.NoError(t, err)
		other, err := keyfile.Open(filepath.Join(t.TempDir(), "keys.json"))
		require.NoError(t, err)
		audit := len(w.entries(t))
		_, err = w.node(other).RecoverToken(t.Context(), true)
		fails(t, err, backend.CodeUnavailable, "cannot be opened")
		require.Len(t, w.entries(t), audit)
	}},
}
