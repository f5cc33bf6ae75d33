package backend_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var operationTokenTests = []test{
	{"an operation has one token, for one stack, that ends with the next or when it is revoked", func(t *testing.T, w *world) {
		const operation = "op_01jdkq2v0c8y1m3n5p7r9t0v2x"
		name, other := w.stack(t, "operated"), w.stack(t, "neighbour")
		mint := func(verbs ...backend.Verb) (credential string) {
			require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) (err error) {
				credential, err = backend.MintOperationToken(tx, backend.OperationToken{Operation: operation, Stack: name, Verbs: verbs, Lifetime: time.Hour})
				return err
			}))
			return credential
		}
		preview := mint(backend.Read, backend.Decrypt, backend.Preview)
		caller, err := w.Authenticate(t.Context(), preview)
		require.NoError(t, err)
		require.Equal(t, "operation/"+operation, caller.Principal())
		require.True(t, caller.May(backend.Preview, name))
		require.False(t, caller.May(backend.Apply, name))
		require.False(t, caller.May(backend.Read, other))
		require.Equal(t, "token.create", w.last(t).Action)

		apply := mint(backend.Read, backend.Decrypt, backend.ApplyProtected)
		_, err = w.Authenticate(t.Context(), preview)
		fails(t, err, backend.CodeUnauthenticated)
		caller, err = w.Authenticate(t.Context(), apply)
		require.NoError(t, err)
		require.True(t, caller.May(backend.ApplyProtected, name))

		for range 2 {
			require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) error { return backend.RevokeOperationToken(tx, operation) }))
		}
		_, err = w.Authenticate(t.Context(), apply)
		fails(t, err, backend.CodeUnauthenticated)
		require.Equal(t, "token.revoke", w.last(t).Action)

		// Where it goes on after all, with a token of its own again, for a while.
		again := mint(backend.Preview)
		_, err = w.Authenticate(t.Context(), again)
		require.NoError(t, err)
		w.pass(time.Hour)
		_, err = w.Authenticate(t.Context(), again)
		fails(t, err, backend.CodeUnauthenticated)
	}},
	{"an operation without a token has nothing to revoke, and one needs an id", func(t *testing.T, w *world) {
		require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) error {
			return backend.RevokeOperationToken(tx, "op_01jdkq2v0c8y1m3n5p7r9t0v2y")
		}))
		err := w.store.Update(t.Context(), func(tx backend.Tx) error {
			_, err := backend.MintOperationToken(tx, backend.OperationToken{Operation: "op_x", Stack: backend.StackName{Org: "acme", Project: "shop", Stack: "x"}, Verbs: []backend.Verb{backend.Read}, Lifetime: time.Hour})
			return err
		})
		fails(t, err, backend.CodeInvalid)
	}},
}
