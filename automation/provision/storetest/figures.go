package storetest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/provision"
)

var figureTests = []test{
	{"figures of nothing", func(t *testing.T, s provision.Store) {
		f := got(t, s, func(tx provision.Tx) (provision.Figures, error) { return tx.Figures(at(10)) })
		require.Positive(t, f.Bytes)
		require.Contains(t, []string{"sqlite", "postgresql"}, f.Database)
		require.Equal(t, provision.Figures{Drifted: map[string]int{}, Bytes: f.Bytes, Database: f.Database}, f)
	}},
	{"figures count what is there, and not what was", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "Shop")), tx.CreateProject(project("q", "acme", "ops")))
			for id, e := range map[string]provision.Environment{
				"a": {ExpiresAt: at(9), Drift: provision.Drift{Status: "drifted"}},
				"b": {ExpiresAt: at(11), Drift: provision.Drift{Status: "drifted"}},
				"c": {Drift: provision.Drift{Status: "clean"}},
				"d": {ExpiresAt: at(1), DeletedAt: at(2), Drift: provision.Drift{Status: "drifted"}},
				"e": {ProjectID: "q"},
			} {
				if e.ID = id; e.ProjectID == "" {
					e.ProjectID = "p"
				}
				order(tx, e)
			}
			for id, o := range map[string]provision.Operation{
				"1": {State: queued, Kind: up, UpdatedAt: at(5)},
				"2": {State: queued, Kind: up, UpdatedAt: at(3)},
				"3": {State: queued, Kind: drift, UpdatedAt: at(4)},
				"4": {State: provision.NeedsRecovery, Kind: up, UpdatedAt: at(1)},
				"5": {State: provision.Succeeded, Kind: drift, UpdatedAt: at(6), EndedAt: at(6)},
				"6": {State: provision.Failed, Kind: drift, UpdatedAt: at(2), EndedAt: at(2)},
				"7": {State: provision.Succeeded, Kind: up, UpdatedAt: at(8), EndedAt: at(8)},
			} {
				o.ID, o.StackID, o.ProjectID, o.CreatedAt = id, "a", "p", at(0)
				must(tx.CreateOperation(o))
			}
			must(tx.CreateWebhook(provision.Webhook{ID: "h", Org: "acme"}))
			for id, d := range map[string]provision.Delivery{"x": {DueAt: at(10)}, "y": {DueAt: at(11)}, "z": {}} {
				d.ID, d.WebhookID, d.CreatedAt, d.Payload = id, "h", at(0), json.RawMessage("{}")
				must(tx.AddDelivery(d))
			}
		})
		f := got(t, s, func(tx provision.Tx) (provision.Figures, error) { return tx.Figures(at(10)) })
		require.Equal(t, []provision.OpenOperations{
			{State: provision.NeedsRecovery, Kind: up, Count: 1, Oldest: at(1)},
			{State: queued, Kind: drift, Count: 1, Oldest: at(4)},
			{State: queued, Kind: up, Count: 2, Oldest: at(3)},
		}, f.Open)
		require.Equal(t, map[string]int{"acme/Shop": 2}, f.Drifted)
		require.Equal(t, at(6), f.DriftChecked)
		require.Equal(t, 1, f.Overdue)
		require.Equal(t, 1, f.Due)
	}},
	{"operations that ended with secrets are found by their end", func(t *testing.T, s provision.Store) {
		secret := json.RawMessage(`{"password":{"$fingerprint":"ab","$sealed":"AAEC"}}`)
		update(t, s, func(tx provision.Tx) {
			must(tx.CreateProject(project("p", "acme", "p")))
			order(tx, provision.Environment{ID: "a", ProjectID: "p"})
			for id, o := range map[string]provision.Operation{
				"late": {EndedAt: at(4), Inputs: secret}, "early": {EndedAt: at(2), Inputs: secret}, "edge": {EndedAt: at(5), Inputs: secret}, "runs": {Inputs: secret},
				"before": {EndedAt: at(1), Inputs: secret}, "plain": {EndedAt: at(3), Inputs: json.RawMessage(`{"text":"\"$sealed\":\"x"}`)},
				"erased": {EndedAt: at(3), Inputs: json.RawMessage(`{"password":{"$fingerprint":"ab","$sealed":""}}`)},
			} {
				o.ID, o.StackID, o.ProjectID = id, "a", "p"
				must(tx.CreateOperation(o))
			}
		})
		find := func(limit int) []string {
			return operationIDs(t, s, func(tx provision.Tx) ([]provision.Operation, error) {
				return tx.EndedWithSecrets(at(2), at(5), limit)
			})
		}
		require.Equal(t, []string{"early", "late"}, find(0))
		require.Equal(t, []string{"early"}, find(1))
	}},
}
