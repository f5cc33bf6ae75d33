package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

func approval(id string, minute int) provision.Approval {
	a := full[provision.Approval]()
	a.ID, a.OperationID, a.At = id, "op", at(minute)
	return a
}

var approvalTests = []test{
	{"approvals come back as they were, in the order of time", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.CreateOperation(operation("op_2", "stk", "prj")))
			for id, minute := range map[string]int{"a": 5, "b": 1, "c": 3, "d": 3} {
				must(tx.AddApproval(approval(id, minute)))
			}
			require.ErrorIs(t, tx.AddApproval(approval("a", 1)), backend.ErrExists)
		})
		of := func(id string) []provision.Approval {
			return got(t, s, func(tx provision.Tx) ([]provision.Approval, error) { return tx.Approvals(id) })
		}
		require.Equal(t, []provision.Approval{approval("b", 1), approval("c", 3), approval("d", 3), approval("a", 5)}, of("op"))
		require.Empty(t, of("op_2"))
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error {
			return tx.AddApproval(provision.Approval{ID: "x", OperationID: "op_x"})
		})
	}},
}

func waiver(id, projectID string) provision.Waiver {
	w := full[provision.Waiver]()
	w.ID, w.ProjectID, w.Version = id, projectID, 1
	return w
}

var waiverTests = []test{
	{"waivers come back as they were, sorted by id, and saving compares versions", func(t *testing.T, s provision.Store) {
		zero := provision.Waiver{ID: "c", ProjectID: "prj"}
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			must(tx.CreateProject(project("prj_2", "Acme", "Bank")))
			must(tx.CreateWaiver(zero), tx.CreateWaiver(waiver("a", "prj")), tx.CreateWaiver(waiver("b", "prj_2")))
			require.ErrorIs(t, tx.CreateWaiver(waiver("a", "prj")), backend.ErrExists)
		})
		of := func(id string) []provision.Waiver {
			return got(t, s, func(tx provision.Tx) ([]provision.Waiver, error) { return tx.Waivers(id) })
		}
		require.Equal(t, []provision.Waiver{waiver("a", "prj"), zero}, of("prj"))
		require.Equal(t, []provision.Waiver{waiver("b", "prj_2")}, of("prj_2"))
		changed := waiver("a", "prj")
		changed.RevokedAt, changed.Reason = at(50), "over"
		update(t, s, func(tx provision.Tx) {
			must(tx.SaveWaiver(&changed))
			old := waiver("a", "prj")
			require.ErrorIs(t, tx.SaveWaiver(&old), provision.ErrVersion)
		})
		require.Equal(t, int64(2), changed.Version)
		require.Equal(t, changed, got(t, s, func(tx provision.Tx) (provision.Waiver, error) { return tx.Waiver("a") }))
		missing(t, s, backend.ErrNotFound, map[string]func(provision.Tx) error{
			"by id": func(tx provision.Tx) error { return failing(tx.Waiver("x")) },
			"save":  func(tx provision.Tx) error { return tx.SaveWaiver(&provision.Waiver{ID: "x", ProjectID: "prj"}) },
		})
	}},
}

var bindingTests = []test{
	{"bindings come back as they were, sorted by id, of some subjects or all", func(t *testing.T, s provision.Store) {
		binding := func(id, subject string) provision.Binding {
			b := full[provision.Binding]()
			b.ID, b.Subject = id, subject
			return b
		}
		a, b, c, zero := binding("a", "user:alice"), binding("b", "group:ops"), binding("c", "user:alice"), provision.Binding{ID: "d"}
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateBinding(zero), tx.CreateBinding(c), tx.CreateBinding(b), tx.CreateBinding(a))
			require.ErrorIs(t, tx.CreateBinding(binding("a", "x")), backend.ErrExists)
		})
		of := func(subjects ...string) []provision.Binding {
			return got(t, s, func(tx provision.Tx) ([]provision.Binding, error) { return tx.Bindings(subjects...) })
		}
		require.Equal(t, []provision.Binding{a, b, c, zero}, of())
		require.Equal(t, []provision.Binding{a, c}, of("user:alice"))
		require.Equal(t, []provision.Binding{a, b, c}, of("group:ops", "group:x", "user:alice"))
		require.Empty(t, of("user:ALICE"))
		update(t, s, func(tx provision.Tx) { must(tx.DeleteBinding("a")) })
		require.Equal(t, []provision.Binding{c}, of("user:alice"))
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return tx.DeleteBinding("a") })
	}},
}
