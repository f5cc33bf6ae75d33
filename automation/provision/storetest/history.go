package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// ran writes an update of a stack as it is after its end.
func ran(tx provision.Tx, id string, version int64) {
	must(tx.CreateUpdate(backend.Update{
		ID: id, StackID: "stk", Kind: backend.KindUpdate, Status: backend.StatusSucceeded, Version: version, StartedAt: at(int(version)), CompletedAt: at(int(version)),
	}))
}

var historyTests = []test{
	{"a history is read to its end while it grows", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			for i := range int64(5) {
				ran(tx, fmt.Sprintf("upd_%d", i), i+1)
			}
			must(tx.CreateUpdate(backend.Update{ID: "upd_dry", StackID: "stk", DryRun: true, Version: 3, StartedAt: at(1)}))
		})
		var ids []string
		for after := ""; ; {
			page := got(t, s, func(tx provision.Tx) ([]backend.Update, error) { return tx.HistoryAfter("stk", after, 2) })
			if len(page) == 0 {
				break
			}
			for _, u := range page {
				ids = append(ids, u.ID)
			}
			after = page[len(page)-1].ID
			update(t, s, func(tx provision.Tx) { ran(tx, "upd_new"+after, 100+int64(len(ids))) })
		}
		require.Equal(t, []string{"upd_4", "upd_3", "upd_2", "upd_1", "upd_0"}, ids)
		fails(t, s, backend.ErrNotFound, func(tx provision.Tx) error { return failing(tx.HistoryAfter("stk", "upd_x", 2)) })
	}},
	{"the states that are kept are listed without what is in them", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			ordered(tx)
			for v := range int64(4) {
				must(tx.PutState(backend.StateVersion{StackID: "stk", Version: v + 1, Sealed: []byte("sealed"), Digest: []byte{byte(v)}, Resources: v, CreatedAt: at(int(v))}))
			}
		})
		versions := func(before int64, limit int) (found []int64) {
			for _, v := range got(t, s, func(tx provision.Tx) ([]backend.StateVersion, error) { return tx.StateVersions("stk", before, limit) }) {
				require.Equal(t, backend.StateVersion{
					StackID: "stk", Version: v.Version, Digest: []byte{byte(v.Version - 1)}, Resources: v.Version - 1, CreatedAt: at(int(v.Version - 1)),
				}, v)
				found = append(found, v.Version)
			}
			return found
		}
		require.Equal(t, []int64{4, 3, 2, 1}, versions(0, 0))
		require.Equal(t, []int64{2, 1}, versions(3, 2))
		require.Nil(t, versions(1, 2))
	}},
	{"access tokens are listed without those of operations", func(t *testing.T, s provision.Store) {
		update(t, s, func(tx provision.Tx) {
			for id, principal := range map[string]string{"tok_1": "sa:ci", "tok_2": "operation/op", "tok_3": "alice", "tok_4": "sa:ci"} {
				must(tx.CreateToken(backend.Token{ID: id, Principal: principal, Hash: []byte{1}}))
			}
		})
		ids := func(principal, after string, limit int) (found []string) {
			for _, k := range got(t, s, func(tx provision.Tx) ([]backend.Token, error) { return tx.AccessTokens(principal, after, limit) }) {
				found = append(found, k.ID)
			}
			return found
		}
		require.Equal(t, []string{"tok_1", "tok_3", "tok_4"}, ids("", "", 0))
		require.Equal(t, []string{"tok_3"}, ids("", "tok_1", 1))
		require.Equal(t, []string{"tok_1", "tok_4"}, ids("sa:ci", "", 0))
		require.Empty(t, ids("operation/op", "", 0))
	}},
}
