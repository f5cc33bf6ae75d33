package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// environmentIDs are those of a lookup.
func environmentIDs(t testing.TB, s provision.Store, look func(provision.Tx) ([]provision.Environment, error)) (ids []string) {
	t.Helper()
	for _, e := range got(t, s, look) {
		ids = append(ids, e.ID)
	}
	return ids
}

func theEnvironment(t testing.TB, s provision.Store) provision.Environment {
	t.Helper()
	return got(t, s, func(tx provision.Tx) (provision.Environment, error) { return tx.Environment("stk") })
}

var environmentTests = []test{
	{"an environment comes back as it was", func(t *testing.T, s provision.Store) {
		zero := provision.Environment{ID: "stk_0", ProjectID: "prj", Name: nameOf("stk_0")}
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			order(tx, zero)
		})
		for _, want := range []provision.Environment{environment("stk", "prj"), zero} {
			require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Environment, error) { return tx.Environment(want.ID) }))
			require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Environment, error) {
				return tx.EnvironmentByName(backend.StackName{Org: "ACME", Project: "shop", Stack: want.Name.Stack})
			}))
			update(t, s, func(tx provision.Tx) {
				locked, err := tx.LockEnvironment(want.ID)
				must(err)
				require.Equal(t, want, locked)
			})
		}
	}},
	{"an environment needs its stack and its project", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.CreateStack(backend.Stack{ID: "stk_bare", Name: nameOf("stk_bare")}))
		})
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"by id":   func(tx provision.Tx) error { return failing(tx.Environment("stk_x")) },
			"by name": func(tx provision.Tx) error { return failing(tx.EnvironmentByName(nameOf("stk_x"))) },
			"lock":    func(tx provision.Tx) error { return failing(tx.LockEnvironment("stk_x")) },
			"save": func(tx provision.Tx) error {
				return tx.SaveEnvironment(&provision.Environment{ID: "stk_x", ProjectID: "prj"})
			},
			"no stack":   func(tx provision.Tx) error { return tx.CreateEnvironment(environment("stk_x", "prj")) },
			"no project": func(tx provision.Tx) error { return tx.CreateEnvironment(environment("stk_bare", "prj_x")) },
			"not one":    func(tx provision.Tx) error { return failing(tx.EnvironmentByName(nameOf("stk_bare"))) },
		})
	}},
	{"saving an environment writes everything but its name, and compares versions", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		changed := environment("stk", "prj")
		changed.Name.Stack, changed.Inputs, changed.Labels, changed.Lock, changed.DueAt, changed.DeletedAt = "x", nil, nil, nil, time.Time{}, at(9)
		update(t, s, func(tx provision.Tx) {
			must(tx.SaveEnvironment(&changed))
			old := environment("stk", "prj")
			require.ErrorIs(t, tx.SaveEnvironment(&old), provision.ErrVersion)
			require.Equal(t, environment("stk", "prj"), old)
		})
		require.Equal(t, int64(2), changed.Version)
		changed.Name = nameOf("stk")
		require.Equal(t, changed, theEnvironment(t, s))
	}},
	{"an environment has its stack's name, and keeps the last one", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.SaveStack(backend.Stack{ID: "stk", Name: backend.StackName{Org: "Acme", Project: "Bank", Stack: "New"}}))
		})
		renamed := backend.StackName{Org: "Acme", Project: "Bank", Stack: "New"}
		require.Equal(t, renamed, theEnvironment(t, s).Name)
		require.Equal(t, "stk", got(t, s, func(tx provision.Tx) (provision.Environment, error) { return tx.EnvironmentByName(renamed) }).ID)
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return failing(tx.EnvironmentByName(nameOf("stk"))) })
		operation := func() backend.StackName {
			return got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation("op") }).Stack
		}
		require.Equal(t, renamed, operation())

		update(t, s, func(tx provision.Tx) { must(tx.DeleteStack("stk")) })
		e := theEnvironment(t, s)
		require.Equal(t, renamed, e.Name)
		require.Equal(t, renamed, operation())
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return failing(tx.EnvironmentByName(renamed)) })
		update(t, s, func(tx provision.Tx) {
			e.DeletedAt = at(1)
			must(tx.SaveEnvironment(&e), tx.CreateStack(backend.Stack{ID: "stk_2", Name: renamed}), tx.CreateEnvironment(environment("stk_2", "prj")))
		})
		require.Equal(t, "stk_2", got(t, s, func(tx provision.Tx) (provision.Environment, error) { return tx.EnvironmentByName(renamed) }).ID)
		require.Equal(t, e, theEnvironment(t, s), "a deleted one is found by its id")
	}},
	{"a deleted environment is not found by name, though its stack is there", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			e := environment("stk", "prj")
			e.DeletedAt = at(1)
			must(tx.SaveEnvironment(&e))
		})
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return failing(tx.EnvironmentByName(nameOf("stk"))) })
	}},
	{"environments are selected and counted", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			for _, id := range []string{"p", "q"} {
				must(tx.CreateProject(project(id, "acme", id)))
			}
			for id, e := range map[string]provision.Environment{
				"a": {ProjectID: "p", Blueprint: provision.BlueprintRef{Name: "web"}},
				"b": {ProjectID: "p", Labels: map[string]string{"env": "prod", "a.b:c": "x=y"}, Drift: provision.Drift{Status: "drifted"}, ExpiresAt: at(3)},
				"c": {ProjectID: "q", ExpiresAt: at(4), Labels: map[string]string{"env": "dev", "ünï": ""}, Blueprint: provision.BlueprintRef{Name: "web"}},
				"d": {ProjectID: "q", Labels: map[string]string{"env": "prod"}, DeletedAt: at(1)},
			} {
				e.ID = id
				order(tx, e)
			}
			for id, o := range map[string]provision.Operation{
				"1": {StackID: "a", Kind: provision.KindUp, State: provision.Succeeded},
				"2": {StackID: "a", Kind: provision.KindPreview, State: provision.Failed},
				"3": {StackID: "b", Kind: provision.KindUp, State: provision.Queued},
				"4": {StackID: "b", Kind: provision.KindRefresh, State: provision.Failed},
				"5": {StackID: "b", Kind: provision.KindDrift, State: provision.Succeeded},
			} {
				o.ID, o.ProjectID = id, "p"
				must(tx.CreateOperation(o))
			}
		})
		for _, c := range []struct {
			name  string
			query provision.EnvironmentQuery
			want  []string
		}{
			{"all", provision.EnvironmentQuery{}, []string{"a", "b", "c"}},
			{"of no project", provision.EnvironmentQuery{ProjectIDs: []string{}}, nil},
			{"of one", provision.EnvironmentQuery{ProjectIDs: []string{"p"}}, []string{"a", "b"}},
			{"of several", provision.EnvironmentQuery{ProjectIDs: []string{"q", "x", "p"}}, []string{"a", "b", "c"}},
			{"of a blueprint", provision.EnvironmentQuery{Blueprint: "web"}, []string{"a", "c"}},
			{"that drifted", provision.EnvironmentQuery{Drift: "drifted"}, []string{"b"}},
			{"with a label", provision.EnvironmentQuery{Label: "env"}, []string{"b", "c"}},
			{"with a label's value", provision.EnvironmentQuery{Label: "env=prod"}, []string{"b"}},
			{"with a value that has a sign of equality", provision.EnvironmentQuery{Label: "a.b:c=x=y"}, []string{"b"}},
			{"with an empty value", provision.EnvironmentQuery{Label: "ünï="}, []string{"c"}},
			{"with a label without its value", provision.EnvironmentQuery{Label: "env="}, nil},
			{"a first page", provision.EnvironmentQuery{Limit: 2}, []string{"a", "b"}},
			{"a next page", provision.EnvironmentQuery{After: "b", Limit: 2}, []string{"c"}},
			{"that end before a time", provision.EnvironmentQuery{ExpiresBefore: at(4)}, []string{"b"}},
			{"that end before a later time", provision.EnvironmentQuery{ExpiresBefore: at(6)}, []string{"b", "c"}},
			{"in a state", provision.EnvironmentQuery{States: []provision.State{provision.Failed}}, []string{"b"}},
			{"in one of several states", provision.EnvironmentQuery{States: []provision.State{provision.Failed, provision.Succeeded}}, []string{"a", "b"}},
			{"in a state that an older operation had", provision.EnvironmentQuery{States: []provision.State{provision.Queued}}, nil},
			{"everything at once", provision.EnvironmentQuery{
				ProjectIDs: []string{"p"}, Drift: "drifted", Label: "env=prod", States: []provision.State{provision.Failed}, ExpiresBefore: at(4), After: "a", Limit: 1,
			}, []string{"b"}},
		} {
			require.Equal(t, c.want, environmentIDs(t, s, func(tx provision.Tx) ([]provision.Environment, error) { return tx.Environments(c.query) }), c.name)
		}
		for id, want := range map[string]int{"p": 2, "q": 1, "x": 0} {
			require.Equal(t, want, got(t, s, func(tx provision.Tx) (int, error) { return tx.CountEnvironments(id) }), id)
		}
	}},
	{"environments are due oldest first", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "p")))
			for id, e := range map[string]provision.Environment{
				"a": {DueAt: at(5)}, "b": {DueAt: at(3)}, "c": {}, "d": {DueAt: at(6)}, "e": {DueAt: at(1), DeletedAt: at(1)}, "f": {DueAt: at(3)},
			} {
				e.ID, e.ProjectID = id, "p"
				order(tx, e)
			}
		})
		due := func(minutes, limit int) []string {
			return environmentIDs(t, s, func(tx provision.Tx) ([]provision.Environment, error) { return tx.DueEnvironments(at(minutes), limit) })
		}
		require.Equal(t, []string{"b", "f", "a"}, due(5, 0))
		require.Equal(t, []string{"b", "f"}, due(5, 2))
		require.Nil(t, due(2, 0))
	}},
}
