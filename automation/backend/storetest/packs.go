package storetest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"redoubt/automation/backend"
)

// publish creates a pack and returns it with its number.
func publish(t testing.TB, tx backend.Tx, p backend.PolicyPack) backend.PolicyPack {
	t.Helper()
	made, err := tx.CreatePack(p)
	require.NoError(t, err)
	return made
}

var packTests = []test{
	{"a policy pack comes back as it was", func(t *testing.T, s backend.Store) {
		full := backend.PolicyPack{
			Org: "Acme", Name: "redoubt", DisplayName: "Redoubt ü", Tag: "1.0.0",
			Policies: json.RawMessage(`[ {"name":"a", "x":"\u0000"} ]`), Archive: megabyte(), Complete: true, CreatedAt: at(1),
		}
		update(t, s, func(tx backend.Tx) { full = publish(t, tx, full) })
		require.Equal(t, int64(1), full.Version)
		require.Equal(t, full, got(t, s, func(tx backend.Tx) (backend.PolicyPack, error) { return tx.Pack("acme", "redoubt", "1.0.0") }))
		require.Equal(t, full, got(t, s, func(tx backend.Tx) (backend.PolicyPack, error) { return tx.PackByVersion("ACME", "redoubt", 1) }))
		full.DisplayName, full.Archive, full.Policies, full.Complete = "", nil, nil, false
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.SavePack(full)) })
		require.Equal(t, full, got(t, s, func(tx backend.Tx) (backend.PolicyPack, error) { return tx.Pack("acme", "redoubt", "1.0.0") }))
	}},
	{"publications are numbered, listed and deleted", func(t *testing.T, s backend.Store) {
		update(t, s, func(tx backend.Tx) {
			publish(t, tx, backend.PolicyPack{Org: "acme", Name: "b", Tag: "1", Complete: true, Archive: []byte("x")})
			publish(t, tx, backend.PolicyPack{Org: "acme", Name: "b", Tag: "2", Complete: true})
			publish(t, tx, backend.PolicyPack{Org: "acme", Name: "a", Tag: "1"})
			require.Equal(t, int64(3), publish(t, tx, backend.PolicyPack{Org: "ACME", Name: "b", Tag: "3"}).Version)
			require.Equal(t, int64(1), publish(t, tx, backend.PolicyPack{Org: "zeta", Name: "b", Tag: "3"}).Version)
			_, err := tx.CreatePack(backend.PolicyPack{Org: "Acme", Name: "b", Tag: "2"})
			require.ErrorIs(t, err, backend.ErrExists)
			for _, look := range []func() (backend.PolicyPack, error){
				func() (backend.PolicyPack, error) { return tx.Pack("acme", "b", "4") },
				func() (backend.PolicyPack, error) { return tx.PackByVersion("acme", "b", 4) },
				func() (backend.PolicyPack, error) { return tx.LatestPack("acme", "a") },
			} {
				_, err := look()
				require.ErrorIs(t, err, backend.ErrNotFound)
			}
			require.ErrorIs(t, tx.SavePack(backend.PolicyPack{Org: "acme", Name: "b", Tag: "4"}), backend.ErrNotFound)
		})
		latest := got(t, s, func(tx backend.Tx) (backend.PolicyPack, error) { return tx.LatestPack("acme", "b") })
		require.Equal(t, "2", latest.Tag, "the newest that is complete")
		list := func() []string {
			var found []string
			for _, p := range got(t, s, func(tx backend.Tx) ([]backend.PolicyPack, error) { return tx.Packs("acme") }) {
				require.Nil(t, p.Archive)
				found = append(found, p.Name+" "+p.Tag)
			}
			return found
		}
		require.Equal(t, []string{"a 1", "b 1", "b 2", "b 3"}, list())
		update(t, s, func(tx backend.Tx) { require.NoError(t, tx.DeletePack("Acme", "b", "3")) })
		require.Equal(t, []string{"a 1", "b 1", "b 2"}, list())
		update(t, s, func(tx backend.Tx) {
			again := publish(t, tx, backend.PolicyPack{Org: "acme", Name: "b", Tag: "3"})
			require.Equal(t, int64(4), again.Version, "a number is given once")
			require.NoError(t, tx.DeletePack("acme", "b", ""))
			require.ErrorIs(t, tx.DeletePack("acme", "b", ""), backend.ErrNotFound)
			require.ErrorIs(t, tx.DeletePack("acme", "a", "9"), backend.ErrNotFound)
		})
		require.Equal(t, []string{"a 1"}, list())
	}},
	{"a requirement is replaced, listed and deleted", func(t *testing.T, s backend.Store) {
		b := backend.PackRequirement{Org: "Acme", Pack: "b", Tag: "1", Config: json.RawMessage(`{"all": "advisory"}`)}
		a := backend.PackRequirement{Org: "acme", Pack: "a"}
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.PutRequirement(backend.PackRequirement{Org: "acme", Pack: "b", Tag: "0"}))
			require.NoError(t, tx.PutRequirement(b))
			require.NoError(t, tx.PutRequirement(a))
			require.NoError(t, tx.PutRequirement(backend.PackRequirement{Org: "zeta", Pack: "c"}))
		})
		required := func() []backend.PackRequirement {
			return got(t, s, func(tx backend.Tx) ([]backend.PackRequirement, error) { return tx.Requirements("ACME") })
		}
		require.Equal(t, []backend.PackRequirement{a, b}, required())
		update(t, s, func(tx backend.Tx) {
			require.NoError(t, tx.DeleteRequirement("acme", "a"))
			require.ErrorIs(t, tx.DeleteRequirement("acme", "a"), backend.ErrNotFound)
		})
		require.Equal(t, []backend.PackRequirement{b}, required())
	}},
}
