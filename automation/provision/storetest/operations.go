package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// operationIDs are those of a lookup.
func operationIDs(t testing.TB, s provision.Store, look func(provision.Tx) ([]provision.Operation, error)) (ids []string) {
	t.Helper()
	for _, o := range got(t, s, look) {
		ids = append(ids, o.ID)
	}
	return ids
}

var operationTests = []test{
	{"an operation comes back as it was", func(t *testing.T, s provision.Store) {
		zero := provision.Operation{ID: "op_0", StackID: "stk", ProjectID: "prj", Stack: nameOf("stk")}
		drift := operation("op_1", "stk", "prj")
		drift.Priority = -10
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.CreateOperation(zero), tx.CreateOperation(drift))
		})
		for _, want := range []provision.Operation{operation("op", "stk", "prj"), zero, drift} {
			require.Equal(t, want, got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation(want.ID) }))
			at := provision.Position{State: want.State, Version: want.Version}
			require.Equal(t, at, got(t, s, func(tx provision.Tx) (provision.Position, error) { return tx.Position(want.ID) }))
			update(t, s, func(tx provision.Tx) {
				locked, err := tx.LockOperation(want.ID)
				must(err)
				require.Equal(t, want, locked)
			})
		}
		all := got(t, s, func(tx provision.Tx) ([]provision.Operation, error) { return tx.Operations(provision.OperationQuery{}) })
		require.Equal(t, []provision.Operation{drift, zero, operation("op", "stk", "prj")}, all)
	}},
	{"an operation needs its environment and its project", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"by id":          func(tx provision.Tx) error { return failing(tx.Operation("op_x")) },
			"position":       func(tx provision.Tx) error { return failing(tx.Position("op_x")) },
			"lock":           func(tx provision.Tx) error { return failing(tx.LockOperation("op_x")) },
			"no environment": func(tx provision.Tx) error { return tx.CreateOperation(operation("op_x", "stk_x", "prj")) },
			"no project":     func(tx provision.Tx) error { return tx.CreateOperation(operation("op_x", "stk", "prj_x")) },
			"save": func(tx provision.Tx) error {
				o := operation("op_x", "stk", "prj")
				return tx.SaveOperation(&o)
			},
		})
	}},
	{"saving an operation writes everything, and compares versions", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		changed := operation("op", "stk", "prj")
		changed.State, changed.Plan, changed.Inputs, changed.EndedAt, changed.Priority = provision.Failed, nil, nil, time.Time{}, 0
		changed.Result.Changes, changed.Node, changed.Failure.Code = nil, "n2", provision.CodeStackBusy
		update(t, s, func(tx provision.Tx) {
			must(tx.SaveOperation(&changed))
			old := operation("op", "stk", "prj")
			require.ErrorIs(t, tx.SaveOperation(&old), provision.ErrVersion)
			require.Equal(t, operation("op", "stk", "prj"), old)
			must(tx.SaveOperation(&changed))
		})
		require.Equal(t, int64(3), changed.Version)
		require.Equal(t, changed, got(t, s, func(tx provision.Tx) (provision.Operation, error) { return tx.Operation("op") }))
	}},
	{"operations are selected, newest first, and counted", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			for _, id := range []string{"p", "q"} {
				must(tx.CreateProject(project(id, "acme", id)))
				order(tx, provision.Environment{ID: "stk_" + id, ProjectID: id})
			}
			order(tx, provision.Environment{ID: "stk_r", ProjectID: "p"})
			for id, o := range map[string]provision.Operation{
				"1": {ProjectID: "p", StackID: "stk_p", Kind: provision.KindUp, State: provision.Succeeded},
				"2": {ProjectID: "p", StackID: "stk_r", Kind: provision.KindDrift, State: provision.Queued},
				"3": {ProjectID: "q", StackID: "stk_q", Kind: provision.KindUp, State: provision.Queued},
				"4": {ProjectID: "p", StackID: "stk_p", Kind: provision.KindDestroy, State: provision.Queued, RequestedBy: provision.Actor{Kind: provision.Human, Name: "alice"}},
				"5": {ProjectID: "q", RequestedBy: provision.Actor{Kind: provision.ServiceAccount, Name: "alice"}, StackID: "stk_q", Kind: provision.KindPreview, State: provision.Failed},
			} {
				o.ID, o.CreatedAt = id, at(int(id[0]-'0'))
				must(tx.CreateOperation(o))
			}
		})
		for _, c := range []struct {
			name  string
			query provision.OperationQuery
			want  []string
		}{
			{"all", provision.OperationQuery{}, []string{"5", "4", "3", "2", "1"}},
			{"of no project", provision.OperationQuery{ProjectIDs: []string{}}, nil},
			{"of one", provision.OperationQuery{ProjectIDs: []string{"p"}}, []string{"4", "2", "1"}},
			{"of several", provision.OperationQuery{ProjectIDs: []string{"q", "p"}}, []string{"5", "4", "3", "2", "1"}},
			{"of a stack", provision.OperationQuery{StackID: "stk_p"}, []string{"4", "1"}},
			{"in states", provision.OperationQuery{States: []provision.State{provision.Succeeded, provision.Failed}}, []string{"5", "1"}},
			{"of kinds", provision.OperationQuery{Kinds: []provision.OperationKind{provision.KindUp, provision.KindDrift}}, []string{"3", "2", "1"}},
			{"ordered by somebody", provision.OperationQuery{RequestedBy: "user:alice"}, []string{"4"}},
			{"ordered by a program", provision.OperationQuery{RequestedBy: "service_account:alice"}, []string{"5"}},
			{"ordered by nobody", provision.OperationQuery{RequestedBy: "user:bob"}, nil},
			{"since", provision.OperationQuery{Since: at(4)}, []string{"5", "4"}},
			{"a first page", provision.OperationQuery{Limit: 2}, []string{"5", "4"}},
			{"a next page", provision.OperationQuery{Limit: 2, Before: "4"}, []string{"3", "2"}},
			{"a last page", provision.OperationQuery{Limit: 2, Before: "1"}, nil},
			{"everything at once", provision.OperationQuery{
				ProjectIDs: []string{"p"}, StackID: "stk_p", States: []provision.State{provision.Queued, provision.Succeeded},
				Kinds: []provision.OperationKind{provision.KindUp}, Since: at(1), Before: "4", Limit: 1,
			}, []string{"1"}},
		} {
			require.Equal(t, c.want, operationIDs(t, s, func(tx provision.Tx) ([]provision.Operation, error) { return tx.Operations(c.query) }), c.name)
		}
		count := func(id string, states ...provision.State) int {
			return got(t, s, func(tx provision.Tx) (int, error) { return tx.CountOperations(id, states...) })
		}
		require.Equal(t, 2, count("p", provision.Queued))
		require.Equal(t, 3, count("p", provision.Queued, provision.Succeeded))
		require.Equal(t, 0, count("q", provision.Succeeded))
		require.Equal(t, 0, count("p"))
		since := func(id string, minutes int) int {
			return got(t, s, func(tx provision.Tx) (int, error) { return tx.CountOperationsSince(id, at(minutes)) })
		}
		require.Equal(t, 2, since("p", 2))
		require.Equal(t, 3, since("p", 0))
		require.Equal(t, 0, since("x", 0))
	}},
	{"what waits for a worker is counted by queue, with the time since when", func(t *testing.T, s provision.Store) {
		depths := func() []provision.QueueDepth {
			return got(t, s, func(tx provision.Tx) ([]provision.QueueDepth, error) { return tx.QueueDepths() })
		}
		require.Empty(t, depths())
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "p")))
			order(tx, provision.Environment{ID: "stk", ProjectID: "p"})
			for id, o := range map[string]provision.Operation{
				"a": {Kind: provision.KindUp, State: provision.Queued, UpdatedAt: at(3)},
				"b": {Kind: provision.KindDestroy, State: provision.Approved, UpdatedAt: at(2)},
				"c": {Kind: provision.KindDrift, State: provision.Queued, UpdatedAt: at(4)},
				"d": {Kind: provision.KindUp, State: provision.AwaitingApproval, UpdatedAt: at(1)},
				"e": {Kind: provision.KindUp, State: provision.Applying, UpdatedAt: at(1)},
			} {
				o.ID, o.StackID, o.ProjectID = id, "stk", "p"
				must(tx.CreateOperation(o))
			}
		})
		require.Equal(t, []provision.QueueDepth{{Waiting: 2, Oldest: at(2)}, {Drift: true, Waiting: 1, Oldest: at(4)}}, depths())
	}},
	{"operations wait too long for a worker or for people", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "p")))
			order(tx, provision.Environment{ID: "stk", ProjectID: "p"})
			for id, o := range map[string]provision.Operation{
				"a": {State: provision.Queued, DeadlineAt: at(5)},
				"b": {State: provision.AwaitingApproval, DeadlineAt: at(3)},
				"c": {State: provision.Queued},
				"d": {State: provision.Queued, DeadlineAt: at(6)},
				"e": {State: provision.Applying, DeadlineAt: at(1)},
				"f": {State: provision.Expired, DeadlineAt: at(1)},
			} {
				o.ID, o.StackID, o.ProjectID = id, "stk", "p"
				must(tx.CreateOperation(o))
			}
		})
		overdue := func(minutes, limit int) []string {
			return operationIDs(t, s, func(tx provision.Tx) ([]provision.Operation, error) { return tx.OverdueOperations(at(minutes), limit) })
		}
		require.Equal(t, []string{"b", "a"}, overdue(5, 0))
		require.Equal(t, []string{"b"}, overdue(5, 1))
		require.Nil(t, overdue(2, 0))
	}},
}
