package backend_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var stackTests = slices.Concat(prepareTests, []test{
	{"a stack is made once, whatever the case of its name", func(t *testing.T, w *world) {
		made, err := w.CreateStack(t.Context(), w.admin, backend.NewStack{
			Name: backend.StackName{Org: org, Project: "Shop", Stack: "Dev"}, Tags: map[string]string{"team": "payments"},
		})
		require.NoError(t, err)
		_, err = w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: backend.StackName{Org: org, Project: "shop", Stack: "dev"}})
		fails(t, err, backend.CodeConflict, "already exists")
		found, active, err := w.Stack(t.Context(), w.admin, backend.StackName{Org: "ACME", Project: "sHOP", Stack: "dEV"})
		require.NoError(t, err)
		require.Nil(t, active)
		require.Equal(t, made, found)
		require.Equal(t, "Dev", found.Name.Stack, "as it was made")
		_, err = w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: backend.StackName{Org: "nobody", Project: "shop", Stack: "dev"}})
		fails(t, err, backend.CodeNotFound, "redoubt org create")
	}},
	{"a stack may begin with a state", func(t *testing.T, w *world) {
		name := backend.StackName{Org: org, Project: "shop", Stack: "dev"}
		_, err := w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: name, State: []byte(`{"version":3}`)})
		fails(t, err, backend.CodeInvalid, "no deployment")
		made, err := w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: name, State: stateOf("a", "b")})
		require.NoError(t, err)
		require.EqualValues(t, 1, made.Version)
		require.EqualValues(t, 2, made.Resources)
		require.Equal(t, []string{"a", "b"}, w.resources(t, name))
		w.update(t, name, "c")
		require.Equal(t, []string{"c"}, w.resources(t, name)[:1])
	}},
	{"a stack is renamed with its state and keeps its secrets", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		sealed, err := w.Encrypt(t.Context(), w.admin, name, [][]byte{[]byte("secret")})
		require.NoError(t, err)
		to := backend.StackName{Org: org, Project: "store", Stack: "live"}
		w.stack(t, "other")
		fails(t, w.RenameStack(t.Context(), w.admin, name, "", "other"), backend.CodeConflict, "already exists")
		fails(t, w.RenameStack(t.Context(), w.admin, name, "", "../x"), backend.CodeInvalid)
		require.NoError(t, w.RenameStack(t.Context(), w.admin, name, to.Project, to.Stack))
		_, _, err = w.Stack(t.Context(), w.admin, name)
		fails(t, err, backend.CodeNotFound)
		require.Contains(t, string(w.exported(t, to, 0)), "urn:pulumi:live::store::")
		require.Contains(t, string(w.exported(t, to, 1)), "urn:pulumi:dev::shop::", "the past is as it was")
		opened, err := w.Decrypt(t.Context(), w.admin, to, sealed, "")
		require.NoError(t, err)
		require.Equal(t, "secret", string(opened[0]))
		history, err := w.History(t.Context(), w.admin, to, 1, 10)
		require.NoError(t, err)
		require.Equal(t, backend.KindRename, history[0].Kind)
		require.NoError(t, w.RenameStack(t.Context(), w.admin, to, "", "LIVE"), "another case")
		limited := w.person(t, "alice", "acme/store/live", backend.Write)
		fails(t, w.RenameStack(t.Context(), limited, to, "", "elsewhere"), backend.CodeForbidden, "may not write stack acme/store/elsewhere")
	}},
	{"a stack with resources is deleted by force alone", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		w.update(t, name, "a")
		fails(t, w.DeleteStack(t.Context(), w.admin, name, false), backend.CodeInvalid, "Bad Request: Stack still contains resources.")
		require.NoError(t, w.DeleteStack(t.Context(), w.admin, name, true))
		fails(t, w.DeleteStack(t.Context(), w.admin, name, true), backend.CodeNotFound)
		again := w.stack(t, "dev")
		require.Empty(t, w.resources(t, again), "a new stack of the name has nothing of the old one")
	}},
	{"a stack that is being changed is not changed otherwise", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		ref := w.begin(t, name)
		_, err := w.Import(t.Context(), w.admin, name, stateOf("x"))
		for _, err := range []error{err, w.DeleteStack(t.Context(), w.admin, name, true), w.RenameStack(t.Context(), w.admin, name, "", "other")} {
			fails(t, err, backend.CodeConflict, "is being changed: update of admin since", "pulumi cancel")
		}
		require.NoError(t, w.SetTags(t.Context(), w.admin, name, map[string]string{"a": "b"}), "tags are no part of the state")
		_, active, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Equal(t, ref.ID, active.ID)
	}},
	{"tags are replaced, and added to by updates", func(t *testing.T, w *world) {
		name := w.stack(t, "dev")
		require.NoError(t, w.SetTags(t.Context(), w.admin, name, map[string]string{"a": "1", "b": "2"}))
		update, _, err := w.CreateUpdate(t.Context(), w.admin, name, backend.NewUpdate{Kind: backend.KindUpdate})
		require.NoError(t, err)
		_, err = w.StartUpdate(t.Context(), w.admin, name, update.ID, map[string]string{"b": "3", "pulumi:project": "shop"}, true)
		require.NoError(t, err)
		stack, _, err := w.Stack(t.Context(), w.admin, name)
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": "1", "b": "3", "pulumi:project": "shop"}, stack.Tags)
		fails(t, w.SetTags(t.Context(), w.admin, name, map[string]string{"a b": ""}), backend.CodeInvalid, `"a b"`)
		fails(t, w.SetTags(t.Context(), w.admin, name, map[string]string{"a": strings.Repeat("ü", 129)}), backend.CodeInvalid, "258 bytes: at most 256")
		found, _, err := w.ListStacks(t.Context(), w.admin, backend.StackQuery{TagName: "b", TagValue: "3"})
		require.NoError(t, err)
		require.Len(t, found, 1)
	}},
	{"a long list comes in pages", func(t *testing.T, w *world) {
		const many = 450
		require.NoError(t, w.store.Update(t.Context(), func(tx backend.Tx) error {
			for i := range many {
				id := "stk_" + string(rune('a'+i/26)) + string(rune('a'+i%26))
				if err := tx.CreateStack(backend.Stack{ID: id, Name: backend.StackName{Org: org, Project: "shop", Stack: id}}); err != nil {
					return err
				}
			}
			return nil
		}))
		seen := map[string]bool{}
		q, pages := backend.StackQuery{}, 0
		for {
			page, next, err := w.ListStacks(t.Context(), w.admin, q)
			require.NoError(t, err)
			for _, s := range page {
				require.False(t, seen[s.ID])
				seen[s.ID] = true
			}
			if pages++; next == "" {
				break
			}
			q.After = next
		}
		require.Len(t, seen, many)
		require.Equal(t, 3, pages)
	}},
	{"hostile names are told apart from good ones, and from each other", func(t *testing.T, w *world) {
		for _, bad := range []string{
			"", ".", "..", "a..b", "-rf", ".hidden", "a/b", `a\b`, "a b", "a\x00b", "a\nb", "%2e%2e", "ä", "🦊", "a;drop table stacks", "'--", "\xff\xfe",
			"a\u202eb", strings.Repeat("x", 101),
		} {
			for _, name := range []backend.StackName{{Org: org, Project: bad, Stack: "dev"}, {Org: org, Project: "shop", Stack: bad}, {Org: bad, Project: "shop", Stack: "dev"}} {
				_, err := w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: name})
				fails(t, err, backend.CodeInvalid)
				require.Less(t, len(err.Error()), 400)
				require.NotContains(t, err.Error(), "\x00")
				_, _, err = w.Stack(t.Context(), w.admin, name)
				fails(t, err, backend.CodeInvalid)
			}
			fails(t, w.CreateOrganization(t.Context(), w.admin, bad), backend.CodeInvalid)
		}
		for _, good := range []string{"a", "_", "A-1_b.c", "con", "null", strings.Repeat("x", 100), "Robert'"[:6]} {
			_, err := w.CreateStack(t.Context(), w.admin, backend.NewStack{Name: backend.StackName{Org: org, Project: good, Stack: good}})
			require.NoError(t, err, good)
		}
		require.NoError(t, w.CreateOrganization(t.Context(), w.admin, "another"))
		fails(t, w.CreateOrganization(t.Context(), w.admin, "ANOTHER"), backend.CodeConflict, "already exists")
	}},
})
