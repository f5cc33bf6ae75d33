package backend_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/keyfile"
)

var secretTests = []test{
	{"secrets come back as they were", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		plain := [][]byte{[]byte("one"), {}, []byte("\x00\xff not text"), bytes.Repeat([]byte("long "), 100_000)}
		sealed, err := w.Encrypt(t.Context(), w.admin, name, plain)
		require.NoError(t, err)
		require.Len(t, sealed, len(plain))
		for i := range sealed {
			require.Greater(t, len(sealed[i]), len(plain[i])+16, "it is not compressed: its length would tell")
		}
		again, err := w.Encrypt(t.Context(), w.admin, name, plain)
		require.NoError(t, err)
		require.NotEqual(t, sealed[0], again[0], "equal secrets do not look equal")
		opened, err := w.Decrypt(t.Context(), w.admin, name, sealed, "config get")
		require.NoError(t, err)
		for i := range plain {
			require.True(t, bytes.Equal(plain[i], opened[i]))
		}
		last := w.last(t)
		require.Equal(t, "secrets.decrypt", last.Action)
		require.Equal(t, map[string]string{"secrets": "4", "why": "config get"}, last.Detail)
		require.NoError(t, w.RecordDecryption(t.Context(), w.admin, name, 3, "with a key of its own"))
		require.Equal(t, "3", w.last(t).Detail["secrets"])
	}},
	{"what was sealed for another stack, or changed, does not open", func(t *testing.T, w *world) {
		name, other := w.stack(t, "dev"), w.stack(t, "other")
		sealed, err := w.Encrypt(t.Context(), w.admin, name, [][]byte{[]byte("canary")})
		require.NoError(t, err)
		good := sealed[0]
		_, err = w.Decrypt(t.Context(), w.admin, other, sealed, "")
		fails(t, err, backend.CodeInvalid, "was not encrypted for stack acme/shop/other")
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 1
			_, err = w.Decrypt(t.Context(), w.admin, name, [][]byte{good, bad}, "")
			fails(t, err, backend.CodeInvalid)
			require.NotContains(t, err.Error(), "canary")
		}
		for _, bad := range [][]byte{nil, {}, {1}, good[:5], good[:len(good)-1], append(bytes.Clone(good), 0), bytes.Repeat([]byte{2}, 100)} {
			_, err = w.Decrypt(t.Context(), w.admin, name, [][]byte{bad}, "")
			fails(t, err, backend.CodeInvalid)
		}
		deleted := w.stack(t, "again")
		sealed, err = w.Encrypt(t.Context(), w.admin, deleted, [][]byte{[]byte("canary")})
		require.NoError(t, err)
		require.NoError(t, w.DeleteStack(t.Context(), w.admin, deleted, true))
		_, err = w.Decrypt(t.Context(), w.admin, w.stack(t, "again"), sealed, "")
		fails(t, err, backend.CodeInvalid)
	}},
}

var keyTests = []test{
	{"after a rotation the old opens and the new needs the new key", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		old, err := w.Encrypt(t.Context(), w.admin, name, [][]byte{[]byte("old")})
		require.NoError(t, err)
		running := w.begin(t, name)
		w.appended(t, running, created(1, 1, "b"))
		require.NoError(t, w.RotateKey(t.Context(), w.admin, name))
		require.Equal(t, "2", w.last(t).Detail["version"])
		w.appended(t, running, created(2, 2, "c"))
		fresh, err := w.Encrypt(t.Context(), w.admin, name, [][]byte{[]byte("new")})
		require.NoError(t, err)
		require.NotEqual(t, old[0][:5], fresh[0][:5])
		opened, err := w.Decrypt(t.Context(), w.admin, name, append(old, fresh...), "")
		require.NoError(t, err)
		require.Equal(t, "old new", string(bytes.Join(opened, []byte(" "))))
		require.NoError(t, w.CompleteUpdate(t.Context(), running, backend.StatusSucceeded))
		require.ElementsMatch(t, []string{"a", "b", "c"}, w.resources(t, name))
		require.NoError(t, w.RotateKey(t.Context(), w.admin, name))
	}},
	{"keys are wrapped anew, and then the older key of the operator is not needed", func(t *testing.T, w *world) {
		const stacks = 130 // more than one batch
		var names []backend.StackName
		for i := range stacks {
			names = append(names, w.stack(t, fmt.Sprint("s", i)))
		}
		require.NoError(t, w.RotateKey(t.Context(), w.admin, names[0]))
		sealed, err := w.Encrypt(t.Context(), w.admin, names[0], [][]byte{[]byte("secret")})
		require.NoError(t, err)
		signing, err := w.SigningKey(t.Context())
		require.NoError(t, err)

		id, err := keyfile.Rotate(w.keys)
		require.NoError(t, err)
		ring, err := keyfile.Open(w.keys)
		require.NoError(t, err)
		node := w.node(ring)
		wrapped, err := node.Rewrap(t.Context(), w.admin)
		require.NoError(t, err)
		require.Equal(t, stacks+2, wrapped, "one has two, and one is the installation's")
		require.Equal(t, id, w.last(t).Detail["by"])
		wrapped, err = node.Rewrap(t.Context(), w.admin)
		require.NoError(t, err)
		require.Zero(t, wrapped)

		node = w.node(without{ring, w.ring.Current()})
		opened, err := node.Decrypt(t.Context(), w.admin, names[0], sealed, "")
		require.NoError(t, err)
		require.Equal(t, "secret", string(opened[0]))
		_, err = node.Export(t.Context(), w.admin, names[stacks-1], 0)
		require.NoError(t, err)
		kept, err := node.SigningKey(t.Context())
		require.NoError(t, err, "nor for the addresses that the service signs")
		require.Equal(t, signing, kept)
	}},
	{"without the operator's key nothing opens, and the message says which", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		node := w.node(without{w.ring, w.ring.Current()})
		_, err := node.Export(t.Context(), w.admin, name, 0)
		fails(t, err, backend.CodeUnavailable, w.ring.Current())
		_, err = node.Rewrap(t.Context(), w.admin)
		require.NoError(t, err, "there is nothing to wrap")
	}},
}

// without is a keyring that lost a key.
type without struct {
	backend.Keyring
	key string
}

func (r without) Unwrap(ctx context.Context, wrapped []byte, by, label string) ([]byte, error) {
	if by == r.key {
		return nil, errCut
	}
	return r.Keyring.Unwrap(ctx, wrapped, by, label)
}

// nodeTests are of several processes on one database.
var nodeTests = []test{
	{"a key that one node made is used by all", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		other := w.node(w.ring)
		w.update(t, name, "a")
		_, err := other.Export(t.Context(), w.admin, name, 0) // it knows the first key
		require.NoError(t, err)
		require.NoError(t, w.RotateKey(t.Context(), w.admin, name))

		sealed, err := w.Encrypt(t.Context(), w.admin, name, [][]byte{[]byte("new")})
		require.NoError(t, err)
		opened, err := other.Decrypt(t.Context(), w.admin, name, sealed, "")
		require.NoError(t, err)
		require.Equal(t, "new", string(opened[0]))
	}},
	{"whatever one node sealed with a new key, another one reads", func(t *testing.T, w *world) {
		for what, read := range map[string]func(other *backend.Service, ref backend.UpdateRef) error{
			"a state": func(other *backend.Service, ref backend.UpdateRef) error {
				require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
				_, err := other.Export(t.Context(), w.admin, ref.Name, 0)
				return err
			},
			"a journal": func(other *backend.Service, ref backend.UpdateRef) error {
				return other.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded)
			},
			"a journal of a cancelled update": func(other *backend.Service, ref backend.UpdateRef) error {
				return other.CancelUpdate(t.Context(), w.admin, ref.Name, ref.ID)
			},
			"events": func(other *backend.Service, ref backend.UpdateRef) error {
				_, _, err := other.Events(t.Context(), w.admin, ref.Name, ref.ID, -1, 10)
				return err
			},
			"a configuration": func(other *backend.Service, ref backend.UpdateRef) error {
				_, err := other.History(t.Context(), w.admin, ref.Name, 1, 10)
				return err
			},
			"a state to be renamed": func(other *backend.Service, ref backend.UpdateRef) error {
				require.NoError(t, w.CompleteUpdate(t.Context(), ref, backend.StatusSucceeded))
				return other.RenameStack(t.Context(), w.admin, ref.Name, "", ref.Name.Stack+"2")
			},
		} {
			name := w.stack(t, strings.ReplaceAll(what, " ", "-"))
			other := w.node(w.ring)
			_, err := other.Export(t.Context(), w.admin, name, 0)
			require.NoError(t, err)
			require.NoError(t, w.RotateKey(t.Context(), w.admin, name))
			ref := w.start(t, name, backend.NewUpdate{Kind: backend.KindUpdate, Config: []byte(`{"a":{"string":"b"}}`)}, true)
			w.appended(t, ref, created(1, 1, "a"))
			require.NoError(t, w.PutEvents(t.Context(), ref, rows([]byte(`{"sequence":1}`))))
			require.NoError(t, read(other, ref), what)
		}
	}},
	{"a token that one node revokes while another one notes its use stays revoked", func(t *testing.T, w *world) {
		token, credential, err := w.CreateToken(t.Context(), w.admin, backend.NewToken{
			Name: "lost", Principal: "alice", Grants: []backend.Grant{{Stacks: "*/*/*", Verbs: []backend.Verb{backend.Read}}},
		})
		require.NoError(t, err)
		// The revocation is asked for when the other one has read the token and has
		// not written it yet.
		revoked := make(chan error, 1)
		w.store.wrap = func(tx backend.Tx) backend.Tx {
			w.store.wrap = nil
			return &interrupted{Tx: tx, then: func() {
				started := make(chan struct{})
				go func() {
					close(started)
					revoked <- w.RevokeToken(t.Context(), w.admin, token.ID)
				}()
				<-started
				// Where nothing holds it up it is done at once.
				select {
				case err := <-revoked:
					revoked <- err
				case <-time.After(200 * time.Millisecond):
				}
			}}
		}
		_, err = w.Authenticate(t.Context(), credential)
		require.NoError(t, err)
		require.NoError(t, <-revoked)
		_, err = w.Authenticate(t.Context(), credential)
		fails(t, err, backend.CodeUnauthenticated)
	}},
	{"many nodes get one signing key", func(t *testing.T, w *world) {
		first, err := w.SigningKey(t.Context())
		require.NoError(t, err)
		second, err := w.node(w.ring).SigningKey(t.Context())
		require.NoError(t, err)
		require.Equal(t, first, second)
		require.Len(t, first, 32)
	}},
}

// interrupted does something before it writes a token.
type interrupted struct {
	backend.Tx
	then func()
}

func (t *interrupted) SaveToken(k backend.Token) error {
	if then := t.then; then != nil {
		t.then = nil
		then()
	}
	return t.Tx.SaveToken(k)
}
