package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

var stackTests = []test{
	{"a stack comes back as it was", func(t *testing.T, s backend.Store) {
		zero := backend.Stack{ID: "stk_zero", Name: backend.StackName{Org: "o", Project: "p", Stack: "s"}}
		empty := backend.Stack{ID: "stk_empty", Name: backend.StackName{Org: "o", Project: "p", Stack: "e"}, Tags: map[string]string{}}
		late := stack(3)
		late.CreatedAt = time.Date(2026, 1, 1, 0, 0, 0, 999_999_999, time.FixedZone("", 3600))
		update(t, s, func(tx backend.Tx) {
			for _, it := range []backend.Stack{stack(1), zero, empty, late} {
				require.NoError(t, tx.CreateStack(it))
			}
		})
		late.CreatedAt = time.Date(2025, 12, 31, 23, 0, 0, 999_999_000, time.UTC)
		for _, want := range []backend.Stack{stack(1), zero, empty, late} {
			require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.StackByID(want.ID) }))
			require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.Stack(want.Name) }))
			update(t, s, func(tx backend.Tx) {
				locked, err := tx.LockStack(want.ID)
				require.NoError(t, err)
				require.Equal(t, want, locked)
			})
		}
	}},
	{"the case of a stack's name is kept and does not distinguish", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		name := backend.StackName{Org: "aCME", Project: "sHOP", Stack: "pROD-01"}
		require.Equal(t, stack(1), got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.Stack(name) }))
		fails(t, s, backend.ErrExists, func(tx backend.Tx) error { return tx.CreateStack(backend.Stack{ID: "stk_2", Name: name}) })
		update(t, s, func(tx backend.Tx) {
			renamed := stack(1)
			renamed.Name = name
			require.NoError(t, tx.SaveStack(renamed), "to its own name in another case")
		})
		require.Equal(t, name, got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.StackByID("stk_01") }).Name)
	}},
	{"a stack that is not there", func(t *testing.T, s backend.Store) {
		for name, do := range map[string]func(backend.Tx) error{
			"by name": func(tx backend.Tx) error { _, err := tx.Stack(stack(1).Name); return err },
			"by id":   func(tx backend.Tx) error { _, err := tx.StackByID("stk_01"); return err },
			"lock":    func(tx backend.Tx) error { _, err := tx.LockStack("stk_01"); return err },
			"save":    func(tx backend.Tx) error { return tx.SaveStack(stack(1)) },
			"delete":  func(tx backend.Tx) error { return tx.DeleteStack("stk_01") },
		} {
			require.ErrorIs(t, s.Update(t.Context(), do), backend.ErrNotFound, name)
		}
	}},
	{"saving a stack writes everything", func(t *testing.T, s backend.Store) {
		withUpdate(t, s)
		want := stack(5)
		want.ID, want.Protected, want.Tags, want.UpdatedAt = "stk_01", false, nil, time.Time{}
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.SaveStack(want)) })
		require.Equal(t, want, got(t, s, func(tx backend.Tx) (backend.Stack, error) { return tx.StackByID("stk_01") }))
		fails(t, s, backend.ErrNotFound, func(tx backend.Tx) error { _, err := tx.Stack(stack(1).Name); return err })
	}},
	{"a name that is taken is refused, and the transaction goes on", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(1)))
			require.NoError(t, tx.CreateStack(stack(2)))
		})
		update(t, s, func(tx backend.Tx) {
			taken := stack(2)
			taken.Name.Stack = "PROD-01"
			require.ErrorIs(t, tx.SaveStack(taken), backend.ErrExists)
			taken.Name.Stack = "Prod-03"
			require.NoError(t, tx.SaveStack(taken))
		})
	}},
	{"deleting a stack deletes all that hangs on it", func(t *testing.T, s backend.Store) {
		stackID, id := withUpdate(t, s)
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.CreateStack(stack(2)))
			require.NoError(t, tx.CreateUpdate(run("upd_2", "stk_02")))
			for _, on := range []struct{ stack, update string }{{stackID, id}, {"stk_02", "upd_2"}} {
				require.NoError(t, tx.PutState(backend.StateVersion{StackID: on.stack, Version: 1}))
				require.NoError(t, tx.PutDataKey(backend.DataKey{StackID: on.stack, Version: 1}))
				require.NoError(t, tx.AppendJournal(on.update, rows(0, 3)))
				require.NoError(t, tx.PutCheckpoint(backend.Checkpoint{UpdateID: on.update}))
				require.NoError(t, tx.PutEvents(on.update, []backend.EventRow{{Sequence: 1}}))
			}
			require.NoError(t, tx.DeleteStack(stackID))
		})
		view(t, s, func(tx backend.Tx) {
			for _, on := range []struct {
				stack, update string
				left          int
			}{{stackID, id, 0}, {"stk_02", "upd_2", 1}} {
				_, noState := tx.State(on.stack, 1)
				_, noUpdate := tx.Update(on.update)
				_, noCheckpoint := tx.Checkpoint(on.update)
				for _, err := range []error{noState, noUpdate, noCheckpoint} {
					if on.left == 0 {
						require.ErrorIs(t, err, backend.ErrNotFound)
					} else {
						require.NoError(t, err)
					}
				}
				keys, err := tx.DataKeys(on.stack)
				require.NoError(t, err)
				require.Len(t, keys, on.left)
				events, err := tx.Events(on.update, -1, 0)
				require.NoError(t, err)
				require.Len(t, events, on.left)
				n, _, err := tx.JournalSize(on.update)
				require.NoError(t, err)
				require.Equal(t, int64(3*on.left), n)
			}
		})
		update(t, s, func(tx backend.Tx) {
			again := stack(1)
			again.ID = "stk_new"
			require.NoError(t, tx.CreateStack(again), "the name is free")
		})
	}},
	{"stacks are selected", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			for id, it := range map[string]backend.Stack{
				"a": {Name: backend.StackName{Org: "Acme", Project: "shop", Stack: "dev"}},
				"b": {Name: backend.StackName{Org: "acme", Project: "Shop", Stack: "prod"}, Tags: map[string]string{"env": "prod", "a.b:c": "x"}},
				"c": {Name: backend.StackName{Org: "acme", Project: "bank", Stack: "prod"}, Tags: map[string]string{"env": "prod", "other": ""}},
				"d": {Name: backend.StackName{Org: "zeta", Project: "shop", Stack: "prod"}, Tags: map[string]string{"env": "ünï"}},
			} {
				it.ID = id
				require.NoError(t, tx.CreateStack(it))
			}
		})
		for _, c := range []struct {
			name  string
			query backend.StackQuery
			want  []string
		}{
			{"all", backend.StackQuery{}, []string{"a", "b", "c", "d"}},
			{"of no organization", backend.StackQuery{Orgs: []string{}}, nil},
			{"of one", backend.StackQuery{Orgs: []string{"ACME"}}, []string{"a", "b", "c"}},
			{"of several", backend.StackQuery{Orgs: []string{"zeta", "1", "2", "3", "4", "5", "6", "7", "8", "9", "acme"}, Project: "SHOP"}, []string{"a", "b", "d"}},
			{"of one that is not there", backend.StackQuery{Orgs: []string{"acm"}}, nil},
			{"of a project", backend.StackQuery{Project: "shop"}, []string{"a", "b", "d"}},
			{"with a tag", backend.StackQuery{TagName: "env"}, []string{"b", "c", "d"}},
			{"with a tag's value", backend.StackQuery{TagName: "env", TagValue: "prod"}, []string{"b", "c"}},
			{"with a value that is not ASCII", backend.StackQuery{TagName: "env", TagValue: "ünï"}, []string{"d"}},
			{"with an empty tag", backend.StackQuery{TagName: "other"}, []string{"c"}},
			{"with a tag of signs", backend.StackQuery{TagName: "a.b:c", TagValue: "x"}, []string{"b"}},
			{"with a tag in another case", backend.StackQuery{TagName: "ENV"}, nil},
			{"a first page", backend.StackQuery{Limit: 2}, []string{"a", "b"}},
			{"a next page", backend.StackQuery{After: "b", Limit: 2}, []string{"c", "d"}},
			{"a last page", backend.StackQuery{After: "d", Limit: 2}, nil},
			{"everything at once", backend.StackQuery{Orgs: []string{"acme"}, Project: "shop", TagName: "env", TagValue: "prod", After: "a", Limit: 1}, []string{"b"}},
		} {
			var ids []string
			for _, it := range got(t, s, func(tx backend.Tx) ([]backend.Stack, error) { return tx.Stacks(c.query) }) {
				ids = append(ids, it.ID)
			}
			require.Equal(t, c.want, ids, c.name)
		}
	}},
	{"a project exists as long as it has a stack", func(t *testing.T, s backend.Store) {
		exists := func(org, project string) bool {
			return got(t, s, func(tx backend.Tx) (bool, error) { return tx.ProjectExists(org, project) })
		}
		require.False(t, exists("acme", "shop"))
		withUpdate(t, s)
		require.True(t, exists("acme", "SHOP"))
		require.False(t, exists("acme", "sho"))
		require.False(t, exists("zeta", "shop"))
	}},
}
