package backend_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// acts are what somebody does to a stack, with the verb that it needs.
var acts = []struct {
	name string
	verb backend.Verb
	do   func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error
}{
	{"look", backend.Read, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, _, err := w.Stack(t.Context(), by, name)
		return err
	}},
	{"export", backend.Read, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, err := w.Export(t.Context(), by, name, 0)
		return err
	}},
	{"history", backend.Read, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, err := w.History(t.Context(), by, name, 1, 10)
		return err
	}},
	{"required packs", backend.Read, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, err := w.RequiredPacks(t.Context(), by, name)
		return err
	}},
	{"preview", backend.Preview, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, _, err := w.CreateUpdate(t.Context(), by, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true})
		return err
	}},
	{"encrypt", backend.Preview, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, err := w.Encrypt(t.Context(), by, name, [][]byte{[]byte("x")})
		return err
	}},
	{"decrypt", backend.Decrypt, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, err := w.Decrypt(t.Context(), by, name, nil, "")
		return err
	}},
	{"update", backend.Apply, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, _, err := w.CreateUpdate(t.Context(), by, name, backend.NewUpdate{Kind: backend.KindUpdate})
		return err
	}},
	{"cancel", backend.Apply, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		made, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		return w.CancelUpdate(t.Context(), by, name, made.ID)
	}},
	{"tag", backend.Write, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		return w.SetTags(t.Context(), by, name, map[string]string{"a": "b"})
	}},
	{"import", backend.Write, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		_, err := w.Import(t.Context(), by, name, stateOf("x"))
		return err
	}},
	{"protect", backend.Admin, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		return w.Protect(t.Context(), by, name, false)
	}},
	{"rotate the key", backend.Admin, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		return w.RotateKey(t.Context(), by, name)
	}},
	{"rename", backend.Write, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		return w.RenameStack(t.Context(), by, name, "", name.Stack)
	}},
	{"delete", backend.Write, func(t *testing.T, w *world, by backend.Caller, name backend.StackName) error {
		return w.DeleteStack(t.Context(), by, name, true)
	}},
}

var authorizationTests = []test{
	{"who may not see a stack is told that there is none", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		stranger := w.person(t, "mallory", "acme/other/*", backend.Admin)
		nobody := backend.StackName{Org: org, Project: "other", Stack: "none"}
		before := len(w.entries(t))
		for _, a := range acts {
			err := a.do(t, w, stranger, name)
			fails(t, err, backend.CodeNotFound)
			require.EqualError(t, err, "there is no stack acme/shop/dev", a.name)
			if a.name != "cancel" { // which needs one
				require.EqualError(t, a.do(t, w, stranger, nobody), "there is no stack acme/other/none", a.name)
			}
		}
		require.Len(t, w.entries(t), before)
		require.Equal(t, []string{}, w.resources(t, name))
	}},
	{"who may see a stack is told what the token may not do, and that is recorded", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		reader := w.person(t, "bob", "acme/shop/*", backend.Read)
		reader.Address = "192.0.2.7"
		for _, a := range acts {
			before := len(w.entries(t))
			err := a.do(t, w, reader, name)
			if a.verb == backend.Read {
				require.NoError(t, err, a.name)
				continue
			}
			fails(t, err, backend.CodeForbidden, "may not "+string(a.verb)+" stack acme/shop/dev")
			entries := w.entries(t)
			require.Greater(t, len(entries), before, a.name)
			last := entries[len(entries)-1]
			require.True(t, last.Denied)
			require.Equal(t, "bob", last.Principal)
			require.Equal(t, reader.Token.ID, last.Token)
			require.Equal(t, "acme/shop/dev", last.Target)
			require.Equal(t, "192.0.2.7", last.Detail["address"])
		}
	}},
	{"the verb is enough", func(t *testing.T, w *world) {
		for _, a := range acts {
			name := w.stack(t, "dev")
			require.NoError(t, a.do(t, w, w.person(t, "carol", "acme/shop/dev", a.verb), name), a.name)
			if a.name != "delete" {
				require.NoError(t, w.DeleteStack(t.Context(), w.admin, name, true))
			}
		}
	}},
	{"making a stack needs the right to write it", func(t *testing.T, w *world) {
		by := w.person(t, "alice", "acme/shop/dev-*", backend.Write)
		_, err := w.CreateStack(t.Context(), by, backend.NewStack{Name: backend.StackName{Org: org, Project: "shop", Stack: "prod"}})
		fails(t, err, backend.CodeForbidden)
		require.Equal(t, "stack.create", w.last(t).Action)
		require.True(t, w.last(t).Denied)
		_, err = w.CreateStack(t.Context(), by, backend.NewStack{Name: backend.StackName{Org: org, Project: "shop", Stack: "DEV-1"}})
		require.NoError(t, err)
	}},
	{"a list holds what the caller may read", func(t *testing.T, w *world) {
		w.stack(t, "dev")
		w.stack(t, "prod")
		page, next, err := w.ListStacks(t.Context(), w.person(t, "a", "*/shop/d*", backend.Read), backend.StackQuery{})
		require.NoError(t, err)
		require.Empty(t, next)
		require.Len(t, page, 1)
		require.Equal(t, "dev", page[0].Name.Stack)
		stranger := w.person(t, "m", "other/*/*", backend.Admin)
		page, _, err = w.ListStacks(t.Context(), stranger, backend.StackQuery{})
		require.NoError(t, err)
		require.Empty(t, page)
		orgs, err := w.Organizations(t.Context(), stranger)
		require.NoError(t, err)
		require.Empty(t, orgs)
		exists, err := w.ProjectExists(t.Context(), stranger, org, "shop")
		require.NoError(t, err)
		require.False(t, exists)
	}},
	{"a protected stack takes previews from everybody and changes from few", func(t *testing.T, w *world) {
		name := w.stack(t, "prod")
		early, _, err := w.CreateUpdate(t.Context(), w.person(t, "alice", "acme/*/*", backend.Apply), name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		require.NoError(t, w.Protect(t.Context(), w.admin, name, true))
		alice := w.person(t, "alice", "acme/*/*", backend.Apply, backend.Write)
		_, _, err = w.CreateUpdate(t.Context(), alice, name, backend.NewUpdate{Kind: backend.KindUpdate, DryRun: true})
		require.NoError(t, err)
		for _, kind := range []backend.UpdateKind{backend.KindUpdate, backend.KindDestroy, backend.KindRefresh, backend.KindResourceImport} {
			_, _, err = w.CreateUpdate(t.Context(), alice, name, backend.NewUpdate{Kind: kind})
			fails(t, err, backend.CodeForbidden, "is protected: preview it")
			require.True(t, w.last(t).Denied)
		}
		_, err = w.StartUpdate(t.Context(), alice, name, early.ID, nil, true)
		fails(t, err, backend.CodeForbidden, "is protected")
		_, err = w.Import(t.Context(), alice, name, stateOf("x"))
		fails(t, err, backend.CodeForbidden, "is protected")
		fails(t, w.DeleteStack(t.Context(), alice, name, true), backend.CodeForbidden, "is protected")
		fails(t, w.RenameStack(t.Context(), alice, name, "", "mine"), backend.CodeForbidden, "is protected")
		operator := w.person(t, "operations", "acme/*/*", backend.ApplyProtected)
		update, _, err := w.CreateUpdate(t.Context(), operator, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		_, err = w.StartUpdate(t.Context(), operator, name, update.ID, nil, true)
		require.NoError(t, err)
	}},
	{"an update is its maker's", func(t *testing.T, w *world) {
		name, other := w.stack(t, "dev"), w.stack(t, "other")
		update, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		alice := w.person(t, "alice", "acme/*/*", backend.Apply)
		_, err = w.StartUpdate(t.Context(), alice, name, update.ID, nil, true)
		fails(t, err, backend.CodeConflict, "somebody else's")
		_, err = w.StartUpdate(t.Context(), w.admin, other, update.ID, nil, true)
		fails(t, err, backend.CodeNotFound, "has no update")
		_, err = w.UpdateOf(t.Context(), w.admin, other, update.ID)
		fails(t, err, backend.CodeNotFound)
		fails(t, w.CancelUpdate(t.Context(), w.admin, other, update.ID), backend.CodeNotFound)
		_, _, err = w.Events(t.Context(), w.admin, other, update.ID, -1, 10)
		fails(t, err, backend.CodeNotFound)
		viewer := w.person(t, "admin", "acme/*/*", backend.Preview)
		_, err = w.StartUpdate(t.Context(), viewer, name, update.ID, nil, true)
		fails(t, err, backend.CodeForbidden, "may preview stack")
	}},
	{"policies of an organization are not for who has one of its stacks", func(t *testing.T, w *world) {
		published(t, w, "rules", "1.0.0")
		for _, stacks := range []string{"acme/shop/dev", "acme/shop/*", "acme/*/dev", "other/*/*"} {
			for _, verb := range []backend.Verb{backend.Policy, backend.Admin} {
				by := w.person(t, "mallory", stacks, verb)
				fails(t, w.RequirePack(t.Context(), by, backend.PackRequirement{Org: org, Pack: "rules"}), backend.CodeForbidden, "may not change the policies of organization acme")
				_, err := w.PublishPack(t.Context(), by, backend.PolicyPack{Org: org, Name: "rules", Tag: "2.0.0"})
				fails(t, err, backend.CodeForbidden)
				fails(t, w.DeletePack(t.Context(), by, org, "rules", ""), backend.CodeForbidden)
				fails(t, w.ReleasePack(t.Context(), by, org, "rules", ""), backend.CodeForbidden)
				fails(t, w.CompletePack(t.Context(), by, org, "rules", "1.0.0"), backend.CodeForbidden)
			}
		}
		for _, stacks := range []string{"acme/*/*", "*/*/*", "AC*/*/*"} {
			require.NoError(t, w.RequirePack(t.Context(), w.person(t, "alice", stacks, backend.Policy), backend.PackRequirement{Org: org, Pack: "rules", Config: json.RawMessage(`{}`)}))
		}
	}},
}
