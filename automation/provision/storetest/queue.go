package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// waiting is an operation of the queue's tests. Its project is the first letter of
// its environment; it is ordered at the minute of its place in the table.
type waiting struct {
	id, stack string
	state     provision.State
	kind      provision.OperationKind
	priority  int
}

const (
	queued, approved, applying = provision.Queued, provision.Approved, provision.Applying
	up, drift                  = provision.KindUp, provision.KindDrift
)

var queueTests = func() (tests []test) {
	for _, c := range []struct {
		name  string
		table []waiting
		// claims are environments and the minute when their claim ends. It is 10.
		claims map[string]int
		want   []string
	}{
		{"an empty queue", nil, nil, nil},
		{
			"queued and approved ones may run, and no others",
			[]waiting{
				{"1", "a1", queued, up, 0},
				{"2", "a2", approved, up, 0},
				{"3", "a3", provision.AwaitingApproval, up, 0},
				{"4", "a4", provision.Succeeded, up, 0},
				{"5", "a5", provision.NeedsRecovery, up, 0},
				{"6", "a6", provision.Preparing, up, 0},
			},
			nil,
			[]string{"1", "2"},
		},
		{
			"the oldest first",
			[]waiting{{"3", "a1", queued, up, 0}, {"2", "a1", queued, up, 0}, {"1", "a2", queued, up, 0}},
			nil,
			[]string{"3", "2", "1"},
		},
		{
			"a higher priority before age and fairness",
			[]waiting{
				{"1", "a1", queued, up, 0},
				{"2", "b1", queued, up, 5},
				{"3", "b2", queued, up, -1},
				{"4", "b3", applying, up, 0},
				{"5", "c1", queued, up, 5},
			},
			nil,
			[]string{"5", "2", "1", "3"},
		},
		{
			"the project with the fewest running first",
			[]waiting{
				{"1", "a1", queued, up, 0},
				{"2", "b1", queued, up, 0},
				{"3", "c1", queued, up, 0},
				{"4", "a2", queued, up, 0},
				{"5", "a8", applying, up, 0},
				{"6", "a9", provision.Previewing, up, 0},
				{"7", "b9", provision.Recovering, up, 0},
				{"8", "c9", provision.AwaitingApproval, up, 0},
			},
			nil,
			[]string{"3", "2", "1", "4"},
		},
		{
			"not where a claim has not ended",
			[]waiting{
				{"1", "a1", queued, up, 0}, {"2", "a2", queued, up, 0}, {"3", "a3", approved, up, 0}, {"4", "a4", queued, up, 0},
			},
			map[string]int{"a1": 11, "a2": 10, "a3": 9},
			[]string{"2", "3", "4"},
		},
		{
			"drift only where nothing else waits",
			[]waiting{
				{"1", "a1", queued, drift, 0},
				{"2", "a1", queued, up, 0},
				{"3", "a2", queued, drift, 0},
				{"4", "a2", provision.Succeeded, up, 0},
				{"5", "a3", approved, up, 0},
				{"6", "a3", queued, drift, 100},
			},
			nil,
			[]string{"2", "3", "5"},
		},
		{
			"drift does not wait for drift, nor for who waits for people",
			[]waiting{
				{"1", "a1", queued, drift, 0}, {"2", "a1", queued, drift, 0}, {"3", "a2", provision.AwaitingApproval, up, 0}, {"4", "a2", queued, drift, 0},
			},
			nil,
			[]string{"1", "2", "4"},
		},
	} {
		tests = append(tests, test{"what a worker may take: " + c.name, func(t *testing.T, s provision.Store) {
			projects, stacks := map[string]bool{}, map[string]bool{}
			update(t, s, func(tx provision.Tx) {
				for i, w := range c.table {
					p := w.stack[:1]
					if !projects[p] {
						must(tx.CreateProject(project(p, "acme", p)))
					}
					if !stacks[w.stack] {
						order(tx, provision.Environment{ID: w.stack, ProjectID: p})
					}
					projects[p], stacks[w.stack] = true, true
					must(tx.CreateOperation(provision.Operation{
						ID: w.id, StackID: w.stack, ProjectID: p, Kind: w.kind, State: w.state, Priority: w.priority, CreatedAt: at(i),
					}))
				}
				for id, minute := range c.claims {
					_, err := tx.TakeClaim(provision.Claim{StackID: id, OperationID: "x", Node: "n", ExpiresAt: at(minute)}, at(0))
					must(err)
				}
			})
			runnable := func(limit int) []string {
				return operationIDs(t, s, func(tx provision.Tx) ([]provision.Operation, error) { return tx.Runnable(at(10), limit) })
			}
			require.Equal(t, c.want, runnable(0))
			for limit := 1; limit < len(c.want); limit++ {
				require.Equal(t, c.want[:limit], runnable(limit))
			}
		}})
	}
	return append(tests, test{"what a worker may take is whole", func(t *testing.T, s provision.Store) {
		want := operation("op", "stk", "prj")
		want.State = provision.Approved
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("prj", "Acme", "Shop")))
			order(tx, environment("stk", "prj"))
			must(tx.CreateOperation(want))
		})
		require.Equal(t, []provision.Operation{want}, got(t, s, func(tx provision.Tx) ([]provision.Operation, error) { return tx.Runnable(at(0), 0) }))
	}})
}()

var claimTests = []test{
	{"a claim is one's own until it ends, and its fence grows", func(t *testing.T, s provision.Store) {
		update(t, s, ordered)
		take := func(node string, until, now int) (provision.Claim, error) {
			var c provision.Claim
			err := s.Update(t.Context(), func(tx provision.Tx) (err error) {
				c, err = tx.TakeClaim(provision.Claim{StackID: "stk", OperationID: "op", Node: node, ExpiresAt: at(until)}, at(now))
				return err
			})
			return c, err
		}
		kept := func() (provision.Claim, error) {
			var c provision.Claim
			err := s.View(t.Context(), func(tx provision.Tx) (err error) {
				c, err = tx.Claim("stk")
				return err
			})
			return c, err
		}
		_, err := kept()
		require.ErrorIs(t, err, backend.ErrNotFound)
		first, err := take("n1", 5, 0)
		require.NoError(t, err)
		require.Equal(t, provision.Claim{StackID: "stk", OperationID: "op", Node: "n1", Fence: 1, ExpiresAt: at(5)}, first)
		it, err := kept()
		require.NoError(t, err)
		require.Equal(t, first, it)
		_, err = take("n2", 9, 4)
		require.ErrorIs(t, err, backend.ErrExists)

		first.ExpiresAt = at(7)
		update(t, s, func(tx provision.Tx) { must(tx.RenewClaim(first)) })
		it, err = kept()
		require.NoError(t, err)
		require.Equal(t, first, it)
		_, err = take("n2", 9, 6)
		require.ErrorIs(t, err, backend.ErrExists)
		second, err := take("n2", 9, 7)
		require.NoError(t, err, "it has ended")
		require.Equal(t, int64(2), second.Fence)
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return tx.RenewClaim(first) })
		update(t, s, func(tx provision.Tx) { must(tx.ReleaseClaim("stk", first.Fence), tx.ReleaseClaim("none", 1)) })
		it, err = kept()
		require.NoError(t, err, "who lost it does not end another's")
		require.Equal(t, second, it)

		update(t, s, func(tx provision.Tx) { must(tx.ReleaseClaim("stk", second.Fence)) })
		_, err = kept()
		require.ErrorIs(t, err, backend.ErrNotFound)
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return tx.RenewClaim(second) })
		third, err := take("n3", 20, 7)
		require.NoError(t, err)
		require.Equal(t, int64(3), third.Fence, "also after a release")
	}},
	{"a claim needs its environment", func(t *testing.T, s provision.Store) {
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error {
			return failing(tx.TakeClaim(provision.Claim{StackID: "stk", ExpiresAt: at(5)}, at(0)))
		})
	}},
	{"an ended claim is its owner's until somebody takes it", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			c, err := tx.TakeClaim(provision.Claim{StackID: "stk", ExpiresAt: at(5)}, at(0))
			must(err)
			found, err := tx.ExpiredClaims(at(9), 0)
			must(err)
			require.Equal(t, []provision.Claim{c}, found)
			c.ExpiresAt = at(20)
			must(tx.RenewClaim(c))
			found, err = tx.ExpiredClaims(at(9), 0)
			must(err)
			require.Empty(t, found)
		})
	}},
	{"claims are live, ended or released", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "p")))
			for id, until := range map[string]int{"a": 8, "b": 3, "c": 9, "d": 2, "e": 3, "f": 1} {
				order(tx, provision.Environment{ID: id, ProjectID: "p"})
				c, err := tx.TakeClaim(provision.Claim{StackID: id, ExpiresAt: at(until)}, at(0))
				must(err)
				if id == "f" {
					must(tx.ReleaseClaim(id, c.Fence))
				}
			}
		})
		ids := func(look func(provision.Tx) ([]provision.Claim, error)) (ids []string) {
			for _, c := range got(t, s, look) {
				ids = append(ids, c.StackID)
			}
			return ids
		}
		require.Equal(t, []string{"a", "c"}, ids(func(tx provision.Tx) ([]provision.Claim, error) { return tx.Claims(at(5)) }))
		require.Equal(t, []string{"c"}, ids(func(tx provision.Tx) ([]provision.Claim, error) { return tx.Claims(at(8)) }))
		require.Equal(t, []string{"d", "b", "e"}, ids(func(tx provision.Tx) ([]provision.Claim, error) { return tx.ExpiredClaims(at(5), 0) }))
		require.Equal(t, []string{"d", "b"}, ids(func(tx provision.Tx) ([]provision.Claim, error) { return tx.ExpiredClaims(at(5), 2) }))
		require.Nil(t, ids(func(tx provision.Tx) ([]provision.Claim, error) { return tx.ExpiredClaims(at(2), 0) }))
	}},
}
