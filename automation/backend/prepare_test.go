package backend_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var prepareTests = []test{
	{"a prepared stack is written with what else its transaction does, or not at all", func(t *testing.T, w *world) {
		name := backend.StackName{Org: org, Project: "shop", Stack: "ordered"}
		p, err := w.PrepareStack(t.Context(), name, map[string]string{"a": "b"}, true)
		require.NoError(t, err)
		changed := errors.New("somebody changed their mind")
		require.ErrorIs(t, w.store.Update(t.Context(), func(tx backend.Tx) error {
			require.NoError(t, p.Write(tx))
			return changed
		}), changed)
		_, _, err = w.Stack(t.Context(), w.admin, name)
		fails(t, err, backend.CodeNotFound)

		require.NoError(t, w.store.Update(t.Context(), p.Write))
		p.Written()
		made, _, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.True(t, made.Protected)
		require.Equal(t, p.ID, made.ID)
		require.Equal(t, map[string]string{"a": "b"}, made.Tags)
		// Another process finds the key too.
		_, err = w.node(w.ring).Encrypt(t.Context(), w.admin, name, [][]byte{[]byte("x")})
		require.NoError(t, err)
		again, err := w.PrepareStack(t.Context(), name, nil, true)
		require.NoError(t, err)
		fails(t, w.store.Update(t.Context(), again.Write), backend.CodeConflict, "already exists")
	}},
	{"a prepared stack has a name, tags and an organization", func(t *testing.T, w *world) {
		_, err := w.PrepareStack(t.Context(), backend.StackName{Org: org, Project: "..", Stack: "x"}, map[string]string{"a b": "c"}, true)
		fails(t, err, backend.CodeInvalid, "project", "tag")
		p, err := w.PrepareStack(t.Context(), backend.StackName{Org: "nowhere", Project: "shop", Stack: "x"}, nil, true)
		require.NoError(t, err)
		fails(t, w.store.Update(t.Context(), p.Write), backend.CodeNotFound, "there is no organization")
	}},
	{"inputs open in their place alone, and that is recorded", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		stack, _, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		seal, err := w.Sealer(t.Context(), stack.ID)
		require.NoError(t, err)
		sealed := seal("/password", []byte("hunter2"))
		open, err := w.OpenInputs(t.Context(), w.admin, name, map[string][]byte{"/password": sealed}, "operation op_1")
		require.NoError(t, err)
		require.Equal(t, "hunter2", string(open["/password"]))
		require.Equal(t, "inputs.open", w.last(t).Action)
		require.Equal(t, map[string]string{"secrets": "1", "why": "operation op_1"}, w.last(t).Detail)

		_, err = w.OpenInputs(t.Context(), w.admin, name, map[string][]byte{"/pin": sealed}, "x")
		fails(t, err, backend.CodeInvalid, "not sealed for its place")
		_, err = w.OpenInputs(t.Context(), w.admin, w.stack(t, "other"), map[string][]byte{"/password": sealed}, "x")
		fails(t, err, backend.CodeInvalid, "not sealed for its place")
		// Nor does it pass for a secret of the engine's, which the CLI may ask for.
		_, err = w.Decrypt(t.Context(), w.admin, name, [][]byte{sealed}, "x")
		fails(t, err, backend.CodeInvalid)
		reader := w.person(t, "rita", "acme/*/*", backend.Read)
		_, err = w.OpenInputs(t.Context(), reader, name, map[string][]byte{"/password": sealed}, "x")
		fails(t, err, backend.CodeForbidden)

		// A key that was rotated still opens, in every process.
		other := w.node(w.ring)
		_, err = other.Sealer(t.Context(), stack.ID)
		require.NoError(t, err)
		require.NoError(t, w.RotateKey(t.Context(), w.admin, name))
		seal, err = w.Sealer(t.Context(), stack.ID)
		require.NoError(t, err)
		open, err = other.OpenInputs(t.Context(), w.admin, name, map[string][]byte{"/a": seal("/a", []byte("new")), "/password": sealed}, "x")
		require.NoError(t, err)
		require.Equal(t, "new", string(open["/a"]))
		require.Equal(t, "hunter2", string(open["/password"]))
	}},
}
